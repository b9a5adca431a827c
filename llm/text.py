"""Text from outside, made fit for storing and for sending."""

import json
from collections.abc import Mapping
from typing import Any

import orjson


def mend(text: str) -> str:
    """The text without NUL and half characters (JSON may hold `\\ud83d` alone), which no database takes."""
    text = text.replace("\0", "")
    if text.isascii():  # which it knows without a look at its characters
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def encoded(value: Any) -> bytes:
    """A value as compact JSON in UTF-8. Raises TypeError for what is no JSON.

    What orjson cannot word (integers above 64 bits, half characters, names that are no text) the standard library
    does, forty times slower.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        told = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_as_dict)
        return told.encode("utf-8", "replace")


def characters(value: Any, most: int) -> int:
    """How many characters the texts within a value have, and one for each value in it. Counting ends above `most`."""
    found, within = 0, [value]
    for each in within:
        if each is None:
            continue
        if type(each) is str or isinstance(each, str):
            found += len(each)
        elif isinstance(each, (list, tuple)):
            within += each
        elif type(each) is dict or isinstance(each, Mapping):
            within += each.values()
        found += 1
        if found > most:
            break
    return found


def is_half(char: str) -> bool:
    """Whether this is the first half of a character whose second half may follow."""
    return "\ud800" <= char <= "\udbff"


def sendable(value: Any, name: str) -> Any:
    """A JSON value as it can be sent and stored: without NUL and half characters. Raises ValueError, with `name`,
    when it is none.

    NaN and infinities are no JSON; neither are bytes, Decimals, dates. A mapping is sent as an object.
    """
    if type(value) is dict:
        for key, each in value.items():
            if not type(key) is type(each) is str:
                break
        else:  # as most messages are
            return {mend(key): mend(each) for key, each in value.items()}
    try:
        return _mended(json.loads(json.dumps(value, allow_nan=False, default=_as_dict)))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name} must hold values of JSON only: {str(error)[:100]}") from error


def _as_dict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is none")


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return mend(value)
    if isinstance(value, dict):
        return {mend(name): _mended(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_mended(child) for child in value]
    return value
