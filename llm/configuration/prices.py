"""What tokens cost: staff's price first, then the price library's; unknown stays unknown, never zero."""

import time
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from functools import lru_cache, partial

MILLION = Decimal(1_000_000)
MICRO = Decimal("0.000001")
NOTHING = Decimal(0).quantize(MICRO)


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens; None is unknown. `source`: staff, library, free or unknown.

    `per_million_cached`: of input that the provider had in its prompt cache; None: the same as any other.
    """

    per_million_in: Decimal | None
    per_million_out: Decimal | None
    source: str
    per_million_cached: Decimal | None = None

    @property
    def known(self) -> bool:
        return self.per_million_in is not None and self.per_million_out is not None

    @property
    def is_nothing(self) -> bool:
        """Whether it is known that no token costs anything."""
        return self.known and not (self.per_million_in or self.per_million_out or self.per_million_cached)

    def cost(self, tokens_in: int, tokens_out: int, tokens_cached: int = 0) -> Decimal | None:
        """USD, rounded half up to a millionth; None when the price is unknown. tokens_cached: of `tokens_in`."""
        return self._usd(tokens_in, tokens_out, ROUND_HALF_UP, tokens_cached)

    def most(self, tokens_in: int, tokens_out: int) -> Decimal | None:
        """As `cost`, rounded up: what is reserved must suffice, and a tiny price is not nothing."""
        return self._usd(tokens_in, tokens_out, ROUND_CEILING)

    def _usd(self, tokens_in: int, tokens_out: int, rounding: str, cached: int = 0) -> Decimal | None:
        if self.per_million_in is None or self.per_million_out is None:
            return None
        if self.is_nothing:
            return NOTHING
        whole = self.per_million_in * tokens_in + self.per_million_out * tokens_out
        if self.per_million_cached is not None:
            whole -= (self.per_million_in - self.per_million_cached) * cached
        return (whole / MILLION).quantize(MICRO, rounding=rounding)


FREE = Price(Decimal(0), Decimal(0), "free")
UNKNOWN = Price(None, None, "unknown")


def price_of(
    *,
    slug: str,
    kind: str,
    base_url: str,
    model: str,
    free: bool,
    staff_in: Decimal | None,
    staff_out: Decimal | None,
) -> Price:
    """The price in force now for one model of one provider."""
    if staff_in is not None and staff_out is not None:
        return Price(staff_in, staff_out, "staff")
    if free:
        return FREE
    library = library_price(slug=slug, kind=kind, base_url=base_url, model=model)
    if staff_in is None and staff_out is None:
        return library
    return Price(
        library.per_million_in if staff_in is None else staff_in,
        library.per_million_out if staff_out is None else staff_out,
        "staff",
    )


def library_price(*, slug: str, kind: str, base_url: str, model: str) -> Price:
    """The price library's price of this hour, whatever staff say."""
    provider_id = {"groq": "groq", "vertex": "google"}.get(kind, slug)
    return _library_price(provider_id, base_url, model, int(time.time() // 3600))


@lru_cache(maxsize=512)
def _library_price(provider_id: str, base_url: str, model: str, hour: int) -> Price:
    """Some prices change with the hour or on a day, so what is kept is kept for an hour."""
    from genai_prices import Usage, calc_price  # 0.3 s to import, needed only for prices left out

    lookups = (partial(calc_price, provider_id=provider_id), partial(calc_price, provider_api_url=base_url))
    for lookup in lookups:
        try:
            spoken = lookup(Usage(input_tokens=1000), model)
            written = lookup(Usage(output_tokens=1000), model)
            cached = lookup(Usage(input_tokens=1000, cache_read_tokens=1000), model)
        except (LookupError, ValueError):
            continue
        if spoken.input_price is not None and written.output_price is not None:
            again = None if cached.input_price is None else min(cached.input_price, spoken.input_price) * 1000
            return Price(spoken.input_price * 1000, written.output_price * 1000, "library", again)
    return UNKNOWN
