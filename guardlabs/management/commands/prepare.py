"""Everything between an installed checkout and a serving site; safe to run at every start."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from guardlabs.install.catalogues import compile_catalogues
from llm.configuration import presets
from llm.foresight import newer_presets
from llm.pauses import breaker

ADMIN_NAME = "admin"
LOCK = 0x6775617264  # "guard": of all nodes that start on one PostgreSQL, one prepares it at a time


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits until no other start prepares what is in a folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Command(BaseCommand):
    help = "Migrates, loads the question bank and provider presets, compiles translations, collects static files."

    def add_arguments(self, parser: CommandParser) -> None:
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--files", action="store_true", help="only what is in files; needs no database")
        only.add_argument("--database", action="store_true", help="only what is in the database")

    def handle(self, *args: Any, **options: Any) -> None:
        with _alone(settings.BASE_DIR):
            self._prepare(options)

    def _prepare(self, options: dict[str, Any]) -> None:
        if not options["database"]:
            compile_catalogues(settings.LOCALE_PATHS[0])
            call_command("collectstatic", verbosity=0, interactive=False)
        if not options["files"]:
            self._database()
            self.stdout.write(
                f"GuardLabs is ready at {settings.SITE_URL}/ (staff: {settings.SITE_URL}/admin/)"
            )

    def _database(self) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:  # an index on a long table takes its time
                cursor.execute("SET statement_timeout = 0")
                cursor.execute("SET lock_timeout = 0")
                cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # let go as the connection ends
            self._fill()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
            return
        folder = Path(connection.settings_dict["NAME"]).parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(folder):
            self._fill()

    def _fill(self) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
        call_command("load_bank", verbosity=0)
        for note in presets.install().notes:
            self.stdout.write(note)
        if changes := len(newer_presets.compare()):
            self.stdout.write(f"To review, from this release's presets: {changes}; see `providers diff`.")
        breaker.forgive_replaced_keys()
        self._first_admin()

    def _first_admin(self) -> None:
        """On the very first run: an admin whose random password is printed once and stored nowhere."""
        users = get_user_model()
        if users.objects.exists():
            return
        password = secrets.token_urlsafe(15)
        users.objects.create_superuser(ADMIN_NAME, password=password)
        self.stdout.write(f"Admin user: {ADMIN_NAME}   password (shown once): {password}")
