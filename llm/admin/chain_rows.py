"""What the chain page shows: a row for each key with a dot for each of its models, and a dry run with its reasons."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from llm.calls.spec import CallSpec
from llm.calls.terms import DataPolicy
from llm.configuration.snapshot import PauseView
from llm.models import Call, Client
from llm.status import chain as overview
from llm.status import usage, words
from llm.status.chain import Place, Rank
from llm.status.providers import holds

STATES = {
    overview.NEXT: gettext_lazy("next"),
    overview.READY: gettext_lazy("ready"),
    overview.SPARE_KEY: gettext_lazy("spare key"),
    overview.STOPPED: gettext_lazy("skipped"),
}
MARKS = {overview.NEXT: "●", overview.READY: "●", overview.SPARE_KEY: "◐", overview.STOPPED: "○"}
LAST_CALLS = 200  # of a purpose, whose size is looked at
MOST_PURPOSES = 50  # of the last 30 days, that are offered


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is stopped, and until when. `over`: its time has come, and the next call tests it."""

    text: str
    until: datetime | None = None
    staff: bool = False  # until staff act
    over: bool = False
    detail: str = ""


@dataclass(slots=True)
class Dot:
    """One model of a key, or one of its locations."""

    name: str
    full: str
    state: str
    word: str
    mark: str
    scope: str
    paused: bool
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Bar:
    """What is left of a limit of today."""

    of: str  # requests or tokens
    left: int
    limit: int
    text: str

    @property
    def share(self) -> float:
        return self.left / self.limit if self.limit else 0.0


@dataclass(slots=True)
class Row:
    """One key. `state` is its best model's; `reasons` those of what is stopped, each once."""

    label: str
    account: str
    pk: int | None
    scope: str
    dots: list[Dot] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    hits: int = 0
    cost: Decimal = Decimal(0)
    state: str = overview.STOPPED

    @property
    def word(self) -> str:
        return str(STATES[self.state])

    @property
    def mark(self) -> str:
        return MARKS[self.state]

    @property
    def paused(self) -> bool:
        return any(dot.paused for dot in self.dots)


ORDER = [overview.NEXT, overview.READY, overview.SPARE_KEY, overview.STOPPED]


def shown(ranks: Iterable[Rank]) -> list[dict[str, Any]]:
    """Each rank with its rows and the values of its buttons."""
    now = timezone.now()
    return [
        {
            "rank": rank,
            "rows": _rows(rank),
            "scope": f"{rank.row.slug}|||",
            "pauses": [_reason_of(pause, now) for pause in rank.pauses],
            "hint": "" if rank.places else gettext("no key or no model"),
        }
        for rank in ranks
    ]


def _rows(rank: Rank) -> list[Row]:
    slug, found = rank.row.slug, dict[str, Row]()
    keys = {key.label: key.pk for key in rank.keys}
    for place in rank.places:
        key = place.deployment.key
        row = found.get(key.label)
        if row is None:
            row = found[key.label] = Row(key.label, key.account, keys.get(key.label), f"{slug}|{key.label}")
        row.dots.append(_dot(slug, place))
        row.hits += place.hits
        row.cost += place.cost
        row.state = min(row.state, place.state, key=ORDER.index)
        for bar in _bars(place):
            row.bars = _tighter(row.bars, bar)
    for row in found.values():
        for dot in row.dots:
            if dot.reason is not None and dot.reason not in row.reasons:
                row.reasons.append(dot.reason)
    return list(found.values())


def _dot(slug: str, place: Place) -> Dot:
    d = place.deployment
    full = f"{d.model.name} {d.location}".strip()
    short = d.model.name.rpartition("/")[2]
    return Dot(
        name=f"{short} {d.location}".strip(),
        full=full,
        state=place.state,
        word=str(STATES[place.state]),
        mark=MARKS[place.state],
        scope="|".join((slug, d.key.label, d.location, d.model.name)),
        paused=bool(d.probes),
        reason=_reason(place),
    )


def _reason(place: Place) -> Reason | None:
    if not place.why:
        return None
    staff = place.until is None and any(pause.kind == place.why for pause in place.deployment.probes)
    return Reason(words.why(place.why), place.until, staff, detail=place.detail)


def _reason_of(pause: PauseView, now: datetime) -> Reason:
    over = not holds(pause, now)
    return Reason(
        words.why(pause.kind), None if over else pause.until, pause.until is None, over, pause.detail
    )


def _bars(place: Place) -> list[Bar]:
    texts = {
        "requests": gettext("%(left)s of %(limit)s requests"),
        "tokens": gettext("%(left)s of %(limit)s tokens"),
    }
    return [
        Bar(of, left, limit, texts[of] % {"left": _whole(left), "limit": _whole(limit)})
        for of, left, limit in (
            ("requests", place.requests, place.requests_limit),
            ("tokens", place.tokens, place.tokens_limit),
        )
        if left is not None and limit
    ]


def _tighter(bars: list[Bar], bar: Bar) -> list[Bar]:
    """One bar of requests and one of tokens: of the model that runs out first."""
    best = {each.of: each for each in bars}
    if bar.of not in best or bar.share < best[bar.of].share:
        best[bar.of] = bar
    return list(best.values())


def _whole(number: int) -> str:
    return number_format(number, 0, force_grouping=True)


# -- what a call would do ------------------------------------------------------------------------------


class DryRunForm(forms.Form):
    """A call that nobody makes."""

    purpose = forms.ChoiceField(label=_("Purpose"), required=False)
    tokens_in = forms.IntegerField(label=_("Tokens in"), required=False, min_value=1, max_value=10_000_000)
    max_tokens = forms.IntegerField(label=_("Tokens out"), required=False, min_value=1, max_value=1_000_000)
    data_class = forms.ChoiceField(label=_("Data"), choices=Client.DataClass.choices, required=False)
    free = forms.BooleanField(label=_("Free only"), required=False)

    def __init__(self, *args: Any, purposes: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["purpose"]
        field.choices = [("", _("any")), *((name, name) for name in purposes)]


class DryRun:
    """What a call of a purpose, a size and a data class would do now, and why. Nothing is sent."""

    def __init__(self, query: Mapping[str, Any], read: usage.Usage) -> None:
        self.asked, self.read = "try" in query, read
        lately = {line.purpose for line in usage.called(read.calls.all) if line.purpose}
        self.form = DryRunForm(
            query if self.asked else None,
            initial={"tokens_in": 1200, "max_tokens": 1400},
            purposes=sorted(lately)[:MOST_PURPOSES],
        )
        self.steps: list[dict[str, Any]] = []
        if self.asked and self.form.is_valid():
            self.steps = list(self._steps(self._spec(self.form.cleaned_data)))

    @property
    def chosen(self) -> dict[str, Any] | None:
        return next((step for step in self.steps if step["place"].state == overview.NEXT), None)

    def _spec(self, given: dict[str, Any]) -> CallSpec:
        tokens_in, tokens_out = _usual_size(given["purpose"])
        tokens_in = given["tokens_in"] or tokens_in
        self.size = (tokens_in, given["max_tokens"] or tokens_out)
        policy = DataPolicy(data_class=given["data_class"] or Client.DataClass.PUBLIC)
        return CallSpec(
            tokens_in=tokens_in, estimated_in=tokens_in, most_in=tokens_in, max_tokens=self.size[1], use=policy,
            max_usd=Decimal(0) if given["free"] else None,
        )  # fmt: skip

    def _steps(self, want: CallSpec) -> Iterable[dict[str, Any]]:
        for rank in overview.ranks(self.read, want):
            for place in rank.places:
                yield {
                    "rank": rank,
                    "place": place,
                    "word": STATES[place.state],
                    "mark": MARKS[place.state],
                    "reason": _reason(place),
                }


def _usual_size(purpose: str) -> tuple[int, int]:
    """Tokens in and out of the last calls of a purpose; a report's where there are none."""
    rows = list(
        Call.objects.filter(purpose=purpose, outcome=Call.Outcome.OK).order_by("-id")
        .values_list("tokens_in", "tokens_out")[:LAST_CALLS]
    ) if purpose else []  # fmt: skip
    if not rows:
        return overview.WANT.tokens_in, overview.WANT.max_tokens
    ins, outs = zip(*rows, strict=True)
    return max(round(sum(ins) / len(ins)), 1), max(round(sum(outs) / len(outs)), 1)
