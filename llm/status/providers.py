"""Where every provider and key stands: has a key, is paused and why, would be tried. For people to read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from llm import secrets
from llm.configuration import presets, snapshot
from llm.configuration.snapshot import PauseView
from llm.models import Credential, Model, Provider
from llm.pauses.demotion import in_order

OLD_AFTER = timedelta(days=60)  # since when what was seen is said to be old
OFF, NO_KEY, NO_MODEL, PAUSED, PARTLY, READY = "off", "no key", "no model", "paused", "partly paused", "ready"


@dataclass(frozen=True)
class KeyStatus:
    """One credential. `problem` says why it has no key; `remarks` what is paused of it."""

    label: str
    account: str
    fingerprint: str
    problem: str
    remarks: tuple[str, ...]
    enabled: bool
    paused: bool  # it, or a part of it
    usable: bool


@dataclass(frozen=True)
class ProviderStatus:
    """One provider. `word` is one of the constants above; `remarks` hold for all of its keys."""

    provider: Provider
    word: str
    models: tuple[str, ...]
    keys: tuple[KeyStatus, ...]
    remarks: tuple[str, ...]


def provider_statuses(providers: Iterable[Provider] | None = None) -> list[ProviderStatus]:
    """Every provider in the order in which they would be tried, those that are off last, in a fixed number of queries.

    `providers`, when given, have their models, limits and credentials prefetched.
    """
    if providers is None:
        providers = Provider.objects.prefetch_related("models", "credentials", "limits")
    pauses, now = snapshot.open_pauses(), timezone.now()
    rows = list(providers)
    tried = in_order(tuple(row for row in rows if row.enabled), pauses, now)
    rows = [*tried, *(row for row in rows if not row.enabled)]
    return [_standing(row, pauses.get(row.slug, []), now) for row in rows]


def key_statuses(keys: Iterable[Credential]) -> list[KeyStatus]:
    """Where credentials stand, in one query. Their providers are selected with them."""
    pauses, now = snapshot.open_pauses(), timezone.now()
    return [_key(key, pauses.get(key.provider.slug, []), now) for key in keys]


def any_usable(found: Iterable[ProviderStatus]) -> bool:
    """Whether a call could be sent to anybody at all, pauses aside."""
    return any(one.word not in {OFF, NO_KEY, NO_MODEL} for one in found)


def problem_of(key: Credential) -> str:
    """Why a credential has no key; empty when it has one."""
    try:
        if key.key():
            return ""
    except secrets.SecretError as error:
        return str(error)
    if key.secret.startswith("env:"):
        return _("%(name)s is not set") % {"name": key.secret.removeprefix("env:")}
    if key.secret.startswith("file:"):
        return _("%(path)s cannot be read") % {"path": key.secret.removeprefix("file:")}
    return _("no secret yet")


def fingerprint_of(key: Credential) -> str:
    """What tells two keys apart without telling anything about them; empty without a key."""
    try:
        return secrets.fingerprint(secrets.reveal(key.secret))
    except secrets.SecretError:
        return ""


def _standing(row: Provider, pauses: Sequence[PauseView], now: datetime) -> ProviderStatus:
    models = tuple(model.name for model in sorted(row.models.all(), key=_place) if model.enabled)
    wide = [pause for pause in pauses if not (pause.credential or pause.account)]
    keys = tuple(_key(key, pauses, now) for key in sorted(row.credentials.all(), key=_place))
    remarks = (*(told(pause, now) for pause in wide), *old_facts(row, now))
    return ProviderStatus(row, _word(row, models, keys, wide, now), models, keys, remarks)


def _place(row: Model | Credential) -> tuple[int, int]:
    return row.position, row.pk


def _word(
    row: Provider,
    models: Sequence[str],
    keys: Sequence[KeyStatus],
    wide: Sequence[PauseView],
    now: datetime,
) -> str:
    if not row.enabled:
        return OFF
    if not row.keyless and not any(key.enabled and not key.problem for key in keys):
        return NO_KEY
    if not models:
        return NO_MODEL
    holding = [pause for pause in wide if holds(pause, now) and not pause.needs]
    whole = any(not pause.model and not pause.location for pause in holding)
    enabled = [key for key in keys if key.enabled]
    if whole or (enabled and not any(key.usable for key in enabled)):
        return PAUSED
    return PARTLY if holding or any(key.paused for key in enabled) else READY


def _key(key: Credential, pauses: Sequence[PauseView], now: datetime) -> KeyStatus:
    own = [
        pause
        for pause in pauses
        if (pause.credential or pause.account)
        and pause.credential in {"", key.label}
        and pause.account in {"", key.effective_account}
    ]
    problem = "" if key.provider.keyless else problem_of(key)
    stopped = any(holds(pause, now) and not pause.model and not pause.location for pause in own)
    remarks = tuple(told(pause, now) for pause in own)
    return KeyStatus(
        label=key.label,
        account=key.effective_account,
        fingerprint=fingerprint_of(key),
        problem=problem,
        remarks=remarks if key.enabled else (_("switched off"), *remarks),
        enabled=key.enabled,
        paused=any(holds(pause, now) for pause in own),
        usable=key.enabled and not problem and not stopped,
    )


def old_facts(row: Provider, now: datetime) -> list[str]:
    """What is to be said when facts of a provider were seen too long ago: free tiers change within weeks."""
    edge = now.date() - OLD_AFTER
    facts = [row, *row.models.all(), *row.limits.all()]
    seen = [fact.seen for fact in facts if fact.seen is not None and fact.seen < edge]
    if not row.enabled or not seen:
        return []
    text = ngettext(
        "%(count)d fact was last checked on %(day)s: run providers check",
        "%(count)d facts were last checked on %(day)s or before: run providers check",
        len(seen),
    )
    return [text % {"count": len(seen), "day": max(seen).isoformat()}]


# -- words -----------------------------------------------------------------------------------------


def holds(pause: PauseView, now: datetime) -> bool:
    """Whether a pause still keeps calls away; one whose time is over is tested by the next call."""
    return pause.until is None or pause.until > now


def told(pause: PauseView, now: datetime) -> str:
    """One line: what is paused, why and until when."""
    scope = " ".join(filter(None, (pause.model, pause.location)))
    if pause.until is None:
        text = _("%(kind)s until staff act") % {"kind": pause.kind}
    elif pause.until > now:
        text = _("%(kind)s until %(time)s") % {"kind": pause.kind, "time": moment(pause.until, now)}
    else:
        text = _("%(kind)s is over, the next call tests it") % {"kind": pause.kind}
    return f"{scope}: {text}" if scope else text


def moment(when: datetime, now: datetime) -> str:
    """A time as people of all zones read it, with how far it is: `2026-11-23 05:12 UTC (in 8 min)`."""
    return _("%(time)s UTC (in %(span)s)") % {"time": f"{when:%Y-%m-%d %H:%M}", "span": span(when - now)}


def span(length: timedelta) -> str:
    """A length of time, rounded up: `40 s`, `8 min`, `3 h`, `2 d`."""
    seconds = max(length.total_seconds(), 0)
    for size, unit, least in ((86_400, "d", 172_800), (3_600, "h", 7_200), (60, "min", 100)):
        if seconds >= least:
            return f"{-(-seconds // size):.0f} {unit}"
    return f"{-(-seconds // 1):.0f} s"


def hint(one: ProviderStatus) -> str:
    """The environment variable that a preset lacks; empty for others, or when its keys are only switched off."""
    variable = presets.key_hint(one.provider.slug)
    lacking = one.word == NO_KEY and not any(not key.problem for key in one.keys)
    return _("set %(variable)s") % {"variable": variable} if lacking and variable else ""


def first_steps() -> list[str]:
    """What to tell staff as long as no provider has a key."""
    return [
        _("No provider has a working key, so every text comes from the template."),
        _(
            "A free key: make one at https://console.groq.com/keys, then paste it at First run in the admin, or run "
            "`manage.py setup`; or start with GROQ_API_KEY=gsk_… set."
        ),
        _(
            "Five keys of one organisation add nothing: Groq counts requests and tokens by organisation, "
            "not by key. A second organisation or another provider does."
        ),
    ]
