"""The clock that deadlines are kept by: seconds that only go forward. Tests put their own in its place."""

import time

monotonic = time.monotonic
