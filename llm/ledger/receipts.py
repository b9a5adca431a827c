"""A signed record of how a text came about: who wrote it, what was tried, what passed, what it cost.

Compact enough for a link. It holds nothing but what `ask --json` shows anyway: no prompt, no text (only a
fingerprint of it), no key. Whoever has the receipt and asks this site learns that it is genuine; whoever has the
text too, that it belongs to it. Signed with SECRET_KEY; keys in SECRET_KEY_FALLBACKS still verify.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.core import signing
from django.utils import timezone

from llm.calls.events import Reply

SALT = "llm.receipt"
MOST_CHARS = 8_000
MOST_ATTEMPTS = 30  # kept, the last ones; the record says how many there were
NAME_CHARS = 120


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt. `provider`: the credential's label, with its location; `outcome`: `ok` or the kind of failure."""

    provider: str
    model: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a verified receipt says. `cost_usd` None is unknown; `template`: no model's words are in the text.

    `attempts` are the last of `attempt_count`; `gates`: the names of those that the text passed; `fingerprint`: the
    first 128 bits of its SHA-256, in hex.
    """

    issued_at: datetime
    provider: str
    model: str
    cost_usd: Decimal | None
    cached: bool
    template: bool
    attempts: tuple[Tried, ...]
    attempt_count: int
    gates: tuple[str, ...]
    prompt_version: str
    fingerprint: str

    def belongs_to(self, text: str) -> bool:
        """Whether this is the receipt of that text, every character of it."""
        return self.fingerprint == fingerprint(text)


def of_reply(
    reply: Reply, *, text: str | None = None, gates: Iterable[str] = (), prompt_version: str = ""
) -> str:
    """The receipt of a reply; `text` if what is handed on is not the reply's own text, letter for letter."""
    return issue(
        text=reply.text if text is None else text,
        provider=reply.provider,
        model=reply.model,
        cost_usd=reply.cost_usd,
        cached=reply.cached,
        attempts=reply.attempts,
        gates=gates,
        prompt_version=prompt_version,
    )


def issue(
    *,
    text: str,
    provider: str = "",
    model: str = "",
    cost_usd: Decimal | None,
    cached: bool = False,
    template: bool = False,
    attempts: Iterable[Mapping[str, Any]] = (),
    gates: Iterable[str] = (),
    prompt_version: str = "",
) -> str:
    """The receipt as URL-safe text of a few hundred characters. Attempts are as `Reply.attempts` has them."""
    tried = [
        [_label(attempt)[:NAME_CHARS], str(attempt["model"])[:NAME_CHARS], str(attempt["outcome"])]
        for attempt in attempts
    ]
    record = {
        "v": 1,
        "t": int(timezone.now().timestamp()),
        "p": provider,
        "m": model,
        "c": None if cost_usd is None else f"{cost_usd:.6f}",
        "k": int(cached),
        "x": int(template),
        "a": tried[-MOST_ATTEMPTS:],
        "n": len(tried),
        "g": list(gates),
        "q": prompt_version,
        "f": fingerprint(text),
    }
    return signing.dumps(record, salt=SALT, compress=True)


def verify(receipt: str) -> Receipt | None:
    """What a receipt says; None when this site has not issued it, or a character of it was changed."""
    receipt = receipt.strip()
    if len(receipt) > MOST_CHARS:
        return None
    try:
        record = signing.loads(receipt, salt=SALT)
        return _read(record)
    except (signing.BadSignature, ValueError, LookupError, TypeError, ArithmeticError):
        return None


def fingerprint(text: str) -> str:
    """128 bits of the SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _read(record: Mapping[str, Any]) -> Receipt:
    return Receipt(
        issued_at=datetime.fromtimestamp(record["t"], UTC),
        provider=record["p"],
        model=record["m"],
        cost_usd=None if record["c"] is None else Decimal(record["c"]),
        cached=bool(record["k"]),
        template=bool(record["x"]),
        attempts=tuple(Tried(*each) for each in record["a"]),
        attempt_count=record["n"],
        gates=tuple(record["g"]),
        prompt_version=record["q"],
        fingerprint=record["f"],
    )


def _label(attempt: Mapping[str, Any]) -> str:
    place = attempt.get("location") or ""
    return f"{attempt['credential']}:{place}" if place else str(attempt["credential"])
