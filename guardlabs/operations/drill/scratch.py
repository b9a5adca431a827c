"""A database for one drill, beside the site's own, which a drill never opens for more than to make another."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from guardlabs import env


@contextmanager
def database(name: str) -> Iterator[tuple[Path, str]]:
    """A directory and the DATABASE_URL of an empty database, which this process is connected to; gone afterwards.

    SQLite: a file. PostgreSQL: a database of that name on the same server (the user must be allowed to make one).
    """
    directory = Path(tempfile.mkdtemp(prefix=f"{name}-"))
    settings, own = connection.settings_dict, connection.settings_dict["NAME"]
    settings.get("OPTIONS", {}).pop("pool", None)
    try:
        if connection.vendor == "sqlite":
            settings["NAME"] = directory / "drill.sqlite3"
            yield directory, f"sqlite:///{settings['NAME']}"
            connection.close()
            return
        _execute(f'CREATE DATABASE "{name}"')
        try:
            settings["NAME"] = name
            yield directory, urlunsplit(urlsplit(env.text("DATABASE_URL"))._replace(path=f"/{name}"))
        finally:
            settings["NAME"] = own
            _execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        connection.close()
        settings["NAME"] = own
        shutil.rmtree(directory, ignore_errors=True)


def _execute(statement: str) -> None:
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()
