"""Keys that the site makes for itself on its first `make run`: `python -m guardlabs.keys`.

They live in `var/` with mode 600. A server that is set up by hand passes SECRET_KEY and
ENCRYPTION_KEYS in the environment instead, and these files are then not read.
"""

import os
import secrets
import tempfile
from pathlib import Path

VAR = Path(__file__).resolve().parent.parent / "var"
SECRET_KEY_FILE = VAR / "secret_key"
ENCRYPTION_KEYS_FILE = VAR / "encryption_keys"


def read(path: Path) -> str:
    """What an earlier first run wrote, or an empty string."""
    return path.read_text().strip() if path.exists() else ""


def _write_once(path: Path, value: str) -> None:
    """Writes the whole file or none, and never over another: of two first starts, both use the first one's key."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if path.exists() and path.read_text().strip():
        return
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 600
    whole = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(value + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(whole, path)
        except FileExistsError:
            if not path.read_text().strip():  # what a start on a full disk left, before this was mended
                whole.replace(path)
    finally:
        whole.unlink(missing_ok=True)


def main() -> None:
    from cryptography.fernet import Fernet

    if not os.environ.get("SECRET_KEY"):
        _write_once(SECRET_KEY_FILE, secrets.token_urlsafe(50))
    if not os.environ.get("ENCRYPTION_KEYS"):
        _write_once(ENCRYPTION_KEYS_FILE, Fernet.generate_key().decode())


if __name__ == "__main__":
    main()
