"""Every address of the site, with what nobody should send it, answers; none of them with a 5xx.

On SQLite here, on PostgreSQL by tests/test_postgres.py.
"""

import json
import os
import re
from functools import cache, partial
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern
from django.utils import timezone
from ninja.constants import NOT_SET  # noqa: F401  # the API's addresses exist

from audit.models import Incident, Order, Question, Report, StripeEvent
from audit.orders import links
from audit.report import jobs
from audit.scans import service as scans
from audit.scans import shares
from llm.clients import access
from llm.models import Attempt, Call, Client, Credential, Model, Notice, Pause, Provider, Quota
from tests.factories import answers, load_bank, make_order, make_scan

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parent.parent
ODD = {
    "thirty digits": "9" * 30, "five thousand digits": "9" * 5000, "negative": "-1", "zero": "0", "nothing": "",
    "NUL": "\0", "NUL within": "1\x001", "half an address": "//[", "half an IPv6 host": "http://[::1", "NaN": "NaN",
    "infinity": "-Infinity", "exponent": "1e999", "year 0": "0000-01-01", "year 99999": "99999-12-31 00:00:00+00:00",
    "bare year": "99999", "not ASCII digits": "٣", "a line's end": "1\r\nX: y", "half a character": "\ud800",
    "long": "x" * 3000, "parent": "../../etc/passwd", "a pattern": "(a+)+$", "JSON": '{"a": [1, {}]}',
    "percent": "%s%(x)s%",
    "quotes": "'\"`;--", "wide": "\U0001f9e8" * 300, "deep": "[" * 3000,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch):
    monkeypatch.setattr(jobs, "start_report", lambda *args, **kwargs: None, raising=False)


def route_of(part):
    """A pattern as a route: names in <>, and of a regular expression no more than that."""
    if isinstance(part, RoutePattern):
        return part._route
    if isinstance(part, RegexPattern):
        plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<path:\1>", part._regex)
        return plain.removeprefix("^").removesuffix("$").removesuffix("/?").replace("\\", "")
    return None


def flatten(patterns, prefix=""):
    for each in patterns:
        part = each.pattern
        route = route_of(part)
        if isinstance(each, URLResolver):
            begin = "en/" if type(part).__name__ == "LocalePrefixPattern" else (route or "")
            yield from flatten(each.url_patterns, prefix + begin)
        elif isinstance(each, URLPattern) and route is not None:
            yield prefix + route


ROUTES = sorted(set(flatten(get_resolver().url_patterns)))
NAMES = sorted(
    {
        name
        for folder in ("audit", "guardlabs", "llm")
        for file in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"\.(?:GET|POST)(?:\.get(?:list)?\(|\[)\s*\"([\w-]+)\"", file.read_text())
    }
    | {"q", "o", "p", "e", "all", "_to_field", "_popup", "_changelist_filters", "next", "select_across", "index",
       "_selected_action", "app_label", "model_name", "field_name", "term", "lang", "action", "code", "username",
       "password", "_facets"}
)  # fmt: skip


@cache
def escaped(text):
    """As a hostile client puts it on the line: UTF-8, halves of characters included, every byte escaped."""
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


def form(values):
    return "&".join(f"{escaped(name)}={escaped(value)}" for name, value in values.items())


def query(values):
    return {"query": form(values)}


def posted(values):
    return {"body": form(values)}


def posted_json(text):
    return {"body": text.encode("utf-8", "surrogatepass"), "content_type": "application/json"}


@pytest.fixture
def known():
    """One row of everything that an address may name, and the browser of a superuser."""
    load_bank()
    scan = make_scan(ai=False)
    provider = Provider.objects.create(slug="groq", kind="groq", name="Groq", free=True)
    model = Model.objects.create(
        provider=provider, name="m", replacement="n", shutdown_on=timezone.now().date()
    )
    credential = Credential.objects.create(provider=provider, label="groq1", secret="x")
    client = Client(name="shop")
    key = access.create(client)
    now = timezone.now()
    call = Call.objects.create(started_at=now, deadline_s=45)
    Attempt.objects.create(call=call, provider="groq", credential="groq1", account="a", model="m", tier=1, free=True,
                           started_at=now)  # fmt: skip
    Pause.objects.create(provider="groq", kind="provider_down", source="guess", since=now)
    Quota.objects.create(provider="groq", account="a", model="m")
    Notice.objects.create(at=now, kind="x", subject="y")
    order = make_order("delivered", scan=scan)
    StripeEvent.objects.get_or_create(id="evt_1", defaults={"type": "x"})
    root = User.objects.create_superuser("root", password="x")
    browser = Browser(raise_request_exception=False)
    browser.force_login(root)
    rows = {page.opts.label_lower.replace(".", "/"): page.model._default_manager.order_by("pk").first()
            for page in admin.site._registry.values()}  # fmt: skip
    values = {
        "token": scans.scan_token(scan), "slug": Incident.objects.first().slug, "name": "start", "report": str(
            Report.objects.first().pk), "provider_id": str(provider.pk),
        "content_type_id": str(ContentType.objects.get_for_model(Question).pk), "app_label": "llm", "url": "x",
        "rest": "x", "path": "x",
    }  # fmt: skip
    special = {
        "s/": shares.share_token(scan) if hasattr(shares, "share_token") else scans.scan_token(scan),
        "order/": links.status_token(order) if hasattr(links, "status_token") else scans.scan_token(scan),
        "rotate/": str(credential.pk), "rehearse/": str(model.pk), "switch/": str(model.pk),
    }  # fmt: skip
    return browser, key, rows, values, special


def usual(route, name, known):
    """The value that an address of this route would normally have."""
    _browser, _key, rows, values, special = known
    if name in {"object_id", "pk", "id"}:
        for part, value in special.items():
            if part in route and "admin" in route:
                return value
        row = next((row for label, row in rows.items() if f"admin/{label}/" in route), None)
        return str(row.pk) if row else "1"
    for part, value in special.items():
        if f"/{part}<" in route:
            return value
    return values.get(name, "x")


def address(route, known, odd=None):
    return "/" + re.sub(
        r"<(?:\w+:)?(\w+)>",
        lambda found: escaped(usual(route, found[1], known) if odd is None else odd),
        route,
    )


def ask(known, method, path, *, query="", body="", content_type="application/x-www-form-urlencoded"):
    """The status of one request, whose effects are taken back."""
    browser, key = known[:2]
    headers = {"authorization": f"Bearer {key}"} if path.startswith("/v1/") else {}
    with transaction.atomic():
        response = browser.generic(
            method, f"{path}?{query}" if query else path, body, content_type, headers=headers,
            REMOTE_ADDR=f"10.{ask.turn >> 16 & 255}.{ask.turn >> 8 & 255}.{ask.turn & 255}",
        )  # fmt: skip
        ask.turn += 1
        if response.streaming and "events" not in path:
            b"".join(response.streaming_content)
        transaction.set_rollback(True)
    return response.status_code


ask.turn = 0


def sends_nothing_odd(route):
    """What waits for minutes by design, or logs the browser out."""
    return route.endswith(("logout/", "/events"))


# Two samples of the requests: a small one for every day, and the large one that `make test-all` takes.
SAMPLES = pytest.mark.parametrize("every", [97, pytest.param(23, marks=pytest.mark.exhaustive)])


def thin(requests, every):
    """Each `every`-th request, another one for every address; all of them where GUARDLABS_EVERY_REQUEST is set."""
    every = 1 if os.environ.get("GUARDLABS_EVERY_REQUEST") else every
    return (each for number, each in enumerate(requests) if number % every == 0)


def failures(known, requests, every=1):
    """What was answered with a 5xx. Of a request that `every` leaves out, nothing is built: bodies are large."""
    requests = thin(requests, every)
    return [
        f"{method} {path[:150]} {label}: {status}"
        for method, path, label, more in requests
        if (status := ask(known, method, path, **more())) >= 500
    ]


@SAMPLES
def test_odd_parts_of_every_address(known, every):
    wrong = failures(
        known,
        (
            (method, address(route, known, odd), label, dict)
            for route in ROUTES
            if "<" in route and not sends_nothing_odd(route)
            for label, odd in ODD.items()
            for method in ("GET", "POST")
        ),
        every=every,
    )
    assert wrong == []


@SAMPLES
def test_odd_queries_of_every_address(known, every):
    wrong = failures(
        known,
        (
            ("GET", address(route, known), label, partial(query, dict.fromkeys(NAMES, odd)))
            for route in ROUTES
            if not sends_nothing_odd(route)
            for label, odd in ODD.items()
        ),
        every=every,
    )
    assert wrong == []


def columns(page):
    """Names that lists of the admin are filtered by, each with the tests that a list might know."""
    for item in page.get_list_filter(None):
        if isinstance(item, type):
            yield item.parameter_name
            continue
        name = item if isinstance(item, str) else item[0]
        for test in ("", "__exact", "__gte", "__lt", "__isnull", "__id__exact", "__regex", "__in", "__year"):
            yield name + test
    if page.date_hierarchy:
        for part in ("year", "month", "day", "gte", "lt"):
            yield f"{page.date_hierarchy}__{part}"
    yield from page.lookups
    yield from ("q", "o", "p", "id", "pk__in", "all", "_to_field")


@SAMPLES
def test_odd_values_of_every_filter_of_every_list(known, every):
    wrong = failures(
        known,
        (
            ("GET", f"/admin/{page.opts.app_label}/{page.opts.model_name}/{end}", f"{name} {label}",
             partial(query, {name: odd}))
            for page in admin.site._registry.values()
            for end in ("", "export/")[: 1 + hasattr(page, "export_fields")]
            for name in columns(page)
            for label, odd in ODD.items()
        ),
        every=every,
    )  # fmt: skip
    assert wrong == []


def fields_of(route):
    """Every field that a form of the admin has, with those of its inlines."""
    for page in admin.site._registry.values():
        if route.startswith(f"admin/{page.opts.app_label}/{page.opts.model_name}/"):
            names = [field.name for field in page.model._meta.fields]
            for inline in page.inlines:
                prefix = inline.model._meta.get_field(
                    inline.fk_name or page.opts.model_name
                ).remote_field.name
                names += [f"{prefix}-0-{field.name}" for field in inline.model._meta.fields]
                names += [f"{prefix}-{part}_FORMS" for part in ("TOTAL", "INITIAL")]
            return [*names, "new_key", "tiers", "regions", "locations", "barred_regions", "form-TOTAL_FORMS",
                    "form-INITIAL_FORMS", "form-0-id"]  # fmt: skip
    return []


COUNTS = {
    "models-TOTAL_FORMS": "1", "models-INITIAL_FORMS": "0", "credentials-TOTAL_FORMS": "1",
    "credentials-INITIAL_FORMS": "0", "action": "delete_selected", "do": "note", "sure": "1",
}  # fmt: skip


@SAMPLES
def test_odd_forms_of_every_address(known, every):
    scan = dict.fromkeys(answers(), "")
    order = dict.fromkeys(("email", "message", "scan_link", "time_zone", "lang", "method"), "")
    wrong = failures(
        known,
        (
            ("POST", address(route, known), f"{label} in a form {kind}",
             partial(posted, dict.fromkeys([*NAMES, *scan, *order, *fields_of(route)], odd) | extra))
            for route in ROUTES
            if not sends_nothing_odd(route)
            for label, odd in ODD.items()
            for kind, extra in (("all odd", {}), ("that counts", COUNTS))
            if kind == "all odd" or "admin" in route
        ),
        every=every,
    )  # fmt: skip
    assert wrong == []


@SAMPLES
def test_one_odd_field_at_a_time_of_the_forms_that_anybody_reaches(known, every):
    order = {
        "email": "a@example.org",
        "message": "Hi",
        "scan_link": "",
        "time_zone": "Europe/Madrid",
        "lang": "en",
    }
    forms = {"/en/order/": order, "/en/scan/": answers(), "/en/receipt/": {"receipt": "x"}}
    for scan_path in ("report", "share", "fixes", "again"):
        forms[f"/en/r/{known[3]['token']}/{scan_path}"] = dict.fromkeys(NAMES, "x")
    wrong = failures(
        known,
        (
            ("POST", path, f"{name} {label}", partial(posted, fields | {name: odd}))
            for path, fields in forms.items()
            for name in fields
            for label, odd in ODD.items()
        ),
        every=every,
    )
    assert wrong == []


def bodies():
    for label, odd in ODD.items():
        text = json.dumps(odd)
        yield label, text
        yield f"{label} as a key", f"{{{text}: 1}}"
        yield (
            f"{label} in an answer",
            json.dumps({"lang": "en", "answers": answers(seed_storage=odd), "ai": False}),
        )
        yield f"{label} as a language", json.dumps({"lang": odd, "answers": answers(), "ai": False})
        yield (
            f"{label} as a message",
            json.dumps({"model": odd, "messages": [{"role": "user", "content": odd}]}),
        )
    for raw in (
        "NaN",
        "-Infinity",
        "1e999",
        "9" * 5000,
        "[" * 20_000,
        '{"a":' * 5000,
        '"\\ud800"',
        "\0",
        "{",
        "",
    ):
        yield raw[:20], raw
        for name in (
            "max_tokens",
            "temperature",
            "n",
            "seed",
            "stop",
            "tools",
            "response_format",
            "messages",
        ):
            yield (
                f"{name} {raw[:20]}",
                f'{{"model": "auto", "messages": [{{"role": "user", "content": "x"}}], "{name}": {raw}}}',
            )


@SAMPLES
def test_odd_json_of_every_address_that_takes_it(known, every):
    wrong = failures(
        known,
        (
            ("POST", address(route, known), label, partial(posted_json, body))
            for route in ROUTES
            if route.startswith(("v1/", "api/", "stripe/"))
            for label, body in bodies()
        ),
        every=every,
    )  # fmt: skip
    # The gateway has no provider here, and says so by 503 in its own shape once a request is right.
    assert [each for each in wrong if not (each.startswith("POST /v1/") and each.endswith(": 503"))] == []


def test_the_walk_meets_every_room():
    for part in ("en/order/", "en/r/<str:token>/", "admin/llm/provider/<path:object_id>/change/",
                 "v1/models/<path:name>",
                                  "api/v1/scans/<token>", "stripe/webhook", "readyz"):  # fmt: skip
        assert any(route.startswith(part) for route in ROUTES), part
    assert len(ROUTES) > 120
    assert {"scope", "do", "scan_link"} & set(NAMES)
    assert connection.vendor in {"sqlite", "postgresql"}
    assert Order.objects.count() == 0
