"""Whether what was paid is what the order costs, and how a sum is written."""

from typing import Any

from audit.models import Order

OURS = "usd"
# Of which Stripe counts whole units, or thousandths; of all others hundredths (docs.stripe.com/currencies).
WHOLE = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THOUSANDTHS = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])


def decimals(currency: str) -> int:
    """How many digits of Stripe's whole number stand behind the point."""
    return 0 if currency in WHOLE else 3 if currency in THOUSANDTHS else 2


def written(amount: int, currency: str) -> str:
    """A sum in Stripe's smallest unit as people write it, without its currency: 4900 usd is 49.00, 4900 jpy is 4900."""
    digits = decimals(currency)
    return f"{amount / 10**digits:.{digits}f}"


def fair(order: Order, session: dict[str, Any]) -> bool:
    """Whether the session sold what was ordered: at its price, to which only taxes and discounts were applied."""
    total, subtotal = session.get("amount_total"), session.get("amount_subtotal")
    if session.get("currency") != order.currency or type(total) is not int:
        return False
    if total == order.price_cents:
        return True
    details = session.get("total_details")
    if subtotal != order.price_cents or not isinstance(details, dict):
        return False
    parts = [details.get(f"amount_{name}") or 0 for name in ("tax", "shipping", "discount")]
    return all(type(part) is int for part in parts) and total == subtotal + parts[0] + parts[1] - parts[2]
