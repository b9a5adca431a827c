"""Everything between an installed checkout and a serving site; safe to run at every start."""

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from guardlabs.catalogues import compile_catalogues
from llm.configuration import presets
from llm.failures import pauses

ADMIN_NAME = "admin"


class Command(BaseCommand):
    help = "Migrates, loads the question bank and provider presets, compiles translations, collects static files."

    def add_arguments(self, parser: CommandParser) -> None:
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--files", action="store_true", help="only what is in files; needs no database")
        only.add_argument("--database", action="store_true", help="only what is in the database")

    def handle(self, *args: Any, **options: Any) -> None:
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
        else:
            Path(connection.settings_dict["NAME"]).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
        call_command("load_bank", verbosity=0)
        for note in presets.install().notes:
            self.stdout.write(note)
        pauses.forgive_replaced_keys()
        self._first_admin()

    def _first_admin(self) -> None:
        """On the very first run: an admin whose random password is printed once and stored nowhere."""
        users = get_user_model()
        if users.objects.exists():
            return
        password = secrets.token_urlsafe(15)
        users.objects.create_superuser(ADMIN_NAME, password=password)
        self.stdout.write(f"Admin user: {ADMIN_NAME}   password (shown once): {password}")
