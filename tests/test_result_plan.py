"""What follows a result: the calendar that says nothing, steps by day, tests that age, cases that are new."""

import json
import re
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from icalendar import Calendar

from audit import formats
from audit.bank import findings, sources
from audit.models import Incident, Scan
from audit.presentation import plan
from audit.scans import service as scans
from audit.scans import tested
from audit.scoring import comparison, formula
from tests.factories import answers, load_bank, make_scan

pytestmark = pytest.mark.django_db
LANGUAGES = ["en", "ru", "es"]
TELLTALE = re.compile(
    r"crypt|крипт|cripto|coin|монет|moned|wallet|кошел|seed|сид|semilla|bitcoin|биткоин|ledger|trezor|exchange|бирж|"
    r"guardlabs|https?:|score|балл|puntua",
    re.IGNORECASE,
)


def url(name: str, scan: Scan, lang: str = "en") -> str:
    with override(lang):
        return reverse(f"audit:{name}", kwargs={"token": scans.scan_token(scan)})


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_calendar_opens_in_a_strict_parser_and_says_nothing(client, lang):
    scan = make_scan("worst", lang=lang, ai=False)
    response = client.get(url("plan", scan, lang))
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Cache-Control"] == "private, no-store"
    assert not response.cookies
    body = response.content
    assert not TELLTALE.search(body.decode()), TELLTALE.search(body.decode())
    assert not TELLTALE.search(response["Content-Disposition"])
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    assert body.count(b"\n") == body.count(b"\r\n")
    events = Calendar.from_ical(body).walk("VEVENT")
    today = timezone.localdate()
    days = [event.decoded("DTSTART") - today for event in events]
    assert days[0] == timedelta(days=1)
    assert days[-2:] == [timedelta(days=90), timedelta(days=180)]
    assert len({str(event["UID"]) for event in events}) == len(events)
    assert all(event["SUMMARY"] and event["DTSTAMP"] for event in events)


def test_its_ids_stay_and_tell_nothing_of_the_link(client):
    scan = make_scan(ai=False)
    first, second = (Calendar.from_ical(client.get(url("plan", scan)).content) for _ in range(2))
    ids = [str(event["UID"]) for event in first.walk("VEVENT")]
    assert ids == [str(event["UID"]) for event in second.walk("VEVENT")]
    assert not any(scan.public_id in uid or scan.reference in uid for uid in ids)


def test_texts_with_commas_lines_and_long_words_come_back_as_they_were():
    text = "Один; два, три\\ четыре\n" + "ё" * 200
    made = plan.ics(
        [plan.CalendarEntry(on=date(2026, 12, 1), title="A, b; c", text=text)], seed="s", now=timezone.now()
    )
    event = Calendar.from_ical(made).walk("VEVENT")[0]
    assert (str(event["SUMMARY"]), str(event["DESCRIPTION"])) == ("A, b; c", text)


def test_a_step_a_day_for_thirty_days_at_most():
    load_bank()
    found = plan.plan(findings.details(make_scan("worst", ai=False)), order=["account_2fa"])
    assert len(found.days) == 30
    assert found.days[0].heading == "Turn on a second factor: email first, then the exchange"
    assert plan.plan(findings.details(make_scan("best", ai=False))).days == ()


def test_a_result_names_the_stages_of_the_way_up(client):
    html = client.get(url("result", make_scan("middle", ai=False))).content.decode()
    assert "points</b> to the next level" in html
    assert "Start with fix 1" in html
    assert 'href="#report"' in html


def test_tests_age_and_never_move_the_score(client):
    given = {
        **answers("best"),
        "ai": "off",
        "tested.seed_backup": "2024-01",
        "tested.sim_protection": "2024-01",
    }
    client.post(reverse("audit:scan"), given)
    scan = Scan.objects.get()
    assert scan.tested == {"seed_backup": "2024-01"}
    assert scan.score == 100
    html = client.get(url("result", scan)).content.decode()
    assert "Tested on January 2024" in html
    assert "more than a year ago" in html


@pytest.mark.parametrize("month", ["2999-01", "2024-13", "yesterday", "", "2024-1", "<b>"])
def test_months_that_cannot_be_true_are_dropped(month):
    assert tested.clean({"seed_backup": month}, answers=answers("best"), today=date(2026, 11, 28)) == {}


def test_only_an_answer_that_claims_a_test_has_a_month():
    given = {"seed_backup": "2026-05"}
    assert tested.clean(given, answers=answers("best"), today=date(2026, 11, 28)) == given
    assert tested.clean(given, answers=answers("worst"), today=date(2026, 11, 28)) == {}
    assert [each.old for each in tested.ages({"seed_backup": "2025-11"}, today=date(2026, 11, 28))] == [False]
    assert [each.old for each in tested.ages({"seed_backup": "2025-10"}, today=date(2026, 11, 28))] == [True]


def test_the_list_of_cases_is_the_same_for_everybody(client):
    load_bank()
    response = client.get("/en/incidents/cases.json")
    cases = json.loads(response.content)["cases"]
    assert len(cases) == Incident.objects.filter(active=True).count()
    assert set(cases[0]) == {"slug", "added", "weaknesses"}
    assert response["Cache-Control"].startswith("public")
    assert not response.cookies


def test_changed_answers_are_told_with_their_points():
    from audit.bank import catalogue

    bank = catalogue.scoring_bank()
    old, new = answers("best", seed_storage="cloud_notes"), answers("best", sim_protection="port_lock")
    found = comparison.changed_answers(
        then=formula.assess(bank, old), now=formula.assess(bank, new), answers_then=old, answers_now=new
    )
    assert [(each.question, each.before, each.after, str(each.delta)) for each in found] == [
        ("seed_storage", "cloud_notes", "metal", "14.0"),
        ("sim_protection", "no_dependency", "port_lock", "-1.8"),
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_days_end_no_sentence_of_their_own(client, lang):
    """`28 ноября 2026 г.` before a full stop made two of them."""
    load_bank()
    scan = make_scan(lang=lang, ai=False)
    html = client.get(url("result", scan, lang)).content.decode()
    assert formats.day(scan.created_at.date().isoformat(), lang) in html
    assert ".." not in re.sub(r"<[^>]+>|https?://\S+", "", html).replace("…", "")


def test_language_links_keep_the_query_and_search_engines_do_not_see_it(client):
    load_bank()
    html = client.get("/en/incidents/?kind=sim_swap&year=2024").content.decode()
    assert 'href="/ru/incidents/?kind=sim_swap&amp;year=2024"' in html
    assert 'rel="alternate" hreflang="ru" href="http://testserver/ru/incidents/"' in html


def test_a_report_put_together_can_be_had_in_another_language(client):
    scan = make_scan(ai=False)
    page = client.get(url("result", scan, "ru")).content.decode()
    assert "rewrite" in page
    client.post(url("new-version", scan, "ru"), {"rewrite": "1"})
    scan.refresh_from_db()
    assert scan.lang == "ru"
    assert "rewrite" not in client.get(url("result", scan, "ru")).content.decode()


def test_who_stands_behind_the_site_comes_from_the_settings(client, settings):
    load_bank()
    settings.SELLER_NAME, settings.SOURCE_URL = "Anna & Co", "https://code.example.org/guardlabs"
    html = client.get("/en/about/").content.decode()
    assert "Anna &amp; Co" in html
    assert "https://code.example.org/guardlabs" in html
    assert "mailto:" in html
    settings.SELLER_NAME = ""
    assert "has not given a name" in client.get("/en/about/").content.decode()


def test_first_hand_sources_come_first_and_unknown_ones_by_host():
    found = sources.cited(["https://www.example.org/a", "https://retool.com/blog/mfa-isnt-mfa"])
    assert [(each.publisher, each.primary) for each in found] == [("Retool", True), ("example.org", False)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_risky_answer_has_an_action_in_every_language(lang):
    from audit.bank import catalogue

    with override(lang):
        for question in catalogue.questionnaire():
            for option in question.options:
                if option.risk:
                    assert option.action, option.value
                    assert option.action != option.title, option.value
                    assert len(option.action) <= 80, option.action


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_earlier_bank_can_still_be_read(client, lang):
    load_bank()
    now = client.get(f"/{lang}/method/bank.json").json()
    then = client.get(f"/{lang}/method/bank.json?version=2026-11").json()
    assert (now["version"], then["version"]) == ("2026-12", "2026-11")
    assert [each["options"] for each in now["questions"]] == [each["options"] for each in then["questions"]]
    first = then["questions"][0]
    assert first["order"] == [each["value"] for each in first["options"]] != now["questions"][0]["order"]
    assert first["text"] == f"{now['questions'][0]['text']} {now['questions'][0]['hint']}"
    assert client.get("/en/method/bank.json?version=1999-01").status_code == 404


def test_a_result_of_the_earlier_bank_stays_as_it_was(client):
    load_bank()
    scan = make_scan("middle", ai=False)
    Scan.objects.filter(pk=scan.pk).update(bank_version="2026-11")
    html = client.get(url("result", scan)).content.decode()
    assert f">{scan.score}</text>" in html
    assert "questions of 2026-11" in html
