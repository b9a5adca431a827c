"""`manage.py restore FILE`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from guardlabs.operations.backup import BackupError, restore


class Command(BaseCommand):
    help = "Puts a copy made by `backup` in the place of the database, and migrates it. Stop the site first."
    requires_system_checks: list[str] = []  # there may be no database yet

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="throw away what the database holds now")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            warnings = restore(options["file"], replace=options["replace"])
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        for warning in warnings:
            self.stderr.write(
                f"{warning}: links that were sent out, or stored provider keys, cannot be read."
            )
        self.stdout.write("Restored.")
