"""What must hold after every wave of a drill. Each check yields a line for whatever does not."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate

from audit.models import Report, Scan
from audit.report import claims
from audit.scans import tokens
from guardlabs.operations.drill.visitors import Visit
from llm.models import Attempt, Call, Provider
from llm.simulator import Record
from llm.simulator.providers_file import PROVIDERS

MILLION = Decimal(1_000_000)
MICRO = Decimal("0.000001")
CALL_GRACE_S, VISIT_GRACE_S = 15.0, 15.0  # beyond the deadline: a machine that is busy with the drill itself
TAKEOVER_GRACE_S = 5.0
NEVER_ENDED = ("abandoned", "running")
MAYBE_UNSENT = (*NEVER_ENDED, "cut_short", "cancelled")  # the time, or the caller, may have been gone by then
TIME_IS_UP = "no answer in the time given"
BUSY_SHARE = (
    0.05  # of a wave's attempts, those that a busy machine may not have sent within the provider's time
)
# What the simulator calls a key: its label in the ledger.
LABELS = {
    str(key.get("secret", key["label"])): str(key["label"]) for each in PROVIDERS for key in each["keys"]
}
PRICES = {
    (str(each["slug"]), str(model["id"])): (Decimal(model["price_in"]), Decimal(model["price_out"]))
    for each in PROVIDERS
    for model in each["models"]
}


@dataclass
class Books:
    """Follows the ledger from wave to wave."""

    last_attempt: int = 0
    answers: int = 0
    requests: int = 0
    cost_usd: Decimal = Decimal(0)
    outcomes: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """What the ledger holds already is no business of the drill."""
        self.last_attempt = Attempt.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def wave(self, records: Iterable[Record]) -> Iterator[str]:
        """The attempts since the last wave are the requests that the simulator received, with tokens and cost."""
        sent: Counter[tuple[str, str]] = Counter()
        counted: dict[tuple[str, str], Counter[tuple[int, int]]] = {}
        no_token = 0
        for record in records:
            if record.endpoint == "token":
                no_token += record.behaviour != "ok"
            if record.endpoint != "chat":
                continue
            place = LABELS[record.credential], record.model or ""
            sent[place] += 1
            if record.status == 200:
                pair = record.prompt_tokens, record.completion_tokens
                counted.setdefault(place, Counter())[pair] += 1
        written: Counter[tuple[str, str]] = Counter()
        unsent: Counter[tuple[str, str]] = Counter()
        rows = list(Attempt.objects.filter(pk__gt=self.last_attempt).order_by("pk"))
        for row in rows:
            self.last_attempt = row.pk
            self.outcomes[row.outcome] += 1
            place = row.credential, row.model
            written[place] += 1
            unsent[place] += _nothing_came(row) and (row.outcome in MAYBE_UNSENT or _before_the_request(row))
            yield from self._cost(row)
            if row.outcome == "ok":
                self.answers += 1
                pair = row.tokens_in, row.tokens_out
                if counted.get(place, Counter())[pair] < 1:
                    yield f"attempt {row.pk} of {place}: the simulator never counted {pair} tokens"
                else:
                    counted[place][pair] -= 1
        unexplained = written.total() - sent.total() - no_token
        unexplained -= sum(row.outcome in MAYBE_UNSENT for row in rows)
        if unexplained > 1 + BUSY_SHARE * len(rows):
            yield f"{unexplained} of {len(rows)} attempts had all of their time and reached nobody"
        self.requests += sent.total()
        for place in sorted({*sent, *written}):
            spare = unsent[place] + (no_token if place[0] == "vertex" else 0)
            if not sent[place] <= written[place] <= sent[place] + spare:
                ends = [(row.outcome, row.detail) for row in rows if (row.credential, row.model) == place]
                yield f"{place}: {sent[place]} received, {spare} may be unsent, but in the ledger {ends}"

    def _cost(self, row: Attempt) -> Iterator[str]:
        price_in, price_out = PRICES[row.provider, row.model]
        right = ((row.tokens_in * price_in + row.tokens_out * price_out) / MILLION).quantize(MICRO)
        if row.outcome not in NEVER_ENDED:
            self.cost_usd += row.cost_usd or Decimal(0)
            # Of an answer, the cost is exact. Where nobody knows what was written, it is booked at the most.
            most = right if row.outcome == "ok" else max(right, row.reserved_usd or Decimal(0))
            if row.cost_usd is None or not right - MICRO <= row.cost_usd <= most + MICRO:
                yield f"attempt {row.pk} ({row.outcome}): cost {row.cost_usd}, should be {right} to {most}"


def _nothing_came(row: Attempt) -> bool:
    """What has brought a word, or a status, was sent."""
    return row.tokens_out == 0 and row.first_token_ms is None and row.status is None


def _before_the_request(row: Attempt) -> bool:
    """Vertex asks for a token first; and on a busy machine the time may be up before anything is sent."""
    silent = row.outcome == "provider_down" and row.status is None
    return silent and (row.provider == "vertex" or row.detail == TIME_IS_UP)


def budgets(site_usd: Decimal) -> Iterator[str]:
    """No paid provider, and not all of them together, has cost more on any day than it may."""
    limits = dict(Provider.objects.filter(free=False).values_list("slug", "daily_budget_usd"))
    by_day: dict[Any, Decimal] = {}
    rows = Attempt.objects.filter(free=False).annotate(day=TruncDate("started_at"))
    for slug, day, spent in rows.order_by().values_list("provider", "day").annotate(Sum("cost_usd")):
        by_day[day] = by_day.get(day, Decimal(0)) + (spent or 0)
        if (limit := limits[slug]) is not None and (spent or 0) > limit:
            yield f"{slug} cost {spent} on {day}, more than {limit}"
    yield from (
        f"all cost {spent} on {day}, more than {site_usd}"
        for day, spent in by_day.items()
        if spent > site_usd
    )


def visits(done: Iterable[Visit], deadline_s: float) -> Iterator[str]:
    """Everybody was answered, without a 5xx, in time, with a scan and a report that are stored."""
    stored = set(Scan.objects.values_list("public_id", flat=True))
    ready = set(Report.objects.filter(status=Report.Status.READY).values_list("scan__public_id", flat=True))
    for visit in done:
        who = f"visitor {visit.number}"
        if wrong := [status for status in visit.statuses if status >= 400]:
            yield f"{who} was answered {wrong}"
        if visit.gave_up:
            yield f"{who} gave up: nobody answered"
        public_id = tokens.unsign(visit.token) if visit.token else None
        if public_id not in stored:
            yield f"{who}: the scan is lost"
        elif public_id not in ready or not visit.report.strip():
            yield f"{who}: no report, but {visit.statuses}, {visit.provider!r}, {len(visit.report)} characters"
        # A report whose worker was killed, which its visitor need not see, is taken over once its claim is stale and
        # written anew; whose line broke as well may wait for a second one.
        taken_over = claims.STALE_S + 2 * deadline_s + TAKEOVER_GRACE_S
        limit = max(taken_over, (deadline_s + VISIT_GRACE_S) * (2 if visit.broken_lines else 1))
        if visit.waited_s > limit:
            yield f"{who} waited {visit.waited_s:.1f} s"


def deadlines(deadline_s: float) -> Iterator[str]:
    """No call to the chain took longer than its deadline."""
    late = Call.objects.filter(latency_ms__gt=(deadline_s + CALL_GRACE_S) * 1000)
    yield from (f"call {call.pk} took {call.latency_ms} ms" for call in late)


def ended() -> Iterator[str]:
    """Nothing is left open."""
    without = Scan.objects.exclude(reports__status=Report.Status.READY).count()
    if without:
        yield f"{without} scans have no report"
    for model, field_ in ((Call, "outcome"), (Attempt, "outcome")):
        if still := model._default_manager.filter(**{field_: "running"}).aggregate(n=Count("pk"))["n"]:
            yield f"{still} rows of {model.__name__} never ended"
