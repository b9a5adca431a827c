"""Shows, loads, exports and checks the configuration of the chain."""

import sys
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from llm.configuration import file as config
from llm.foresight import provider_check
from llm.management import quiet
from llm.operations import alerts
from llm.status import facts
from llm.status import providers as standing
from llm.status.table import table


class Command(quiet.Command):
    help = "Without arguments: a table of providers, keys, models and their state. It never prints a key."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION")
        load = actions.add_parser("load", help="load a providers file; a bad one is refused whole (exit 1)")
        load.add_argument("file", metavar="FILE.toml", help="the file; - reads standard input")
        actions.add_parser("export", help="print the configuration as a providers file, without secrets")

        check = actions.add_parser(
            "check",
            help="ask each provider: configured ids that are gone, keys that no longer work, prices that "
            "changed, one tiny call for each key and model; exit 1 when a person has to act",
        )
        check.add_argument("slug", nargs="?", help="only this provider")
        check.add_argument("--paid", action="store_true", help="tiny calls also where no budget limits them")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._act(options)
        except DatabaseError as error:
            kind = type(error).__name__
            raise CommandError(f"the database is not ready ({kind}): run `manage.py migrate`") from error

    def _act(self, options: Mapping[str, Any]) -> None:
        if options["action"] == "load":
            self._load(options["file"])
        elif options["action"] == "export":
            self.stdout.write(config.export(), ending="")
        elif options["action"] == "check":
            self._check(options["slug"], paid=options["paid"])
        else:
            self._show()

    def _show(self) -> None:
        found = standing.provider_statuses()
        self.stdout.write(f"{facts.verdict().line}\n\n", ending="")
        if found:
            self.stdout.write(table(found))
        if not standing.any_usable(found):
            self.stdout.write("\n".join(["", *standing.first_steps()]))

    def _check(self, slug: str | None, *, paid: bool) -> None:
        try:
            chosen = provider_check.providers(slug)
        except LookupError as error:
            raise CommandError(str(error), returncode=2) from None
        problems = 0
        for provider in chosen:
            for finding in provider_check.check(provider, paid=paid):
                problems += finding.problem
                mark = "!" if finding.problem else " "
                line = f"{mark} {finding.provider:<12} {finding.subject}: {finding.word}"
                self.stdout.write(f"{line} ({finding.detail})" if finding.detail else line)
        alerts.mail_digest()
        if problems:
            self.stderr.write(f"{problems} of these want a person.")
            sys.exit(1)

    def _load(self, path: str) -> None:
        try:
            summary = config.load(sys.stdin.read()) if path == "-" else config.load_file(path)
        except config.ConfigError as error:
            name = "the input" if path == "-" else path
            self.stderr.write(f"{name} is refused, and nothing was changed:")
            for line in error.errors:
                self.stderr.write(f"  {line}")
            sys.exit(1)
        self.stdout.write(str(summary))
