"""Copies of the database, and the way back. Keys are not in them: whoever finds a copy cannot read provider keys.

SECRET_KEY and ENCRYPTION_KEYS have to be kept elsewhere; beside each copy stands which ones it belongs to, as
fingerprints.
"""

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

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

    Raises BackupError; then no file is left behind. What a killed one left is removed by the next.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    _remove_left_behind(directory)
    made, partial, lock = _claim(directory)
    try:
        if connection.vendor == "sqlite":
            _copy_sqlite(_own_file(), partial)
            _check_sqlite(partial)
        else:
            _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={partial}")
        about = {"version": __version__, "engine": connection.vendor, "keys": _fingerprints()}
        _beside(made).write_text(json.dumps(about, indent=2) + "\n")
        _beside(made).chmod(0o600)
        partial.replace(made)
    except BaseException:
        _beside(made).unlink(missing_ok=True)
        raise
    finally:
        partial.unlink(missing_ok=True)
        os.close(lock)
    return made


def _claim(directory: Path) -> tuple[Path, Path, int]:
    """A name that nobody has, the file to write to, and its lock: it is held for as long as somebody writes."""
    moment = f"guardlabs-{timezone.now():%Y%m%d-%H%M%S}"
    for number in count(1):
        name = f"{moment}{f'-{number}' if number > 1 else ''}{SUFFIX[connection.vendor]}"
        made, partial = directory / name, directory / f".{name}.partial"
        try:
            lock = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            return made, partial, lock
        partial.unlink()
        os.close(lock)
    raise AssertionError("there is always another number")


def _remove_left_behind(directory: Path) -> None:
    """Deletes halves that nobody writes any more, and what SQLite kept beside them."""
    for partial in directory.glob(".guardlabs-*.partial"):
        with suppress(FileNotFoundError), partial.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            for each in directory.glob(f"{partial.name}*"):
                each.unlink(missing_ok=True)
            finished = directory / partial.name.removeprefix(".").removesuffix(".partial")
            if not finished.exists():
                _beside(finished).unlink(missing_ok=True)


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
        _replace_postgresql(file)
    call_command("migrate", verbosity=0, interactive=False)
    about = json.loads(_beside(file).read_text()) if _beside(file).exists() else {"keys": {}}
    return [f"{name} is not the one that this copy was made with" for name in strange_keys(about["keys"])]


def strange_keys(made_with: dict[str, str]) -> list[str]:
    """Names of a copy's keys (as fingerprints) that this site does not know. A key that was changed since then, and
    kept as one of SECRET_KEY_FALLBACKS or behind a newer one of ENCRYPTION_KEYS, still opens what is in the copy."""
    newest_first = settings.ENCRYPTION_KEYS
    known = {
        "SECRET_KEY": [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS],
        "ENCRYPTION_KEYS": [",".join(newest_first[n:]) for n in range(len(newest_first) or 1)],
    }
    return [
        name
        for name, fingerprint in made_with.items()
        if fingerprint not in {_fingerprint(name, key) for key in known.get(name, ())}
    ]


def _fingerprints() -> dict[str, str]:
    keys = {"SECRET_KEY": settings.SECRET_KEY, "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS)}
    return {name: _fingerprint(name, key) for name, key in keys.items()}


def _fingerprint(name: str, key: str) -> str:
    """Enough to recognise a key, not to find it. The salt is that of every copy there is."""
    return salted_hmac("guardlabs.backup", name, secret=key, algorithm="sha256").hexdigest()[:12]


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def _own_file() -> Path:
    return Path(connection.settings_dict["NAME"])


def _copy_sqlite(source: Path, target: Path) -> None:
    """By SQLite's online backup, which sees a moment and not the middle of a transaction."""
    target.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(target, os.O_RDWR | os.O_CREAT, 0o600))
    target.chmod(0o600)
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


# Everything of the schema but what extensions own. Dropping the schema itself is not ours to do everywhere.
EMPTY = """
DO $$ DECLARE each record; BEGIN
  FOR each IN
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
             WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind, c.oid, c.oid::regclass AS name
    FROM pg_class c
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'e', 'i'))
  LOOP
    CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class WHERE oid = each.oid);  -- went with another
    EXECUTE format('DROP %s IF EXISTS %s CASCADE', each.kind, each.name);
  END LOOP;
END $$;
"""


def _replace_postgresql(file: Path) -> None:
    """The copy in the place of everything, in one transaction: also of tables that a later release made."""
    with TemporaryDirectory(prefix="guardlabs-restore-") as folder:  # mode 700
        script = f"{folder}/copy.sql"
        _run("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(file))
        options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
        _run("psql", *options, f"--command={EMPTY}", f"--file={script}")


def _parameters() -> dict[str, str]:
    return {name: str(value) for name, value in connection.get_connection_params().items() if value}


def _environment() -> dict[str, str]:
    """Of PostgreSQL's own programs: where the database is, and its password where nobody sees it."""
    given = {OPTIONS[name]: value for name, value in _parameters().items() if name in OPTIONS}
    return {**os.environ, **given}


def _program(name: str) -> str:
    """Where a program of PostgreSQL's is. Raises BackupError."""
    places = [
        os.environ.get("PATH", ""),
        *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)),
    ]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        raise BackupError(f"{name} is not on this machine; Debian has it in postgresql-client")
    return found


def _run(program: str, *arguments: str) -> None:
    command = [_program(program), "--no-password", *arguments]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise BackupError(f"{program}: {done.stderr.strip()[-500:]}")
