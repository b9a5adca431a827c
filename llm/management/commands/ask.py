"""One call down the chain from the command line."""

import io
import json
import logging
import sys
from argparse import SUPPRESS
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from llm import chain
from llm.management import quiet, reading, telling
from llm.models import Client

FAILED, WRONG_USE, INTERRUPTED = 3, 2, 130
DJANGOS_OPTIONS = {
    "version", "verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks",
}  # fmt: skip


class Command(BaseCommand):
    help = (
        "Asks the chain once. The text goes to stdout, who wrote it to stderr; exit 3 when nobody answered."
    )
    requires_system_checks: list[str] = []
    only: str | None = None  # a program of its own may ask some providers only: see llm.cli

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "prompt", nargs="?", metavar="PROMPT", help="what to ask; comes after piped input and files"
        )
        parser.add_argument(
            "-f", "--file", action="append", default=[], metavar="FILE",
            help="also ask what a file holds (- is standard input); may be repeated",
        )  # fmt: skip
        parser.add_argument("--system", metavar="TEXT", help="the system message")
        parser.add_argument(
            "--max",
            type=reading.at_least(int, 1, most=1_000_000),
            metavar="N",
            help="most tokens of the answer; default: the model's own maximum",
        )
        parser.add_argument(
            "--temperature",
            type=reading.at_least(float, 0, most=2),
            metavar="X",
            help="0 to 2; default: the model's",
        )
        parser.add_argument(
            "--provider", action="append", metavar="SLUG", help="only this one; may be repeated"
        )
        parser.add_argument("--model", action="append", metavar="ID", help="only this model; may be repeated")
        parser.add_argument(
            "--tier", action="append", type=reading.at_least(Decimal, 0, most=999), metavar="N",
            help="only providers of this tier; may be repeated",
        )  # fmt: skip
        parser.add_argument(
            "--data-class", choices=Client.DataClass.values, help="what the text is: providers whose terms forbid "
            "it are skipped; personal text is not kept in the ledger",
        )  # fmt: skip
        parser.add_argument("--lang", default="", metavar="xx", help="language of the answer, for the ledger")
        parser.add_argument(
            "--deadline", type=reading.at_least(float, 0, above=True, most=3600), default=45.0, metavar="S",
            help="seconds for the whole call (45)",
        )  # fmt: skip
        parser.add_argument(
            "--max-usd",
            type=reading.at_least(Decimal, 0),
            metavar="X",
            help="most that the call may cost; 0 is free only",
        )
        parser.add_argument("--stream", action="store_true", help="show the text as it comes")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead")

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """The parser, whose help tells of our options alone. Django's own still work."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        for action in parser._actions:
            if action.dest in DJANGOS_OPTIONS:
                action.help = SUPPRESS
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal of another encoding is no reason to fail
        try:
            with _quiet_logs():
                self._run(options)
                self.stdout.flush()
        except reading.UsageError as error:
            self._leave(WRONG_USE, f"ask: {error}")
        except DatabaseError as error:
            self._leave(
                1, f"ask: the database is not ready ({type(error).__name__}): run `manage.py migrate`"
            )
        except KeyboardInterrupt:
            self._leave(INTERRUPTED)
        except BrokenPipeError:
            quiet.leave()

    def _leave(self, status: int, message: str = "") -> NoReturn:
        if message:
            self.stderr.write(message)
        sys.exit(status)

    # -- asking --------------------------------------------------------------------------------------

    def _run(self, options: Mapping[str, Any]) -> None:
        arguments = {
            "user": reading.read_prompt(options["prompt"], options["file"]),
            "system": options["system"] and reading.clean(options["system"], "--system"),
            "max_tokens": options["max"],
            "temperature": options["temperature"],
            "providers": reading.known(options["provider"], self.only),
            "lang": options["lang"][:10],
            "deadline_s": options["deadline"],
            "max_usd": options["max_usd"],
            "purpose": "ask",
            **reading.limits(options),
        }
        live = options["stream"] and not options["json"] and self.stdout.isatty()
        try:
            with telling.Progress(self.stderr) as progress:
                reply = (
                    self._stream(arguments, progress, live=live)
                    if options["stream"]
                    else chain.complete(on_event=progress.show, **arguments)
                )
        except ValueError as error:
            raise reading.UsageError(str(error)) from None
        except chain.ChainExhausted as exhausted:
            self._report(exhausted, as_json=options["json"])
        if options["json"]:
            self.stdout.write(json.dumps(telling.told(reply), ensure_ascii=False))
            return
        if not live:
            self.stdout.write(telling.safe(reply.text) if self.stdout.isatty() else reply.text)
        self.stdout.flush()
        self.stderr.write(telling.footer(reply), style_func=str)  # no error, so not in its colour

    def _stream(
        self, arguments: Mapping[str, Any], progress: "telling.Progress", *, live: bool
    ) -> chain.Reply:
        """Runs a streamed call. `live` shows its text at once; else nothing is shown here."""
        shown = False
        for event in chain.stream(**arguments):
            progress.show(event)
            if isinstance(event, chain.Completed):
                if live:
                    self.stdout.write("")
                return event.reply
            if live and isinstance(event, chain.Delta):
                self.stdout.write(telling.safe(event.text), ending="")
                self.stdout.flush()
                shown = True
            elif live and isinstance(event, chain.AttemptFailed) and shown:
                self.stdout.write("")
                self.stdout.flush()
                self.stderr.write(
                    f"--- {event.credential} failed ({event.kind}); starting over: ---", style_func=str
                )
                shown = False
        raise AssertionError("a stream ends with Completed or raises")

    # -- telling -------------------------------------------------------------------------------------

    def _report(self, exhausted: chain.ChainExhausted, *, as_json: bool) -> NoReturn:
        if as_json:
            self.stdout.write(json.dumps(telling.told_failure(exhausted), ensure_ascii=False))
            self.stdout.flush()
        self.stderr.write(f"ask: {exhausted}")
        for attempt in exhausted.attempts:
            self.stderr.write(f"  {telling.safe_line(telling.attempt_line(attempt))}")
        for skip in exhausted.skipped:
            self.stderr.write(f"  skipped {telling.safe_line(telling.skip_line(skip))}")
        sys.exit(FAILED)


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Keeps the server's log lines out of a person's terminal; what went wrong is told above anyway."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)
