"""One letter about an order, ready to be sent."""

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import override

from audit.models.orders import Order
from audit.orders.letters import customer, staff
from audit.orders.letters.words import Letter

KINDS = customer.KINDS | staff.KINDS


def compose(order: Order, kind: str, *, lang: str) -> Letter:
    """The letter `kind` about the order as it is now. Raises KeyError for an unknown kind."""
    with override(lang):
        words = KINDS[kind](order)
        context: dict[str, Any] = {"words": words, "order": order, "lang": lang, "site": settings.SITE_URL}
        return Letter(
            subject=words.subject,
            text=render_to_string("mail/letter.txt", context).strip() + "\n",
            html=render_to_string("mail/letter.html", context),
        )
