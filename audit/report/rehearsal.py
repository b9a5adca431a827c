"""How a report is judged by those who rehearse a model without a scan: held against the recorded prompt alone."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import translation

from audit.models import Incident
from audit.report import gates
from audit.report.template import headings
from audit.scans import findings
from llm.chain import gates as basic

GIVEN = re.compile(r"^\[([a-z0-9-]+)\] ", re.M)  # how a prompt lists its cases


def gate(lang: str, messages: Sequence[Mapping[str, Any]]) -> basic.Gate:
    """The gate of a report that answers these recorded messages."""
    asked = "\n".join(str(message.get("content") or "") for message in messages)
    with translation.override(lang):
        stand, first, then = headings()
        cases = [findings.case(row) for row in Incident.objects.filter(slug__in=GIVEN.findall(asked))]
        wanted = [heading for heading in (stand, first, then) if f"## {heading}" in asked]
    return basic.all_of(gates.report(lang, headings=wanted, cases=cases, words=asked))
