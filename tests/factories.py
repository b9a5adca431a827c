"""The one way in which tests build scans and what belongs to them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from django.db import connections

from audit.bank import catalogue, loading
from audit.models import Order, Scan
from audit.orders import service as orders
from audit.orders.money import refunds
from audit.scans import service as scans


def load_bank() -> None:
    """Questions, options and incidents into the database, as a first start does."""
    loading.load()


def answers(kind: str = "best", **changed: str) -> dict[str, str]:
    """A full set of answers: `best`, `worst`, `middle` (the option in the middle) or `absent` (does not apply
    wherever that can be said, else the best); single answers by question id."""
    chosen = {}
    for item in catalogue.scoring_bank():
        rated = [choice for choice in item.choices if not choice.not_applicable]
        absent = [choice for choice in item.choices if choice.not_applicable]
        chosen[item.id] = {
            "best": rated[0],
            "worst": rated[-1],
            "middle": rated[len(rated) // 2],
            "absent": (absent or rated)[0],
        }[kind].value
    return {**chosen, **changed}


def make_scan(kind: str = "middle", *, lang: str = "en", ai: bool = True, **changed: str) -> Scan:
    """A stored scan with its report waiting, or written by rule when `ai` is off."""
    made: Scan = beside_the_loop(
        partial(scans.create_scan, answers=answers(kind, **changed), lang=lang, ai=ai)
    )
    return made


def mistyped(token: str) -> str:
    """This token or key with another last character, whichever it ends with."""
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def beside_the_loop(run: Callable[[], Any]) -> Any:
    """What `run` returns; in a thread of its own where a browser's loop runs in this one, as none does in a view's."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run()
    with ThreadPoolExecutor(max_workers=1) as pool:
        result = pool.submit(run).result()
        pool.submit(connections.close_all).result()
    return result


def scan_body(kind: str = "middle", *, lang: str = "en", ai: bool = False, **changed: str) -> dict[str, Any]:
    """What is posted to the API."""
    return {"lang": lang, "answers": answers(kind, **changed), "ai": ai}


def make_order(state: str = "new", **changed: Any) -> Order:
    """A stored order, brought to `state` the way orders get there; single fields by name."""
    fields = {
        "lang": "en",
        "email": "anna@example.org",
        "time_zone": "Europe/Madrid",
        "message": "",
        "scan": None,
        "method": Order.Method.INVOICE,
    }
    order = orders.create(**(fields | changed))
    staff = "staff:admin"
    if state in ("cancelled", "expired"):
        orders.cancel(order, actor=staff) if state == "cancelled" else orders.expire(order)
        return order
    way = ["new", "awaiting_payment", "paid", "in_progress", "delivered", "closed"]
    steps = way[: way.index(state) + 1] if state in way else ["new", "awaiting_payment", "paid", "refunded"]
    for step in steps[1:]:
        if step == "awaiting_payment" and order.method == Order.Method.INVOICE:
            orders.send_invoice(order, text="IBAN DE00", actor=staff)
        elif step == "awaiting_payment":
            orders.await_card(order, actor=orders.CUSTOMER, checkout_session=f"cs_{order.pk}")
        elif step == "paid":
            page = order.payments.first()
            if page is not None:
                page.intent = f"pi_{order.pk}"
            orders.mark_paid(order, actor=staff, payment=page)
        elif step == "in_progress":
            orders.start(order, actor=staff)
        elif step == "delivered":
            orders.save_draft(order, text="## Summary\n\nAll good.", actor=staff)
            orders.deliver(order, actor=staff)
        elif step == "closed":
            orders.close(order, actor=staff)
        elif step == "refunded":
            refunds.mark_refunded(order, actor=staff)
    return order
