"""Is a provider there again? Asked in the background and without a key, so that it costs no call and no quota.

`GET /models` without a key: 401 means that we reached the service behind its edge; 403 with the edge's marks that we
are still blocked; 5xx or silence that it is still down. `run_due` is to be called every few seconds, by a background
worker or, where there is none, after calls (`llm.operations.upkeep`).
"""

from datetime import datetime, timedelta

import httpx
from django.utils import timezone

from llm import clock, loop
from llm.adapters import adapter_for, transport
from llm.calls.deployment import Deployment
from llm.configuration import snapshot
from llm.configuration.prices import FREE
from llm.configuration.snapshot import KeyConf, ModelConf, PauseView, ProviderConf
from llm.failures.kinds import Failure, Kind
from llm.failures.rules import classify
from llm.models import Pause
from llm.operations import alerts
from llm.pauses import breaker
from llm.pauses.demotion import is_demoted

PROBE_TIMEOUT_S = 3.0
AT_THE_EDGE = {Kind.BLOCKED_PROVIDER, Kind.PROVIDER_DOWN}
BEFORE_ITS_END = timedelta(seconds=9)  # so that no call has to find out; more than the time between two looks
EVERY = timedelta(minutes=5)  # a long pause, in between
CLAIM = timedelta(seconds=10)
_asked: dict[tuple[int, datetime], datetime] = {}  # when this process last asked about a pause


def probe(
    provider: ProviderConf, timeout_s: float = PROBE_TIMEOUT_S, *, location: str = ""
) -> Failure | None:
    """None when the edge lets us through to the service, else what stopped us there."""
    end = clock.monotonic() + timeout_s
    try:
        if provider.kind == "vertex":
            return _reach_google(provider, location, end)
        loop.run(adapter_for(kind=provider.kind, base_url=provider.base_url, key="").list_models(end))
    except Failure as failure:
        return failure if failure.kind in AT_THE_EDGE else None
    return None


def run_due() -> int:
    """Asks about every guessed pause of a whole provider (or location) that is about to end, and about long ones now
    and then, one process at a time. Returns how many it closed.
    """
    current, closed = snapshot.read(), 0
    for provider in current.providers:
        for pause in current.pauses.get(provider.slug, []):
            now = timezone.now()
            if _is_due(pause, now) and breaker.claim_probes([pause], now + CLAIM, early=True):
                _asked[pause.id, pause.since] = now
                closed += _look(provider, pause)
    return closed


def forget() -> None:
    """Drops what was noted, for tests."""
    _asked.clear()


def _is_due(pause: PauseView, now: datetime) -> bool:
    if pause.kind not in AT_THE_EDGE or pause.source != Pause.Source.GUESS or pause.until is None:
        return False
    if pause.model or pause.account or pause.credential:  # nothing that the edge knows of
        return False
    asked, ends = _asked.get((pause.id, pause.since)), pause.until - BEFORE_ITS_END
    return (ends <= now and (asked is None or asked < ends)) or now - (asked or pause.since) >= EVERY


def _look(provider: ProviderConf, pause: PauseView) -> bool:
    """Asks, and closes or lengthens the pause. Returns whether it is closed."""
    failure = probe(provider, location=pause.location)
    if failure is not None:
        failure.silent = False  # it cost no call anything
        breaker.open_for(failure, _nothing_of(provider, pause.location), by_probe=True)
        if failure.kind is Kind.BLOCKED_PROVIDER and is_demoted(provider, [pause], timezone.now()):
            hours = f"{provider.demote_after_h:g} hours"
            alerts.record("demoted", f"{provider.slug}: blocked for over {hours}, ranked below the next tier")
        breaker.release_probes([pause])
        return False
    if pause.silent:
        # That it lists its models does not say that they answer: one call will test it, once the pause is over.
        breaker.release_probes([pause])
        return False
    breaker.close([pause], by="edge probe")
    if pause.kind == Kind.BLOCKED_PROVIDER:
        alerts.record("unblocked", f"{provider.slug}: lets us through again, back in its place")
    return True


def _reach_google(provider: ProviderConf, location: str, end: float) -> Failure | None:
    """Whether Google's front answers at all: it has no list of models without a key."""
    from llm.adapters.vertex import Vertex  # takes seconds to import

    default = "https://aiplatform.googleapis.com"
    if location and location != "global":
        default = f"https://{location}-aiplatform.googleapis.com"
    url = provider.base_url.replace("{location}", location) or default
    try:
        response = loop.run(_get(Vertex.http, url, end))
        failure = classify(status=response.status_code, headers=dict(response.headers), body=response.text)
    except (httpx.HTTPError, TimeoutError) as error:
        failure = classify(exception=f"{type(error).__name__}: {error}")
    return failure if failure.kind in AT_THE_EDGE and (failure.status or 500) >= 300 else None


async def _get(http: httpx.AsyncClient, url: str, end: float) -> httpx.Response:
    async with transport.until(end):
        return await http.get(url)


def _nothing_of(provider: ProviderConf, location: str) -> Deployment:
    """The provider as a whole (or in one place), where a deployment is asked for."""
    return Deployment(provider, KeyConf("", "", ""), ModelConf("", {}, 0, FREE), location)
