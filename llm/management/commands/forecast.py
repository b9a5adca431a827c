"""What a number of scans a day would cost, which tier would serve them, and what would save most."""

import json
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from llm.foresight import forecast, workload
from llm.foresight.forecast import Change, Day
from llm.foresight.load import Load
from llm.foresight.worth import SIZES, Worth, worth
from llm.ledger.wording import tier_word, usd_word
from llm.management import quiet

MOST, MOST_COMPARED = 100_000, 20_000  # scans a day: to play, and to play once for every change
MONTH_DAYS = 30
SCANS = "audit-report"  # the purpose of the one call that a scan makes


def count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise ArgumentTypeError(f"{text!r} must be a whole number from 1 to {MOST:,}")
    return int(text)


class Command(quiet.Command):
    help = (
        "Plays a day of that many scans (each is one call) against the configured limits, quotas and prices."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scans-per-day", type=count, required=True, metavar="N")
        parser.add_argument(
            "--days", type=count, default=MONTH_DAYS, metavar="D", help="also the cost of so many"
        )
        parser.add_argument(
            "--purpose", default=None,
            help=f"measure calls of this purpose only; default: {SCANS}, and all while there are too few of these",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print one object")

    def handle(self, *args: Any, **options: Any) -> None:
        scans, days, now = options["scans_per_day"], options["days"], timezone.now()
        found, chain = workload.measure(options["purpose"] or SCANS, now), workload.chain()
        if not found.samples and options["purpose"] is None:
            found = workload.measure(None, now)
        load = Load(scans, found.asks, found.by_hour)
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        day = forecast.typical(chain, load, start=midnight)
        today_chain = workload.chain(pauses_now=True)
        today = forecast.play(
            today_chain,
            load,
            start=now,
            end=midnight + timedelta(days=1),
            books=workload.books(today_chain, now),
        )
        changes: list[Change] = []
        if scans <= MOST_COMPARED:
            changes = forecast.changes(chain, load, day, start=midnight, repeated=found.repeated)
        unlimited = forecast.without_limit(chain, day)
        doors = [worth(provider, chain.learned_limits) for provider in chain.providers if provider.free]
        if options["json"]:
            told = _object(found, day, today, changes, days) | {
                "without_known_limit": unlimited,
                "doors": [_door(each) for each in doors],
            }
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write("\n".join(_lines(found, day, today, changes, days)))
        self.stdout.write("\n".join(_worth(doors)))
        for slug in unlimited:
            self.stdout.write(f"Beware: no limit of {slug} is configured or learned; it may serve far less.")


def _object(
    found: workload.Measured, day: Day, today: Day, changes: Sequence[Change], days: int
) -> dict[str, Any]:
    return {
        "calls": day.calls,
        "samples": found.samples,
        "served": [
            {
                "provider": share.provider,
                "tier": float(share.tier),
                "calls": share.calls,
                "tokens_in": share.tokens_in,
                "tokens_out": share.tokens_out,
                "cost_usd": _usd(share.cost_usd),
            }
            for share in day.shares.values()
        ],
        "template": day.unserved,
        "cost_usd_day": _usd(day.cost_usd),
        "cost_usd_month": _usd(day.cost_usd * MONTH_DAYS),
        "days": days,
        "cost_usd_days": _usd(day.cost_usd * days),
        "first_tier_out_today": today.first_tier_out.isoformat() if today.first_tier_out else None,
        "changes": [
            {
                "change": change.name,
                "provider": change.subject or None,
                "saved_usd_month": _usd(change.saved_usd * MONTH_DAYS),
                "more_answered_day": change.more_answered,
            }
            for change in changes
        ],
    }


def _lines(
    found: workload.Measured, day: Day, today: Day, changes: Sequence[Change], days: int
) -> Iterator[str]:
    mean_in, mean_out = (
        sum(getattr(ask, name) for ask in found.asks) / len(found.asks)
        for name in ("tokens_in", "tokens_out")
    )
    source = (
        f"measured on {found.samples} calls" if found.samples else "assumed: the ledger has too few calls"
    )
    yield f"{day.calls:,} calls a day, {mean_in:,.0f} tokens in and {mean_out:,.0f} out each ({source})"
    yield ""
    yield f"{'TIER':<6}{'PROVIDER':<16}{'CALLS':>9}{'SHARE':>9}{'TOKENS':>14}{'USD A DAY':>12}"
    for share in sorted(day.shares.values(), key=lambda share: share.tier):
        tokens = share.tokens_in + share.tokens_out
        head = f"{tier_word(share.tier):<6}{share.provider:<16}{share.calls:>9,}"
        yield f"{head}{share.calls / day.calls:>9.1%}{tokens:>14,}{share.cost_usd:>12.4f}"
    yield f"{'-':<6}{'template':<16}{day.unserved:>9,}{day.unserved / max(day.calls, 1):>9.1%}{0:>14,}{0:>12.4f}"
    yield ""
    costs = {1: "a day", MONTH_DAYS: f"in {MONTH_DAYS} days", days: f"in {days} days"}
    yield "Cost: " + ", ".join(
        f"{usd_word(day.cost_usd * number, 2)} {name}" for number, name in costs.items()
    )
    yield f"Tier {tier_word(today.first_tier, none='-')}: {_out_at(today)}"
    useful = [change for change in changes if change.saved_usd > 0 or change.more_answered > 0]
    if useful:
        yield ""
        yield "One change, and what it does:"
        yield from (f"  {_told(change)}" for change in useful)
        yield "  An account must be another organisation's or person's: keys of one share its quota."
    elif changes:
        yield "No single change would save anything."
    else:
        yield f"Changes are compared up to {MOST_COMPARED:,} scans a day."


def _door(one: Worth) -> dict[str, Any]:
    names = ("reports", "chats_4000", "turns_40000")
    return {
        "provider": one.provider,
        "a_day": dict(zip(names, one.a_day, strict=True)),
        "one_more_account": dict(zip(names, one.account, strict=True)),
        "one_more_model": dict(zip(names, one.model, strict=True)),
    }


def _worth(doors: Sequence[Worth]) -> Iterator[str]:
    if not doors:
        return
    yield ""
    yield "What each free door serves a day, by its limits (with one more account, with one more model):"
    yield f"{'PROVIDER':<16}" + "".join(f"{size.name:>32}" for size in SIZES)
    for one in doors:
        cells = [
            "no known limit" if now is None else f"{now:,} (+{account or 0:,}, +{model or 0:,})"
            for now, account, model in zip(one.a_day, one.account, one.model, strict=True)
        ]
        yield f"{one.provider:<16}" + "".join(f"{cell:>32}" for cell in cells)


def _out_at(today: Day) -> str:
    if today.first_tier is None:
        return "no provider can be called; see `manage.py providers`"
    if today.first_tier_out is None:
        return "lasts until midnight UTC"
    return f"runs out today at {_clock(today.first_tier_out)} UTC"


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M}"


def _told(change: Change) -> str:
    names = {
        "account": f"one more account of {change.subject}",
        "model": f"another model of {change.subject} with the limits of its last",
        "prompt": f"a prompt shorter by {1 - forecast.SHORTER:.0%}",
        "cache": "LLM_CACHE=on, at the share of repeats in the ledger",
    }
    saved = f"saves {usd_word(change.saved_usd * MONTH_DAYS, 2)} in {MONTH_DAYS} days"
    if change.saved_usd < 0:
        saved = f"costs {usd_word(-change.saved_usd * MONTH_DAYS, 2)} more in {MONTH_DAYS} days"
    more = f", {change.more_answered:,} more answered a day" if change.more_answered else ""
    return f"{names[change.name]}: {saved}{more}"


def _usd(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP))
