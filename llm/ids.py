"""Names that nobody can guess, of requests and answers."""

import os

MANY, BYTES = 256, 16
_ready: list[str] = []


def new_id() -> str:
    """128 random bits in hexadecimal.

    The kernel is asked for many at once: whoever asks it gives up the interpreter, and waits to get it back.
    """
    try:
        return _ready.pop()
    except IndexError:
        told = os.urandom(MANY * BYTES).hex()
        first, *others = (told[at : at + 2 * BYTES] for at in range(0, len(told), 2 * BYTES))
        _ready.extend(others)
        return first


if hasattr(os, "register_at_fork"):  # which Windows has not
    os.register_at_fork(after_in_child=_ready.clear)  # or a child would give the names that its parent gives
