"""A text that a visitor may send in a second step, encrypted and given back to him: we keep nothing of it till then."""

import base64
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

MOST_S = 30 * 60


def seal(text: str) -> str:
    """The text, unreadable but for this site within MOST_S seconds."""
    return _fernet().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed; empty when it was not sealed here, or too long ago."""
    try:
        return _fernet().decrypt(sealed.encode(), ttl=MOST_S).decode()
    except (InvalidToken, UnicodeError):
        return ""


def _fernet() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(sha256(f"audit.orders.sealed {key}".encode()).digest()))
            for key in keys
        ]
    )
