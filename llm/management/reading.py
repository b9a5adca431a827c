"""Reads what `ask` is given: standard input, files, the prompt, and the options that restrict the call."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from decimal import InvalidOperation
from pathlib import Path
from typing import Any

from llm.calls.terms import DataPolicy
from llm.models import Client, Provider


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


def read_prompt(prompt: str | None, files: list[str]) -> str:
    """What to ask: standard input, the files and PROMPT, joined in this order by empty lines."""
    only_input = prompt is None and not files
    piped = _read("-") if only_input or "-" in files else _piped()
    parts = [piped, *(_read(path) for path in files if path != "-")]
    if prompt is not None:
        parts.append(clean(prompt, "the prompt"))
    text = "\n\n".join(part for part in parts if part.strip())
    if not text:
        raise UsageError("the prompt is empty")
    return text


def _piped() -> str:
    """What is piped in besides; nothing from a terminal, or where no input can be read (a service, a test)."""
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        return ""
    try:
        return clean(sys.stdin.read(), "standard input")
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
    return clean(text, name)


def clean(text: str, name: str) -> str:
    """The text, if a provider and the database can take it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{name} is not UTF-8 text") from None
    if "\x00" in text:
        raise UsageError(f"{name} is not text: it holds a NUL character")
    return text


def limits(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the call may use, where it is said."""
    found = {"models": options["model"], "tiers": options["tier"]}
    limits: dict[str, Any] = {name: value for name, value in found.items() if value}
    if data_class := options["data_class"]:
        limits |= {
            "use": DataPolicy(data_class=data_class),
            "keep_text": data_class != Client.DataClass.PERSONAL,
        }
    return limits


def known(slugs: list[str] | None, only: str | None) -> list[str] | None:
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
