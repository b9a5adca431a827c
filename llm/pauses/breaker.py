"""Opens, lengthens, probes and closes pauses. Rows are shared by all workers and survive restarts.

Rules: a later failure never shortens a pause; a time that the provider stated is never tried early; guesses have
jitter, so that workers do not come back together, and grow with every failure in a row. A provider that is down is
paused for a few seconds at a time as long as it answers quickly: for minutes only if the probes in the background
(`llm.pauses.probes`) go on failing, or if it let calls wait for nothing.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from llm import secrets
from llm.calls.deployment import Deployment
from llm.calls.terms import without
from llm.configuration.snapshot import PauseView
from llm.failures import waits
from llm.failures.kinds import Failure, Kind, Owner, Scope
from llm.failures.waits import DAY, HOUR, MINUTE
from llm.limits.calendar import next_day
from llm.models import Attempt, Credential, Pause
from llm.storage import rollup
from llm.storage.transactions import write_transaction


@dataclass(frozen=True)
class Guess:
    """How long to wait when the provider names no time: `first_s`, doubled per failure in a row, at most `most_s`."""

    first_s: float
    most_s: float


GUESSES = {
    Kind.RATE_LIMITED_KEY: Guess(30, 15 * MINUTE),
    Kind.RATE_LIMITED_PROVIDER: Guess(20, 15 * MINUTE),
    Kind.BLOCKED_PROVIDER: Guess(5 * MINUTE, 6 * HOUR),
    Kind.CREDITS_DEPLETED: Guess(6 * HOUR, DAY),
    Kind.MODEL_GONE: Guess(DAY, 7 * DAY),
    Kind.PROVIDER_DOWN: Guess(15, 10 * MINUTE),
    Kind.EMPTY_OUTPUT: Guess(10 * MINUTE, HOUR),
}
STEADY_PROBES = 12  # so many failures of probes in a row, some two minutes, before their pauses grow
SILENCE_FACTOR = 2.0  # how much longer than what it cost a call a silent provider is left alone
# Guesses that may be wrong: when nothing else is left, a call asks one of these early.
DOUBTFUL = {Kind.PROVIDER_DOWN, Kind.RATE_LIMITED_PROVIDER, Kind.RATE_LIMITED_KEY, Kind.EMPTY_OUTPUT}
EMPTIES_IN_A_ROW = 3
BY_STAFF = "paused_by_staff"
SCOPE = ("credential", "account", "model", "location", "needs")
LACKING_S = DAY  # a model that does not take something may learn to, or another host of it may


def open_for(
    failure: Failure, deployment: Deployment, *, cost_s: float = 0, by_probe: bool = False
) -> Pause | None:
    """Pauses what the failure speaks of and returns the row; None when it speaks of this call alone.

    cost_s: the seconds that a call lost; by_probe: it was found by a probe in the background, which cost nobody any
    """
    names = _scope_names(failure, deployment) if failure.owner is Owner.PROVIDER else None
    if names is None:
        return None
    for _ in range(3):
        try:
            with write_transaction():
                pause = _open_or_lengthen(names, failure, deployment, cost_s=cost_s, by_probe=by_probe)
            break
        except IntegrityError:  # another worker opened the same scope between our look and our insert
            continue
    else:
        return None
    return pause


def remember_lack(failure: Failure, deployment: Deployment) -> None:
    """For a day no call that needs what this model does not take is sent to it; all others are."""
    ability, now = failure.lacks, timezone.now()
    until = now + timedelta(seconds=LACKING_S * random.uniform(0.9, 1.1))
    names = dict.fromkeys(SCOPE, "") | {
        "provider": deployment.provider.slug, "model": deployment.model.name, "location": deployment.location,
        "needs": ability,
    }  # fmt: skip
    told = {
        "kind": without(ability),
        "until": until,
        "detail": failure.detail,
        "source": Pause.Source.PROVIDER,
    }
    try:
        with write_transaction():
            again = Pause.objects.filter(closed_at=None, **names).update(**told, since=now)
            if not again:
                Pause.objects.create(**names, **told, since=now)
    except IntegrityError:  # another worker has just learned it
        return


def by_staff(names: dict[str, str], *, until: datetime | None, by: str, reason: str = "") -> Pause:
    """Staff keep calls away from a scope, until a time or (None) until they reset it. Returns the pause.

    `names` of the scope: provider, and any of credential, account, model, location. What the chain had found
    out about the scope goes into the history.
    """
    scope = dict.fromkeys(SCOPE, "") | names
    now = timezone.now()
    with write_transaction():
        close(Pause.objects.select_for_update().filter(closed_at=None, **scope), by=by[:80])
        return Pause.objects.create(
            **scope, kind=BY_STAFF, source=Pause.Source.STAFF, since=now, until=until, detail=reason[:300]
        )


def _open_or_lengthen(
    names: dict[str, str], failure: Failure, deployment: Deployment, *, cost_s: float, by_probe: bool
) -> Pause:
    now, model = timezone.now(), deployment.model.name
    row = Pause.objects.select_for_update().filter(closed_at=None, **names).first()
    refused = _refused_key(failure, deployment)
    if row is None:
        source, until = _until(failure, deployment, streak=1, cost_s=cost_s, by_probe=by_probe, now=now)
        return Pause.objects.create(
            **names,
            kind=failure.kind,
            source=source,
            since=now,
            until=until,
            detail=failure.detail,
            fingerprint=refused,
            silent=failure.silent,
            found_with=model,
        )
    held = waits.holds(row, now)
    tested = row.probe_until is not None and row.probe_until > now
    if by_probe or not held or tested:  # it had its time, or was asked early, and failed again
        row.streak += 1
    source, until = _until(failure, deployment, streak=row.streak, cost_s=cost_s, by_probe=by_probe, now=now)
    if row.since > now:  # by a clock that was ahead
        row.since = now
    if not held or until is None or (row.until is not None and until > row.until):
        if row.kind != failure.kind:
            row.since = now  # another trouble, which is as old as itself
        row.until, row.source, row.kind, row.detail = until, source, failure.kind, failure.detail
        row.fingerprint = refused
    row.probe_until = None
    if not by_probe:
        row.silent = failure.silent
        row.found_with = model if row.found_with == model else ""
    row.save(
        update_fields=[
            "streak", "since", "until", "source", "kind", "detail", "probe_until", "silent", "found_with",
            "fingerprint",
        ]
    )  # fmt: skip
    return row


def _refused_key(failure: Failure, deployment: Deployment) -> str:
    """The fingerprint of the key that a pause belongs to: of one that is refused, or whose own account is empty."""
    key = deployment.key
    its_own = key.account == key.label and not key.declared and not failure.account
    if failure.kind is Kind.KEY_INVALID or (failure.kind is Kind.CREDITS_DEPLETED and its_own):
        return secrets.fingerprint(key.key)
    return ""


def _scope_names(failure: Failure, deployment: Deployment) -> dict[str, str] | None:
    provider, key, model = deployment.provider.slug, deployment.key, deployment.model.name
    account = failure.account or key.account
    scope = failure.scope
    if failure.kind is Kind.EMPTY_OUTPUT and _empties_in_a_row(deployment):
        scope = Scope.MODEL
    if scope is Scope.LOCATION and (failure.silent or not deployment.location):
        scope = Scope.PROVIDER  # a silent location costs one timeout, not one for each location
    names = dict.fromkeys(SCOPE, "") | {"provider": provider}
    if scope is Scope.CALL:
        return None
    if scope is Scope.CREDENTIAL:
        names |= {"credential": key.label}
    elif scope is Scope.ACCOUNT:
        names |= {"account": account}
    elif scope is Scope.DEPLOYMENT:
        names |= {"account": account, "model": model, "location": deployment.location}
    elif scope is Scope.MODEL:
        names |= {"model": model, "location": deployment.location}
    elif scope is Scope.LOCATION:
        names |= {"location": deployment.location}
    return names


def _empties_in_a_row(deployment: Deployment) -> bool:
    """Whoever's key it was: that a model says nothing visible is no fault of an account."""
    last = Attempt.objects.filter(
        provider=deployment.provider.slug, model=deployment.model.name, location=deployment.location,
        finished_at__isnull=False,
    ).order_by("-id").values_list("outcome", flat=True)[:EMPTIES_IN_A_ROW]  # fmt: skip
    return list(last) == [Kind.EMPTY_OUTPUT] * EMPTIES_IN_A_ROW


def _until(
    failure: Failure, deployment: Deployment, *, streak: int, cost_s: float, by_probe: bool, now: datetime
) -> tuple[str, datetime | None]:
    """Who says until when. None: until staff act."""
    if failure.kind is Kind.KEY_INVALID:
        return Pause.Source.PROVIDER, None
    grown_s = _grown_s(failure, streak=streak, cost_s=cost_s, by_probe=by_probe)
    jitter = (0.8, 1.0) if failure.kind is Kind.PROVIDER_DOWN and not failure.silent else (0.9, 1.1)
    grown_s *= random.uniform(*jitter)
    if failure.retry_after_s is not None and failure.retry_after_s <= waits.longest_s(
        failure.kind, failure.window
    ):
        stated = timedelta(seconds=failure.retry_after_s)
        if streak > 1:  # it was not true the last time, so wait for what is longer
            stated = max(stated, timedelta(seconds=grown_s))
        return Pause.Source.PROVIDER, now + stated
    if failure.kind is Kind.RATE_LIMITED_KEY and failure.window == "day":
        return Pause.Source.GUESS, next_day(deployment.provider.day_reset, now)
    if failure.kind is Kind.RATE_LIMITED_KEY and failure.window == "minute":
        grown_s = max(grown_s, MINUTE)
    return Pause.Source.GUESS, now + timedelta(seconds=grown_s)


def _grown_s(failure: Failure, *, streak: int, cost_s: float, by_probe: bool) -> float:
    """How long to wait after so many failures in a row, in seconds, before jitter."""
    guess = GUESSES.get(failure.kind, GUESSES[Kind.PROVIDER_DOWN])
    first_s, doublings = guess.first_s, streak - 1
    if failure.silent:
        first_s = max(first_s, cost_s * SILENCE_FACTOR)
    elif failure.kind is Kind.PROVIDER_DOWN:
        # That calls are refused at once costs little, so it is no reason to leave a provider alone for longer.
        doublings = max(streak - STEADY_PROBES, 0) if by_probe else 0
    return min(first_s * 2.0 ** min(doublings, 20), max(guess.most_s, first_s))


def claim_probes(pauses: Iterable[PauseView], until: datetime, *, early: bool = False) -> bool:
    """Whether this call, and no other, may test these pauses, which are as it saw them; it has time until then.

    early: also before their time.
    """
    now = timezone.now()
    mine: list[PauseView] = []
    for pause in pauses:
        rows = Pause.objects.filter(  # as it was seen: nobody has lengthened it meanwhile
            Q(probe_until=None) | Q(probe_until__lte=now), pk=pause.id, closed_at=None, until=pause.until
        )
        if (waits.holds(pause, now) and not early) or rows.update(probe_until=until) != 1:
            release_probes(mine)
            return False
        mine.append(pause)
    return True


def release_probes(pauses: Iterable[PauseView]) -> None:
    """Gives back what `claim_probes` took, when the attempt found out nothing: another call may test at once."""
    Pause.objects.filter(pk__in=[p.id for p in pauses], closed_at=None).update(probe_until=None)


def close(pauses: Iterable[PauseView | Pause], by: str) -> int:
    """Ends pauses whose scope has answered again (or that staff reset); returns how many were open."""
    return Pause.objects.filter(pk__in=[p.id for p in pauses], closed_at=None).update(
        closed_at=timezone.now(), closed_by=by, probe_until=None
    )


def answered(deployment: Deployment) -> None:
    """A deployment has answered, so the pauses that it tested are over.

    One of a whole provider that another of its models had brought about is that model's from now on.
    """
    over = []
    for pause in deployment.probes:
        wide = pause.kind == Kind.PROVIDER_DOWN and not (pause.model or pause.account or pause.credential)
        if not (wide and pause.found_with and pause.found_with != deployment.model.name):
            over.append(pause)
            continue
        try:
            with transaction.atomic():
                rows = Pause.objects.filter(pk=pause.id, closed_at=None)
                rows.update(model=pause.found_with, probe_until=None)
        except IntegrityError:  # that model is paused already
            over.append(pause)
    close(over, by="answered again")


def forgive_replaced_keys() -> int:
    """Closes `key_invalid` pauses of keys that are no longer the refused ones; returns how many."""
    refused = Pause.objects.filter(closed_at=None, kind=Kind.KEY_INVALID).exclude(fingerprint="")
    rows = {row.label: row for row in Credential.objects.filter(label__in=refused.values("credential"))}
    replaced = []
    for pause in refused:
        try:
            key = rows[pause.credential].key() if pause.credential in rows else ""
        except secrets.SecretError:
            continue
        if key and secrets.fingerprint(key) != pause.fingerprint:
            replaced.append(pause)
    return close(replaced, by="key replaced")


def learn_organisation(deployment: Deployment, organisation: str) -> None:
    """Remembers the account as the provider names it, so that its keys share quotas from now on.

    A key whose account was declared stays with that; `checks` tells staff when two such accounts are one. Else what
    was known under the old name moves over: pauses, and today's attempts, which are the meter.
    """
    slug, known_as, now = deployment.provider.slug, deployment.key.account, timezone.now()
    if not organisation or organisation == known_as:
        return
    named = Credential.objects.filter(label=deployment.key.label, provider__slug=slug)
    if declared := named.exclude(account="").first():
        if declared.organisation != organisation:
            named.update(organisation=organisation, updated_at=now)
        return
    named.update(organisation=organisation, updated_at=now)
    Attempt.objects.filter(provider=slug, account=known_as, started_at__gt=now - timedelta(days=1)).update(
        account=organisation
    )
    rollup.forget_hours("attempts")
    for pause in Pause.objects.filter(provider=slug, account=known_as, closed_at=None):
        try:
            with transaction.atomic():
                Pause.objects.filter(pk=pause.pk).update(account=organisation)
        except (
            IntegrityError
        ):  # the same scope is paused under the learned name already: the longer one holds
            same = Pause.objects.filter(
                provider=slug, credential=pause.credential, account=organisation, model=pause.model,
                location=pause.location, closed_at=None,
            )  # fmt: skip
            if pause.until is not None:
                same = same.filter(until__lt=pause.until)
            same.update(until=pause.until, source=pause.source, kind=pause.kind, detail=pause.detail)
            Pause.objects.filter(pk=pause.pk).update(closed_at=now, closed_by="account learned")
