"""Writes the report of a scan: asks the chain, and puts one together by rule when nobody answers well."""

import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import translation

from audit.bank.findings import Details, details
from audit.models import Scan
from audit.report import gates as report_gates
from audit.report import prompts
from audit.report.second_reader import NAME, SecondReader, repairs
from audit.report.text import drafts, slots
from audit.report.text import template as template_report
from llm import chain, stats
from llm.chain import gates, receipts

log = logging.getLogger(__name__)

FALLBACK = "fallback-template"
PURPOSE = "audit-report"
TEMPERATURE = 0.3

# Shown every event of the chain, and how the text so far reads to its reader. On the event loop, so it must be quick;
# what takes longer, such as a write to the database, it returns for a thread to do.
Observer = Callable[[chain.Event, Callable[[str], str]], Callable[[], object] | None]


@dataclass(frozen=True, slots=True)
class Written:
    """A finished report. `provider`: the credential that wrote it, or FALLBACK; `cost_usd` None: unknown.

    `attempts`: what was tried, as `attempt_line` puts it; `call_id`: the ledger's row, if there was a call.
    `flags`: what staff should look at, empty if nothing; `receipt`: signed, see llm/ledger/receipts.py.
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


async def write(scan: Scan, observer: Observer | None = None, *, fresh: bool = False) -> Written:
    """The report in the scan's language. Whatever goes wrong with the chain, there is a report.

    With an observer the answer is streamed and every event of the chain shown to it. A scan without consent to
    AI (`scan.ai`) never reaches the chain. `fresh`: not the text that the chain may have kept of an earlier call.
    Waits on the event loop; gates, drafts and the database have a thread.
    """
    with translation.override(scan.lang):
        facts = await sync_to_async(details)(scan)
        if not scan.ai:
            return await sync_to_async(_put_together)(facts)
        exhausted: chain.ChainExhausted | None = None
        try:
            prompt = await sync_to_async(prompts.build)(facts, scan.lang)
            checks = await sync_to_async(gates_of)(prompt, scan.lang)
            reader = SecondReader(prompt, scan.lang)
            reply = await _ask(prompt, scan.lang, checks, reader, observer, fresh=fresh)
            passed = [*checks, *([NAME] if reader.read else [])]
            return await sync_to_async(_written)(reply, prompt, passed)
        except chain.ChainExhausted as failure:
            exhausted = failure
        except Exception:
            log.exception("the chain broke; the report is put together by rule")
        return await sync_to_async(_put_together)(facts, exhausted)


def gates_of(prompt: prompts.Prompt, lang: str) -> dict[str, gates.Gate]:
    """What an answer to this prompt has to pass, by name."""
    return report_gates.report(_held(prompt, lang))


def _held(prompt: prompts.Prompt, lang: str) -> report_gates.Given:
    details = prompt.facts.details
    questions = [*(weakness.question for weakness in details.weaknesses), *details.passed]
    return report_gates.given(
        lang=lang,
        system=prompt.system,
        user=prompt.user,
        tools="\n".join(
            tool for question in questions for option in question.options for tool in option.tools
        ),
    )


def _shown(prompt: prompts.Prompt, lang: str) -> Callable[[str], str]:
    """How a text that is still being written reads: our words in its slots, and nothing that the gates would refuse."""
    words = prompt.facts.words()
    accept = gates.all_of(report_gates.content(_held(prompt, lang)))
    shown = before = ""

    def show(text: str) -> str:
        nonlocal shown, before
        if len(text) > report_gates.MAX_CHARS:  # it will be refused whole; nobody need read on
            return shown
        settled = drafts.settled(storable(text))
        if not settled.startswith(before[:20]):
            shown = ""  # of somebody else's attempt
        before = settled
        for part in (settled, drafts.in_sentences(settled)):
            if part and not accept(part):
                filled = slots.fill(part, replace(words, after=lambda named: ""))
                shown = max(shown, filled, key=len)
                break
        return shown if settled else ""

    return show


def _written(reply: chain.Reply, prompt: prompts.Prompt, passed: list[str]) -> Written:
    markdown = slots.fill(storable(reply.text), prompt.facts.words())
    return Written(
        markdown=markdown,
        provider=reply.provider,
        model=reply.model,
        cost_usd=reply.cost_usd,
        prompt_version=prompts.PROMPT_VERSION,
        call_id=reply.call_id,
        attempts=[attempt_line(**attempt) for attempt in reply.attempts],
        receipt=receipts.of_reply(reply, text=markdown, gates=passed, prompt_version=prompts.PROMPT_VERSION),
    )


def put_together(scan: Scan) -> Written:
    """The report by rule, in the scan's language. Asks nobody."""
    with translation.override(scan.lang):
        return _put_together(details(scan))


def storable(text: str) -> str:
    """The text without what a database refuses: NUL characters and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def author(provider: str, model: str) -> str:
    """Who writes, in a visitor's words: `Groq (gpt-oss-120b)`, whatever the key is called."""
    return f"{stats.provider_name(provider)} ({model.rpartition('/')[2]})"


def attempt_line(**attempt: Any) -> dict[str, str]:
    """What the page may show of an attempt: who, which model, and `trying`, `ok` or the kind of failure."""
    place = attempt.get("location") or ""
    return {
        "who": author(str(attempt["credential"]), str(attempt["model"])),
        "provider": f"{attempt['credential']}:{place}" if place else str(attempt["credential"]),
        "model": str(attempt["model"]),
        "outcome": str(attempt["outcome"]),
    }


async def _ask(
    prompt: prompts.Prompt,
    lang: str,
    checks: dict[str, gates.Gate],
    reader: SecondReader,
    observer: Observer | None,
    *,
    fresh: bool,
) -> chain.Reply:
    judge = gates.all_of(checks)

    async def accept(text: str) -> str | None:
        if reason := await sync_to_async(judge)(text):
            return reason
        found = await reader.gate(text)
        return f"{NAME}: {found}" if found else None

    call: dict[str, Any] = {
        "system": prompt.system,
        "user": prompt.user,
        "purpose": PURPOSE,
        "lang": lang,
        "max_tokens": prompts.tokens_out(lang),
        "temperature": TEMPERATURE,
        "deadline_s": settings.REPORT_DEADLINE_S,
        "accept": accept,
        "fresh": fresh,
        "repair": repairs,
    }
    if observer is None:
        return await chain.acomplete(on_event=reader.watch, **call)
    shown = await sync_to_async(_shown)(prompt, lang)
    async with aclosing(chain.astream(**call)) as events:
        async for event in events:
            reader.watch(event)
            if work := observer(event, shown):
                await sync_to_async(work)()
            if isinstance(event, chain.Completed):
                return event.reply
    raise RuntimeError("the stream ended without an answer")


def _put_together(facts: Details, exhausted: chain.ChainExhausted | None = None) -> Written:
    markdown = template_report.write(facts)
    cost = stats.cost_of(exhausted.call_id) if exhausted else Decimal(0)
    attempts = exhausted.attempts if exhausted else []
    return Written(
        markdown=markdown,
        provider=FALLBACK,
        model="",
        cost_usd=cost,
        call_id=exhausted.call_id if exhausted else None,
        attempts=[attempt_line(**attempt) for attempt in attempts],
        receipt=receipts.issue(
            text=markdown, provider=FALLBACK, template=True, cost_usd=cost, attempts=attempts
        ),
    )
