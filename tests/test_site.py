"""What surrounds the pages: first aid on every one of them, robots, sitemap, security.txt, previews, languages."""

import re
from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, override

from audit.bank import emergency
from audit.models import Incident, Report
from audit.pages import sample
from audit.pages import site as views_site
from audit.report import jobs
from audit.scans import service as scans
from tests.factories import load_bank, make_scan

LANGUAGES = ["en", "ru", "es"]
LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
LINK = "{http://www.w3.org/1999/xhtml}link"


def path(name: str, lang: str = "en", **kwargs: str) -> str:
    with override(lang):
        return reverse(f"audit:{name}", kwargs=kwargs)


@pytest.fixture
def bank(db):
    load_bank()


# -- first aid ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
def test_first_aid_is_one_link_away_from_every_page(client, bank, lang):
    token = scans.scan_token(make_scan("middle", lang=lang, ai=False))
    pages = [path(name, lang) for name in (*views_site.PUBLIC_PAGES, "deleted")]
    pages += [path(name, lang, token=token) for name in ("result", "report", "delete")]
    for address in [*pages, path("incident", lang, slug="bybit-2025"), f"/{lang}/nothing-here"]:
        assert f'href="{path("hacked", lang)}"' in client.get(address).content.decode(), address


@pytest.mark.parametrize("lang", LANGUAGES)
def test_first_aid_shows_every_step_in_order(client, db, lang):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        html = client.get(path("hacked", lang)).content.decode()
    assert len(queries) == 0  # it opens when the database does not
    with override(lang):
        steps = [str(step) for each in emergency.SITUATIONS for step in each.steps]
    shown = [re.sub(r"&#x27;", "'", step) for step in re.findall(r"<li>(.*?)</li>", html)]
    assert [step for step in shown if step in steps] == steps
    for desk in emergency.DESKS:
        assert not desk.url or f'href="{desk.url}"' in html


@pytest.mark.parametrize(
    ("lang", "first"), [("en", "United States"), ("ru", "Russia"), ("es", "United States")]
)
def test_desks_of_the_readers_countries_come_first(lang, first):
    near, far = emergency.desks(lang)
    assert str(near[0].region) == first
    assert {desk.region for desk in near} | {desk.region for desk in far} == {
        d.region for d in emergency.DESKS
    }


def test_an_unknown_language_sees_all_desks():
    assert emergency.desks("xx") == (list(emergency.DESKS), [])


# -- for machines ------------------------------------------------------------------------------------
def test_robots_find_the_sitemap(client):
    text = client.get("/robots.txt").content.decode()
    assert f"Sitemap: {settings.SITE_URL}/sitemap.xml" in text


def test_the_sitemap_has_every_public_page_in_every_language_and_no_private_one(
    client, bank, django_assert_num_queries
):
    make_scan()
    Incident.objects.filter(slug="bybit-2025").update(active=False)
    with django_assert_num_queries(1):
        root = ElementTree.fromstring(client.get("/sitemap.xml").content)
    found = [loc.text.removeprefix(settings.SITE_URL) for loc in root.iter(LOC)]
    slugs = set(Incident.objects.filter(active=True).values_list("slug", flat=True))
    assert set(found) == {path(name, lang) for name in views_site.PUBLIC_PAGES for lang in LANGUAGES} | {
        path("incident", lang, slug=slug) for slug in slugs for lang in LANGUAGES
    }
    assert len(found) == len(set(found))
    for url in root:
        assert [link.get("hreflang") for link in url.iter(LINK)] == [*LANGUAGES, "x-default"]


def test_what_the_sitemap_lists_may_be_indexed_and_names_itself(client, bank):
    root = ElementTree.fromstring(client.get("/sitemap.xml").content)
    for address in [loc.text for loc in root.iter(LOC)][::7]:
        response = client.get(address.removeprefix(settings.SITE_URL))
        html = response.content.decode()
        assert response.status_code == 200
        assert "noindex" not in html
        assert f'<link rel="canonical" href="{address}">' in html
        for lang in LANGUAGES:
            assert html.count(f'rel="alternate" hreflang="{lang}"') == 1


def test_a_filter_of_the_library_is_no_page_of_its_own(client, bank):
    html = client.get(path("incidents"), {"year": "2025"}).content.decode()
    assert f'<link rel="canonical" href="{settings.SITE_URL}{path("incidents")}">' in html


def test_security_txt_names_a_contact_and_expires_within_a_year(client, settings):
    settings.DEFAULT_FROM_EMAIL = "GuardLabs <security@example.org>"
    settings.ADMINS = [("Private", "private@example.net")]
    text = client.get("/.well-known/security.txt").content.decode()
    fields = dict(line.split(": ", 1) for line in text.splitlines())
    assert fields["Contact"] == "mailto:security@example.org"
    assert "private" not in text
    expires = datetime.fromisoformat(fields["Expires"])
    assert timedelta(days=30) < expires - timezone.now() < timedelta(days=365)
    assert fields["Preferred-Languages"] == "en, ru, es"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_public_pages_have_a_preview_and_private_ones_have_none(client, bank, lang):
    html = client.get(path("landing", lang)).content.decode()
    with override(lang):
        title = gettext("Find the weak spot in your crypto security")
    assert f'<meta property="og:title" content="{title}">' in html
    assert f"<title>{title} · GuardLabs</title>" in html
    assert f'<meta property="og:locale" content="{lang}">' in html
    assert re.search(r'<meta name="description" content="[^"]{80,300}">', html)
    assert f"/static/audit/previews/{lang}.png" in html
    token = scans.scan_token(make_scan(lang=lang))
    assert "og:" not in client.get(path("result", lang, token=token)).content.decode()


def test_descriptions_are_escaped_once(client, bank):
    Incident.objects.filter(slug="bybit-2025").update(what_happened='Say "hi" & <script>')
    html = client.get(path("incident", slug="bybit-2025")).content.decode()
    assert 'name="description" content="Say &quot;hi&quot; &amp; &lt;script&gt;"' in html
    assert 'property="og:description" content="Say &quot;hi&quot; &amp; &lt;script&gt;"' in html


# -- the landing page --------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_sample_report_is_a_real_one(client, bank, lang):
    html = client.get(path("landing", lang)).content.decode()
    with override(lang):
        assert sample.report() in html
    assert not Report.objects.exists()
    assert f"{sample.assessment().score}</text>" in html


# -- a crawler ---------------------------------------------------------------------------------------
def test_a_crawler_that_follows_every_link_finds_no_dead_end_and_starts_no_report(client, bank, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a report was started")

    monkeypatch.setattr(jobs, "start_report", refuse)
    token = scans.scan_token(make_scan("worst"))
    waiting = [path("landing"), path("result", token=token)]
    seen: dict[str, int] = {}
    while waiting:
        address = waiting.pop()
        response = client.get(address)
        seen[address] = response.status_code
        links = re.findall(r'href="(/[^"#]*)', response.content.decode())
        here = [link.replace("&amp;", "&") for link in links if link.startswith("/en/")]
        waiting += [link for link in dict.fromkeys(here) if link not in seen and link not in waiting]
    assert len(seen) > 60
    assert {address: status for address, status in seen.items() if status != 200} == {}
