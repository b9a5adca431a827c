"""`manage.py backup DIRECTORY`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from guardlabs.operations.backup import BackupError, backup


class Command(BaseCommand):
    help = (
        "Copies the whole database into a new file in DIRECTORY, while the site goes on. Keys are not in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = backup(options["directory"])
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(made))
        self.stderr.write("Not in it: SECRET_KEY and ENCRYPTION_KEYS (or var/). Keep them elsewhere.")
