"""What the result page works out from an assessment: order of fixes, ranks, gauge, small words."""

from decimal import Decimal

import pytest
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import formats
from audit.bank import catalogue
from audit.bank import findings as details
from audit.bank.questions import QUESTIONS
from audit.formats import points
from audit.presentation import scan as presentation
from audit.presentation.gauge import gauge as draw_gauge
from audit.scans import service as scans
from audit.scoring import formula
from audit.scoring.fixes import Fix, fix_order
from audit.templatetags.audit_text import host

BANK = catalogue.scoring_bank()
SAFEST = {item.id: item.safest.value for item in BANK}
RISKIEST = {item.id: max(item.choices, key=lambda choice: choice.risk).value for item in BANK}
any_answers = st.fixed_dictionaries(
    {item.id: st.sampled_from([choice.value for choice in item.choices]) for item in BANK}
)


def fixes(answers: dict[str, str], count: int = 3) -> list[Fix]:
    return fix_order(bank=BANK, answers=answers, assessment=formula.assess(BANK, answers), count=count)


def test_without_a_cap_fixes_follow_the_points():
    answers = {**SAFEST, "sim_protection": "public_recovery", "device_hygiene": "shared_old"}
    assert [(fix.question, fix.after) for fix in fixes(answers)] == [
        ("device_hygiene", 94),
        ("sim_protection", 100),
    ]


def test_what_caps_the_score_is_fixed_first_even_if_it_costs_few_points():
    answers = {**SAFEST, "seed_backup": "no_backup", "hot_cold_split": "all_hot"}
    first = fixes(answers)[0]
    assert (first.question, first.before, first.after, first.gain) == ("seed_backup", 49, 92, 43)


def test_two_fatal_answers_are_taken_one_after_the_other():
    answers = {**SAFEST, "seed_storage": "cloud_notes", "phishing_support": "would_give_seed"}
    first, second = fixes(answers)
    assert (first.question, first.gain, first.capped) == ("seed_storage", 0, True)
    assert (second.question, second.after, second.capped) == ("phishing_support", 100, False)


@settings(deadline=None, max_examples=50)
@given(any_answers)
def test_fixes_never_lower_the_score_and_all_of_them_reach_the_top(answers):
    steps = fixes(answers, count=12)
    scores = [step.before for step in steps] + [step.after for step in steps[-1:]]
    assert scores == sorted(scores)
    if steps:
        assert scores[-1] == 100
    assert len({step.question for step in steps}) == len(formula.assess(BANK, answers).findings)


def test_an_answer_that_the_bank_no_longer_knows_ends_the_list():
    assessment = formula.assess(BANK, RISKIEST)
    old = {**RISKIEST, "seed_storage": "tattoo"}
    assert fix_order(bank=BANK, answers=old, assessment=assessment, count=3) == []


@pytest.mark.django_db
def test_equal_findings_share_a_rank():
    scan = scans.create_scan(answers=RISKIEST, lang="en", ai=True)
    shown = presentation.result(
        details=details.details(scan),
        answers=scan.answers,
        bank=BANK,
        questions=catalogue.questions_by_id(),
        categories=catalogue.category_labels(),
    )
    ranks = {entry.weakness.finding.question: entry.rank for entry in shown.entries}
    by_lost: dict[object, set[int]] = {}
    for entry in shown.entries:
        by_lost.setdefault(entry.weakness.finding.lost, set()).add(entry.rank)
    assert all(len(rank) == 1 for rank in by_lost.values())
    assert min(ranks.values()) == 1
    assert not any(entry.open for entry in shown.entries)
    assert len(shown.entries) == len(QUESTIONS)
    assert len(shown.critical) == presentation.NAMED_CRITICAL
    assert shown.more_critical == shown.critical_count - presentation.NAMED_CRITICAL


@pytest.mark.parametrize(("score", "raw", "marked"), [(0, 0, False), (49, 86, True), (100, 100, False)])
def test_the_gauge_marks_the_raw_score_only_where_it_is_higher(score, raw, marked):
    gauge = draw_gauge(score=score, raw_score=raw)
    assert (gauge.raw is not None) == marked
    assert ("without the cap" in gauge.label) == marked
    assert [zone.name for zone in gauge.zones] == ["exposed", "fragile", "fair", "solid"]
    assert [zone.name for zone in gauge.zones if zone.on] == [gauge.band]
    assert (gauge.knob.x, gauge.knob.y) == {
        0: ("24.0", "122.0"),
        49: ("117.0", "26.0"),
        100: ("216.0", "122.0"),
    }[score]


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, ""), (1, "1 min"), (45, "45 min"), (60, "1 h"), (120, "2 h"), (90, "1 h 30 min")],
)
def test_durations_in_words(minutes, text):
    with override("en"):
        assert formats.duration(minutes) == text


def test_points_and_hosts():
    with override("en"):
        assert [points(Decimal(n)) for n in ("1.0", "14.0", "8.4", "0.5")] == [
            "1 point",
            "14 points",
            "8.4 points",
            "0.5 points",
        ]
    assert host("https://www.fbi.gov/a?b") == "fbi.gov"
