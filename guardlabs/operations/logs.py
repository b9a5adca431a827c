"""How a log line looks (LOG_FORMAT: `line` or `json`) and what must not reach it.

The token of a result page is the key to somebody's answers. Nothing personal is logged on purpose; what libraries
put into their messages and tracebacks (addresses in a database's error, a client's IP) is taken out here, of the
whole line, last.
"""

import logging
import re
import time
from copy import copy
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from guardlabs.web.correlation import request_id
from llm.calls import current

# No line of ours tells these, so no record asks for them (docs.python.org/3/howto/logging.html#optimization).
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

FORMATS = ("line", "json")
LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"
MASK = "***"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

TOKEN = re.compile(r"(?<=/r/)[\w.:=%-]+|(?<=/s/)[\w.:=%-]+|(?<=/scans/)[\w.:=%-]+|(?<=/order/)[\w.:=%-]{20,}")
MAILBOX = re.compile(r"[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63})+")
SECRET = re.compile(r"(?i)(?<=bearer )[\w.~+/=-]+|\b(?:sk|gsk|whsec|rk|hf|gl)[-_][\w-]{12,}")
CLIENT = re.compile(r"(?<=\bip=)[0-9A-Fa-f.:]+")
SIGNED = re.compile(
    r"(?<![\w-])[\w-]{22}(?:\.\d{9,11})?\.[\w-]{22}(?![\w-])"
)  # our tokens, wherever they stand

DETAIL = re.compile(r"(?<=DETAIL:).*?(?=\\n|\n|$)")  # PostgreSQL quotes the row that it refused
# Each with what a text must have, in small letters, to hold one: most lines have nothing of it, and need no search.
MASKED: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (DETAIL, ("detail:",)),
    (TOKEN, ("/r/", "/s/", "/scans/", "/order/")),
    (SIGNED, (".",)),
    (MAILBOX, ("@", "%40")),
    (SECRET, ("bearer ", "sk-", "sk_", "whsec", "rk-", "rk_", "hf-", "hf_", "gl-", "gl_")),
    (CLIENT, ("ip=",)),
)


def redact(text: str) -> str:
    """The text with `***` for every token, key, e-mail address and client address."""
    small = text.casefold()
    for pattern, signs in MASKED:
        if any(sign in small for sign in signs):
            text = pattern.sub(MASK, text)
    return text


def _escaped(text: str) -> str:
    """The text in which no character moves the cursor, colours the terminal or begins a line of its own."""
    return (
        text
        if text.isprintable()
        else CONTROL.sub(lambda char: char[0].encode("unicode_escape").decode(), text)
    )


@lru_cache(maxsize=128)
def _shown(text: str) -> str:
    """What a line may say of a text. Kept: most requests ask for the same few addresses."""
    return _escaped(redact(text))


class Access(logging.LogRecord):
    """A line of gunicorn's access log, one a request. Nothing is looked up of who wrote it, and where."""

    def __init__(self, name: str, line: str, atoms: dict[str, Any]) -> None:
        now = time.time()
        vars(self).update(NOWHERE, name=name, msg=line, args=atoms, created=now, msecs=now % 1 * 1000)


NOWHERE = vars(logging.LogRecord("", logging.INFO, "", 0, "", (), None))


def _is_access(record: logging.LogRecord) -> bool:
    """Whether it is one of gunicorn's access log."""
    return isinstance(record.args, dict) and "r" in record.args


def _known(atoms: Any) -> dict[str, Any]:
    """What may be told of a request. A path that leads nowhere may hold anything, a recovery phrase too."""
    if str(atoms.get("s")) != "404":
        return atoms  # type: ignore[no-any-return]
    return {**atoms, "U": MASK, "r": f"{atoms.get('m', '-')} {MASK}", "q": "", "f": "-"}


def _without_unknown_path(record: logging.LogRecord) -> logging.LogRecord:
    """The same of Django's own line."""
    args: Any = record.args
    if getattr(record, "status_code", None) == 404 and isinstance(args, tuple) and len(args) == 2:
        record = copy(record)
        record.args = (args[0], MASK)
    return record


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return time.strftime(Line.default_time_format, time.localtime(seconds))


class Line(logging.Formatter):
    """One line an event, traceback below, further in."""

    def __init__(self) -> None:
        super().__init__(LINE)

    def format(self, record: logging.LogRecord) -> str:
        if _is_access(record):  # one a request: only its few texts need to be looked at
            atoms = _known(record.args)
            shown = {name: _shown(value) if type(value) is str else value for name, value in atoms.items()}
            return f"{self.formatTime(record)} {record.levelname} {record.name} {record.msg % shown}"
        return redact(super().format(_without_unknown_path(record)))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """The standard library's default, each second worded once."""
        return f"{_second(int(record.created))},{int(record.msecs):03d}"

    def formatMessage(self, record: logging.LogRecord) -> str:
        return _escaped(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"  {_escaped(line)}" for line in lines)


class Json(JsonFormatter):
    """One JSON object an event: time, level, logger, message, request_id, call_id (when there are), exception.

    `extra` of a logging call is left out: only what is named here can reach the log.
    """

    def format(self, record: logging.LogRecord) -> str:
        if _is_access(record):
            record = copy(record)
            record.args = _known(record.args)
        return _escaped(redact(super().format(_without_unknown_path(record))))

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        log_data |= {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        ids = {"request_id": request_id.get() or None, "call_id": current.call_id.get()}
        log_data |= {name: value for name, value in ids.items() if value is not None}
        if _is_access(record):
            log_data |= _access(record.args)
        if record.exc_info:
            log_data["exception"] = self.formatException(record.exc_info)


def _access(atoms: Any) -> dict[str, Any]:
    """Numbers as numbers, for those who count them."""
    found = {
        "method": atoms["m"],
        "path": atoms["U"],
        "status": atoms["s"],
        "bytes": atoms["B"],
        "ms": atoms["M"],
    }
    return {
        name: int(value) if name in {"status", "bytes", "ms"} and str(value).isdecimal() else value
        for name, value in found.items()
    }


def formatter(name: str) -> logging.Formatter:
    """The formatter of LOG_FORMAT; anything but `json` is a line (see checks.py)."""
    return Json() if name == "json" else Line()
