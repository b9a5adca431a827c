"""Takes a key out of a text by its value: whole, in part, and in the encodings in which it may be quoted back."""

import base64
import html
import json
import string
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote

MASK = "***"
PART = 8  # characters in a row that are the key's: fewer tell nothing, and would mask ordinary words
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)  # keeps every character's place
# What of a service account is secret; the rest (addresses, the project's name) helps to understand a failure.
_SECRET_FIELDS = {
    "private_key",
    "private_key_id",
    "client_secret",
    "refresh_token",
    "access_token",
    "api_key",
    "token",
}


def masked(text: str, key: str) -> str:
    """The text with everything of the key replaced by `***`."""
    if not key or not text:
        return text
    parts, shorts = _parts(key)
    lower = text.translate(_LOWER)
    hidden = bytearray(len(text))
    for start in range(len(lower) - PART + 1):
        if lower[start : start + PART] in parts:
            hidden[start : start + PART] = b"\1" * PART
    for short in shorts:
        start = lower.find(short)
        while start >= 0:
            hidden[start : start + len(short)] = b"\1" * len(short)
            start = lower.find(short, start + 1)
    if not any(hidden):
        return text
    kept: list[str] = []
    for letter, gone in zip(text, hidden, strict=True):
        if not gone:
            kept.append(letter)
        elif not kept or kept[-1] != MASK:
            kept.append(MASK)
    return "".join(kept)


@lru_cache(maxsize=64)
def _parts(key: str) -> tuple[frozenset[str], frozenset[str]]:
    """Every run of PART characters of the key in every form, and the forms that are shorter than that."""
    forms = {form.translate(_LOWER) for secret in _secrets(key) for form in _forms(secret)}
    long = frozenset(form[n : n + PART] for form in forms for n in range(len(form) - PART + 1))
    return long, frozenset(form for form in forms if 3 < len(form) < PART)


def _secrets(key: str) -> Iterator[str]:
    try:
        document = json.loads(key)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        yield key
        return
    for name, value in document.items():
        if name in _SECRET_FIELDS and isinstance(value, str):
            yield from (line for line in value.splitlines() if line and not line.startswith("-----"))


def _forms(secret: str) -> Iterator[str]:
    raw = secret.encode()
    yield from (secret, quote(secret, safe=""), html.escape(secret), json.dumps(secret)[1:-1], raw.hex())
    yield "".join(
        letter if letter.isalnum() else f"\\u{ord(letter):04x}" for letter in secret
    )  # as .NET writes JSON
    for before in range(3):  # in base64 a text looks different by what stands before it
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            form = encode(b" " * before + raw).decode().rstrip("=")
            yield form[4 if before else 0 : -1]  # without the letters that others share
