"""Text from outside, made fit for storing and for sending."""

import json
from typing import TypeVar

T = TypeVar("T")


def mend(text: str) -> str:
    """The text without NUL and without half characters (JSON may hold `\\ud83d` alone), which no database takes."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_half(char: str) -> bool:
    """Whether this is the first half of a character whose second half may follow."""
    return "\ud800" <= char <= "\udbff"


def sendable(value: T, name: str) -> T:
    """A JSON value as it can be sent: half characters are mended. Raises ValueError, with `name`, when it is none.

    NaN and infinities are no JSON; neither are bytes, Decimals, dates.
    """
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return _mended(value)  # type: ignore[return-value]
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name} must hold values of JSON only: {str(error)[:100]}") from error
    return value


def _mended(value: object) -> object:
    if isinstance(value, str):
        return mend(value)
    if isinstance(value, dict):
        return {_mended(name): _mended(child) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(child) for child in value]
    return value
