"""One call down the chain from the command line."""

import io
import json
import logging
import os
import re
import sys
from argparse import SUPPRESS, ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from llm import chain
from llm.calls.terms import DataPolicy
from llm.configuration import presets
from llm.ledger import receipts
from llm.management import quiet
from llm.models import Call, Client, Provider

FAILED, WRONG_USE, INTERRUPTED = 3, 2, 130
DJANGOS_OPTIONS = {
    "version", "verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks",
}  # fmt: skip
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class UsageError(Exception):
    """A mistake of the user's: said in one line, exit 2."""


def at_least(kind: Callable[[str], Any], least: float, *, above: bool = False, most: float = 1e9) -> Any:
    """An argparse type: a finite number of at least (or above) `least`."""

    def read(text: str) -> Any:
        try:
            value = kind(text)
            fits = least < value <= most if above else least <= value <= most
        except (ValueError, InvalidOperation):
            raise ArgumentTypeError(f"{text!r} is not a number") from None
        if not fits:
            bound = f"above {least:g}" if above else f"at least {least:g}"
            raise ArgumentTypeError(f"{text!r} must be {bound} and at most {most:g}")
        return value

    return read


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
            type=at_least(int, 1, most=1_000_000),
            metavar="N",
            help="most tokens of the answer; default: the model's own maximum",
        )
        parser.add_argument(
            "--temperature", type=at_least(float, 0, most=2), metavar="X", help="0 to 2; default: the model's"
        )
        parser.add_argument(
            "--provider", action="append", metavar="SLUG", help="only this one; may be repeated"
        )
        parser.add_argument("--model", action="append", metavar="ID", help="only this model; may be repeated")
        parser.add_argument(
            "--tier", action="append", type=at_least(Decimal, 0, most=999), metavar="N",
            help="only providers of this tier; may be repeated",
        )  # fmt: skip
        parser.add_argument(
            "--data-class", choices=Client.DataClass.values, help="what the text is: providers whose terms forbid "
            "it are skipped; personal text is not kept in the ledger",
        )  # fmt: skip
        parser.add_argument("--lang", default="", metavar="xx", help="language of the answer, for the ledger")
        parser.add_argument(
            "--deadline", type=at_least(float, 0, above=True, most=3600), default=45.0, metavar="S",
            help="seconds for the whole call (45)",
        )  # fmt: skip
        parser.add_argument(
            "--max-usd",
            type=at_least(Decimal, 0),
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
        except UsageError as error:
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
            "user": _prompt(options["prompt"], options["file"]),
            "system": options["system"] and _clean(options["system"], "--system"),
            "max_tokens": options["max"],
            "temperature": options["temperature"],
            "providers": _known(options["provider"], self.only),
            "lang": options["lang"][:10],
            "deadline_s": options["deadline"],
            "max_usd": options["max_usd"],
            "purpose": "ask",
            **_limits(options),
        }
        live = options["stream"] and not options["json"] and self.stdout.isatty()
        try:
            with _Progress(self.stderr) as progress:
                reply = (
                    self._stream(arguments, progress, live=live)
                    if options["stream"]
                    else chain.complete(on_event=progress.show, **arguments)
                )
        except ValueError as error:
            raise UsageError(str(error)) from None
        except chain.ChainExhausted as exhausted:
            self._report(exhausted, as_json=options["json"])
        if options["json"]:
            self.stdout.write(json.dumps(_told(reply), ensure_ascii=False))
            return
        if not live:
            self.stdout.write(_safe(reply.text) if self.stdout.isatty() else reply.text)
        self.stdout.flush()
        self.stderr.write(_footer(reply), style_func=str)  # no error, so not in its colour

    def _stream(self, arguments: Mapping[str, Any], progress: "_Progress", *, live: bool) -> chain.Reply:
        """Runs a streamed call. `live` shows its text at once; else nothing is shown here."""
        shown = False
        for event in chain.stream(**arguments):
            progress.show(event)
            if isinstance(event, chain.Completed):
                if live:
                    self.stdout.write("")
                return event.reply
            if live and isinstance(event, chain.Delta):
                self.stdout.write(_safe(event.text), ending="")
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
            self.stdout.write(json.dumps(_told_failure(exhausted), ensure_ascii=False))
            self.stdout.flush()
        self.stderr.write(f"ask: {exhausted}")
        for attempt in exhausted.attempts:
            self.stderr.write(f"  {_safe_line(_attempt_line(attempt))}")
        for skip in exhausted.skipped:
            self.stderr.write(f"  skipped {_safe_line(_skip_line(skip))}")
        sys.exit(FAILED)


class _Progress:
    """Says on a terminal who is being asked, on one line that goes away again. Elsewhere it says nothing."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.wanted = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.shown = False

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self._clear()

    def show(self, event: chain.Event) -> None:
        self._clear()
        if not self.wanted:
            return
        if isinstance(event, chain.AttemptStarted):
            self._write(f"asking {_safe_line(f'{event.credential} {event.model} {event.location}')} …")
        elif isinstance(event, chain.AttemptFailed):
            self._write(f"{_safe_line(event.credential)}: {event.kind}, asking the next …")

    def _write(self, text: str) -> None:
        self.stream.write(text, style_func=str, ending="")
        self.stream.flush()
        self.shown = True

    def _clear(self) -> None:
        if self.shown:
            self.stream.write("\r\x1b[K", style_func=str, ending="")
            self.stream.flush()
            self.shown = False


# -- reading what was asked --------------------------------------------------------------------------


def _prompt(prompt: str | None, files: list[str]) -> str:
    """What to ask: standard input, the files and PROMPT, joined in this order by empty lines."""
    only_input = prompt is None and not files
    piped = _read("-") if only_input or "-" in files else _piped()
    parts = [piped, *(_read(path) for path in files if path != "-")]
    if prompt is not None:
        parts.append(_clean(prompt, "the prompt"))
    text = "\n\n".join(part for part in parts if part.strip())
    if not text:
        raise UsageError("the prompt is empty")
    return text


def _piped() -> str:
    """What is piped in besides; nothing from a terminal, or where no input can be read (a service, a test)."""
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return ""
    try:
        return _clean(sys.stdin.read(), "standard input")
    except OSError:
        return ""
    except UnicodeDecodeError:
        raise UsageError("standard input is not UTF-8 text") from None


def _read(path: str) -> str:
    name = "standard input" if path == "-" else path
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not UTF-8 text") from None
    return _clean(text, name)


def _clean(text: str, name: str) -> str:
    """The text, if a provider and the database can take it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{name} is not UTF-8 text") from None
    if "\x00" in text:
        raise UsageError(f"{name} is not text: it holds a NUL character")
    return text


def _limits(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the call may use, where it is said."""
    found = {"models": options["model"], "tiers": options["tier"]}
    limits: dict[str, Any] = {name: value for name, value in found.items() if value}
    if data_class := options["data_class"]:
        limits |= {
            "use": DataPolicy(data_class=data_class),
            "keep_text": data_class != Client.DataClass.PERSONAL,
        }
    return limits


def _known(slugs: list[str] | None, only: str | None) -> list[str] | None:
    """The providers asked for, if there are such and they are on; `only`: of those, and of them all when none is."""
    if slugs is None and only is None:
        return None
    enabled = dict(Provider.objects.values_list("slug", "enabled"))
    family = {row.slug for row in Provider.objects.all() if only is None or _is_of(row, only)}
    for slug in slugs or ():
        if slug not in enabled:
            known = ", ".join(enabled) or "none yet: see `manage.py providers load`"
            raise UsageError(f'there is no provider "{slug}" (known: {known})')
        if not enabled[slug]:
            raise UsageError(f'provider "{slug}" is switched off')
        if slug not in family:
            raise UsageError(f'this program asks {only} only, not "{slug}"')
    if slugs is None and not any(enabled[slug] for slug in family):
        raise UsageError(f"no provider of {only} is configured and switched on")
    return slugs or sorted(family)


def _is_of(row: Provider, family: str) -> bool:
    """By what it is, since staff may have given it another slug."""
    if family == Provider.Kind.VERTEX:
        return row.kind == Provider.Kind.VERTEX
    return row.slug == family or "huggingface.co" in row.base_url


# -- words -------------------------------------------------------------------------------------------


def _footer(reply: chain.Reply) -> str:
    cost = "$?" if reply.cost_usd is None else f"${reply.cost_usd:.4f}"
    parts = [
        reply.provider,
        f"in {reply.tokens_in}",
        f"out {reply.tokens_out}",
        cost,
        f"{reply.latency_ms / 1000:.1f} s",
    ]
    return f"[{' · '.join([*parts, 'cached'] if reply.cached else parts)}]"


def _told(reply: chain.Reply) -> dict[str, Any]:
    return {
        "text": reply.text, "provider": reply.provider, "model": reply.model, "cached": reply.cached,
        "cost_usd": _usd(reply.cost_usd), "tokens_in": reply.tokens_in, "tokens_out": reply.tokens_out,
        "latency_ms": reply.latency_ms, "attempts": reply.attempts, "skipped": reply.skipped,
        "receipt": receipts.of_reply(reply),
    }  # fmt: skip


def _told_failure(exhausted: chain.ChainExhausted) -> dict[str, Any]:
    """The same object without a text; failed attempts may have cost something."""
    call = Call.objects.filter(pk=exhausted.call_id).first() or Call(cost_usd=Decimal(0))
    return {
        "text": None, "provider": None, "model": None, "cached": False,
        "cost_usd": _usd(call.cost_usd), "tokens_in": call.tokens_in, "tokens_out": call.tokens_out,
        "latency_ms": call.latency_ms, "attempts": exhausted.attempts, "skipped": exhausted.skipped,
        "receipt": receipts.issue(text="", cost_usd=call.cost_usd, attempts=exhausted.attempts),
    }  # fmt: skip


def _usd(cost: Decimal | None) -> str | None:
    return None if cost is None else f"{cost:.6f}"


def _attempt_line(attempt: Mapping[str, Any]) -> str:
    where = f"{attempt['model']} in {attempt['location']}" if attempt.get("location") else attempt["model"]
    status = f" ({attempt['status']})" if attempt.get("status") else ""
    detail = f": {attempt['detail']}" if attempt.get("detail") else ""
    return f"{attempt['credential']} {where}: {attempt['outcome']}{status}{detail}"


def _skip_line(skip: Mapping[str, Any]) -> str:
    what = " ".join(filter(None, (skip.get("credential") or skip["provider"], skip.get("model"))))
    until = f" until {skip['until']}" if skip.get("until") else ""
    hint = presets.key_hint(skip["provider"]) if skip["why"] == "no key" else ""
    return f"{what}: {skip['why']}{until}{f' (set {hint})' if hint else ''}"


def _safe(text: str) -> str:
    """Text for a terminal, without the sequences that would steer it."""
    return CONTROL.sub("", text)


def _safe_line(text: str) -> str:
    return _safe(" ".join(text.split()))


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Keeps the server's log lines out of a person's terminal; what went wrong is told above anyway."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)
