"""What every answer says to browsers: pages, API, admin, files, errors, gateway. And how much may be sent to us."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from audit.models import Scan
from audit.orders import links
from audit.pages import site as views_site
from audit.scans import service as scans
from audit.scans import shares
from guardlabs.web.headers import ALWAYS, Headers
from tests.factories import answers, load_bank, make_order, make_scan
from tests.gateway_client import make_client
from tests.matrix import one_of

ROOT = Path(__file__).resolve().parent.parent


def addresses(scan, order):
    """One of everything that can be asked for."""
    token = scans.scan_token(scan)
    with override("en"):
        yield from (
            reverse(f"audit:{name}") for name in (*views_site.PUBLIC_PAGES, "deleted", "receipt", "bank")
        )
        for name in (
            "result",
            "report",
            "delete",
            "again",
            "fixes",
            "replay",
            "print",
            "export-md",
            "export-json",
        ):
            yield reverse(f"audit:{name}", args=[token])
        yield reverse("audit:card", args=[shares.share_token(scan)])
        yield reverse("audit:order-status", args=[links.status_token(order)])
        yield reverse("audit:order-report", args=[links.delivery_token(order)])
        yield reverse("audit:incident", args=["bybit-2025"])
    yield from (
        "/",
        "/robots.txt",
        "/sitemap.xml",
        "/favicon.ico",
        "/.well-known/security.txt",
        "/en/none",
        "/none",
    )
    yield from (
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/docs",
        "/api/openapi.json",
        "/api/v1/questionnaire",
        "/api/no",
    )
    yield f"/api/v1/scans/{token}"
    yield from ("/v1/models", "/v1/openapi.json", "/v1/none", "/admin/", "/admin/login/", "/stripe/webhook")
    yield from ("/static/audit/site.css", "/static/none.css", "/en/r/forged/", "/en/order/forged/")


@pytest.fixture
def everything(db):
    load_bank()
    scan = make_scan(ai=False)
    shares.share(scan)
    return list(addresses(Scan.objects.get(pk=scan.pk), make_order("delivered")))


def check(response, address):
    for name in ALWAYS:
        assert response.has_header(name), (address, name)
    assert "unsafe" not in response["Content-Security-Policy"], address
    assert "default-src 'none'" in response["Content-Security-Policy"], address
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]


def test_every_answer_carries_every_header(everything):
    browser = Client(raise_request_exception=False)
    for address in everything:
        check(browser.get(address), address)


def test_no_page_for_the_public_sets_a_cookie(everything):
    browser = Client(raise_request_exception=False)
    for address in everything:
        response = browser.get(address)
        if not address.startswith("/admin"):
            assert not response.cookies, address


def test_what_is_somebodys_own_is_kept_by_no_cache(everything, admin_client):
    for address in everything:
        if any(part in address for part in ("/r/", "/order/d", "/order/r", "/scans/", "/admin/")):
            assert "no-store" in admin_client.get(address)["Cache-Control"], address
    for name in ("audit_order", "audit_scan", "llm_call", "audit_mail"):
        assert "private" in admin_client.get(reverse(f"admin:{name}_changelist"))["Cache-Control"]


def test_a_page_that_breaks_has_them_too(monkeypatch, db):
    def crash(*arguments, **options):
        raise RuntimeError

    monkeypatch.setattr("audit.pages.scan.stats.reachable_providers", crash)
    response = Client(raise_request_exception=False).get("/en/")
    assert response.status_code == 500
    check(response, "/en/")


@pytest.mark.parametrize(
    "address", ["/en/scan/", "/en/order/", "/admin/login/", "/stripe/webhook", "/en/receipt/"]
)
def test_too_much_is_refused_unread(db, address):
    class Unread:
        def read(self, *arguments):
            raise AssertionError("the body was read")

        readline = read

    response = Client().generic(
        "POST", address, b"", "application/x-www-form-urlencoded",
        **{"CONTENT_LENGTH": str(10**9), "wsgi.input": Unread()},
    )  # fmt: skip
    assert response.status_code == 413
    check(response, address)


@pytest.mark.parametrize("length", ["-1", "12x", "+5", "1e9"])
def test_a_length_that_is_none_is_refused(db, length):
    assert Client().generic("POST", "/ru/scan/", b"", CONTENT_LENGTH=length).status_code == 413


def test_the_refusal_speaks_the_pages_language(db):
    response = Client().generic("POST", "/ru/scan/", b"", CONTENT_LENGTH="999999999")
    assert '<html lang="ru">' in response.content.decode()


@pytest.mark.parametrize(
    ("address", "limit"), [("/api/v1/scans", 64 * 1024), ("/v1/chat/completions", 8 * 2**20)]
)
def test_the_apis_refuse_in_their_own_shape(db, address, limit):
    _, key = make_client()
    response = Client().generic(
        "POST", address, b"", "application/json", headers={"Authorization": f"Bearer {key}"},
        CONTENT_LENGTH=str(limit + 1),
    )  # fmt: skip
    assert response.status_code == 413
    assert isinstance(json.loads(response.content), dict)


def test_a_file_in_a_form_reaches_neither_view_nor_disk(db, monkeypatch, tmp_path, settings):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    seen = []
    monkeypatch.setattr("audit.throttle.scan_wait_s", lambda request: seen.append(request.FILES) or 0)
    load_bank()
    response = Client().post("/en/scan/", {**answers(), "extra": SimpleUploadedFile("a.bin", b"x" * 50_000)})
    assert response.status_code == 302
    assert not any(seen)
    assert list(tmp_path.iterdir()) == []


HTTPS_SITE = """
import os
import django
from django.conf import settings
django.setup()
from django.test import Client
names = [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME]
assert all(name.startswith("__Host-") for name in names), names
answer = Client().get("/admin/login/", secure=True, HTTP_HOST="audit.example.org")
cookie = answer.cookies[settings.CSRF_COOKIE_NAME]
assert cookie["secure"] and cookie["httponly"] and cookie["path"] == "/" and not cookie["domain"], cookie
for address in ("/healthz", "/v1/models", "/static/none.css"):
    hsts = Client().get(address, secure=True, HTTP_HOST="audit.example.org")["Strict-Transport-Security"]
    below = {"": "", "subdomains": "; includeSubDomains", "preload": "; includeSubDomains; preload"}
    assert hsts == "max-age=63072000" + below[os.environ["HSTS"]], (address, hsts)
assert not Client().get("/healthz", HTTP_HOST="audit.example.org").has_header("Strict-Transport-Security")
for address, own in (("/healthz", 200), ("/metrics", 403)):  # reached past the proxy: no TLS, another name
    answer = Client(REMOTE_ADDR="192.0.2.1").get(address, HTTP_HOST="127.0.0.1:8000")
    assert answer.status_code == own, (address, answer.status_code)
print("good")
"""


def test_a_sandboxed_report_may_load_our_styles_and_nothing_else_of_ours(rf):
    answer = Headers(lambda request: HttpResponse())
    assert answer(rf.get("/static/audit/site.css"))["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer(rf.get("/en/"))["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("hsts", one_of("preload", "", "subdomains"))
def test_an_https_site_has_host_cookies_and_hsts_everywhere(tmp_path, hsts):
    environment = {
        **os.environ, "SECRET_KEY": "k" * 50, "SITE_URL": "https://audit.example.org",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'none.sqlite3'}", "DJANGO_SETTINGS_MODULE": "guardlabs.settings",
        "DEBUG": "on", "ALLOWED_HOSTS": "audit.example.org", "HSTS": hsts,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", HTTPS_SITE], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "good", done.stderr[-800:]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/en/", "/en/order/", "/en/scan/", "/en/receipt/", "/en/nowhere/", "/healthz"]
)
@pytest.mark.parametrize("cookie", ["csrftoken=x", "csrftoken=" + "a" * 32, "sessionid=x", "messages=x"])
def test_no_public_page_sets_a_cookie_whatever_comes_in(client, path, cookie):
    for response in (
        client.get(path, headers={"cookie": cookie}),
        client.post(path, headers={"cookie": cookie}),
    ):
        assert not response.cookies
