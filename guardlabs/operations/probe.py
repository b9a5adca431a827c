"""For health checks of containers; exit 0 or 1.

`python -m guardlabs.operations.probe`: is the site here ready?
`python -m guardlabs.operations.probe chores`: has `manage.py chores --forever` looked for work in CHORES_LATE_S?
"""

import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from guardlabs import env

CHORES_SEEN = "chores.seen"  # in var/; touched after each look
CHORES_LATE_S = 600  # a look comes every minute, and takes as long as slow providers and mail servers do


def main(of: str = "site", var: Path = Path("var")) -> int:
    return 0 if (chores_are_done(var) if of == "chores" else site_is_ready()) else 1


def site_is_ready() -> bool:
    connection = HTTPConnection("127.0.0.1", env.integer("PORT", 8000), timeout=4)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False


def chores_are_done(var: Path) -> bool:
    try:
        return time.time() - (var / CHORES_SEEN).stat().st_mtime < CHORES_LATE_S
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "site"))
