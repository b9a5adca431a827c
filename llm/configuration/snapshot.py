"""Reads configuration and pauses into plain, immutable values, so that the plan is a pure function of them."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from threading import Lock
from typing import Any

from llm import hosts, models, secrets
from llm.configuration.limits import MODEL, PROVIDER, SHORT, InForce, Limit, shorthands
from llm.configuration.prices import Price, price_of
from llm.libraries import missing_library
from llm.storage import sql
from llm.storage.transactions import current_database, lasting, once

MOST_ACCOUNTS = 1000  # that have limits of their own, and are kept
REREAD_AFTER_S = 60  # prices by the hour may change without a row changing


@dataclass(frozen=True, slots=True)
class ModelConf:
    name: str
    params: dict[str, Any]
    reasoning_reserve: int
    price: Price
    rpm: int | None = None
    rpd: int | None = None
    tpm: int | None = None
    tpd: int | None = None
    tools: bool = True
    json_schema: bool = True
    images: bool = False
    prefill: bool = False
    kind: str = models.Model.Kind.CHAT
    context: int | None = None  # tokens of input and output together
    max_output: int | None = None
    dimensions: int | None = None  # of an embedding model's vectors
    family: str = ""  # embedding models of one family give the same vectors
    shutdown_on: date | None = None
    edited_at: datetime | None = None  # when staff, or a providers file, last changed it
    shared: tuple[Limit, ...] = ()  # of its provider's limits, those that cover it
    source: str = ""
    seen: date | None = None
    method: str = ""
    _in_force: dict[Any, InForce] = field(default_factory=dict, init=False, compare=False, repr=False)
    _stated: dict[str, Limit | None] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """Every configured limit."""
        return self.in_force.every

    def configured(self, name: str) -> Limit | None:
        """The limit of this unit and window that each answer would tell of: the model's own, else its account's."""
        if name not in self._stated:
            found = [limit for limit in self.limits if limit.name == name and limit.scope != PROVIDER]
            self._stated[name] = min(found, key=lambda one: (one.scope != MODEL, one.amount), default=None)
        return self._stated[name]

    @property
    def in_force(self) -> InForce:
        """The limits as long as nobody has stated others."""
        return self.with_learned(())

    def with_learned(self, learned: tuple[Limit, ...]) -> InForce:
        """The limits with those that a provider, or staff, stated in place of its own; put together once."""
        if learned not in self._in_force:
            names = {limit.name for limit in learned}
            kept = [limit for limit in self._configured() if not (limit.is_own and limit.name in names)]
            if len(self._in_force) >= MOST_ACCOUNTS:
                self._in_force.clear()
            self._in_force[learned] = InForce((*kept, *learned))
        return self._in_force[learned]

    def _configured(self) -> tuple[Limit, ...]:
        amounts = {name: getattr(self, name, None) for name in SHORT}
        own = shorthands(amounts, source=self.source, seen=self.seen, method=self.method)
        return (*own, *self.shared)


@dataclass(frozen=True, slots=True)
class KeyConf:
    label: str
    account: str
    key: str = field(repr=False)
    problem: str = ""  # why the key cannot be read
    fingerprint: str = ""
    declared: bool = False  # staff say whose account it is


@dataclass(frozen=True, slots=True)
class ProviderConf:
    slug: str
    kind: str
    base_url: str
    tier: Decimal
    free: bool
    keyless: bool
    first_byte_s: float
    timeout_s: float
    daily_budget_usd: Decimal | None
    credit_usd: Decimal | None
    credit_until: date | None
    demote_after_h: float
    day_reset: str
    project: str
    locations: tuple[str, ...]
    models: tuple[ModelConf, ...]  # of chat, in order
    keys: tuple[KeyConf, ...]
    trains_on_prompts: bool | None = None
    commercial_use: bool | None = None
    personal_data: bool | None = None
    barred_regions: tuple[str, ...] = ()
    dialect: dict[str, Any] = field(default_factory=dict)
    embeddings: tuple[ModelConf, ...] = ()  # embedding models, in order
    # What is put together of it once for all calls, by whoever needs it.
    together: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def counts_cached(self) -> bool:
        """Whether cached tokens count towards limits. Groq's do not: https://console.groq.com/docs/prompt-caching."""
        return self.kind != "groq"


@dataclass(frozen=True, slots=True)
class PauseView:
    """An open pause. Empty names match anything."""

    id: int
    provider: str
    credential: str
    account: str
    model: str
    location: str
    kind: str
    source: str
    since: datetime
    until: datetime | None
    streak: int
    detail: str
    probe_until: datetime | None
    silent: bool = False
    found_with: str = ""
    needs: str = ""  # what a call must need of the model for it to hold: see llm.chain.terms
    fingerprint: str = ""  # of the key that was refused: another key under the same name is not

    def covers(
        self,
        *,
        credential: str,
        account: str,
        model: str,
        location: str,
        fingerprint: str = "",
        needs: frozenset[str] = frozenset(),
    ) -> bool:
        if self.needs and self.needs not in needs:
            return False
        if self.fingerprint and fingerprint and self.fingerprint != fingerprint:
            return False
        return (
            self.credential in ("", credential)
            and self.account in ("", account)
            and self.model in ("", model)
            and self.location in ("", location)
        )


# -- configuration: kept in the process, re-read as soon as any row of it changed ----------------------

CONFIGURATION = (models.Provider, models.Model, models.Credential, models.Alias, models.Limit)
_STAMP_SQL = " UNION ALL ".join(
    [
        f"SELECT COUNT(*), MAX(id), MAX(updated_at) FROM {model._meta.db_table}"  # noqa: S608  # our own names
        for model in (*CONFIGURATION, models.Quota)
    ]
    + [f"SELECT COUNT(*), NULL, NULL FROM {models.Pause._meta.db_table} WHERE closed_at IS NULL"]  # noqa: S608
)
_cache: tuple[Any, float, "_Configuration"] | None = None
_key_files: tuple[str, ...] = ()  # references to them: a key that was rotated is tried at once
_lock = Lock()


@dataclass(frozen=True, slots=True)
class _Configuration:
    providers: tuple[ProviderConf, ...]
    aliases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class State:
    """Everything that a plan is made of but the meter. One query while nothing has changed or is paused."""

    providers: tuple[ProviderConf, ...]
    pauses: dict[str, list[PauseView]]
    learned: Any  # changes whenever providers teach us something; None: nothing, see llm.limits.learned
    aliases: Mapping[str, str] = field(default_factory=dict)  # what a client may ask for, and what it means


def read() -> State:
    """Configuration and open pauses as they are now."""
    return once(State, _read)


def _read() -> State:
    *configuration, quotas, pauses = lasting(State, lambda: sql.run(_STAMP_SQL).fetchall())
    stamp = (str(current_database().settings_dict["NAME"]), *configuration, secrets.changed(_key_files))
    kept = _configuration(stamp)
    learned = (stamp[0], quotas, _cache and _cache[1]) if quotas[0] else None
    held = lasting(PauseView, open_pauses) if pauses[0] else {}
    return State(kept.providers, held, learned, kept.aliases)


def providers() -> tuple[ProviderConf, ...]:
    """Enabled providers in the order of their tiers."""
    return read().providers


def _configuration(stamp: Any) -> _Configuration:
    global _cache
    kept = _cache
    if kept and kept[0] == stamp and time.monotonic() - kept[1] < REREAD_AFTER_S:
        return kept[2]
    with _lock:
        aliases = dict(models.Alias.objects.values_list("name", "to"))
        fresh = _Configuration(_read_providers(), aliases)
        _cache = ((*stamp[:-1], secrets.changed(_key_files)), time.monotonic(), fresh)
    return fresh


def forget() -> None:
    """Drops what is kept, for tests that move clocks or roll back."""
    global _cache
    _cache = None


def _read_providers() -> tuple[ProviderConf, ...]:
    global _key_files
    rows = models.Provider.objects.filter(enabled=True).prefetch_related("models", "credentials", "limits")
    _key_files = tuple(
        key.secret for row in rows for key in row.credentials.all() if key.secret.startswith("file:")
    )
    hosts.vouch(row.vouched_origin for row in rows)
    return tuple(_provider(row) for row in rows)


def _provider(row: models.Provider) -> ProviderConf:
    keys = tuple(_key(key) for key in sorted(row.credentials.all(), key=_place) if key.enabled)
    if lacking := missing_library(row.kind):
        keys = tuple(replace(key, key="", problem=lacking) for key in keys)
    if row.keyless and not keys:
        keys = (KeyConf(label=row.slug, account=row.slug, key=""),)
    priced = [model for model in row.models.all() if (model.units_in, model.units_out) != (None, None)]
    limits = [_limit(limit, priced) for limit in sorted(row.limits.all(), key=_place) if limit.enabled]
    of_kind = {
        kind: tuple(
            _model(row, model, limits)
            for model in sorted(row.models.all(), key=_place)
            if model.enabled and model.kind == kind
        )
        for kind in models.Model.Kind.values
    }
    return ProviderConf(
        slug=row.slug, kind=row.kind, base_url=row.base_url, tier=row.tier, free=row.free, keyless=row.keyless,
        first_byte_s=row.first_byte_s, timeout_s=row.timeout_s, daily_budget_usd=row.daily_budget_usd,
        credit_usd=row.credit_usd, credit_until=row.credit_until, demote_after_h=row.demote_after_h,
        day_reset=row.day_reset, project=row.project, locations=tuple(row.locations), keys=keys,
        models=of_kind[models.Model.Kind.CHAT], embeddings=of_kind[models.Model.Kind.EMBEDDING],
        trains_on_prompts=row.trains_on_prompts, commercial_use=row.commercial_use,
        personal_data=row.personal_data, barred_regions=tuple(row.barred_regions),
        dialect=dict(row.dialect),
    )  # fmt: skip


def with_one_account(row: models.Provider) -> ProviderConf:
    """A provider as calls would see it with one account, whether or not it is on or has a key."""
    return replace(_provider(row), keys=(KeyConf("one", "one", "x"),))


def _place(row: models.Model | models.Credential | models.Limit) -> tuple[int, int]:
    return row.position, row.pk


def _limit(row: models.Limit, priced: Iterable[models.Model]) -> Limit:
    """With the prices of models that have their own in the provider's units."""
    units_in, units_out = float(row.units_in or 0), float(row.units_out or 0)
    limit = Limit(
        scope=row.scope, per=row.per, unit=row.unit, amount=row.amount, models=tuple(row.patterns),
        units_in=units_in, units_out=units_out, source=row.source, seen=row.seen, method=row.method,
    )  # fmt: skip
    if row.unit != "units":
        return limit
    prices = [
        (
            model.name,
            units_in if model.units_in is None else float(model.units_in),
            units_out if model.units_out is None else float(model.units_out),
        )
        for model in priced
        if limit.covers(model.name)
    ]
    return replace(limit, prices=tuple(prices))


def _model(provider: models.Provider, row: models.Model, limits: Sequence[Limit]) -> ModelConf:
    price = price_of(
        slug=provider.slug, kind=provider.kind, base_url=provider.base_url, model=row.name,
        free=provider.free, staff_in=row.price_in, staff_out=row.price_out,
    )  # fmt: skip
    return ModelConf(
        name=row.name, params=dict(row.params), reasoning_reserve=row.reasoning_reserve, price=price,
        rpm=row.rpm, rpd=row.rpd, tpm=row.tpm, tpd=row.tpd,
        tools=row.tools, json_schema=row.json_schema, images=row.images, prefill=row.prefill,
        kind=row.kind, context=row.context, max_output=row.max_output, dimensions=row.dimensions,
        family=row.family,
        shutdown_on=row.shutdown_on, source=row.source, seen=row.seen, method=row.method,
        edited_at=row.updated_at,
        shared=tuple(limit.for_model(row.name) for limit in limits if limit.covers(row.name)),
    )  # fmt: skip


def _key(row: models.Credential) -> KeyConf:
    try:
        key, problem = row.key(), ""
    except secrets.SecretError as error:
        key, problem = "", str(error)
    return KeyConf(
        label=row.label, account=row.effective_account, key=key, problem=problem,
        fingerprint=secrets.fingerprint(key), declared=bool(row.account),
    )  # fmt: skip


# -- pauses: read anew for every hop, since any worker may have written one ------------------------------

_PAUSE_FIELDS = tuple(PauseView.__dataclass_fields__)


def open_pauses() -> dict[str, list[PauseView]]:
    """Pauses that nobody has closed, by provider. One whose time is over is still here: see `plan`."""
    found: dict[str, list[PauseView]] = {}
    for values in models.Pause.objects.filter(closed_at=None).order_by("id").values_list(*_PAUSE_FIELDS):
        pause = PauseView(*values)
        found.setdefault(pause.provider, []).append(pause)
    return found
