"""Gets what the browser, PostgreSQL and Redis tests need onto a Debian machine: `python -m tests.machine`.

Elsewhere, or without root, it installs nothing; the tests that lack something skip themselves and say so.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# program that proves it is there -> Debian packages
NEEDS = {
    "chromium": ["chromium", "fonts-dejavu-core", "fonts-liberation"],
    "redis-server": ["redis-server"],
    "xgettext": ["gettext"],
    "initdb": ["postgresql"],
    "wrk": ["wrk"],
}


def find(program: str) -> str | None:
    """Where a program is; PostgreSQL's live outside PATH on Debian."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(program) or shutil.which(program, path=os.pathsep.join(map(str, places)))


def main() -> None:
    missing = [program for program in NEEDS if find(program) is None]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get") or os.environ.get("NO_APT"):
        print("Not on this machine, so their tests are skipped:", ", ".join(missing))
        return
    packages = [package for program in missing for package in NEEDS[program]]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", "-q", *command], env=environment, capture_output=True, text=True)
        if done.returncode:
            print(
                f"apt-get {command[0]} failed, so the tests of {', '.join(missing)} are skipped:",
                file=sys.stderr,
            )
            print(done.stderr[-2000:], file=sys.stderr)
            return


if __name__ == "__main__":
    main()
