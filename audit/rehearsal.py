"""How a report is judged when only its language is known: by those who rehearse a model without a scan."""

from collections.abc import Mapping, Sequence
from typing import Any

from audit import gates


def gate(lang: str, messages: Sequence[Mapping[str, Any]]) -> gates.Gate:
    """The gate of a report that answers these recorded messages."""
    return gates.report(lang)
