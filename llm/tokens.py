"""How many tokens a text will be, before anybody has counted them."""

from collections.abc import Mapping, Sequence
from typing import Any

# Characters a token, on the low side, since an estimate that is too small costs a rejected request.
LATIN, CYRILLIC, OTHER = 3.6, 2.4, 1.2
PER_MESSAGE = 6


def estimate_text(text: str) -> int:
    """Tokens of a text, estimated from its alphabets."""
    latin = sum(1 for c in text if c < "\u0250")
    cyrillic = sum(1 for c in text if "\u0400" <= c <= "\u052f")
    return round(latin / LATIN + cyrillic / CYRILLIC + (len(text) - latin - cyrillic) / OTHER)


def estimate(messages: Sequence[Mapping[str, Any]]) -> int:
    """Tokens of a list of chat messages."""
    return sum(PER_MESSAGE + estimate_text(str(message.get("content") or "")) for message in messages)
