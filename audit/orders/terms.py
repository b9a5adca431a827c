"""The terms of the manual audit, in the active language, and until when a customer may withdraw.

Withdrawal: 14 days (EU, Directive 2011/83, articles 9 and 16; by a function of the site, article 11a), and 7 days from
the delivery in Brazil (Código de Defesa do Consumidor, art. 49). Everybody gets the first; the second is for whoever
lives there. An order keeps the version that it was made under.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr

from babel.core import get_global
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit import formats
from audit.models.orders import Order

VERSION = "2026-11"
WITHDRAWAL = timedelta(days=14)  # from the payment, which is never before the contract
IN_BRAZIL = timedelta(days=7)  # from the delivery
PROMISE_DAYS = 5
FOLLOW_UP_DAYS = 14


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its paragraphs."""

    title: str
    paragraphs: tuple[str, ...]


def sections() -> list[Section]:
    """All of the terms, at today's price."""
    _name, contact = parseaddr(settings.DEFAULT_FROM_EMAIL)
    facts = {
        "seller": settings.SELLER_NAME or "GuardLabs",
        "contact": contact,
        "reach": ", ".join(filter(None, [*settings.SELLER_ADDRESS.splitlines(), contact])),
        "price": formats.price(settings.AUDIT_PRICE_USD),
        "days": WITHDRAWAL.days,
        "brazil": IN_BRAZIL.days,
    }
    late = ngettext(
        "You get the report at most %(count)d day after your payment. If we are late, you get all your money back if "
        "you ask for it.",
        "You get the report at most %(count)d days after your payment. If we are late, you get all your money back if "
        "you ask for it.",
        PROMISE_DAYS,
    ) % {"count": PROMISE_DAYS}
    questions = ngettext(
        "We answer your questions about it by e-mail for %(count)d day.",
        "We answer your questions about it by e-mail for %(count)d days.",
        FOLLOW_UP_DAYS,
    ) % {"count": FOLLOW_UP_DAYS}
    return [
        Section(
            _("What you order"),
            (
                _(
                    "A manual security audit by %(seller)s: a report in writing, which a security engineer makes for "
                    "you from your answers and your message."
                )
                % facts,
                _(
                    "No access to your wallets or devices, no custody, no investment advice. Nobody can promise that "
                    "nothing will ever be stolen, and neither do we."
                ),
            ),
        ),
        Section(
            _("Price and payment"),
            (_("%(price)s (US dollars), once. You pay before the work begins, and get a receipt.") % facts,),
        ),
        Section(_("Delivery"), (late, questions)),
        Section(
            _("Your right of withdrawal"),
            (
                _(
                    "You may withdraw within %(days)d days of your payment, without giving a reason: by the button on "
                    "your order’s page, or by an e-mail to %(contact)s. You get the whole price back the way you paid "
                    "it, within 14 days at the latest."
                )
                % facts,
                _(
                    "If you asked us to begin at once, the right ends when the report is delivered. If you did not, it "
                    "holds for the full %(days)d days, even with the report in your hands."
                )
                % facts,
                _(
                    "If you live in Brazil, you may also withdraw within %(brazil)d days of the delivery (Código de "
                    "Defesa do Consumidor, art. 49)."
                )
                % facts,
                _("Whatever else the law of your country gives you stays yours."),
            ),
        ),
        Section(
            _("Form for a withdrawal by post or e-mail"),
            (
                _("To: %(seller)s, %(reach)s") % facts,
                _(
                    "I withdraw from my contract for a manual security audit. Order code: … Ordered on: … Name: … "
                    "Date: …"
                ),
            ),
        ),
        Section(
            _("If something is wrong"),
            (
                _(
                    "Write to %(contact)s: we put it right, or send your money back. We are liable as the law says, "
                    "and take nothing of that back here."
                )
                % facts,
            ),
        ),
    ]  # fmt: skip


def plain() -> str:
    """The same as text, for a letter that the customer keeps."""
    parts = [f"{each.title}\n" + "\n".join(each.paragraphs) for each in sections()]
    return "\n\n".join(parts)


def withdraw_until(order: Order, now: datetime | None = None) -> datetime | None:
    """Until when the customer may withdraw from a paid order; None when not, or not any more at `now`."""
    until = _right_ends(order)
    return until if until is not None and until >= (now or timezone.now()) else None


def _right_ends(order: Order) -> datetime | None:
    if order.paid_at is None or order.withdrawn_at is not None or order.refund_status:
        return None
    state = Order.State(order.state)
    if state in (Order.State.PAID, Order.State.IN_PROGRESS):
        return order.paid_at + WITHDRAWAL
    if state not in (Order.State.DELIVERED, Order.State.CLOSED) or order.delivered_at is None:
        return None
    ends = [order.delivered_at + IN_BRAZIL] if _lives_in_brazil(order) else []
    if order.begin_asked_at is None:
        ends.append(order.paid_at + WITHDRAWAL)
    return max(ends, default=None)


def _lives_in_brazil(order: Order) -> bool:
    """As far as the time zone tells; others write to us."""
    return bool(get_global("zone_territories").get(order.time_zone) == "BR")
