"""Readers of single values of a providers file: a TOML value goes in, what the database stores comes out.

Each raises FieldError with a text that reads on from the field's name. Text that may hold a secret
(URLs, secrets, labels, accounts) is never repeated in it.
"""

import json
import math
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from llm import secrets
from llm.adapters import dialects
from llm.configuration.errors import FieldError

Reader = Callable[[Any], Any]

MOST_INTEGER = 2_147_483_647
MOST_HOURS = 87_600  # ten years
MOST_SECONDS = 3_600
NAME = re.compile(r"[a-z0-9][a-z0-9._:-]*")
LOCATION = re.compile(r"[a-z0-9][a-z0-9-]*")
REGION = re.compile(r"[A-Z]{2,10}")
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# What the chain itself sends; a parameter of that name would defeat its limits or break its reading.
OWN_PARAMS = {
    "model",
    "messages",
    "contents",
    "stream",
    "max_tokens",
    "max_output_tokens",
    "system_instruction",
    "http_options",
}


def shown(value: object) -> str:
    """A value as an error repeats it: short, in TOML's spelling where that differs from Python's."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:37] + "…"


def boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise FieldError(f"must be true or false, not {shown(value)}")


def line(value: Any, *, most: int) -> str:
    """Text in one line, at most `most` characters, not blank. What was given is not repeated."""
    if not isinstance(value, str):
        raise FieldError("must be text")
    if not value.strip():
        raise FieldError("must not be empty")
    if CONTROL.search(value):
        raise FieldError("must be one line without control characters")
    if len(value) > most:
        raise FieldError(f"must have at most {most} characters, not {len(value)}")
    return value


def text(most: int) -> Reader:
    return lambda value: line(value, most=most)


def text_or_empty(most: int) -> Reader:
    return lambda value: "" if value == "" else line(value, most=most)


def name(most: int) -> Reader:
    """A slug or label: lower-case letters, digits and . _ : -"""

    def read(value: Any) -> str:
        if not NAME.fullmatch(line(value, most=most)):
            raise FieldError(
                "must hold lower-case letters, digits and . _ : - only, and begin with a letter or digit"
            )
        return str(value)

    return read


def model_id_of(most: int) -> Reader:
    def read(value: Any) -> str:
        if re.search(r"\s", line(value, most=most)):
            raise FieldError("must not hold spaces")
        return str(value)

    return read


model_id = model_id_of(120)


def alias(value: Any) -> str:
    """A name that clients may ask for; what the gateway means by "auto" and "free" stays so."""
    if model_id(value) in {"auto", "free"}:
        raise FieldError(f"must not be {value}, which has a meaning of its own")
    return str(value)


def one_of(choices: Iterable[str]) -> Reader:
    known = list(choices)

    def read(value: Any) -> str:
        if value not in known:
            raise FieldError(f"must be one of {', '.join(known)}, not {shown(value)}")
        return str(value)

    return read


def one_of_or_empty(choices: Iterable[str]) -> Reader:
    read = one_of(choices)
    return lambda value: "" if value == "" else read(value)


def whole(least: int) -> Reader:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            bound = "above 0" if least == 1 else f"of at least {least}"
            raise FieldError(f"must be a whole number {bound}, not {shown(value)}")
        if value > MOST_INTEGER:
            raise FieldError(f"must be at most {MOST_INTEGER}, not {shown(value)}")
        return value

    return read


def number(*, least: float, most: float) -> Reader:
    """Seconds or hours."""

    def read(value: Any) -> float:
        usable = isinstance(value, int | float) and not isinstance(value, bool)
        if not usable or not math.isfinite(value) or not least <= value <= most:
            raise FieldError(f"must be a number from {least:g} to {most:g}, not {shown(value)}")
        return float(value)

    return read


def decimal(*, digits: int, places: int) -> Reader:
    """An exact amount of at least 0: text ("0.27"), a whole number, or a TOML float by its spelling."""

    def read(value: Any) -> Decimal:
        spelled = "" if isinstance(value, bool) else value if isinstance(value, str) else _spelled(value)
        if not DECIMAL.fullmatch(spelled):
            raise FieldError(f'must be an amount of at least 0, such as "0.27", not {shown(value)}')
        amount = Decimal(spelled)
        if amount >= 10 ** (digits - places):
            raise FieldError(f"must be less than {10 ** (digits - places)}, not {shown(value)}")
        if amount != amount.quantize(Decimal(1).scaleb(-places)):
            unit = "1 decimal" if places == 1 else f"{places} decimals"
            raise FieldError(f"must have at most {unit}, not {shown(value)}")
        return amount

    return read


def _spelled(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return format(Decimal(str(value)), "f")
    return ""


def day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise FieldError(f"must be a day such as 2027-01-31, not {shown(value)}")


def or_nothing(reader: Reader) -> Reader:
    """Also takes "", which clears the field."""
    return lambda value: None if value == "" else reader(value)


def base_url(value: Any) -> str:
    """An http or https address without user, query and fragment; empty for the kind's own."""
    if value == "":
        return ""
    address = line(value, most=300)
    try:
        parts = urlsplit(address.replace("{location}", "location"))
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise FieldError("is not a valid address") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise FieldError("must begin with http:// or https:// and name a host")
    if "@" in parts.netloc or parts.query or parts.fragment or "?" in address or "#" in address:
        raise FieldError(
            "must not hold a user, a password, a query or a fragment: keys belong into [[provider.key]]"
        )
    if (
        "{location}" in address.partition("//")[2].partition("/")[0]
        and "." not in host.partition("location")[2]
    ):
        raise FieldError("must name the domain that {location} is a part of")
    if re.search(r"[\s\\<>\"{}|^`]", parts.netloc + parts.path):
        raise FieldError("is not a valid address ({location} is the only placeholder)")
    return address


def locations(value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise FieldError('must be a list of locations, such as ["global", "eu", "us"]')
    for item in value:
        if not isinstance(item, str) or not LOCATION.fullmatch(item) or len(item) > 60:
            raise FieldError(f"must hold names such as europe-west1, not {shown(item)}")
    if len(set(value)) < len(value):
        raise FieldError("names a location twice")
    return list(value)


def regions(value: Any) -> list[str]:
    """Regions as terms name them, in capitals: ["EEA", "UK", "CH"]; an empty list is none."""
    if not isinstance(value, list) or not all(isinstance(v, str) and REGION.fullmatch(v) for v in value):
        raise FieldError('must be a list of regions in capitals, such as ["EEA", "UK", "CH"]')
    return list(dict.fromkeys(value))


def patterns(value: Any) -> list[str]:
    """Patterns of model ids, in which * stands for anything: ["*:free"]; an empty list is all."""
    if not isinstance(value, list):
        raise FieldError('must be a list of patterns of model ids, such as ["*:free"]')
    for item in value:
        try:
            model_id(item)
        except FieldError as error:
            raise FieldError(f"must hold patterns of model ids; one {error}") from None
    if len(set(value)) < len(value):
        raise FieldError("names a pattern twice")
    return list(value)


def params(value: Any) -> dict[str, Any]:
    """A table that JSON can carry."""
    if not isinstance(value, dict):
        raise FieldError(f'must be a table, such as {{ reasoning_effort = "low" }}, not {shown(value)}')
    if taken := sorted(OWN_PARAMS & value.keys()):
        raise FieldError(f"must not set {', '.join(taken)}: the chain does")
    _check_json(value)
    return value


def dialect(value: Any) -> dict[str, Any]:
    """What a service wants said differently; see `llm.adapters.dialects`."""
    if not isinstance(value, dict):
        raise FieldError(
            f'must be a table, such as {{ max_tokens = "max_completion_tokens" }}, not {shown(value)}'
        )
    for name, item in value.items():
        if name not in dialects.CHOICES:
            raise FieldError(f"knows {', '.join(dialects.CHOICES)}, not {shown(name)}")
        choices = dialects.CHOICES[name]
        if not any(item is choice or (isinstance(item, str) and item == choice) for choice in choices):
            raise FieldError(
                f"must have {name} as one of {', '.join(map(shown, choices))}, not {shown(item)}"
            )
    return value


def _check_json(value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _check_json(key)
            _check_json(item)
    elif isinstance(value, list):
        for item in value:
            _check_json(item)
    elif isinstance(value, float) and not math.isfinite(value):
        raise FieldError(f"must hold JSON values, not {shown(value)}")
    elif isinstance(value, str) and "\x00" in value:
        raise FieldError("must not hold a NUL character")
    elif not isinstance(value, str | bool | int | float):
        raise FieldError(f"must hold JSON values, not {shown(value)}")


def secret(value: Any) -> str:
    """A reference, or the key itself. Nothing of it is ever repeated."""
    if not isinstance(value, str):
        raise FieldError("must be text: env:NAME, file:/path or the key itself")
    value = value.strip()
    if value in {"", "env:", "file:"}:
        raise FieldError("must not be empty: write env:NAME, file:/path or the key itself")
    if value.startswith("enc:"):
        raise FieldError("must be env:NAME, file:/path or the key itself, not its encrypted form")
    if value.startswith("env:") and not secrets.ENV_REFERENCE.fullmatch(value):
        raise FieldError("is no reference to a variable: write env:GROQ_API_KEY, or env:GROQ_API_KEYS[2]")
    if VARIABLE.fullmatch(value):
        raise FieldError("looks like the name of a variable: write env: before it")
    if not secrets.is_reference(value):
        _check_key(value)
    elif CONTROL.search(value) or len(value) > 1000:
        raise FieldError("must be one line of at most 1000 characters")
    elif value.startswith("file:") and secrets.is_outside(value.removeprefix("file:")):
        raise FieldError("must name a file below LLM_SECRETS_DIR")
    return str(value)


def _check_key(key: str) -> None:
    """A key travels in a header, so it is printable ASCII; or it is the JSON of a service account."""
    if key.startswith("{"):
        try:
            json.loads(key)
        except ValueError:
            raise FieldError("begins like the JSON of a service account, but is none") from None
    elif not re.fullmatch(r"[!-~]+", key):
        raise FieldError("must be one word of ASCII characters")
