"""Provider keys: where they are kept, and how they are never shown.

A stored secret is a reference (`env:NAME`, `env:NAME[2]` for the second of a comma-separated list,
`file:/path`) or the key itself, encrypted (`enc:…`).
"""

import hashlib
import os
import re
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

HEADER_SAFE = re.compile(
    r"(?![\"'])[\x21-\x3a\x3c-\x7e]{1,4096}(?<![\"'])"
)  # no quotes around it, no semicolon
ENV_REFERENCE = re.compile(r"env:(?P<name>[A-Za-z_]\w*)(?:\[(?P<index>\d+)\])?")


class SecretError(ValueError):
    """A secret cannot be stored or read. The text never holds the secret."""


def _fernet() -> MultiFernet:
    keys = getattr(settings, "ENCRYPTION_KEYS", [])
    if not keys:
        raise SecretError("ENCRYPTION_KEYS is not set, so keys cannot be stored: use env:NAME or file:/path.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured("ENCRYPTION_KEYS must hold Fernet keys (32 bytes, base64).") from error


def is_reference(value: str) -> bool:
    """Whether this is a place to read the key from rather than a key."""
    return value.startswith(("env:", "file:"))


def is_outside(path: str) -> bool:
    """Whether a file is none of those that may hold keys: LLM_SECRETS_DIR is set, and it is not below it."""
    root = getattr(settings, "LLM_SECRETS_DIR", "")
    try:
        return bool(root) and not Path(path).resolve().is_relative_to(Path(root).resolve())
    except (OSError, ValueError, RuntimeError):  # NUL, or links in a circle
        return True


def seal(value: str) -> str:
    """What to store for a secret as it was typed: a reference as it is, a key encrypted.

    Raises SecretError for a malformed reference or when there is no encryption key.
    """
    value = value.strip()
    if not value or value.startswith("enc:") or (value.startswith("file:") and len(value) > len("file:")):
        return value
    if value.startswith("env:"):
        if not ENV_REFERENCE.fullmatch(value):
            raise SecretError("a reference to a variable looks like env:GROQ_API_KEY")
        return value
    return "enc:" + _fernet().encrypt(value.encode()).decode()


def reveal(stored: str) -> str:
    """The key itself, or an empty string when its variable or file does not exist.

    Raises SecretError when it was encrypted with a key that ENCRYPTION_KEYS no longer holds, or when its file
    is not where LLM_SECRETS_DIR wants files to be.
    """
    if match := ENV_REFERENCE.fullmatch(stored):
        value = os.environ.get(match["name"], "")
        if match["index"]:
            values = [part.strip() for part in value.split(",") if part.strip()]
            index = int(match["index"])
            value = values[index - 1] if 0 < index <= len(values) else ""
        return value.strip()
    if stored.startswith("file:"):
        if is_outside(stored.removeprefix("file:")):
            raise SecretError("the file is not below LLM_SECRETS_DIR")
        try:
            return Path(stored.removeprefix("file:")).read_text().strip()
        except OSError:
            return ""
        except UnicodeDecodeError:
            raise SecretError("the file does not hold text") from None
    if stored.startswith("enc:"):
        try:
            return _fernet().decrypt(stored.removeprefix("enc:").encode()).decode()
        except InvalidToken:
            raise SecretError(
                "the key was encrypted with a key that ENCRYPTION_KEYS no longer holds"
            ) from None
    return stored


def checked(key: str) -> str:
    """A key that goes into a header, as it was read; empty stays empty.

    Raises SecretError, which shows nothing of it, when it is not one line of visible ASCII characters: two keys in
    one variable, a file of several lines, NUL. HTTP libraries would quote all of that in their complaint. Nor is one
    sent that is in quotes, which a shell would have taken off, or that holds a semicolon between two.
    """
    if key and not HEADER_SAFE.fullmatch(key):
        raise SecretError(
            "it is not one line of visible ASCII characters without quotes around it, so it is not sent: look at "
            "what is there"
        )
    return key


def rotate(stored: str) -> str:
    """The stored secret, encrypted with the newest of ENCRYPTION_KEYS."""
    if not stored.startswith("enc:"):
        return stored
    try:
        return "enc:" + _fernet().rotate(stored.removeprefix("enc:").encode()).decode()
    except InvalidToken:
        raise SecretError("the key was encrypted with a key that ENCRYPTION_KEYS no longer holds") from None


def changed(references: tuple[str, ...]) -> tuple[int, ...]:
    """When the files of these references last changed, in nanoseconds; 0 for one that is not there."""
    return tuple(_changed(reference.removeprefix("file:")) for reference in references)


def _changed(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def fingerprint(key: str) -> str:
    """Eight hex digits that tell two keys apart without telling anything about them."""
    return hashlib.sha256(b"guardlabs-key:" + key.encode()).hexdigest()[:8] if key else ""


# -- names that nobody can guess ---------------------------------------------------------------------------

IDS_AT_ONCE, ID_BYTES = 256, 16
_ready: list[str] = []


def new_id() -> str:
    """128 random bits in hexadecimal.

    The kernel is asked for many at once: whoever asks it gives up the interpreter, and waits to get it back.
    """
    try:
        return _ready.pop()
    except IndexError:
        told = os.urandom(IDS_AT_ONCE * ID_BYTES).hex()
        first, *others = (told[at : at + 2 * ID_BYTES] for at in range(0, len(told), 2 * ID_BYTES))
        _ready.extend(others)
        return first


if hasattr(os, "register_at_fork"):  # which Windows has not
    os.register_at_fork(after_in_child=_ready.clear)  # or a child would give the names that its parent gives
