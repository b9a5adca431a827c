"""Finds recovery phrases, private keys, PINs and passwords in what a visitor typed, so that they are never stored.

Honest people paste such things when they ask for help; nobody is stopped who hides a secret on purpose. What looks
like a secret but need not be one may be sent in a second step, by a visitor who says so (`Finding.certain`).
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from audit.orders.secret_guard import codes, keys, phrases

MOST_CHARS = 10_000  # no field takes more; what is longer is cut before it is looked at or shown


class Secret(StrEnum):
    """What was found."""

    PHRASE = "phrase"
    KEY = "key"
    CODE = "code"  # a PIN or a password


@dataclass(frozen=True, slots=True)
class Finding:
    """What a text seems to hold. `certain`: a checksum says so, or only a secret is written like that."""

    kind: Secret
    certain: bool


def look(text: str) -> Finding | None:
    """What the text seems to hold, or None. Never keeps, logs or returns any part of it."""
    shown = "".join(char for char in text[:MOST_CHARS] if unicodedata.category(char) != "Cf")  # zero width
    found = {
        Secret.KEY: keys.certainty(shown),
        Secret.PHRASE: phrases.certainty(shown),
        Secret.CODE: codes.certainty(shown),
    }
    for certain in (True, False):
        for kind, certainty in found.items():
            if certainty is certain:
                return Finding(kind, certain)
    return None


def find(text: str) -> Secret | None:
    """The kind of secret that the text seems to hold, or None."""
    found = look(text)
    return found.kind if found else None
