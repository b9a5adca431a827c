"""A month of the books, for whoever closes it: each payment and each refund by the day on which it was made."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO

from audit.models import Payment, Refund
from audit.orders.money import books, prices

HEAD = (
    "at", "kind", "number", "order", "method", "currency", "amount", "fee", "net", "payout", "use", "reference",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """From `start` until before `end`, in UTC; written `2026-11`."""

    start: datetime
    end: datetime

    @classmethod
    def read(cls, text: str, *, now: datetime) -> "Month":
        """Of a text such as `2026-11`; the month of `now` for anything else."""
        try:
            start = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
            end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        except ValueError:
            return cls.read(f"{now:%Y-%m}", now=now)
        return cls(start=start, end=end)

    def __str__(self) -> str:
        return f"{self.start:%Y-%m}"


def rows(month: Month) -> Iterator[tuple[str, ...]]:
    """The lines of the month by HEAD, oldest first; refunds are negative amounts."""
    paid = Payment.objects.filter(state=Payment.State.PAID, at__gte=month.start, at__lt=month.end)
    back = Refund.objects.filter(
        state=Refund.State.SUCCEEDED, done_at__gte=month.start, done_at__lt=month.end
    )
    lines = [(each.at, _payment(each)) for each in paid.select_related("order")]
    lines += [(each.done_at, _refund(each)) for each in back.select_related("payment__order")]
    for at, line in sorted(lines, key=lambda pair: (pair[0] is None, pair[0])):
        yield (f"{at:%Y-%m-%d %H:%M}" if at else "", *line)


def _payment(row: Payment) -> tuple[str, ...]:
    money = (prices.written(row.amount, row.currency), _money(row.fee), _money(row.net), row.payout)
    head = ("payment", books.invoice_number(row), row.order.code, row.order.method, row.currency)
    return (*head, *money, row.use, row.intent)


def _refund(row: Refund) -> tuple[str, ...]:
    order = row.payment.order
    head = ("refund", books.credit_note(row), order.code, order.method, row.payment.currency)
    back = prices.written(-row.amount, row.payment.currency)
    return (*head, back, "", "", "", row.payment.use, row.refund_id)


def _money(cents: int | None) -> str:
    return "" if cents is None else f"{cents / 100:.2f}"


def totals(month: Month) -> dict[str, str]:
    """Sums of the month in US dollars: what came in, what went back, Stripe's fees, and what is left of it.

    A payment in another currency, which is never the price, is a line of the month and in none of the sums.
    """
    came, back, fees = 0, 0, 0
    for row in Payment.objects.filter(state=Payment.State.PAID, at__gte=month.start, at__lt=month.end):
        came += row.amount if row.currency == prices.OURS else 0
        fees += row.fee or 0
    for refund in Refund.objects.filter(
        state=Refund.State.SUCCEEDED, done_at__gte=month.start, done_at__lt=month.end
    ).select_related("payment"):
        back += refund.amount if refund.payment.currency == prices.OURS else 0
    sums = {"in": came, "back": back, "fees": fees, "left": came - back - fees}
    return {name: _money(cents) for name, cents in sums.items()}


def as_csv(month: Month) -> str:
    """The month as a table for a spreadsheet."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(HEAD)
    writer.writerows(rows(month))
    return text.getvalue()
