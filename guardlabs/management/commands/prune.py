"""`prune`: deletes what is older than RETENTION_DAYS, or than `--days`. Runs by itself once a day, too."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from guardlabs.operations import retention

MOST_DAYS = 36_500


class Command(BaseCommand):
    help = "Deletes scans, call logs and kept replies older than N days; never an order."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=settings.RETENTION_DAYS, metavar="N")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        if days < 1:
            raise CommandError("--days must be at least 1: 0 would delete what is being written now")
        if days > MOST_DAYS:
            raise CommandError(f"--days must be at most {MOST_DAYS}, a hundred years")
        counts = retention.prune(days)
        self.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items()) + " deleted")
