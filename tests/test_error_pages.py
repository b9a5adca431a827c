"""Error pages: in the visitor's language, with a way out, silent about the cause, and without the database."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.test import Client, RequestFactory
from django.utils import translation

from audit.pages import errors as views_errors
from audit.pages import scan as views

LANGUAGES = ["en", "ru", "es"]
SECRET = "secret-detail-of-the-crash"


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


def crash_with(monkeypatch, error: Exception) -> None:
    def crash(*args, **kwargs):
        raise error

    monkeypatch.setattr(views.stats, "reachable_providers", crash)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("error", "status"),
    [(RuntimeError(SECRET), 500), (PermissionDenied(SECRET), 403), (SuspiciousOperation(SECRET), 400)],
)
def test_errors_keep_the_language_and_the_secret(client, monkeypatch, lang, error, status):
    crash_with(monkeypatch, error)
    response = client.get(f"/{lang}/")
    html = response.content.decode()
    assert response.status_code == status
    assert f'<html lang="{lang}">' in html
    assert f'href="/{lang}/"' in html
    assert SECRET not in html
    assert "RuntimeError" not in html
    assert "no-cache" in response["Cache-Control"]
    assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_that_is_not_there(client, lang):
    response = client.get(f"/{lang}/no/such/page")
    html = response.content.decode()
    assert response.status_code == 404
    assert f'<html lang="{lang}">' in html
    assert "no/such/page" not in html
    assert "noindex" in html


def test_too_many_says_when_to_come_back():
    with translation.override("en"):
        response = views_errors.too_many(RequestFactory().get("/en/"), retry_after_s=61)
    assert response.status_code == 429
    assert response["Retry-After"] == "61"
    assert "in 2 minutes" in response.content.decode()


def test_when_even_the_template_fails_there_is_a_plain_page(monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(SECRET)

    monkeypatch.setattr(views_errors, "render_to_string", fail)
    response = views_errors.server_error(RequestFactory().get("/en/"))
    assert response.status_code == 500
    assert b"Something went wrong" in response.content
    assert SECRET.encode() not in response.content


@pytest.mark.parametrize("path", ["/admin/audit/scan/", "/admin/nothing/"])
def test_the_way_back_from_the_admin_leads_to_its_desk(client, db, django_user_model, path):
    client.force_login(django_user_model.objects.create_user("rita", password="x", is_staff=True))
    html = client.get(path).content.decode()
    assert '<a class="button" href="/admin/">' in html
    html = client.get("/en/nothing/").content.decode()
    assert '<a class="button" href="/en/">' in html
