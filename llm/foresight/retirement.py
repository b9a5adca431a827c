"""Models that their provider ends on a day: staff are warned, a replacement is rehearsed, then it takes their place.

On the day itself calls would find out by `model_gone` and go on elsewhere; the switch saves them that.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from llm.calls.deployment import Deployment
from llm.chain import direct
from llm.configuration import snapshot
from llm.configuration.ordering import reorder
from llm.configuration.prices import price_of
from llm.configuration.snapshot import ModelConf, ProviderConf
from llm.failures.kinds import Failure, Kind
from llm.foresight.workload import OWN_PURPOSES
from llm.gates import purposes
from llm.ledger.bookkeeper import NoRoom
from llm.models import Call, Model, Notice, Rehearsal
from llm.operations import alerts
from llm.storage.transactions import write_transaction

WARN_DAYS = (30, 7, 1)
PURPOSE = "rehearsal"
SAMPLES = 3  # of each purpose
REMEMBERED = timedelta(days=30)
LEAST_TOKENS = 1024
BUILT_IN = (
    ("en", "Explain in three sentences why a recovery phrase belongs on paper or metal, not in a photo."),
    ("ru", "Объясни в трёх предложениях, почему фразу восстановления хранят на бумаге или металле, а не на фото."),
    ("es", "Explica en tres frases por qué la frase de recuperación va en papel o metal y no en una foto."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Retiring:
    """A model in use that ends; `days` are those left, negative when its day is over."""

    model: Model
    ends: date
    days: int


def calendar(today: date | None = None) -> list[Retiring]:
    """Models in use whose end is known, the next one first."""
    today = today or timezone.now().date()
    rows = Model.objects.filter(enabled=True, provider__enabled=True).select_related("provider")
    return [
        Retiring(row, row.shutdown_on, (row.shutdown_on - today).days)
        for row in rows.exclude(shutdown_on=None).order_by("shutdown_on", "id")
        if row.shutdown_on is not None
    ]


def warn(now: datetime | None = None) -> list[Notice]:
    """Writes a notice 30, 7 and 1 day before each end, each once however late it is noticed; returns the new."""
    written = []
    for ending in calendar((now or timezone.now()).date()):
        passed = [days for days in WARN_DAYS if 0 <= ending.days <= days]
        if not passed:
            continue
        kind, subject = f"retirement_{min(passed)}", f"{_called(ending.model)} ends on {ending.ends}"
        if Notice.objects.filter(kind=kind, subject=subject[:200]).exists():
            continue
        if notice := alerts.record(kind, subject, _advice(ending.model)):
            written.append(notice)
    return written


def _called(model: Model) -> str:
    return f"{model.provider.slug}: {model.name}"


def _advice(model: Model) -> str:
    if not model.replacement:
        return "It has no replacement yet: name one in the admin."
    results = latest(model)
    if not results:
        return f"Its replacement {model.replacement} is not rehearsed yet."
    passed, samples = sum(row.passed for row in results), sum(row.samples for row in results)
    return (
        f"Its replacement {model.replacement} passed {passed} of {samples} in rehearsal; switch in the admin."
    )


def latest(model: Model) -> list[Rehearsal]:
    """The last rehearsal of its present replacement, one row a purpose."""
    rows = Rehearsal.objects.filter(
        provider=model.provider.slug, model=model.name, replacement=model.replacement
    )
    found: dict[str, Rehearsal] = {}
    for row in rows.order_by("-at", "-id"):
        found.setdefault(row.purpose, row)
    return list(found.values())


# Refusals that are about a quota, a key or the service, not about what the model can do.
NOT_THE_MODELS = {
    Kind.RATE_LIMITED_KEY, Kind.RATE_LIMITED_PROVIDER, Kind.BLOCKED_PROVIDER, Kind.KEY_INVALID, Kind.CREDITS_DEPLETED,
    Kind.PROVIDER_DOWN, Kind.CUT_SHORT,
}  # fmt: skip


class NotAsked(Exception):
    """A sample that the replacement could not be asked now."""


# -- the rehearsal ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """A prompt that was really asked, or a built-in one."""

    purpose: str
    lang: str
    messages: Sequence[Mapping[str, Any]]
    max_tokens: int


def rehearse(model: Model) -> list[Rehearsal]:
    """Asks the replacement what its predecessor was asked lately, and has each purpose's gate judge the answers.

    Nothing of the wording is stored. The same provider sees the prompts again, and nobody else. Where the
    ledger holds no prompts, built-in ones must do. Raises LookupError when it cannot be asked at all.
    """
    deployment = _understudy(model)
    results: list[Rehearsal] = []
    for purpose, samples in _samples(model).items():
        complaints: Counter[str] = Counter()
        asked = passed = 0
        gated = False
        for sample in samples:
            gate = purposes.gate_for(purpose, sample.lang, sample.messages)
            gated = gated or gate is not None
            try:
                why = _try(deployment, sample, gate)
            except NotAsked as reason:  # which says nothing of the model
                complaints.update([f"not asked: {reason}"])
                continue
            asked += 1
            passed += not why
            complaints.update([why] if why else [])
        results.append(
            Rehearsal(
                provider=model.provider.slug,
                model=model.name,
                replacement=model.replacement,
                purpose=purpose,
                at=timezone.now(),
                samples=asked,
                passed=passed,
                gated=gated,
                detail="; ".join(f"{why} ({times})" for why, times in complaints.most_common())[:300],
            )
        )
    with write_transaction():
        Rehearsal.objects.bulk_create(results)
    return results


def _try(deployment: Deployment, sample: Sample, gate: purposes.Gate | None) -> str:
    """Why an answer did not pass; empty when it did. Raises NotAsked when the model never got to answer."""
    try:
        call = direct.ask(
            deployment,
            messages=sample.messages,
            purpose=PURPOSE,
            lang=sample.lang,
            max_tokens=sample.max_tokens,
            keep_prose=False,
        )
    except NoRoom as full:
        raise NotAsked(str(full)) from full
    except Failure as failure:
        if failure.kind in NOT_THE_MODELS:
            raise NotAsked(str(failure.kind)) from failure
        return str(failure)[:100]
    return (gate(call.text) or "") if gate else ""


def _samples(model: Model) -> dict[str, list[Sample]]:
    """The latest answered prompts of each purpose: those of this model first, else anybody's."""
    found: dict[str, list[Sample]] = {}
    recent = (
        Call.objects.filter(outcome=Call.Outcome.OK, started_at__gt=timezone.now() - REMEMBERED)
        .exclude(messages=[])
        .exclude(purpose__in=OWN_PURPOSES)
    )
    for purpose in recent.order_by().values_list("purpose", flat=True).distinct():
        rows = recent.filter(purpose=purpose).order_by("-id")
        own = list(rows.filter(model=model.name)[:SAMPLES])
        for row in own or rows[:SAMPLES]:
            most = max(LEAST_TOKENS, 2 * row.tokens_out)
            found.setdefault(purpose, []).append(Sample(purpose, row.lang, row.messages, most))
    if not found:
        found[""] = [
            Sample("", lang, [{"role": "user", "content": text}], LEAST_TOKENS) for lang, text in BUILT_IN
        ]
    return found


def _understudy(model: Model) -> Deployment:
    """The replacement as it would be called. What is not configured of it is taken over from the model."""
    if not model.replacement:
        raise LookupError("no replacement is named")
    provider = next((one for one in snapshot.providers() if one.slug == model.provider.slug), None)
    key = next((key for key in provider.keys if key.key or provider.keyless), None) if provider else None
    if provider is None or key is None:
        raise LookupError("its provider is off or has no key")
    conf = _conf(provider, model)
    return Deployment(provider, key, conf, next(iter(provider.locations), ""))


def _conf(provider: ProviderConf, model: Model) -> ModelConf:
    row = Model.objects.filter(provider=model.provider, name=model.replacement).first()
    source = row or model
    return ModelConf(
        name=model.replacement,
        params=dict(source.params),
        reasoning_reserve=source.reasoning_reserve,
        price=price_of(
            slug=provider.slug, kind=provider.kind, base_url=provider.base_url, model=model.replacement,
            free=provider.free, staff_in=row.price_in if row else None, staff_out=row.price_out if row else None,
        ),
        rpm=source.rpm, rpd=source.rpd, tpm=source.tpm, tpd=source.tpd,
    )  # fmt: skip


# -- the switch ------------------------------------------------------------------------------------


def switch(model_id: int) -> Model:
    """Puts the replacement in the model's place and switches the model off; returns the replacement.

    One that is not configured yet takes over parameters and limits, but no price: it has its own. Raises
    LookupError when the model has no replacement or is off already.
    """
    with write_transaction():
        old = (
            Model.objects.select_for_update()
            .filter(pk=model_id, enabled=True)
            .exclude(replacement="")
            .first()
        )
        if old is None:
            raise LookupError("it has no replacement, or is switched off already")
        new, _ = Model.objects.get_or_create(
            provider_id=old.provider_id,
            name=old.replacement,
            defaults={
                name: getattr(old, name)
                for name in ("params", "reasoning_reserve", "rpm", "rpd", "tpm", "tpd", "position")
            },
        )
        siblings = list(Model.objects.filter(provider_id=old.provider_id).order_by("position", "id"))
        order = [row.pk for row in siblings if row.pk != new.pk]
        order.insert(order.index(old.pk), new.pk)
        reorder(order)
        now = timezone.now()
        Model.objects.filter(pk=old.pk).update(enabled=False, updated_at=now)
        Model.objects.filter(pk=new.pk).update(enabled=True, updated_at=now)
        new.refresh_from_db()
    return new
