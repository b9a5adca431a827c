"""The public pages through Django's client: what they answer, say, keep and never do."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from audit.bank.questions import QUESTIONS
from audit.models import Report, Scan
from audit.report import jobs
from audit.scans import service as scans
from tests.factories import answers, load_bank, make_scan

LANGUAGES = ["en", "ru", "es"]
PUBLIC = ["landing", "scan", "privacy", "deleted"]
PRIVATE = ["result", "report", "delete", "again", "fixes", "replay", "print"]
pytestmark = pytest.mark.django_db

SAFEST, RISKIEST = answers("best"), answers("worst")
CAPPED = answers("best", seed_storage="cloud_notes")


def page(name: str, lang: str = "en", **kwargs: str) -> str:
    with override(lang):
        return reverse(f"audit:{name}", kwargs=kwargs)


def private_scan(kind: str = "best", **how: Any) -> tuple[Scan, str]:
    """A scan, capped unless `kind` says otherwise, and the token of its pages."""
    capped = {"seed_storage": "cloud_notes"} if kind == "best" else {}
    scan = make_scan(kind, **capped, **how)
    return scan, scans.scan_token(scan)


class Elements(HTMLParser):
    """All start tags of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def elements(response, tag: str | None = None) -> list[dict[str, str | None]]:
    found = Elements(response.content.decode()).found
    return [attributes for name, attributes in found if tag in (None, name)]


def checked(response) -> dict[str, str]:
    return {
        each["name"]: each["value"]
        for each in elements(response, "input")
        if (each.get("type") == "radio" and "checked" in each)
        or (each.get("type") == "hidden" and (each["name"], each["value"]) == ("ai", "off"))
    }


@pytest.fixture
def no_reports(monkeypatch):
    """Fails the test if anything starts a report."""

    def refuse(scan):
        raise AssertionError("a report was started")

    monkeypatch.setattr(jobs, "start_report", refuse)


@pytest.fixture
def written_at_once(monkeypatch):
    """Reports are written in the request, not by a thread: the test's transaction is seen by nobody else."""
    monkeypatch.setattr(jobs, "start_report", jobs.write_report_now)


def every_page() -> list[str]:
    _scan, token = private_scan()
    return [page(name, lang) for lang in LANGUAGES for name in PUBLIC] + [
        page(name, lang, token=token) for lang in LANGUAGES for name in PRIVATE
    ]


# -- every page --------------------------------------------------------------------------------------
def test_every_page_answers_in_every_language_without_a_cookie(client):
    for path in every_page():
        response = client.get(path)
        assert response.status_code == 200, path
        assert not response.cookies, path
        assert f'<html lang="{path[1:3]}">' in response.content.decode(), path
        assert "Cookie" not in response.get("Vary", ""), path


def test_every_page_carries_the_strict_policy_and_nothing_inline(client):
    for path in [*every_page(), "/en/nothing-here"]:
        response = client.get(path)
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["X-Frame-Options"] == "DENY"
        for tag, attributes in Elements(response.content.decode()).found:
            assert tag != "style", path
            assert tag != "script" or attributes.get("src"), path
            assert not [name for name in attributes if name == "style" or name.startswith("on")], path
            for name in ("src", "action"):
                assert str(attributes.get(name, "/")).startswith("/"), (path, attributes)


def test_a_page_links_to_itself_in_the_other_languages(client):
    html = client.get(page("privacy", "ru")).content.decode()
    for lang in LANGUAGES:
        assert f'hreflang="{lang}" href="{settings.SITE_URL}/{lang}/privacy/"' in html
        assert f'<a href="/{lang}/privacy/" lang="{lang}"' in html
    assert f'rel="canonical" href="{settings.SITE_URL}/ru/privacy/"' in html
    assert 'hreflang="x-default"' in html


def test_every_internal_link_leads_somewhere(client):
    found: dict[str, str] = {}  # each target once, with the last page that links to it
    for path in every_page():
        for link in elements(client.get(path), "a"):
            found[str(link["href"]).split("#")[0]] = path
    for target, path in found.items():
        if target.startswith("/"):
            assert client.get(target).status_code == 200, (path, target)


def test_in_page_links_point_to_ids_that_exist(client):
    _scan, token = private_scan("worst")
    response = client.get(page("result", token=token))
    ids = [each["id"] for each in elements(response) if "id" in each]
    assert len(ids) == len(set(ids))
    targets = {str(link["href"])[1:] for link in elements(response, "a") if str(link["href"]).startswith("#")}
    assert targets <= set(ids)


def test_pages_answer_head_and_refuse_other_methods(client):
    assert client.head(page("landing")).status_code == 200
    assert client.post(page("landing")).status_code == 405
    assert client.put(page("scan")).status_code == 405


# -- the front door ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("accepts", "lang"), [("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("es-MX", "es"), ("de", "en"), ("", "en")]
)
def test_the_front_door_follows_the_browser_language(client, accepts, lang):
    response = client.get("/", headers={"accept-language": accepts})
    assert response.status_code == 302
    assert response["Location"] == f"/{lang}/"
    assert "Accept-Language" in response["Vary"]


def test_a_path_without_language_finds_its_page(client):
    assert client.get("/scan/", headers={"accept-language": "es"})["Location"] == "/es/scan/"


def test_browsers_find_the_icon_where_they_look(client):
    assert client.get("/favicon.ico")["Location"] == "/static/audit/favicon.svg"


def test_robots_may_see_noindex(client):
    text = client.get("/robots.txt").content.decode()
    assert "Disallow: /admin/" in text
    assert "/r/" not in text


# -- the form ----------------------------------------------------------------------------------------
def test_the_form_has_one_labelled_group_a_question_and_no_answer_chosen(client):
    response = client.get(page("scan"))
    assert checked(response) == {}
    assert len(elements(response, "fieldset")) == len(QUESTIONS)  # nobody is connected: no choice of a writer
    assert len(elements(response, "legend")) == len(QUESTIONS)
    for question in QUESTIONS:
        values = [e["value"] for e in elements(response, "input") if e.get("name") == question.id]
        assert values == list(question.shown)


def test_answers_come_mixed_and_what_does_not_apply_comes_last():
    for question in QUESTIONS:
        assert sorted(question.shown) == sorted(option.value for option in question.options), question.id
        risks = {option.value: option.risk for option in question.options if not option.na}
        order = [risks[value] for value in question.shown if value in risks]
        assert order != sorted(order), question.id
        assert order != sorted(order, reverse=True), question.id
        absent = [option.value for option in question.options if option.na]
        assert list(question.shown[len(order) :]) == absent, question.id


def test_another_language_keeps_the_answers_and_stores_nothing(client):
    picked = dict(list(CAPPED.items())[:6])
    response = client.post(page("scan", "ru"), {**picked, "switch": "ru"})
    assert response.status_code == 200
    assert checked(response) == picked
    assert 'lang="ru"' in response.content.decode()
    assert "Choose an answer" not in response.content.decode()
    assert not Scan.objects.exists()
    assert not response.cookies


def test_with_models_connected_nobody_is_chosen_to_write(client, monkeypatch):
    monkeypatch.setattr("audit.pages.scan.stats.reachable_providers", lambda: ["Groq"])
    response = client.get(page("scan"))
    assert checked(response) == {}
    assert len(elements(response, "fieldset")) == len(QUESTIONS) + 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_complete_form_leads_to_its_result(client, lang):
    response = client.post(page("scan", lang), {**CAPPED, "ai": "off"})
    assert response.status_code == 302
    assert re.fullmatch(rf"/{lang}/r/[\w.:=-]+/", response["Location"])
    assert not response.cookies
    scan = Scan.objects.get()
    assert (scan.lang, scan.ai, scan.answers, scan.score) == (lang, False, CAPPED, 49)


@pytest.mark.parametrize(("sent", "ai"), [({}, True), ({"ai": "on"}, True), ({"ai": "off"}, False)])
def test_a_language_model_writes_unless_the_visitor_says_no(client, sent, ai):
    client.post(page("scan"), {**SAFEST, **sent})
    assert Scan.objects.get().ai is ai


def test_the_form_works_under_csrf_checks_without_a_cookie():
    client = Client(enforce_csrf_checks=True)
    assert client.post(page("scan"), SAFEST).status_code == 302


def test_a_missing_answer_is_named_and_the_others_are_kept(client):
    sent = {**CAPPED, "ai": "off"}
    del sent["sim_protection"]
    response = client.post(page("scan"), sent)
    html = response.content.decode()
    assert response.status_code == 400
    assert checked(response) == sent
    assert "<title>Error: " in html
    assert 'href="#sim_protection-1"' in html
    assert 'aria-describedby="sim_protection-why sim_protection-error"' in html
    assert html.count('class="error"') == len(QUESTIONS)
    assert not Scan.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**CAPPED, "seed_storage": "tattoo"},
        {**CAPPED, "seed_storage": "<script>alert(1)</script>"},
        {**CAPPED, "seed_storage": "x" * 10_000},
    ],
)
def test_what_is_no_answer_is_refused_and_not_repeated(client, body):
    response = client.post(page("scan"), body)
    assert response.status_code == 400
    assert b"alert(1)" not in response.content
    assert b"xxxxxxxx" not in response.content


def test_bodies_that_are_no_form_are_refused(client):
    path = page("scan")
    assert client.post(path, {"answers": {}}, content_type="application/json").status_code == 400
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        assert client.post(path, b"a=" + b"b" * 1_000_000, content_type=content_type).status_code == 413
    broken = client.post(path, b"--x\r\nnonsense", content_type="multipart/form-data; boundary=x")
    assert broken.status_code == 400


def test_the_form_says_what_is_stored_and_who_may_see_it(client, monkeypatch):
    monkeypatch.setattr("audit.pages.scan.stats.reachable_providers", lambda: ["Groq", "DeepSeek"])
    for name in ("scan", "privacy", "landing"):
        html = client.get(page(name)).content.decode()
        assert "Groq" in html
        assert "DeepSeek" in html
        assert str(settings.RETENTION_DAYS) in html


@pytest.mark.parametrize("lang", LANGUAGES)
def test_over_the_limit_the_form_comes_back_with_its_answers(client, settings, lang):
    settings.SCAN_RATE = "1/h"
    sent = {**CAPPED, "ai": "off"}
    assert client.post(page("scan", lang), sent).status_code == 302
    response = client.post(page("scan", lang), sent)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 3600
    assert checked(response) == sent
    assert 'role="alert"' in response.content.decode()
    assert Scan.objects.count() == 1


def test_a_form_with_errors_does_not_count_against_the_limit(client, settings):
    settings.SCAN_RATE = "1/h"
    client.post(page("scan"), {})
    assert client.post(page("scan"), CAPPED).status_code == 302


# -- the result --------------------------------------------------------------------------------------
def test_the_result_shows_everything_before_any_report(client, no_reports):
    load_bank()
    _scan, token = private_scan()
    html = client.get(page("result", token=token)).content.decode()
    assert "86, capped at 49" in html
    assert "49 → up to 100" in html
    assert "14 × 10 ÷ 10" in html
    assert "24 of 38" in html
    assert "11 checks passed" in html
    assert 'aria-label="49 of 100, Fragile; 86 without the cap"' in html
    assert 'rel="nofollow noopener noreferrer"' in html  # the case's source
    assert Report.objects.get().status == Report.Status.PENDING


def test_private_pages_are_neither_cached_nor_indexed_nor_leaked(client):
    _scan, token = private_scan()
    for name in PRIVATE:
        response = client.get(page(name, token=token))
        assert response["Cache-Control"] == "private, no-store"
        assert response["X-Robots-Tag"] == "noindex, nofollow"
        assert response["Referrer-Policy"] == "no-referrer"
        html = response.content.decode()
        assert '<meta name="robots" content="noindex, nofollow">' in html
        assert "canonical" not in html


def test_no_changed_character_opens_a_result(client):
    _scan, token = private_scan()
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        changed = token[:place] + other + token[place + 1 :]
        assert client.get(page("result", token=changed)).status_code == 404, place


def test_a_wrong_token_is_404_everywhere(client):
    for name in PRIVATE:
        assert client.get(page(name, token="no.such")).status_code == 404
    for name in ("report", "delete"):
        assert client.post(page(name, token="no.such")).status_code == 404


def test_following_every_link_never_starts_a_report(client, no_reports):
    _scan, token = private_scan()
    seen, queue = set(), [page("result", token=token), page("report", token=token)]
    while queue:
        path = queue.pop()
        if path in seen:
            continue
        seen.add(path)
        response = client.get(path)
        queue += [
            str(link["href"]).split("#")[0]
            for link in elements(response, "a")
            if str(link["href"]).startswith("/")
        ]
    assert len(seen) > 10
    assert Report.objects.get().status == Report.Status.PENDING


def test_questions_and_queries_do_not_multiply(client):
    few, many = private_scan("middle")[1], private_scan("worst")[1]
    load_bank()
    counts = []
    for token in (few, many):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(page("result", token=token))
        counts.append(len(queries))
    assert counts[0] == counts[1] < 15


# -- the report --------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_report_without_ai_is_there_at_once(client, lang):
    response = client.post(page("scan", lang), {**CAPPED, "ai": "off"}, follow=True)
    html = response.content.decode()
    assert 'data-state="ready"' in html
    assert "UTC" in html


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_script_a_button_starts_the_report_and_leads_back(client, lang, written_at_once):
    _scan, token = private_scan(lang=lang)
    result = page("result", lang, token=token)
    assert f'action="{page("report", lang, token=token)}"' in client.get(result).content.decode()
    response = client.post(page("report", lang, token=token))
    assert response.status_code == 303
    assert response["Location"] == f"{result}#report"
    assert 'data-state="ready"' in client.get(result).content.decode()


def test_the_template_report_says_why_it_has_no_author(client):
    chosen, _ = private_scan(ai=False)
    failed, _ = private_scan(ai=True)
    for scan, reason in ((chosen, "as you chose"), (failed, "no language model was available")):
        jobs.write_report_now(scan)
        token = scans.scan_token(scan)
        assert reason in client.get(page("report", token=token)).content.decode()


def test_a_model_s_report_names_model_and_provider_and_stays_harmless(client):
    scan, token = private_scan()
    Report.objects.filter(scan=scan).update(
        status=Report.Status.READY,
        markdown="## Hi\n\n<script>alert(1)</script> [x](javascript:alert(1)) [y](https://evil.example/)",
        provider="groq1",
        model="openai/gpt-oss-120b",
        finished_at=timezone.now(),
    )
    html = client.get(page("result", token=token)).content.decode()
    assert re.search(r"Written by \S*.*gpt-oss-120b", html)
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    assert 'href="https://evil' not in html


def test_the_fragment_is_the_report_alone(client, written_at_once):
    scan, token = private_scan()
    path = page("report", token=token) + "?fragment=1"
    assert 'data-state="waiting"' in client.get(path).content.decode()
    response = client.post(path)
    assert response.status_code == 200
    assert 'data-state="ready"' in response.content.decode()
    assert "<html" not in response.content.decode()
    assert response["Cache-Control"] == "private, no-store"
    assert Report.objects.get(scan=scan).status == Report.Status.READY


def test_a_report_in_the_making_shows_its_draft_and_who_writes(client):
    scan, token = private_scan(ai=True)
    row = Report.objects.filter(scan=scan)
    row.update(
        status=Report.Status.WRITING,
        draft="## So far",
        progress=[
            {"provider": "groq1", "model": "m", "outcome": "rate_limited_key"},
            {"provider": "groq2", "model": "m", "outcome": "trying"},
        ],
    )
    path = page("report", token=token)
    assert 'data-state="waiting"' in client.get(path).content.decode()  # no heartbeat: its worker is gone
    row.update(heartbeat_at=timezone.now())
    html = client.get(path).content.decode()
    assert 'data-state="writing"' in html
    assert "So far" in html
    assert "groq1 has used up its quota → groq2" in html


# -- delete ------------------------------------------------------------------------------------------
def test_delete_asks_first_and_then_leaves_nothing(client):
    _scan, token = private_scan()
    assert "Delete for good" in client.get(page("delete", token=token)).content.decode()
    assert Scan.objects.count() == 1
    response = client.post(page("delete", token=token), follow=True)
    assert response.redirect_chain == [(page("deleted"), 303)]
    assert not Scan.objects.exists()
    assert not Report.objects.exists()
    assert client.get(page("result", token=token)).status_code == 404
