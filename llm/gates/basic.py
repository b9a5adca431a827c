"""Composition of gates, and the simplest one."""

from collections.abc import Callable, Mapping

Gate = Callable[[str], str | None]


def all_of(gates: Mapping[str, Gate]) -> Gate:
    """Passes what every gate passes; else the name and the reason of the first that does not: `length: …`."""

    def gate(text: str) -> str | None:
        found = ((name, check(text)) for name, check in gates.items())
        return next((f"{name}: {reason}" for name, reason in found if reason), None)

    return gate


def at_least(chars: int) -> Gate:
    """Rejects a text of fewer characters, spaces at its ends not counted."""

    def gate(text: str) -> str | None:
        length = len(text.strip())
        return f"{length} of {chars} characters" if length < chars else None

    return gate


def between(least: int, most: int) -> Gate:
    """Rejects a text with fewer than `least` characters, spaces at its ends not counted, or more than `most`.

    The first gate of a long list: those after it need not read what nobody would.
    """
    floor = at_least(least)

    def gate(text: str) -> str | None:
        return f"more than {most} characters" if len(text) > most else floor(text)

    return gate
