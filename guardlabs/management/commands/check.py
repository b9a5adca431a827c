"""Django's `check` that also looks into the database, where the chain's configuration is."""

from django.core.management.base import CommandParser
from django.core.management.commands import check


class Command(check.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(databases=["default"])
