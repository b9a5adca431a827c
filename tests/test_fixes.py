"""Fixes tried out: the score they would give, from the address alone and stored nowhere."""

import re

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.bank import catalogue
from audit.models import Scan
from audit.report import jobs
from audit.scans import service as scans
from audit.scoring import formula, simulation
from tests.factories import answers, make_scan

BANK = catalogue.scoring_bank()
IDS = [item.id for item in BANK]
any_answers = st.fixed_dictionaries(
    {item.id: st.sampled_from([choice.value for choice in item.choices]) for item in BANK}
)


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode()))


@settings(deadline=None, max_examples=50)
@given(any_answers, st.sets(st.sampled_from(IDS)), st.sampled_from(IDS))
def test_one_more_tick_never_lowers_the_score(given_answers, done, more):
    less = simulation.simulate(bank=BANK, answers=given_answers, done=done)
    then = simulation.simulate(bank=BANK, answers=given_answers, done={*done, more})
    assert less is not None
    assert then is not None
    assert less.before.score <= less.after.score <= then.after.score
    assert set(then.done) == {*done, more} & {finding.question for finding in then.before.findings}


def test_all_ticks_lead_to_the_top_and_no_tick_changes_nothing():
    worst = answers("worst")
    assert simulation.simulate(bank=BANK, answers=worst, done=IDS).after.score == 100
    none = simulation.simulate(bank=BANK, answers=worst, done=["nonsense"])
    assert (none.done, none.gain) == ((), 0)


def test_answers_of_an_older_bank_cannot_be_tried():
    assert simulation.simulate(bank=BANK, answers={**answers(), "seed_storage": "tattoo"}, done=[]) is None
    assert simulation.simulate(bank=BANK, answers={}, done=[]) is None


@pytest.fixture
def capped(db) -> Scan:
    return make_scan("best", seed_storage="cloud_notes", phishing_support="would_give_seed")


def path(scan: Scan) -> str:
    return reverse("audit:fixes", kwargs={"token": scans.scan_token(scan)})


def test_the_page_shows_before_after_band_and_what_still_caps(client, capped, monkeypatch):
    monkeypatch.setattr(jobs, "start_report", lambda scan: pytest.fail("a report was started"))
    before = Scan.objects.values().get()
    one = text(client.get(path(capped), {"done": "seed_storage"}))
    assert "You would score 49: Fragile" in one
    assert "Before: 49, Fragile. Difference: 0." in one
    assert (
        "The answers add up to 90, but the score stays capped at 49 until this is fixed: Nothing stops" in one
    )
    both = text(client.get(path(capped) + "?done=seed_storage&done=phishing_support"))
    assert "You would score 100: Solid" in both
    assert "The cap at 49 is gone" in both
    assert Scan.objects.values().get() == before


def test_what_is_ticked_stays_ticked(client, capped):
    html = client.get(path(capped), {"done": ["seed_storage", "<script>alert(1)</script>"]}).content.decode()
    assert re.findall(r'value="(\w+)" checked', html) == ["seed_storage"]
    assert "alert(1)" not in html
    assert html.count('type="checkbox"') == 2


def test_without_findings_there_is_nothing_to_tick(client, db):
    assert "there is nothing to fix" in text(client.get(path(make_scan("best"))))


def test_a_scan_of_an_older_bank_is_sent_to_check_again(client, capped):
    Scan.objects.update(answers={**capped.answers, "seed_storage": "tattoo"})
    response = client.get(path(capped))
    assert response.status_code == 200
    assert reverse("audit:again", kwargs={"token": scans.scan_token(capped)}) in response.content.decode()


def test_the_page_agrees_with_the_result_page(client, capped):
    result = client.get(reverse("audit:result", kwargs={"token": scans.scan_token(capped)}))
    assert "up to 100" in text(result)
    expected = formula.score_if_fixed(BANK, capped.answers, ["seed_storage", "phishing_support"])
    assert expected == 100
