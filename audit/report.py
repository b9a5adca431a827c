"""Writes the report of a scan: asks the chain, and puts one together by rule when nobody answers well."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import translation

from audit import citations, gates, prompts, template_report
from audit.details import Details, details
from audit.models import Scan
from llm import chain

log = logging.getLogger(__name__)

FALLBACK = "fallback-template"
PURPOSE = "audit-report"
TEMPERATURE = 0.3

Observer = Callable[[chain.Event], None]


@dataclass(frozen=True, slots=True)
class Written:
    """A finished report. `provider`: the credential that wrote it, or FALLBACK; `cost_usd` None: unknown.

    `attempts`: what was tried, as `attempt_line` puts it; `call_id`: the ledger's row, if there was a call.
    `flags`: what staff should look at, empty if nothing; `receipt`: signed, see llm/receipts.py.
    """

    markdown: str
    provider: str
    model: str
    cost_usd: Decimal | None
    prompt_version: str = ""
    call_id: int | None = None
    attempts: list[dict[str, str]] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    receipt: str = ""


def write(scan: Scan, observer: Observer | None = None) -> Written:
    """The report in the scan's language. Whatever goes wrong with the chain, there is a report.

    With an observer the answer is streamed and every event of the chain shown to it. A scan without consent to
    AI (`scan.ai`) never reaches the chain.
    """
    with translation.override(scan.lang):
        facts = details(scan)
        if not scan.ai:
            return _put_together(facts)
        try:
            reply = _ask(facts, scan.lang, observer)
        except chain.ChainExhausted as exhausted:
            return _put_together(facts, exhausted.call_id, exhausted.attempts)
        except Exception:
            log.exception("the chain broke; the report is put together by rule")
            return _put_together(facts)
        return Written(
            markdown=citations.with_sources(storable(reply.text), facts.cases),
            provider=reply.provider,
            model=reply.model,
            cost_usd=reply.cost_usd,
            prompt_version=prompts.PROMPT_VERSION,
            call_id=reply.call_id,
            attempts=[attempt_line(**attempt) for attempt in reply.attempts],
        )


def put_together(scan: Scan) -> Written:
    """The report by rule, in the scan's language. Asks nobody."""
    with translation.override(scan.lang):
        return _put_together(details(scan))


def storable(text: str) -> str:
    """The text without what a database refuses: NUL characters and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def attempt_line(**attempt: Any) -> dict[str, str]:
    """What the page may show of an attempt: who, which model, and `trying`, `ok` or the kind of failure."""
    place = attempt.get("location") or ""
    return {
        "provider": f"{attempt['credential']}:{place}" if place else str(attempt["credential"]),
        "model": str(attempt["model"]),
        "outcome": str(attempt["outcome"]),
    }


def _ask(facts: Details, lang: str, observer: Observer | None) -> chain.Reply:
    system, user = prompts.build(facts, lang)
    call: dict[str, Any] = {
        "system": system,
        "user": user,
        "purpose": PURPOSE,
        "lang": lang,
        "max_tokens": prompts.tokens_out(lang),
        "temperature": TEMPERATURE,
        "deadline_s": settings.REPORT_DEADLINE_S,
        "accept": gates.report(lang),
    }
    if observer is None:
        return chain.complete(**call)
    for event in chain.stream(**call):
        observer(event)
        if isinstance(event, chain.Completed):
            return event.reply
    raise RuntimeError("the stream ended without an answer")


def _put_together(
    facts: Details, call_id: int | None = None, attempts: Iterable[Mapping[str, Any]] = ()
) -> Written:
    return Written(
        markdown=template_report.write(facts),
        provider=FALLBACK,
        model="",
        cost_usd=Decimal(0),
        call_id=call_id,
        attempts=[attempt_line(**attempt) for attempt in attempts],
    )
