"""How a report is judged by those who rehearse a model without a scan: held against the recorded prompt alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from audit.report import gates
from llm.chain import gates as basic


def gate(lang: str, messages: Sequence[Mapping[str, Any]]) -> basic.Gate:
    """The gate of a report that answers these recorded messages."""

    def said_by(role: str) -> str:
        return "\n".join(str(each.get("content") or "") for each in messages if each.get("role") == role)

    return basic.all_of(gates.report(gates.given(lang=lang, system=said_by("system"), user=said_by("user"))))
