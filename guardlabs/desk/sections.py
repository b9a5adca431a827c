"""The sections of the desk, in their order. A new one is a function and a line in SECTIONS.

A section function takes the Figures and returns a Section, or None for whoever may not see it.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from audit.orders import overview
from audit.orders.service import State
from guardlabs.desk.attention import attention
from guardlabs.desk.blocks import Cell, Section, Table, chart, counted, listing, money, ordered, whole
from guardlabs.desk.figures import Figures, Written
from llm.configuration import snapshot
from llm.foresight import worth
from llm.status import facts, usage, words

WORST = 5  # quotas that the home shows
TEMPLATE = "4"  # the tier of the template


def today(figures: Figures) -> Section | None:
    """What was saved, scans, scores, latency and cache hits, today and in 30 days."""
    rows = []
    if figures.may("llm.view_call"):
        rows.append(
            [Cell(_("Saved against the cheapest paid model"))]
            + [
                Cell(money(usage.saved(lines)), listing("llm_call", started_at__gte=since))
                for lines, since in zip(_both(figures.usage.savings), figures.spans, strict=True)
            ]
        )
    if figures.may("audit.view_scan"):
        scanned = [figures.scanned(lines) for lines in _both(figures.scans)]
        rows.append(
            [Cell(_("Scans"))]
            + [
                counted(number, "audit_scan", created_at__gte=since)
                for (number, _mean), since in zip(scanned, figures.spans, strict=True)
            ]
        )
        rows.append(
            [Cell(_("Mean score"))]
            + [
                Cell("–" if mean is None else number_format(mean, 1), listing("audit_scan", created_at__gte=since))
                for (_number, mean), since in zip(scanned, figures.spans, strict=True)
            ]
        )  # fmt: skip
    if figures.may("llm.view_call"):
        called = [usage.called(lines) for lines in _both(figures.calls)]
        for title, share in ((_("Latency, median"), 0.5), (_("Latency, 95th percentile"), 0.95)):
            rows.append(
                [Cell(title)]
                + [
                    Cell(
                        _seconds(usage.latency_s(lines, share)),
                        listing("llm_call", outcome__exact="ok", started_at__gte=since),
                    )
                    for lines, since in zip(called, figures.spans, strict=True)
                ]
            )  # fmt: skip
        rows.append(
            [Cell(_("Answers from the cache"))]
            + [
                counted(
                    sum(line.number for line in lines if line.cached), "llm_call",
                    cached__exact=1, started_at__gte=since,
                )
                for lines, since in zip(called, figures.spans, strict=True)
            ]
        )  # fmt: skip
    if not rows:
        return None
    head = ("", _("Today"), _("30 days"))
    return Section(id="today", title=_("Today and 30 days"), tables=[Table(head, rows)])


def tiers(figures: Figures) -> Section | None:
    """Which tier wrote the reports, and at what cost."""
    if not figures.may("audit.view_report", "audit.view_scan"):
        return None
    tables = []
    captions = (_("Today"), _("30 days"))
    for caption, reports, scans, since in zip(
        captions, _both(figures.reports), _both(figures.scans), figures.spans, strict=True
    ):
        number, _mean = figures.scanned(scans)
        tables.append(_tier_table(caption, figures.written(reports), number, since))
    return Section(id="tiers", title=_("Reports by tier"), tables=tables)


def _tier_table(caption: str, written: dict[str, Written], scans: int, since: datetime) -> Table:
    rows = []
    for tier in written if TEMPLATE in written else [*written, TEMPLATE]:
        one = written.get(tier, Written())
        name = _("4, template") if tier == TEMPLATE else tier or _("unknown")
        query = {"tier": tier or "none", "finished_at__gte": since}
        rows.append([Cell(name), counted(one.number, "audit_report", **query), Cell(_cost(one))])
    total = Written(
        sum(one.number for one in written.values()),
        sum((one.cost for one in written.values()), Decimal(0)),
        sum(one.unpriced for one in written.values()),
    )
    foot = [
        Cell(_("Total")),
        counted(total.number, "audit_report", finished_at__gte=since),
        Cell(_cost(total)),
    ]
    each = [Cell(_("Per scan")), Cell(""), Cell(money(total.cost / scans, 6) if scans else "–")]
    return Table((_("Tier"), _("Times hit"), _("Cost")), [*rows, foot], each, caption)


def _cost(one: Written) -> str:
    return f"{money(one.cost)} + {one.unpriced} × ?" if one.unpriced else money(one.cost)


def trend(figures: Figures) -> Section | None:
    """The 30 days as charts, and the numbers behind them."""
    if not figures.may("audit.view_scan", "llm.view_attempt"):
        return None
    days = _since_the_first(figures)
    names = [date_format(day, "j M") for day in days]
    scans = [figures.scanned(figures.scans.days[day])[0] for day in days]
    tried = [usage.tried(figures.attempts.days[day]) for day in days]
    attempts = [sum(line.number for line in lines) for lines in tried]
    failed = [usage.failures(lines).total() for lines in tried]
    costs = [usage.cost(lines) for lines in tried]
    charts = [
        _chart(_("Scans a day"), names, scans, [whole(n) for n in scans]),
        _chart(_("Failed attempts a day"), names, failed, [whole(n) for n in failed]),
        _chart(_("Cost a day"), names, [float(cost) for cost in costs], [money(cost) for cost in costs]),
    ]
    rows = [
        [
            Cell(date_format(day, "DATE_FORMAT")),
            counted(scans[n], "audit_scan", **_of_day("created_at", day)),
            counted(attempts[n], "llm_attempt", **_of_day("started_at", day)),
            Cell(whole(failed[n])),
            Cell(money(costs[n])),
        ]
        for n, day in reversed(list(enumerate(days)))
    ]
    head = (_("Day"), _("Scans"), _("Attempts"), _("Failed"), _("Cost"))
    return Section(id="trend", title=_("Day by day"), charts=charts, behind=Table(head, rows), wide=True)


def _since_the_first(figures: Figures) -> list[Any]:
    """The days from the first one with anything in it; today alone on an empty site."""
    days = list(figures.attempts.days)
    used = [
        day for day in days
        if figures.attempts.days[day] or figures.scanned(figures.scans.days[day])[0]
    ]  # fmt: skip
    return [day for day in days if day >= used[0]] if used else days[-1:]


def _chart(title: str, names: list[str], values: Any, words: list[str]) -> Any:
    top = max(range(len(values)), key=lambda n: values[n])
    most = (
        _("most: %(value)s, %(day)s") % {"value": words[top], "day": names[top]} if values[top] else _("none")
    )
    return chart(title, list(zip(names, map(float, values), words, strict=True)), most=most)


def _of_day(field: str, day: Any) -> dict[str, str]:
    return {f"{field}__gte": f"{day} 00:00:00+00:00", f"{field}__lte": f"{day} 23:59:59.999999+00:00"}


def failures(figures: Figures) -> Section | None:
    """Failed attempts by kind."""
    if not figures.may("llm.view_attempt"):
        return None
    found = [usage.failures(usage.tried(lines)) for lines in _both(figures.attempts)]
    rows = [
        [Cell(words.why(kind))]
        + [
            counted(each[kind], "llm_attempt", outcome=kind, started_at__gte=since)
            for each, since in zip(found, figures.spans, strict=True)
        ]
        for kind in ordered(found[1])
    ]
    head = (_("Kind"), _("Today"), _("30 days"))
    total = [Cell(_("Total")), *(Cell(whole(each.total())) for each in found)]
    return Section(
        id="failures",
        title=_("Failed attempts by kind"),
        tables=[Table(head, rows, total)] if rows else [],
        empty=_("No attempt failed in 30 days."),
    )


def quota(figures: Figures) -> Section | None:
    """What is left of the free quotas that run out first, when they come back, and what each provider is worth."""
    if not figures.may("llm.view_provider"):
        return None
    rows = []
    for left in sorted(usage.once(figures.usage.quotas), key=_share)[:WORST]:
        reset = _("over 24 hours")
        if left.resets_at is not None:
            reset = f"{left.resets_at.astimezone(figures.now.tzinfo):%H:%M} UTC"
        known = left.requests_limit is not None or left.tokens_limit is not None
        names = {"provider": left.provider, "account": left.account}
        names |= {} if left.pool else {"model": left.model}
        rows.append(
            [
                Cell(left.account),
                Cell(left.pool or left.model, listing("llm_attempt", **names)),
                Cell(_of(left.requests, left.requests_limit), of=_bar(left.requests, left.requests_limit)),
                Cell(_of(left.tokens, left.tokens_limit), of=_bar(left.tokens, left.tokens_limit)),
                Cell(reset if known else "–"),
            ]
        )  # fmt: skip
    head = (_("Account"), _("Model"), _("Requests left"), _("Tokens left"), _("Resets"))
    return Section(
        id="quota",
        title=_("Free quota left today"),
        tables=[Table(head, rows), *_worth(figures)] if rows else [],
        empty=_("No free provider has a key."),
        wide=True,
        link=Cell(_("All of them, on the chain page"), reverse("admin:llm_chain")) if rows else None,
    )


def _worth(figures: Figures) -> list[Table]:
    """What each free door serves a day by its limits, and what one more account or model of it would add."""
    doors = [
        worth.worth(provider, figures.usage.learned)
        for provider in snapshot.providers()
        if provider.free and (provider.keyless or any(key.key for key in provider.keys))
    ]
    rows = [
        [
            Cell(one.provider),
            *(Cell(_("no known limit") if number is None else whole(number)) for number in one.a_day),
            Cell(_more(one.account[0])),
            Cell(_more(one.model[0])),
        ]
        for one in doors
    ]
    head = (
        _("Provider"), _("Reports"), _("Chats of 4,000 tokens"), _("Agent turns of 40,000 tokens"),
        _("Reports, one more account"), _("Reports, one more model"),
    )  # fmt: skip
    return [Table(head, rows, caption=_("What each free provider serves a day"))] if rows else []


def _more(number: int | None) -> str:
    return "–" if number is None else f"+{whole(number)}"


def spent(figures: Figures) -> Section | None:
    """Money against budgets."""
    if not figures.may("llm.view_provider", "llm.view_attempt"):
        return None
    rows = []
    for one in figures.usage.spending:
        own = {"provider": one.provider} if one.provider else {}
        since, first = figures.spans
        budget = _("no budget") if one.daily_budget is None else money(one.daily_budget, 2)
        credit = "–"
        if one.credit is not None and one.credit_used is not None:
            credit = _("%(used)s of %(credit)s") % {
                "used": money(one.credit_used, 2),
                "credit": money(one.credit, 2),
            }
        rows.append(
            [
                Cell(one.provider or _("All together")),
                Cell(money(one.today), listing("llm_attempt", free__exact=0, started_at__gte=since, **own)),
                Cell(budget),
                Cell(money(one.days), listing("llm_attempt", free__exact=0, started_at__gte=first, **own)),
                Cell(credit),
            ]
        )
    head = (_("Provider"), _("Today"), _("Daily budget"), _("30 days"), _("Trial credit used"))
    return Section(id="money", title=_("Money spent"), tables=[Table(head, rows)])


def ordered_audits(figures: Figures) -> Section | None:
    """Orders of the manual audit by state."""
    if not figures.may("audit.view_order"):
        return None
    rows = [
        [Cell(str(State(state).label)), counted(number, "audit_order", state__exact=state)]
        for state, number in overview.counts_by_state().items()
        if number
    ]
    if not rows:
        return None
    table = Table((_("State"), _("Orders")), rows)
    return Section(id="orders", title=_("Orders"), tables=[table])


def sections(user: AbstractBaseUser | AnonymousUser, now: datetime | None = None) -> list[Section]:
    """What this user may see of the desk."""
    return _sections(Figures(user, now))


def desk(user: AbstractBaseUser | AnonymousUser) -> dict[str, Any]:
    """What the home page shows: the status line, then the sections."""
    figures = Figures(user)
    return {"verdict": facts.verdict(figures.usage), "sections": _sections(figures)}


def _sections(figures: Figures) -> list[Section]:
    return [section for function in SECTIONS if (section := function(figures)) is not None]


def _both(sums: Any) -> tuple[Any, Any]:
    """The lines of today, and of the 30 days."""
    return sums.today, sums.all


def _seconds(value: float | None) -> str:
    return "–" if value is None else _("%(n)s s") % {"n": number_format(value, 1)}


def _bar(left: int | None, limit: int | None) -> tuple[int, int] | None:
    return (left, limit) if left is not None and limit else None


def _share(left: usage.QuotaLeft) -> float:
    """What is left of the tighter limit, 0 to 1; more than 1 where no limit is known."""
    pairs = ((left.requests, left.requests_limit), (left.tokens, left.tokens_limit))
    return min((have / limit for have, limit in pairs if have is not None and limit), default=2.0)


def _of(left: int | None, limit: int | None) -> str:
    if left is None or limit is None:
        return "–"
    return _("%(left)s of %(limit)s") % {"left": whole(left), "limit": whole(limit)}


SECTIONS: tuple[Callable[[Figures], Section | None], ...] = (
    attention,
    today,
    tiers,
    trend,
    failures,
    spent,
    ordered_audits,
    quota,
)
