"""For health checks of containers; exit 0 or 1.

`python -m guardlabs.operations.probe`: is the site here ready?
`python -m guardlabs.operations.probe worker`: has `manage.py worker` looked for work in WORKER_LATE_S?
"""

import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from guardlabs import env

WORKER_SEEN = "worker.seen"  # in var/; touched after each look
WORKER_LATE_S = 600  # a look comes every minute, and takes as long as slow providers and mail servers do


def main(of: str = "site", var: Path = Path("var")) -> int:
    return 0 if (worker_is_alive(var) if of == "worker" else site_is_ready()) else 1


def site_is_ready() -> bool:
    connection = HTTPConnection("127.0.0.1", env.integer("PORT", 8000), timeout=4)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False


def worker_is_alive(var: Path) -> bool:
    try:
        return time.time() - (var / WORKER_SEEN).stat().st_mtime < WORKER_LATE_S
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "site"))
