"""Whether what was paid is what the order costs."""

from typing import Any

from audit.models import Order


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
