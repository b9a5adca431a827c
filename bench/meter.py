"""What a look at the meter costs a call with 3 and with 60 limits; it takes one for each deployment that it weighs."""

import time
from collections.abc import Callable
from itertools import islice, product
from statistics import median
from typing import Any

from bench.environment import forget_everything
from bench.figures import Section

ABOUT = (
    "`LedgerMeter.room()` for one deployment, its reading of the counters included, in CPU time of the thread; the "
    "providers in turn. Each has 2 accounts, and use of every model. 20 models: 3 limits of all, against 3 of each of "
    "them. 3 models: 3 limits, against the worst that can be configured: 60 of every scope, window and unit, under two "
    "patterns, all of which hold for the model that is asked."
)
LOOKS, WARM = 400, 40
MODELS = [f"m{n}" for n in range(20)]
FEW_MODELS = MODELS[:3]
PLENTY = 10**9
SCOPES, UNITS = ("model", "account", "provider"), ("requests", "tokens", "tokens_in", "tokens_out", "units")
PER = ("second", "minute", "hour", "day", "week", "month")
PATTERNS = ([], ["m*"])
OF_A_MODEL = (("model", "minute", "requests"), ("model", "minute", "tokens"), ("account", "day", "tokens"))


def run() -> Section:
    section = Section(ABOUT)
    forget_everything()
    providers = configure()
    times: dict[str, list[float]] = {name: [] for name in providers}
    for turn in range(LOOKS + WARM):
        for name, provider in providers.items():
            taken = look(provider)
            if turn >= WARM:
                times[name].append(taken)
    for name, provider in providers.items():
        section.add(f"{name}: a look, median", median(times[name]) * 1e6, "µs")
        section.add(f"{name}: queries of a look", queries(provider), at_most=1)
    for few_limits, many, at_most in ((*list(KINDS)[:2], 1.25), (*list(KINDS)[2:], 2.5)):
        ratio = median(times[many]) / median(times[few_limits])
        section.add(f"{many}, against 3", ratio, "times", at_most=at_most)
    return section


def few() -> list[tuple[str, str, str, list[str]]]:
    return [(*kind, []) for kind in OF_A_MODEL]


def sixty() -> list[tuple[str, str, str, list[str]]]:
    return [(*kind, [model]) for model in MODELS for kind in OF_A_MODEL]


def sixty_of_one() -> list[tuple[str, str, str, list[str]]]:
    every = product(PATTERNS, SCOPES, PER, UNITS)
    return [(scope, per, unit, models) for models, scope, per, unit in islice(every, 0, 180, 3)]


KINDS: dict[str, tuple[list[str], Callable[[], list[tuple[str, str, str, list[str]]]]]] = {
    "20 models, 3 limits": (MODELS, few),
    "20 models, 60 limits": (MODELS, sixty),
    "3 models, 3 limits": (FEW_MODELS, few),
    "3 models, 60 limits of each": (FEW_MODELS, sixty_of_one),
}


def configure() -> dict[str, Any]:
    """A provider of each kind, as calls see it, with some use of every model."""
    from django.utils import timezone

    from llm.configuration import snapshot
    from llm.models import Attempt, Call, Limit
    from tests.chain_setup import make_provider

    class Nowhere:
        url = "http://127.0.0.1:9"

    now = timezone.now()
    call = Call.objects.create(started_at=now, finished_at=now, deadline_s=45, outcome="ok")
    for number, (models, limits) in enumerate(KINDS.values()):
        slug = f"p{number}"
        keys = {f"{slug}a": "", f"{slug}b": ""}
        row = make_provider(Nowhere, slug, models=models, keys=keys, free=True, day_reset="utc")
        for scope, per, unit, patterns in limits():
            prices = {"units_in": 1000, "units_out": 3000} if unit == "units" else {}
            Limit.objects.create(
                provider=row, scope=scope, patterns=patterns, per=per, unit=unit, amount=PLENTY, **prices
            )
        Attempt.objects.bulk_create(
            Attempt(
                call=call, provider=slug, credential=key, account=key, model=model, tier=1, free=True, started_at=now,
                finished_at=now, outcome="ok", tokens_in=450, tokens_out=400, cost_usd=0,
            )
            for key in keys for model in models
        )  # fmt: skip
    snapshot.forget()
    found = {provider.slug: provider for provider in snapshot.providers()}
    return {name: found[f"p{number}"] for number, name in enumerate(KINDS)}


def look(provider: Any) -> float:
    """Seconds of CPU that one look takes; each has a meter of its own, as each call has."""
    from django.utils import timezone

    from llm.calls.deployment import Deployment
    from llm.calls.spec import CallSpec
    from llm.limits.quota import LedgerMeter

    deployment = Deployment(provider, provider.keys[0], provider.models[0])
    want, now = CallSpec(tokens_in=900, estimated_in=900, max_tokens=1400), timezone.now()
    began = time.thread_time()
    assert LedgerMeter(now, {}).room(deployment, want) is None
    return time.thread_time() - began


def queries(provider: Any) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        look(provider)
    return len(captured)
