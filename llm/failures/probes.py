"""Is a provider's edge open to us? Asked without a key, so that it costs no quota.

`GET /models` without a key: 401 means that we reached the service behind its edge; 403 with the edge's
marks that we are still blocked.
"""

import time
from datetime import timedelta

from django.utils import timezone

from llm.adapters import adapter_for
from llm.chain.plan import Deployment, is_demoted
from llm.configuration.snapshot import KeyConf, ModelConf, PauseView, ProviderConf
from llm.failures import pauses
from llm.failures.rules import Failure, Kind
from llm.limits.prices import FREE
from llm.operations import alerts

PROBE_TIMEOUT_S = 3.0
AT_THE_EDGE = {Kind.BLOCKED_PROVIDER, Kind.PROVIDER_DOWN}


def probe(provider: ProviderConf, timeout_s: float = PROBE_TIMEOUT_S) -> Failure | None:
    """None when the edge lets us through to the service, else what stopped us there."""
    adapter = adapter_for(kind=provider.kind, base_url=provider.base_url, key="")
    try:
        adapter.list_models(time.monotonic() + timeout_s)
    except Failure as failure:
        return failure if failure.kind in AT_THE_EDGE else None
    return None


def probe_ended(
    providers: tuple[ProviderConf, ...], open_pauses: dict[str, list[PauseView]], within_s: float
) -> bool:
    """Probes providers whose block has had its time, one call for all workers; returns whether any opened.

    Takes no longer than `within_s` for each.
    """
    opened = False
    now = timezone.now()
    for provider in providers:
        for pause in open_pauses.get(provider.slug, []):
            if pause.kind != Kind.BLOCKED_PROVIDER or provider.kind == "vertex" or pause.until is None:
                continue
            if pause.until > now or not pauses.claim_probes([pause], now + timedelta(seconds=10)):
                continue
            if (failure := probe(provider, min(PROBE_TIMEOUT_S, within_s))) is None:
                pauses.close([pause], by="edge probe")
                alerts.record("unblocked", f"{provider.slug}: lets us through again, back in its place")
                opened = True
            else:
                pauses.open_for(failure, _nothing_of(provider))
                if is_demoted(provider, [pause], now):
                    hours = f"{provider.demote_after_h:g} hours"
                    alerts.record(
                        "demoted", f"{provider.slug}: blocked for over {hours}, ranked below the next tier"
                    )
    return opened


def _nothing_of(provider: ProviderConf) -> Deployment:
    """The provider as a whole, where a deployment is asked for."""
    return Deployment(provider, KeyConf("", "", ""), ModelConf("", {}, 0, FREE))
