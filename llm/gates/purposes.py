"""A registry of purposes: the gate by which a product's texts are judged, for rehearsals without the product."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Gate = Callable[[str], str | None]  # gate(text) -> None, or why not
# (language, messages of the call) -> the gate of its answer
GateFactory = Callable[[str, Sequence[Mapping[str, Any]]], Gate]

_gates: dict[str, GateFactory] = {}


def register(purpose: str, *, gate: GateFactory) -> None:
    """Makes known how answers of a purpose are judged. For `AppConfig.ready`; the last one holds."""
    _gates[purpose] = gate


def gate_for(purpose: str, lang: str, messages: Sequence[Mapping[str, Any]]) -> Gate | None:
    """The gate of one call; None when the purpose has not told."""
    factory = _gates.get(purpose)
    return factory(lang, messages) if factory else None
