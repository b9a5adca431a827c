"""Signed references to scans and orders: a token that was not made here, or was changed, reaches no database."""

import hashlib
import secrets

from django.core.signing import BadSignature, Signer

ID_BYTES = 16  # 128 random bits: cannot be enumerated
SIGNATURE_CHARS = 22  # 132 bits of the HMAC, to keep links short
CLEAR = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that looks like something else: no 0 O, 1 I L, U
REFERENCE_CHARS = 8  # two of half a million scans may share one; staff then see both


class _ShortSigner(Signer):
    def signature(self, value: str | bytes, key: str | bytes | None = None) -> str:
        return super().signature(value, key)[:SIGNATURE_CHARS]


SCAN, SHARE = "audit.scan", "audit.share"  # salts: a token of one kind opens nothing of another


def _signer(salt: str) -> Signer:
    """Made anew each time, so that SECRET_KEY and SECRET_KEY_FALLBACKS are the current ones."""
    return _ShortSigner(sep=".", salt=salt)


def new_id() -> str:
    """A random public id, 22 URL-safe characters."""
    return secrets.token_urlsafe(ID_BYTES)


def sign(public_id: str, *, salt: str = SCAN) -> str:
    """The token of this id, 45 URL-safe characters."""
    return _signer(salt).sign(public_id)


def unsign(token: str, *, salt: str = SCAN) -> str | None:
    """The id of a token signed with the current or an earlier key, else None. Compares in constant time."""
    try:
        return _signer(salt).unsign(token)
    except (BadSignature, UnicodeEncodeError):
        return None


def reference(public_id: str) -> str:
    """What people call a scan by, such as `7KQ2-M9XD`. Opens nothing, and leads nobody to the id or the token."""
    number = int.from_bytes(hashlib.sha256(b"guardlabs-reference:" + public_id.encode()).digest())
    chars = [CLEAR[number // len(CLEAR) ** place % len(CLEAR)] for place in range(REFERENCE_CHARS)]
    return f"{''.join(chars[:4])}-{''.join(chars[4:])}"


def typed_reference(text: str) -> str:
    """A reference as stored, from what somebody typed: any case, with or without hyphen and spaces."""
    chars = "".join(char for char in text.upper() if char.isalnum())
    return f"{chars[:4]}-{chars[4:]}"[: REFERENCE_CHARS + 1] if len(chars) > 4 else chars
