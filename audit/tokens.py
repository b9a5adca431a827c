"""Signed references to scans and orders: a token that was not made here, or was changed, reaches no database."""

import secrets

from django.core.signing import BadSignature, Signer

ID_BYTES = 16  # 128 random bits: cannot be enumerated
SIGNATURE_CHARS = 22  # 132 bits of the HMAC, to keep links short
SCAN = "audit.scan"  # what a token is for; one made for one purpose opens nothing else


class _ShortSigner(Signer):
    def signature(self, value: str | bytes, key: str | bytes | None = None) -> str:
        return super().signature(value, key)[:SIGNATURE_CHARS]


def _signer(purpose: str) -> Signer:
    """Made anew each time, so that SECRET_KEY and SECRET_KEY_FALLBACKS are the current ones."""
    return _ShortSigner(sep=".", salt=purpose)


def new_id() -> str:
    """A random public id, 22 URL-safe characters."""
    return secrets.token_urlsafe(ID_BYTES)


def sign(public_id: str, *, purpose: str = SCAN) -> str:
    """The token of this id, 45 URL-safe characters."""
    return _signer(purpose).sign(public_id)


def unsign(token: str, *, purpose: str = SCAN) -> str | None:
    """The id of a token signed with the current or an earlier key, else None. Compares in constant time."""
    try:
        return _signer(purpose).unsign(token)
    except BadSignature:
        return None
