"""The clock that deadlines are kept by: seconds that only go forward. Tests put their own in its place."""

import asyncio
import math
import time
from collections.abc import Callable

monotonic = time.monotonic
# How a call waits. Tests and benchmarks put a plain function here: it runs where the caller's own code does.
sleep: Callable[[float], object] = asyncio.sleep


def on_loop(moment: float) -> float | None:
    """A moment of `monotonic()` as `asyncio.timeout_at` takes it, in the running loop's time; None: never."""
    if moment == math.inf:
        return None
    return asyncio.get_running_loop().time() + (moment - monotonic())
