"""For a container's health check: is the site here ready? `python -m guardlabs.operations.probe`; exit 0 or 1."""

import sys
from http.client import HTTPConnection

from guardlabs import env


def main() -> int:
    connection = HTTPConnection("127.0.0.1", env.integer("PORT", 8000), timeout=4)
    try:
        connection.request("GET", "/readyz")
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
