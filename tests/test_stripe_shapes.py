"""The stand-in speaks as Stripe does: its objects and parameters are those of the library's generated types."""

import importlib
import re

import pytest
import stripe as library

from tests.stripe_standin import REFUND_PARAMS, SESSION_PARAMS, StripeStandin

OURS = {"left"}  # the stand-in's own count
SESSION = {
    "mode": "payment", "customer_email": "anna@example.org", "line_items[0][quantity]": "1", "metadata[order]": "x",
    "line_items[0][price_data][currency]": "usd", "line_items[0][price_data][unit_amount]": "4900",
    "line_items[0][price_data][product_data][name]": "x", "success_url": "http://a/", "cancel_url": "http://a/",
}  # fmt: skip


def things():
    standin = StripeStandin()
    standin.base = "http://127.0.0.1"
    session = standin.make_session(SESSION)
    event = standin.pay(session["id"])
    intent = session["payment_intent"]
    return {
        library.checkout.Session: session,
        library.Event: event,
        library.PaymentIntent: standin.payments[intent],
        library.Refund: standin.make_refund({"payment_intent": intent, "amount": "100"}),
        library.Dispute: standin.dispute(intent)["data"]["object"],
        library.radar.EarlyFraudWarning: standin.dispute(intent, warning=True)["data"]["object"],
        library.BalanceTransaction: standin.transaction(intent),
    }


@pytest.mark.parametrize("kind", things())
def test_every_field_is_one_of_stripes(kind):
    thing = {name: value for name, value in things()[kind].items() if name not in OURS}
    fields = kind.__annotations__
    assert set(thing) - set(fields) == set()
    for name, value in thing.items():
        assert fits(str(fields[name]), value), (name, value, fields[name])


def fits(annotation: str, value: object) -> bool:
    """Whether a plain value is of the annotated type, as far as a plain value has one."""
    annotation = annotation.removeprefix("ForwardRef(")
    if value is None:
        return "Optional" in annotation or "None" in annotation
    unquoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", annotation)
    if isinstance(value, str) and "Literal" in annotation and "str" not in unquoted:
        return f"'{value}'" in annotation.replace('"', "'")
    words = {str: "str", bool: "bool", int: "int", list: "List"}
    wanted = words.get(type(value))
    return wanted is None or wanted in annotation or (wanted == "str" and "Expandable" in annotation)


@pytest.mark.parametrize(
    ("module", "names"),
    [("checkout._session_create_params", SESSION_PARAMS), ("_refund_create_params", REFUND_PARAMS)],
)
def test_every_parameter_is_one_of_stripes(module, names):
    source = importlib.import_module(f"stripe.params.{module}")
    main = "SessionCreateParams" if "session" in module else "RefundCreateParams"
    for name in names:
        path = [part for part in re.findall(r"[\w*]+", name) if not part.isdigit()]
        holder = getattr(source, main)
        for part in path:
            if part == "*":
                break
            fields = inherited(holder)
            assert part in fields, name
            found = re.findall(rf"{main}\w+", str(fields[part]))
            holder = getattr(source, found[0]) if found else dict


def inherited(kind) -> dict[str, object]:
    """The annotations of a typed dictionary and of those that it extends."""
    found: dict[str, object] = {}
    for base in getattr(kind, "__orig_bases__", ()):
        found |= inherited(base)
    return found | getattr(kind, "__annotations__", {})
