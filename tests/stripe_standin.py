"""A loopback Stripe: Checkout with its hosted page, refunds, idempotency, and signed webhooks.

It refuses what Stripe refuses (no key, a body that is no form, unknown parameters, amounts that are no integer,
an idempotency key used for something else), so that a request that passes here has Stripe's shape. It is no
product code: the site talks to it through the real `stripe` library by STRIPE_API_BASE.
"""

import hashlib
import hmac
import html
import json
import re
import threading
import time
import urllib.request
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlsplit

KEY = "sk_test_standin"
SECRET = "whsec_standin"
API_VERSION = re.compile(r"\d{4}-\d\d-\d\d\.\w+")
MINIMUM_CENTS = 50

# Parameters as Stripe's reference names them; a number is any index of a list.
SESSION_PARAMS = {
    "mode", "success_url", "cancel_url", "client_reference_id", "customer_email", "locale", "expires_at", "currency",
    "line_items[0][quantity]", "line_items[0][price]", "line_items[0][price_data][currency]",
    "line_items[0][price_data][unit_amount]", "line_items[0][price_data][product_data][name]",
    "line_items[0][price_data][product_data][description]", "payment_intent_data[description]",
    "payment_intent_data[metadata][*]", "metadata[*]", "adaptive_pricing[enabled]",
}  # fmt: skip
REFUND_PARAMS = {"payment_intent", "charge", "amount", "reason", "metadata[*]"}
REASONS = {"duplicate", "fraudulent", "requested_by_customer"}
LOCALES = {"auto", "en", "ru", "es"}


class Refused(Exception):
    def __init__(self, status: int, message: str, *, kind="invalid_request_error", code=None, param=None):
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message, "code": code, "param": param}


class StripeStandin:
    """`with StripeStandin() as stripe:`; `base` is its address. Webhooks wait in `events` until delivered, or go to
    `webhook_url` at once when that is set."""

    def __init__(self, webhook_url: str = "") -> None:
        self.webhook_url = webhook_url
        self.sessions: dict[str, dict] = {}
        self.payments: dict[str, dict] = {}  # by payment intent
        self.refunds: dict[str, dict] = {}
        self.events: list[dict] = []
        self.requests: list[tuple[str, dict]] = []
        self.failures: deque[int] = deque()  # statuses with which the next requests fail
        self.refund_status = "succeeded"  # of the next refund
        self.replayed: dict[str, tuple[tuple, dict]] = {}
        self.count = 0
        self.lock = threading.RLock()

    def __enter__(self):
        handler = type("Handler", (_Handler,), {"standin": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()

    def new_id(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}_test_{self.count:024d}"

    # -- the API ---------------------------------------------------------------------------------------
    def answer(self, method: str, path: str, headers, body: str) -> tuple[dict, bool]:
        """The answer's body and whether it was replayed. Raises Refused."""
        if headers.get("Authorization") != f"Bearer {KEY}":
            raise Refused(401, "Invalid API Key provided.")
        if not API_VERSION.fullmatch(headers.get("Stripe-Version", "")):
            raise Refused(400, "Invalid Stripe API version")
        if method != "POST" or headers.get("Content-Type") != "application/x-www-form-urlencoded":
            raise Refused(400, "This request's body must be form-encoded.")
        params = dict(parse_qsl(body, keep_blank_values=True, strict_parsing=bool(body)))
        self.requests.append((path, params))
        if self.failures:
            raise Refused(self.failures.popleft(), "Something went wrong.", kind="api_error")
        key = headers.get("Idempotency-Key")
        asked = (path, tuple(sorted(params.items())))
        if key is not None and len(key) > 255:
            raise Refused(400, "Idempotency keys may have 255 characters.", kind="idempotency_error")
        if key in self.replayed:
            if self.replayed[key][0] != asked:
                raise Refused(400, "Keys for idempotent requests can only be used with the same parameters.",
                              kind="idempotency_error")  # fmt: skip
            return self.replayed[key][1], True
        answer = self.route(path, params)
        if key is not None:
            self.replayed[key] = (asked, json.loads(json.dumps(answer)))
        return answer, False

    def route(self, path: str, params: dict) -> dict:
        if path == "/v1/checkout/sessions":
            return self.make_session(params)
        if found := re.fullmatch(r"/v1/checkout/sessions/(\w+)/expire", path):
            session = self.sessions.get(found[1])
            if session is None:
                raise Refused(404, "No such checkout.session", code="resource_missing")
            if session["status"] != "open":
                raise Refused(400, 'Only Checkout Sessions with a status in ["open"] can be expired.')
            session.update(status="expired", url=None)
            self.emit("checkout.session.expired", session)
            return session
        if path == "/v1/refunds":
            return self.make_refund(params)
        raise Refused(404, f"Unrecognized request URL (POST: {path}).")

    def make_session(self, params: dict) -> dict:
        check_names(params, SESSION_PARAMS)
        if params.get("mode") != "payment":
            raise Refused(400, "Invalid mode", param="mode")
        amount = integer(params, "line_items[0][price_data][unit_amount]")
        quantity = integer(params, "line_items[0][quantity]")
        currency = params.get("line_items[0][price_data][currency]", "")
        if currency != "usd":
            raise Refused(400, f"Invalid currency: {currency}", param="currency")
        if not params.get("line_items[0][price_data][product_data][name]"):
            raise Refused(400, "Missing required param: name.", code="parameter_missing")
        if amount * quantity < MINIMUM_CENTS:
            raise Refused(400, "Amount must be at least $0.50 usd", code="amount_too_small")
        for name in ("success_url", "cancel_url"):
            if urlsplit(params.get(name, "")).scheme not in {"http", "https"}:
                raise Refused(400, "Not a valid URL", code="url_invalid", param=name)
        if params.get("locale", "auto") not in LOCALES:
            raise Refused(400, "Invalid locale", param="locale")
        if "@" not in params.get("customer_email", "@"):
            raise Refused(400, "Invalid email address", code="email_invalid", param="customer_email")
        name = self.new_id("cs")
        self.sessions[name] = {
            "id": name,
            "object": "checkout.session",
            "amount_subtotal": amount * quantity,
            "amount_total": amount * quantity,
            "client_reference_id": params.get("client_reference_id"),
            "created": int(time.time()),
            "currency": currency,
            "customer_email": params.get("customer_email"),
            "expires_at": int(time.time()) + 24 * 3600,
            "livemode": False,
            "locale": params.get("locale"),
            "metadata": metadata(params, "metadata"),
            "mode": "payment",
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": params["success_url"],
            "cancel_url": params["cancel_url"],
            "url": f"{self.base}/c/pay/{name}",
        }
        return self.sessions[name]

    def make_refund(self, params: dict) -> dict:
        check_names(params, REFUND_PARAMS)
        payment = self.payments.get(params.get("payment_intent", ""))
        if payment is None:
            raise Refused(404, "No such payment_intent", code="resource_missing", param="payment_intent")
        if params.get("reason", "duplicate") not in REASONS:
            raise Refused(400, "Invalid reason", param="reason")
        amount = integer(params, "amount") if "amount" in params else payment["left"]
        if payment["left"] == 0:
            raise Refused(400, "Charge has already been refunded.", code="charge_already_refunded")
        if amount > payment["left"]:
            raise Refused(400, "Refund amount is greater than unrefunded amount.", param="amount")
        name = self.new_id("re")
        if self.refund_status != "failed":
            payment["left"] -= amount
        self.refunds[name] = {
            "id": name,
            "object": "refund",
            "amount": amount,
            "created": int(time.time()),
            "currency": payment["currency"],
            "metadata": metadata(params, "metadata"),
            "payment_intent": params["payment_intent"],
            "reason": params.get("reason"),
            "status": self.refund_status,
        }
        self.emit("refund.created", self.refunds[name])
        return self.refunds[name]

    # -- what customers and banks do -------------------------------------------------------------------
    def pay(self, session_id: str, **changed) -> dict:
        """Somebody pays on the hosted page; returns the event. `changed` overrides what the session then says."""
        with self.lock:
            session = self.sessions[session_id]
            assert session["status"] == "open"
            intent = self.new_id("pi")
            session.update(
                status="complete", payment_status="paid", payment_intent=intent, url=None, **changed
            )
            self.payments[intent] = {"currency": session["currency"], "left": session["amount_total"]}
            return self.emit("checkout.session.completed", session)

    def settle_refund(self, refund_id: str, status: str) -> dict:
        refund = self.refunds[refund_id]
        refund["status"] = status
        if status == "failed":
            self.payments[refund["payment_intent"]]["left"] += refund["amount"]
        return self.emit("refund.failed" if status == "failed" else "refund.updated", refund)

    # -- webhooks --------------------------------------------------------------------------------------
    def emit(self, kind: str, thing: dict) -> dict:
        event = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": "2026-10-29.clover",
            "created": int(time.time()),
            "data": {"object": json.loads(json.dumps(thing))},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        self.events.append(event)
        if self.webhook_url:
            threading.Thread(target=self.send, args=(event,), daemon=True).start()
        return event

    def send(self, event: dict) -> int:
        """Delivers an event to webhook_url as Stripe does; the status of the answer."""
        body, signature = signed(event)
        request = urllib.request.Request(
            self.webhook_url,
            body,
            {"Stripe-Signature": signature, "Content-Type": "application/json; charset=utf-8"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status
        except HTTPError as error:
            return error.code


def signed(event: dict, *, secret: str = SECRET, at: int | None = None) -> tuple[bytes, str]:
    """The body of a webhook and its Stripe-Signature header."""
    body = json.dumps(event, indent=2).encode()
    at = int(time.time()) if at is None else at
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return body, f"t={at},v1={mac},v0={'0' * 64}"


def check_names(params: dict, known: set[str]) -> None:
    for name in params:
        if name not in known and re.sub(r"\[\w+\]$", "[*]", name) not in known:
            raise Refused(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def integer(params: dict, name: str) -> int:
    if not re.fullmatch(r"\d+", params.get(name, "")):
        raise Refused(
            400, f"Invalid integer: {params.get(name)}", code="parameter_invalid_integer", param=name
        )
    return int(params[name])


def metadata(params: dict, name: str) -> dict[str, str]:
    return {key[len(name) + 1 : -1]: value for key, value in params.items() if key.startswith(f"{name}[")}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    standin: StripeStandin

    def log_message(self, *args) -> None:
        pass

    def do_GET(self) -> None:
        """The hosted payment page."""
        session = self.standin.sessions.get(self.path.rpartition("/")[2])
        if session is None or session["status"] != "open":
            return self.reply(404, "text/html", "<h1>This page is no longer open</h1>")
        price = f"${session['amount_total'] / 100:.2f}"
        return self.reply(
            200,
            "text/html; charset=utf-8",
            f"<!doctype html><html lang=en><title>Pay</title><h1>Pay {price}</h1>"
            f"<p id=email>{html.escape(session['customer_email'])}</p>"
            f"<form method=post><button id=pay>Pay {price}</button></form>"
            f"<a id=back href='{html.escape(session['cancel_url'])}'>Back</a>",
        )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.path.startswith("/c/pay/"):
            session_id = self.path.rpartition("/")[2]
            self.standin.pay(session_id)
            self.send_response(303)
            self.send_header("Location", self.standin.sessions[session_id]["success_url"])
            self.send_header("Content-Length", "0")
            return self.end_headers()
        try:
            with self.standin.lock:
                answer, replayed = self.standin.answer("POST", self.path, self.headers, body)
            extra = {"Idempotent-Replayed": "true"} if replayed else {}
            return self.reply(200, "application/json", json.dumps(answer), extra)
        except Refused as refused:
            return self.reply(refused.status, "application/json", json.dumps({"error": refused.error}))

    def reply(self, status: int, kind: str, text: str, extra: dict | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Request-Id": "req_standin", **(extra or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
