"""A PostgreSQL server of our own, in a temporary directory, where its programs are installed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """Where initdb and its kin are (Debian keeps them outside PATH); None when they are not installed."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb", path=os.pathsep.join([*map(str, places), os.environ.get("PATH", "")]))
    return Path(found).parent if found else None


@contextmanager
def server() -> Iterator[str]:
    """The DATABASE_URL of a fresh server on a Unix socket. Raises OSError when there can be none.

    PostgreSQL refuses to run as root, so root hands it to Debian's user `postgres`.
    """
    bin_, as_user = programs(), []
    if bin_ is None:
        raise OSError("PostgreSQL is not installed")
    if os.geteuid() == 0:
        as_user = ["runuser", "-u", "postgres", "--"]
    directory = Path(tempfile.mkdtemp(prefix="guardlabs-bench-pg-"))
    directory.chmod(0o777)
    options = f"-c listen_addresses= -c unix_socket_directories={directory} -c max_connections=200"

    def run(*command: str | Path) -> None:
        done = subprocess.run([*as_user, *map(str, command)], cwd=directory, capture_output=True, text=True)
        if done.returncode:
            raise OSError((done.stderr or done.stdout).strip()[-300:])

    data = directory / "data"
    try:
        run(bin_ / "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-sync")
        run(bin_ / "pg_ctl", "-D", data, "-w", "-l", directory / "log", "-o", options, "start")
        try:
            run(bin_ / "createdb", "-h", directory, "-U", "bench", "bench")
            yield f"postgresql://bench@/bench?host={directory}"
        finally:
            run(bin_ / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
