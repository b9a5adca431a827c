"""Shows, loads, exports and checks the configuration of the chain."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from llm.configuration import file as config
from llm.configuration import snapshot
from llm.foresight import catalogue, newer_presets, provider_check
from llm.management import quiet
from llm.onboarding import trial
from llm.onboarding.keys import import_keys
from llm.operations import alerts
from llm.status import facts, words
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

        apply = actions.add_parser("apply", help="apply what a check found: numbers of its diff, or all")
        apply.add_argument(
            "changes", nargs="+", metavar="NUMBER", help="as `providers diff` numbers them, or all"
        )
        actions.add_parser(
            "diff", help="what checks, and the presets of this release, have otherwise than configured"
        )

        keys = actions.add_parser(
            "import", help="store keys of a .env or a list, and test each with one tiny call"
        )
        keys.add_argument("file", metavar="FILE", help="the file; - reads standard input")
        keys.add_argument(
            "--provider", default="", metavar="SLUG", help="whose keys they are, if they do not tell"
        )

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
        elif options["action"] == "diff":
            newer_presets.compare()
            self._diff()
        elif options["action"] == "apply":
            self._apply(options["changes"])
        elif options["action"] == "import":
            self._import(options["file"], options["provider"])
        elif options["action"] == "check":
            self._check(options["slug"], paid=options["paid"])
        else:
            self._show()

    def _show(self) -> None:
        found = standing.provider_statuses()
        self.stdout.write(f"{facts.verdict().line}\n\n", ending="")
        if found:
            self.stdout.write(table(found))
        for kind in sorted({pause.kind for each in snapshot.open_pauses().values() for pause in each}):
            self.stdout.write(f"{kind}: {words.why(kind)}. {alerts.advice(kind)}".rstrip())
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
        newer_presets.compare()
        self._diff()
        alerts.mail_digest(lambda: facts.verdict().line)
        if problems:
            self.stderr.write(f"{problems} of these want a person.")
            sys.exit(1)

    def _diff(self) -> None:
        if changes := catalogue.open_changes():
            self.stdout.write("\nTo review; `providers apply NUMBER …` makes it so:")
            for change in changes:
                self.stdout.write(f"  {change.pk:>4}  {change}")

    def _apply(self, numbers: Sequence[str]) -> None:
        found = {str(change.pk): change for change in catalogue.open_changes()}
        wanted = list(found) if list(numbers) == ["all"] else numbers
        if unknown := [number for number in wanted if number not in found]:
            raise CommandError(f"nothing to review has the number {', '.join(unknown)}", returncode=2)
        for number in wanted:
            try:
                summary = catalogue.apply(found[number], by="providers apply")
            except (config.ConfigError, LookupError) as error:
                raise CommandError(f"{found[number]}: {error}") from None
            self.stdout.write(str(summary))

    def _import(self, path: str, provider: str) -> None:
        try:
            text = sys.stdin.read() if path == "-" else Path(path).read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            raise CommandError(f"cannot read {path}") from None
        done, works = import_keys(text, provider=provider, by="providers import"), 0
        for problem in done.problems:
            self.stderr.write(problem)
        if done.skipped:
            self.stdout.write(f"Not a provider's key, and left alone: {', '.join(done.skipped)}")
        for label in done.labels:
            tried = trial.try_key(label)
            works += tried.ok
            said = f"{tried.model} answered in {tried.ms} ms" if tried.ok else tried.why
            self.stdout.write(f"{label}: {said}" + (f"; {tried.limits}" if tried.limits else ""))
        if not works:
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
