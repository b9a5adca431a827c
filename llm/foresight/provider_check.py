"""Asks every provider whether what we believe of it is still true: models, keys, prices. For once a day.

`GET /models` of every key says which configured ids are gone and what they cost; then as many tiny calls
as it takes to try every key and every model once. What needs a person becomes a notice to ADMINS.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial

from django.db.models import Max, Min
from django.utils import timezone

from llm import loop
from llm.adapters import adapter_for
from llm.adapters.base import Listed, Listing
from llm.calls.deployment import Deployment
from llm.chain import direct
from llm.chain.selector import site_budget_usd
from llm.configuration import prices, snapshot
from llm.configuration.prices import Price
from llm.configuration.snapshot import KeyConf, ModelConf, ProviderConf
from llm.failures.kinds import Failure, Kind
from llm.foresight import catalogue
from llm.ledger.bookkeeper import NoRoom
from llm.models import Attempt
from llm.operations import alerts

LIST_TIMEOUT_S = 15.0
PROMPT = [{"role": "user", "content": "Reply with the word ok."}]
MAX_TOKENS = 16
PURPOSE = "provider-check"
# A failure of these kinds lasts until somebody acts; others pass, and the chain knows how long to wait.
LASTING = {
    Kind.KEY_INVALID,
    Kind.CREDITS_DEPLETED,
    Kind.MODEL_GONE,
    Kind.BLOCKED_PROVIDER,
    Kind.REQUEST_REJECTED,
}
PRICE_MEMORY = timedelta(days=7)  # prices by the hour and by the weekday come round in it
FREE_VARIANT = "free"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `subject` is a key or a model; `problem`: somebody has to act."""

    provider: str
    subject: str
    word: str
    detail: str = ""
    problem: bool = False


def check(provider: ProviderConf, *, paid: bool = False) -> Iterator[Finding]:
    """What holds of one provider now, and writes the notices.

    paid: also make the tiny calls of a paid provider that no budget limits (each costs far below a cent).
    """
    keys = [key for key in provider.keys if key.key or provider.keyless]
    for key in provider.keys:
        if key not in keys:
            yield Finding(provider.slug, key.label, "no key", key.problem)
    began = timezone.now()
    listed: dict[str, Listing] = {}
    for key in keys:
        try:
            listed |= _list(provider, key)
        except Failure as failure:
            yield _told(provider, key.label, failure.kind, f"/models: {failure.detail}")
        else:
            yield Finding(provider.slug, key.label, "lists models")
    if listed:
        for model in provider.models:
            yield from _compare(provider, model, listed)
        for change in catalogue.compare_models(provider, listed, filter(partial(_is_free, listed), listed)):
            yield Finding(provider.slug, change.subject, "new", change.detail)
    for model in provider.models:
        yield from _library_moved(provider, model)
    if not provider.free and not paid and not _has_budget(provider):
        yield Finding(provider.slug, "tiny calls", "skipped", "paid and without a budget; --paid makes them")
        return
    for number in range(max(len(keys), len(provider.models)) if keys and provider.models else 0):
        key, model = keys[number % len(keys)], provider.models[number % len(provider.models)]
        yield _tiny_call(Deployment(provider, key, model, next(iter(provider.locations), "")))
    for change in catalogue.compare_limits(provider, began):
        # A lower limit counts already; what would let more through is for staff to say.
        detail = f"{change.was} → {change.becomes}"
        lowered = not (change.was.isdecimal() and int(change.becomes) > int(change.was))
        yield Finding(provider.slug, change.subject, "changed", detail, problem=lowered)


def offered(model: str, listed: Listed) -> bool:
    """Whether a list of ids holds a configured one. A router's suffix (`:cheapest`) is a wish, `:free` an id."""
    base, _, variant = model.rpartition(":")
    return model in listed or (bool(base) and variant != FREE_VARIANT and base in listed)


def _list(provider: ProviderConf, key: KeyConf) -> Listed:
    adapter = adapter_for(
        kind=provider.kind,
        base_url=provider.base_url,
        key=key.key,
        project=provider.project,
        location=next(iter(provider.locations), ""),
    )
    try:
        found = loop.run(adapter.list_models(time.monotonic() + LIST_TIMEOUT_S))
    except Failure as failure:
        failure.mask(key.key)
        raise
    return {name.removeprefix("models/"): said for name, said in found.items()}


def _compare(provider: ProviderConf, model: ModelConf, listed: Listed) -> Iterator[Finding]:
    """A configured id against the provider's own list and prices."""
    if not offered(model.name, listed):
        _propose_gone(provider.slug, model.name, "not in /models any more")
        yield _told(provider, model.name, "gone", "not in /models any more")
        return
    catalogue.settle(provider.slug, catalogue.Kind.GONE, model.name)
    said = listed.get(model.name, Listing())
    _compare_sizes(provider.slug, model, said)
    stated, ours = said.price, model.price
    if stated and (_exceeds(stated[0], ours.per_million_in) or _exceeds(stated[1], ours.per_million_out)):
        asked = _both(Price(*stated, "provider"))
        _propose_price(provider, model, stated, asked)
        yield _told(provider, model.name, "price", f"the provider asks {asked}, we count {_both(ours)}")
    else:
        for kind in (catalogue.Kind.CHANGED, catalogue.Kind.PAID):
            catalogue.settle(provider.slug, kind, f"{model.name} price")


def _propose_price(
    provider: ProviderConf, model: ModelConf, stated: tuple[Decimal, Decimal], asked: str
) -> None:
    """Of a model that was free it is to be switched off: a price of one would not be counted."""
    if provider.free:
        if any(limit.unit == "units" for limit in model.limits):
            return  # its free allowance is counted by prices
        kind, values = catalogue.Kind.PAID, dict[str, object](enabled=False)
    else:
        kind, values = catalogue.Kind.CHANGED, {"price_in": stated[0], "price_out": stated[1]}
    lines = catalogue.model_lines(provider.slug, model.name, values, method="documented")
    was = "free" if provider.free else _both(model.price)
    catalogue.propose(provider.slug, kind, f"{model.name} price", lines, was=was, becomes=asked)


def _compare_sizes(slug: str, model: ModelConf, said: Listing) -> None:
    """A window or an answer that the provider's own list gives as smaller, or larger, than we have it."""
    for name in ("context", "max_output"):
        ours, theirs, subject = getattr(model, name), getattr(said, name), f"{model.name} {name}"
        if ours is None or theirs is None or ours == theirs:
            catalogue.settle(slug, catalogue.Kind.CHANGED, subject)
            continue
        values = {name: theirs}
        if name == "context" and model.max_output and model.max_output > theirs:
            values["max_output"] = min(said.max_output or theirs, theirs)
        lines = catalogue.model_lines(slug, model.name, values, method="documented")
        catalogue.propose(slug, catalogue.Kind.CHANGED, subject, lines, was=ours, becomes=theirs)


def _library_moved(provider: ProviderConf, model: ModelConf) -> Iterator[Finding]:
    """A library's price outside what the ledger saw in a week, or staff's below the library's."""
    if model.price.source == "staff" and not provider.free:
        yield from _below_library(provider, model)
    if model.price.source != "library":
        return
    seen = Attempt.objects.filter(
        provider=provider.slug, model=model.name, price_source="library",
        started_at__gt=timezone.now() - PRICE_MEMORY,
    ).aggregate(
        least_in=Min("price_in"), most_in=Max("price_in"),
        least_out=Min("price_out"), most_out=Max("price_out"),
    )  # fmt: skip
    for name, now in (("in", model.price.per_million_in), ("out", model.price.per_million_out)):
        least, most = seen[f"least_{name}"], seen[f"most_{name}"]
        if now is not None and least is not None and not least <= now <= most:
            was = _usd(most if now > most else least)
            yield _told(
                provider, model.name, "price", f"{name}: ${_usd(now)}, was ${was} for a million tokens"
            )


def _below_library(provider: ProviderConf, model: ModelConf) -> Iterator[Finding]:
    """Budgets hold only as long as the price that staff set is not below the real one.

    An address of one's own (a proxy, a stand-in) has its own prices, so there only the address is looked up.
    """
    own = bool(provider.base_url)
    library = prices.library_price(
        slug="" if own else provider.slug,
        kind="openai" if own else provider.kind,
        base_url=provider.base_url,
        model=model.name,
    )
    ours = model.price
    if _exceeds(library.per_million_in, ours.per_million_in) or _exceeds(
        library.per_million_out, ours.per_million_out
    ):
        yield _told(
            provider, model.name, "price", f"the price library says {_both(library)}, staff {_both(ours)}"
        )


def _tiny_call(deployment: Deployment) -> Finding:
    slug, subject = deployment.provider.slug, f"{deployment.label} {deployment.model.name}"
    try:
        call = direct.ask(deployment, messages=PROMPT, purpose=PURPOSE, lang="en", max_tokens=MAX_TOKENS)
    except NoRoom as full:
        return Finding(slug, subject, "skipped", str(full))
    except Failure as failure:  # `direct` has written the notice
        lasting = failure.kind in LASTING
        if failure.kind is Kind.MODEL_GONE:
            _propose_gone(slug, deployment.model.name, failure.detail)
        if failure.kind is Kind.CREDITS_DEPLETED and deployment.provider.free:
            # It was free: a wall in front of it means that its terms have changed, or that a free allowance is spent.
            catalogue.propose(
                slug, catalogue.Kind.PAID, slug, catalogue.paid_lines(slug), was="free", becomes="paid",
                detail=failure.detail,
            )  # fmt: skip
            alerts.record("check_paid", f"{slug}: asks for money", failure.detail)
        return Finding(slug, subject, failure.kind, failure.detail, problem=lasting)
    return Finding(slug, subject, "ok", f"{call.latency_ms / 1000:.1f} s")


def _propose_gone(slug: str, model: str, detail: str) -> None:
    lines = catalogue.model_lines(slug, model, {"enabled": False}, method="probed")
    catalogue.propose(slug, catalogue.Kind.GONE, model, lines, detail=detail)


def _is_free(listed: Listed, model: str) -> bool:
    """By its id, or by the price that the list states."""
    price = listed[model].price if model in listed else None
    return model.endswith(f":{FREE_VARIANT}") or (price is not None and not any(price))


def _has_budget(provider: ProviderConf) -> bool:
    budgets = (provider.daily_budget_usd, provider.credit_usd, site_budget_usd())
    return any(budget is not None for budget in budgets)


def _told(provider: ProviderConf, subject: str, word: str, detail: str) -> Finding:
    """A finding; with a notice when it lasts."""
    lasting = word in {"gone", "price", *LASTING}
    if lasting:
        alerts.record(f"check_{word}"[:30], f"{provider.slug}: {subject}: {word}", detail)
    return Finding(provider.slug, subject, word, detail, problem=lasting)


def _exceeds(one: Decimal | None, other: Decimal | None) -> bool:
    """Whether both are known and the first is higher."""
    return one is not None and other is not None and one > other


def _both(price: Price) -> str:
    return f"${_usd(price.per_million_in or Decimal(0))} in, ${_usd(price.per_million_out or Decimal(0))} out"


def _usd(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def providers(slug: str | None = None) -> list[ProviderConf]:
    """The enabled providers, or the one of that slug. Raises LookupError when there is none."""
    found = [one for one in snapshot.providers() if slug in (None, one.slug)]
    if slug is not None and not found:
        raise LookupError(f'no enabled provider has the slug "{slug}"')
    return found
