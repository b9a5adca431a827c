"""Scans: what is accepted, what is stored, who reaches it and what deletion leaves behind."""

import re

import pytest
from django.test import override_settings
from django.utils import timezone, translation

from audit.bank import questions
from audit.models import Report, Scan
from audit.scans import service as scans
from audit.scans import tokens
from audit.scoring import formula
from audit.scoring import json as scoring_json
from llm.models import Call
from tests.factories import answers, load_bank, make_scan

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _bank():
    load_bank()
    with translation.override("en"):
        yield


def refused(**arguments):
    with pytest.raises(scans.InvalidScan) as caught:
        scans.create_scan(**{"answers": answers(), "lang": "en", "ai": False, **arguments})
    assert not Scan.objects.exists()
    return caught.value.errors


def test_a_scan_stores_answers_score_and_versions():
    scan = make_scan("worst", lang="ru")
    scan.refresh_from_db()
    assert scan.answers == answers("worst")
    assert (scan.score, scan.raw_score, scan.lang, scan.ai) == (0, 0, "ru", True)
    assert scan.scoring_version == formula.SCORING_VERSION
    assert scan.bank_version == questions.BANK_VERSION
    assert scoring_json.dump(scan.assessment) == scan.result
    assert scan.assessment.cap == formula.Cap(
        49, ("seed_storage", "seed_backup", "hardware_wallet", "tx_verification", "phishing_support")
    )


def test_a_scan_has_a_report_waiting_and_no_call_was_made():
    scan = make_scan()
    assert [report.status for report in scan.reports.all()] == [Report.Status.PENDING]
    assert not Call.objects.exists()


def test_a_scan_without_ai_has_its_report_at_once():
    (report,) = make_scan(ai=False).reports.all()
    assert (report.status, report.provider, report.model) == (Report.Status.READY, "fallback-template", "")
    assert report.markdown.startswith("## ")


def test_old_results_keep_their_numbers_when_the_bank_changes():
    scan = make_scan("middle")
    Scan.objects.filter(pk=scan.pk).update(answers={"gone": "long_ago"})
    scan.refresh_from_db()
    assert scan.assessment.score == scan.score


# -- refusals -----------------------------------------------------------------------------------------
def test_every_missing_answer_is_named():
    assert set(refused(answers={})) == set(answers())


def test_unknown_questions_and_values_are_named_together():
    errors = refused(answers={**answers(seed_storage="titanium"), "shoe_size": "42"})
    assert set(errors) == {"seed_storage", "shoe_size"}


@pytest.mark.parametrize("value", [None, "", 3, True, ["metal"], {"metal": 1}, "METAL", " metal", "metal\0"])
def test_only_exact_values_are_answers(value):
    assert set(refused(answers={**answers(), "seed_storage": value})) == {"seed_storage"}


@pytest.mark.parametrize("given", [None, "metal", 5, ["metal"], True])
def test_answers_must_be_an_object(given):
    assert set(refused(answers=given)) == {"answers"}


@pytest.mark.parametrize("lang", [None, "", "de", "EN", "ru-RU", 5, ["en"], "en\0"])
def test_only_the_sites_languages_are_known(lang):
    assert set(refused(lang=lang)) == {"lang"}


def test_many_unknown_names_make_a_short_error():
    errors = refused(answers={**answers(), **{f"x{number}" + "y" * 500: "z" for number in range(3000)}})
    assert len(errors) == scans.NAMED_UNKNOWN
    assert max(map(len, errors)) <= scans.NAME_CHARS


def test_reasons_are_in_the_active_language(monkeypatch):
    monkeypatch.setattr(scans, "_", lambda text: f"<{translation.get_language()}> {text}")
    with translation.override("es"):
        assert refused(answers={})["seed_storage"].startswith("<es>")


# -- tokens -------------------------------------------------------------------------------------------
def test_a_token_leads_to_its_scan():
    scan = make_scan()
    assert scans.get_scan(scans.scan_token(scan)) == scan


def test_tokens_are_short_and_url_safe():
    assert re.fullmatch(r"[\w-]{22}\.[\w-]{22}", scans.scan_token(make_scan()))


def test_any_changed_character_reaches_nothing():
    token = scans.scan_token(make_scan())
    for place, character in enumerate(token):
        for other in "aA0-_.~":
            if other != character:
                assert scans.get_scan(token[:place] + other + token[place + 1 :]) is None


@pytest.mark.parametrize("token", ["", ".", "x", "a.b.c", "é.ü", "\0", "a" * 10_000, "../../etc/passwd"])
def test_nonsense_is_no_token(token):
    assert scans.get_scan(token) is None


def test_truncated_and_extended_tokens_reach_nothing():
    token = scans.scan_token(make_scan())
    half = token.split(".")[0]
    for changed in (token[:-1], token + "A", token + "=", half, " " + token, token + "\n", token.upper()):
        assert scans.get_scan(changed) is None


def test_a_forged_token_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert scans.get_scan("A" * 22 + "." + "B" * 22) is None


def test_ids_are_random():
    assert len({tokens.new_id() for _ in range(1000)}) == 1000


def test_tokens_of_an_earlier_secret_key_still_work():
    scan = make_scan()
    token = scans.scan_token(scan)
    with override_settings(SECRET_KEY="another" * 10):
        assert scans.get_scan(token) is None
    from django.conf import settings

    with override_settings(SECRET_KEY="another" * 10, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert scans.get_scan(token) == scan
        assert scans.scan_token(scan) != token


# -- deletion -----------------------------------------------------------------------------------------
def test_deleting_leaves_nothing_but_the_ledgers_numbers():
    scan, other = make_scan(), make_scan()
    call = Call.objects.create(
        started_at=timezone.now(), deadline_s=45, messages=[{"role": "user", "content": "metal"}], text="Report",
        tokens_in=812,
    )  # fmt: skip
    scan.reports.update(call=call)
    token = scans.scan_token(scan)
    scans.delete_scan(scan)
    assert scans.get_scan(token) is None
    assert list(Scan.objects.all()) == [other]
    assert Report.objects.count() == 1
    call.refresh_from_db()
    assert (call.messages, call.text, call.tokens_in) == ([], "", 812)
