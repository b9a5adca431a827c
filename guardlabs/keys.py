"""Keys that the site makes for itself on its first `make run`: `python -m guardlabs.keys`.

They live in `var/` with mode 600. A server that is set up by hand passes SECRET_KEY and
ENCRYPTION_KEYS in the environment instead, and these files are then not read.
"""

import os
import secrets
from pathlib import Path

VAR = Path(__file__).resolve().parent.parent / "var"
SECRET_KEY_FILE = VAR / "secret_key"
ENCRYPTION_KEYS_FILE = VAR / "encryption_keys"


def read(path: Path) -> str:
    """What an earlier first run wrote, or an empty string."""
    return path.read_text().strip() if path.exists() else ""


def _write_once(path: Path, value: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(value + "\n")


def main() -> None:
    from cryptography.fernet import Fernet

    if not os.environ.get("SECRET_KEY"):
        _write_once(SECRET_KEY_FILE, secrets.token_urlsafe(50))
    if not os.environ.get("ENCRYPTION_KEYS"):
        _write_once(ENCRYPTION_KEYS_FILE, Fernet.generate_key().decode())


if __name__ == "__main__":
    main()
