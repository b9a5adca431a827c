"""A loopback Stripe: Checkout with its hosted page, refunds, idempotency, and signed webhooks.

It refuses what Stripe refuses (no key, a body that is no form, unknown parameters, amounts that are no integer,
an idempotency key used for something else), so that a request that passes here has Stripe's shape. It is no
product code: the site talks to it through the real `stripe` library by STRIPE_API_BASE.
"""

import hashlib
import hmac
import html
import json
import operator
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
    "payment_intent_data[metadata][*]", "metadata[*]", "adaptive_pricing[enabled]", "allowed_payment_method_types[*]",
    "automatic_tax[enabled]",
}  # fmt: skip
REFUND_PARAMS = {"payment_intent", "charge", "amount", "reason", "metadata[*]"}
REASONS = {"duplicate", "fraudulent", "requested_by_customer"}
LOCALES = {"auto", "en", "ru", "es"}


class Refused(Exception):
    def __init__(self, status: int, message: str, *, kind="invalid_request_error", code=None, param=None):
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message, "code": code, "param": param}


LOST, KILLED = "lost", "killed"  # in `failures`: done, but the answer never comes; not even done


class StripeStandin:
    """`with StripeStandin() as stripe:`; `base` is its address. Webhooks wait in `events` until delivered, or go to
    `webhook_url` at once when that is set."""

    def __init__(self, webhook_url: str = "") -> None:
        self.webhook_url = webhook_url
        self.sessions: dict[str, dict] = {}
        self.payments: dict[str, dict] = {}  # by payment intent
        self.refunds: dict[str, dict] = {}
        self.disputes: dict[str, dict] = {}
        self.payouts: dict[str, dict] = {}  # with the intents that each is made `of`
        self.events: list[dict] = []
        self.requests: list[tuple[str, dict]] = []
        self.failures: deque = deque()  # how the next requests fail: a status, LOST, KILLED; None: not at all
        self.refund_status = "succeeded"  # of the next refund
        self.refuses: dict[str, tuple[int, str]] = {}  # path: status and code of each request there
        self.replayed: dict[str, tuple[tuple, int, dict]] = {}
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
    def answer(self, method: str, path: str, headers, body: str) -> tuple[int, dict, bool]:
        """The answer's status and body, and whether it was replayed. Raises Refused, and ConnectionError when there is
        to be no answer. Like Stripe's, its keys keep what was done or failed: a 402 or 5xx too, but no refusal of the
        parameters, of the key's holder, or for being too many."""
        if headers.get("Authorization") != f"Bearer {KEY}":
            raise Refused(401, "Invalid API Key provided.")
        if not API_VERSION.fullmatch(headers.get("Stripe-Version", "")):
            raise Refused(400, "Invalid Stripe API version")
        path, _, query = path.partition("?")
        if method == "POST" and headers.get("Content-Type") != "application/x-www-form-urlencoded":
            raise Refused(400, "This request's body must be form-encoded.")
        text = body if method == "POST" else query
        params = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)))
        self.requests.append((path, params))
        key = headers.get("Idempotency-Key") if method == "POST" else None
        asked = (path, tuple(sorted(params.items())))
        if key is not None and len(key) > 255:
            raise Refused(400, "Idempotency keys may have 255 characters.", kind="idempotency_error")
        if key in self.replayed:
            if self.replayed[key][0] != asked:
                raise Refused(400, "Keys for idempotent requests can only be used with the same parameters.",
                              kind="idempotency_error")  # fmt: skip
            return *self.replayed[key][1:], True
        failure = self.failures.popleft() if self.failures else None
        if failure == KILLED:
            raise ConnectionError
        if path in self.refuses:
            failure, code = self.refuses[path]
        else:
            code = None
        if isinstance(failure, int):
            refused = Refused(failure, "Something went wrong.", kind="api_error", code=code)
            if key is not None and (failure == 402 or failure >= 500):
                self.replayed[key] = (asked, failure, {"error": refused.error})
            raise refused
        answer = self.route(path, params) if method == "POST" else self.read(path, params)
        if key is not None:
            self.replayed[key] = (asked, 200, json.loads(json.dumps(answer)))
        if failure == LOST:
            raise ConnectionError
        return 200, answer, False

    def read(self, path: str, params: dict) -> dict:
        """What GET asks for: one thing, or a list of them, newest first."""
        kinds = {"checkout/sessions": self.sessions, "refunds": self.refunds, "payment_intents": self.payments,
                 "disputes": self.disputes}  # fmt: skip
        if path == "/v1/balance_transactions":
            made_of = self.payouts[params["payout"]]["of"] if "payout" in params else self.payments
            found = [self.transaction(intent) for intent in made_of]
        elif path == "/v1/payouts":
            found = [
                {name: value for name, value in each.items() if name != "of"}
                for each in self.payouts.values()
            ]
        else:
            kind, _, name = path.removeprefix("/v1/").rpartition("/")
            if kind in kinds:
                if name not in kinds[kind]:
                    raise Refused(404, f"No such {kind}: {name}", code="resource_missing", param="id")
                return self.expanded(kind, kinds[kind][name], params)
            if path.removeprefix("/v1/") not in kinds:
                raise Refused(404, f"Unrecognized request URL (GET: {path}).")
            found = list(kinds[path.removeprefix("/v1/")].values())
        if intent := params.get("payment_intent"):
            found = [each for each in found if each["payment_intent"] == intent]
        for bound, fits in (("created[gte]", operator.ge), ("created[lt]", operator.lt)):
            if bound in params:
                found = [each for each in found if fits(each["created"], int(params[bound]))]
        found.reverse()
        if after := params.get("starting_after"):
            found = found[[each["id"] for each in found].index(after) + 1 :]
        limit = int(params.get("limit", 10))
        kind = path.removeprefix("/v1/")
        data = [self.expanded(kind, each, params) for each in found[:limit]]
        return {"object": "list", "url": path, "has_more": len(found) > limit, "data": data}

    def expanded(self, kind: str, thing: dict, params: dict) -> dict:
        wanted = [value for name, value in params.items() if name.startswith("expand")]
        thing = json.loads(json.dumps(thing))
        if kind == "checkout/sessions" and "payment_intent" in wanted and thing["payment_intent"]:
            thing["payment_intent"] = self.payments[thing["payment_intent"]]
        if kind == "payment_intents" and wanted:
            charge = {"id": thing["latest_charge"], "object": "charge", "created": thing["created"]}
            thing["latest_charge"] = charge | {"balance_transaction": self.transaction(thing["id"])}
        return thing

    def transaction(self, intent: str) -> dict:
        """The balance transaction of a payment: 2.9 % and 30 cents are Stripe's."""
        payment = self.payments[intent]
        amount = payment["amount"]
        fee = round(amount * 0.029) + 30
        return {
            "id": f"txn_{intent[3:]}", "object": "balance_transaction", "amount": amount, "fee": fee,
            "net": amount - fee, "currency": payment["currency"], "created": payment["created"],
            "source": payment["latest_charge"], "type": "charge", "status": "pending",
        }  # fmt: skip

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
        host = params.get("customer_email", "a@example.org").rpartition("@")[2]
        if "." not in host or host.endswith("]"):
            raise Refused(400, "Invalid email address", code="email_invalid", param="customer_email")
        name = self.new_id("cs")
        self.sessions[name] = {
            "id": name,
            "object": "checkout.session",
            "amount_subtotal": amount * quantity,
            "amount_total": amount * quantity,
            "automatic_tax": {"enabled": params.get("automatic_tax[enabled]") == "true", "status": None},
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
            "payment_method_types": [
                value for name, value in params.items() if name.startswith("allowed_payment_method_t")
            ],
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
        payment.setdefault("amount", payment["left"])
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
    def pay(self, session_id: str, *, slow: bool = False, **changed) -> dict:
        """Somebody pays on the hosted page; returns the event. `changed` overrides what the session then says. `slow`:
        the money comes later, by `settle`, or not."""
        with self.lock:
            session = self.sessions[session_id]
            assert session["status"] == "open"
            session.update(
                status="complete", payment_status="unpaid" if slow else "paid", payment_intent=self.new_id("pi"),
                url=None,
            )  # fmt: skip
            session.update(changed)
            if intent := session["payment_intent"]:
                self.payments[intent] = {
                    "id": intent, "object": "payment_intent", "amount": session["amount_total"],
                    "amount_received": 0 if slow else session["amount_total"], "created": int(time.time()),
                    "currency": session["currency"], "latest_charge": f"ch_{intent[3:]}", "livemode": False,
                    "metadata": session["metadata"], "status": "processing" if slow else "succeeded",
                    "left": session["amount_total"],
                }  # fmt: skip
            return self.emit("checkout.session.completed", session)

    def settle(self, session_id: str, *, ok: bool) -> dict:
        """A slow payment arrives, or fails."""
        session = self.sessions[session_id]
        intent = self.payments[session["payment_intent"]]
        session["payment_status"] = "paid" if ok else "unpaid"
        intent["status"] = "succeeded" if ok else "requires_payment_method"
        intent["amount_received"] = intent["amount"] if ok else 0
        return self.emit(f"checkout.session.async_payment_{'succeeded' if ok else 'failed'}", session)

    def dispute(self, intent: str, *, warning: bool = False, due_by: int = 1_800_000_000) -> dict:
        """The customer's bank takes the money back, or warns."""
        charge = self.payments[intent]["latest_charge"]
        common = {"created": int(time.time()), "charge": charge, "livemode": False, "payment_intent": intent}
        if warning:
            made = {"id": self.new_id("issfr"), "object": "radar.early_fraud_warning", "actionable": True,
                    "fraud_type": "made_with_stolen_card"}  # fmt: skip
            return self.emit("radar.early_fraud_warning.created", common | made)
        name = self.new_id("dp")
        self.disputes[name] = common | {
            "id": name, "object": "dispute", "amount": self.payments[intent]["amount"], "currency": "usd",
            "evidence_details": {"due_by": due_by, "has_evidence": False, "past_due": False, "submission_count": 0},
            "is_charge_refundable": False, "metadata": {}, "reason": "fraudulent", "status": "needs_response",
        }  # fmt: skip
        return self.emit("charge.dispute.created", self.disputes[name])

    def decide(self, dispute_id: str, status: str) -> dict:
        self.disputes[dispute_id]["status"] = status
        return self.emit("charge.dispute.closed", self.disputes[dispute_id])

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
        """The API's reads, and the hosted payment page."""
        if self.path.startswith("/v1/"):
            return self.api("GET", "")
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
        return self.api("POST", body)

    def api(self, method: str, body: str) -> None:
        try:
            with self.standin.lock:
                status, answer, replayed = self.standin.answer(method, self.path, self.headers, body)
            extra = {"Idempotent-Replayed": "true"} if replayed else {}
            return self.reply(status, "application/json", json.dumps(answer), extra)
        except Refused as refused:
            return self.reply(refused.status, "application/json", json.dumps({"error": refused.error}))
        except ConnectionError:
            self.close_connection = True

    def reply(self, status: int, kind: str, text: str, extra: dict | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Request-Id": "req_standin", **(extra or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
