"""Monday's letter to ADMINS: what the week was like, what it cost, what it saved, and what failed.

One row (a Notice of kind `weekly`) says that a week's letter was sent, so that it is sent once however many
processes there are and whatever becomes of the cache. English, like all that is written to ADMINS.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import mail_admins
from django.db.models import Avg, Count, Min, Q, Sum
from django.utils import timezone, translation

from audit.models import Mail, Order, Report, Scan
from llm.ledger.wording import tier_word, usd_word
from llm.models import Call, Notice
from llm.status import facts, usage
from llm.storage import rollup

KIND = "weekly"
WEEK, DAY = timedelta(days=7), timedelta(days=1)
HOUR_UTC = 6  # on Monday: read with the first coffee, and every sum of Sunday is final
MOST_NOTICES = 20


def send(now: datetime | None = None) -> bool:
    """Mails the letter of the last full week (Monday to Sunday, UTC), once; returns whether it was sent now.

    A site that was off on Monday sends it later in the week, as long as the mark of it would be kept. One that began
    after that Monday, which its first user tells, has no week to tell of yet.
    """
    now = now or timezone.now()
    monday = _monday(now)
    late = timedelta(days=min(WEEK.days, settings.RETENTION_DAYS))
    if not settings.ADMINS or not timedelta(hours=HOUR_UTC) <= now - monday < late:
        return False
    began = User.objects.aggregate(first=Min("date_joined"))["first"]
    if began and began >= monday:
        return False
    mark, mine = Notice.objects.get_or_create(
        kind=KIND,
        subject=f"The week from {monday - WEEK:%Y-%m-%d}",
        day=monday.date(),
        defaults={"at": now, "mailed_at": now},
    )
    if not mine:
        return False
    try:
        mail_admins(mark.subject, letter(monday - WEEK, now), fail_silently=False)
    except Exception:
        mark.delete()  # tried again after the chore's interval
        raise
    return True


def _monday(now: datetime) -> datetime:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - DAY * midnight.weekday()


def letter(since: datetime, now: datetime) -> str:
    """The text about the seven days from `since` on (midnight UTC, at most 30 days before `now`)."""
    until = since + WEEK
    parts = (
        ("Scans and reports", _scans(since, until)),
        ("Money", _money(since, until)),
        ("The chain", _chain(since, now)),
        ("Orders", _orders(since, until)),
        ("Notices", _notices(since, until)),
    )
    blocks = [f"{title}\n" + "\n".join(f"  {line}" for line in lines) for title, lines in parts]
    head = f"GuardLabs, {since:%Y-%m-%d} to {until - DAY:%Y-%m-%d} (UTC)"
    with translation.override("en"):
        standing = f"Now: {facts.verdict().line}"
    return "\n\n".join([head, standing, *blocks, f"{settings.SITE_URL}/admin/"]) + "\n"


def _scans(since: datetime, until: datetime) -> Iterator[str]:
    weeks = [Q(created_at__gte=start, created_at__lt=start + WEEK) for start in (since, since - WEEK)]
    this, before = (Scan.objects.filter(week).aggregate(n=Count("id"), mean=Avg("score")) for week in weeks)
    mean = "" if this["mean"] is None else f", mean score {this['mean']:.0f}"
    yield f"{_number(this['n'], 'scan')}{mean} (the week before: {before['n']:,})"
    tiers = Counter[str]()
    for tier, count in (
        Report.objects.filter(finished_at__gte=since, finished_at__lt=until)
        .order_by()
        .values_list("tier")
        .annotate(Count("id"))
    ):
        tiers[tier_word(tier) or "unknown"] += count
    written = ", ".join(f"tier {tier}: {count:,}" for tier, count in sorted(tiers.items()))
    yield _number(tiers.total(), "report") + (f" ({written}; 4 is the template)" if written else "")


def _money(since: datetime, until: datetime) -> Iterator[str]:
    sums = Call.objects.filter(started_at__gte=since, started_at__lt=until).aggregate(
        cost=Sum("cost_usd"),
        saved=Sum("saved_usd"),
        calls=Count("id"),
        unpriced=Count("id", filter=Q(cost_usd=None, outcome=Call.Outcome.OK)),
    )
    unknown = f", and {_number(sums['unpriced'], 'call')} of unknown cost" if sums["unpriced"] else ""
    yield f"Spent on {_number(sums['calls'], 'call')}: {_usd(sums['cost'])}{unknown}"
    yield f"Saved against paying for all of it: {_usd(sums['saved'])}"


def _chain(since: datetime, now: datetime) -> Iterator[str]:
    days = {(since + DAY * day).date() for day in range(WEEK.days)}

    def of(source: rollup.Source) -> list[rollup.Line]:
        return [line for day, lines in rollup.read(source, now).days.items() if day in days for line in lines]

    calls = Counter[str]()
    for call in usage.called(of(usage.CALLS)):
        calls[call.outcome] += call.number
    lost = ", ".join(f"{name} {count:,}" for name, count in calls.most_common() if name != Call.Outcome.OK)
    yield f"{_number(calls.total(), 'call')}, {calls[Call.Outcome.OK]:,} answered" + (
        f"; {lost}" if lost else ""
    )
    attempts = usage.tried(of(usage.ATTEMPTS))
    failed = usage.failures(attempts)
    yield f"{_number(sum(line.number for line in attempts), 'attempt')}, {failed.total():,} failed"
    for kind, count in failed.most_common():
        where = Counter[str]()
        for line in attempts:
            if line.outcome == kind:
                where[line.provider] += line.number
        yield f"  {kind}: {count:,} ({', '.join(f'{slug} {n:,}' for slug, n in where.most_common())})"


def _orders(since: datetime, until: datetime) -> Iterator[str]:
    def count(field: str, **more: object) -> int:
        return Order.objects.filter(**{f"{field}__gte": since, f"{field}__lt": until}, **more).count()

    yield (
        f"{count('created_at'):,} made, {count('paid_at'):,} paid, {count('delivered_at'):,} delivered, "
        f"{count('state_since', state=Order.State.REFUNDED):,} refunded"
    )
    paid = Order.objects.filter(paid_at__gte=since, paid_at__lt=until).aggregate(cents=Sum("price_cents"))
    yield f"Taken in: {_usd(Decimal(paid['cents'] or 0) / 100)}"
    if given_up := Mail.objects.filter(
        created_at__gte=since, created_at__lt=until, state=Mail.State.FAILED
    ).count():
        yield f"{_number(given_up, 'e-mail')} given up"


def _notices(since: datetime, until: datetime) -> Iterator[str]:
    rows = Notice.objects.filter(at__gte=since, at__lt=until).exclude(kind=KIND).order_by("at")
    subjects = Counter(rows.values_list("subject", flat=True))
    for subject, count in list(subjects.items())[:MOST_NOTICES]:
        yield subject if count == 1 else f"{subject} ({count} times)"
    if len(subjects) > MOST_NOTICES:
        yield f"and {len(subjects) - MOST_NOTICES} more"
    if not subjects:
        yield "None."


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _usd(amount: Decimal | None) -> str:
    return usd_word(amount or Decimal(0), 2)
