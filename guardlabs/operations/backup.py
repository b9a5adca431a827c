"""Copies of the database, and the way back. Keys are not in them: whoever finds a copy cannot read provider keys.

SECRET_KEY and ENCRYPTION_KEYS have to be kept elsewhere; beside each copy stands which ones it belongs to, as
fingerprints.
"""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django.utils.crypto import salted_hmac

from guardlabs import __version__

SUFFIX = {"sqlite": ".sqlite3", "postgresql": ".dump"}
OPTIONS = {
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
}  # fmt: skip


class BackupError(Exception):
    """Says in words for people why there is no copy, or why nothing was restored."""


def backup(directory: Path) -> Path:
    """Writes a copy of the whole database while the site goes on, and returns its file (mode 600).

    Raises BackupError; then no file is left behind.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"guardlabs-{timezone.now():%Y%m%d-%H%M%S}{SUFFIX[connection.vendor]}"
    made, partial = directory / name, directory / f".{name}.partial"
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        if connection.vendor == "sqlite":
            _copy_sqlite(_own_file(), partial)
            _check_sqlite(partial)
        else:
            _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={partial}")
        about = {"version": __version__, "engine": connection.vendor, "keys": _fingerprints()}
        _beside(made).write_text(json.dumps(about, indent=2) + "\n")
        partial.replace(made)
    finally:
        partial.unlink(missing_ok=True)
    return made


def restore(file: Path, *, replace: bool = False) -> list[str]:
    """Puts a copy in the place of the database, then migrates it. Returns warnings: keys that are not the copy's.

    Raises BackupError, before anything is changed when the file is no copy of this kind of database, or when the
    database is not empty and `replace` is not given. The site must not be running.
    """
    if file.suffix != SUFFIX[connection.vendor]:
        raise BackupError(
            f"{file.name} is no copy for {connection.vendor}; set DATABASE_URL to where it came from"
        )
    if not file.is_file():
        raise BackupError(f"there is no {file}")
    if not replace and "audit_scan" in connection.introspection.table_names():
        raise BackupError("the database is not empty; --replace throws away what is in it")
    if connection.vendor == "sqlite":
        _check_sqlite(file)
        connection.close()
        _copy_sqlite(file, _own_file())
    else:
        connection.close()
        options = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction")
        _run("pg_restore", *options, f"--dbname={_parameters()['dbname']}", str(file))
    call_command("migrate", verbosity=0, interactive=False)
    about = json.loads(_beside(file).read_text()) if _beside(file).exists() else {"keys": {}}
    here = _fingerprints()
    return [
        f"{name} is not the one that this copy was made with"
        for name, fingerprint in about["keys"].items()
        if here.get(name) != fingerprint
    ]


def _fingerprints() -> dict[str, str]:
    """Enough to recognise a key, not to find it."""
    keys = {"SECRET_KEY": settings.SECRET_KEY, "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS)}
    return {
        name: salted_hmac("guardlabs.operations.backup", name, secret=key, algorithm="sha256").hexdigest()[
            :12
        ]
        for name, key in keys.items()
    }


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def _own_file() -> Path:
    return Path(connection.settings_dict["NAME"])


def _copy_sqlite(source: Path, target: Path) -> None:
    """By SQLite's online backup, which sees a moment and not the middle of a transaction."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(source)) as from_, closing(sqlite3.connect(target)) as to:
        from_.backup(to)
        to.execute("PRAGMA journal_mode=DELETE")  # one file; the site switches its own back


def _check_sqlite(file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
            said = copy.execute("PRAGMA integrity_check").fetchone()[0]
            copy.execute("SELECT 1 FROM django_migrations")
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{file.name} is no database of this site: {error}") from error
    if said != "ok":
        raise BackupError(f"{file.name} is damaged: {said}")


def _parameters() -> dict[str, str]:
    return {name: str(value) for name, value in connection.get_connection_params().items() if value}


def _run(program: str, *arguments: str) -> None:
    places = [
        os.environ.get("PATH", ""),
        *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)),
    ]
    found = shutil.which(program, path=os.pathsep.join(places))
    if found is None:
        raise BackupError(f"{program} is not on this machine; Debian has it in postgresql-client")
    given = {OPTIONS[name]: value for name, value in _parameters().items() if name in OPTIONS}
    command = [found, "--no-password", *arguments]
    done = subprocess.run(command, env={**os.environ, **given}, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise BackupError(f"{program}: {done.stderr.strip()[-500:]}")
