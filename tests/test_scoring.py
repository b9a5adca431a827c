"""The score: exact, reproducible by hand, and never softer for a worse answer."""

import ast
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.bank.catalogue import scoring_bank
from audit.scoring import formula
from audit.scoring import json as scoring_json
from audit.scoring.formula import Choice, Item
from tests.factories import answers

BANK = scoring_bank()
IDS = {item.id for item in BANK}

any_answers = st.fixed_dictionaries(
    {item.id: st.sampled_from([choice.value for choice in item.choices]) for item in BANK}
)


@st.composite
def any_bank(draw):
    """Banks of other shapes: uneven weights, highest risks that are not 10, questions that may not apply."""
    names = [*sorted(IDS), "other_one", "other_two"]
    items = []
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=14, unique=True)):
        risks = draw(st.lists(st.integers(0, 13), min_size=1, max_size=6, unique=True))
        choices = [
            Choice(f"r{risk}", risk, minutes=draw(st.integers(0, 300))) for risk in sorted({0, *risks})
        ]
        if draw(st.booleans()):
            choices.append(Choice("absent", 0, not_applicable=True))
        items.append(Item(name, draw(st.sampled_from("abc")), draw(st.integers(1, 40)), tuple(choices)))
    return tuple(items)


@st.composite
def bank_and_answers(draw):
    bank = draw(any_bank())
    return bank, {item.id: draw(st.sampled_from(item.choices)).value for item in bank}


def assess(kind: str = "best", **changed: str) -> formula.Assessment:
    return formula.assess(BANK, answers(kind, **changed))


# -- the numbers ------------------------------------------------------------------------------------
def test_all_best_answers_score_100_without_a_finding():
    result = assess("best")
    assert (result.score, result.raw_score, result.cap, result.band) == (100, 100, None, "solid")
    assert result.findings == ()
    assert len(result.passed) == 12


def test_all_worst_answers_score_0():
    result = assess("worst")
    assert (result.score, result.raw_score, result.band) == (0, 0, "exposed")
    assert len(result.findings) == 12
    assert result.lost == Decimal("100.0")


def test_a_seed_in_the_cloud_shows_86_capped_at_49():
    result = assess(seed_storage="cloud_notes")
    assert (result.raw_score, result.score, result.capped) == (86, 49, True)
    assert result.cap == formula.Cap(49, ("seed_storage",))
    (finding,) = result.findings
    assert (finding.term, finding.lost, finding.severity) == ("14 × 10 ÷ 10", Decimal("14.0"), "critical")


@pytest.mark.parametrize(
    ("question", "value", "limit"),
    [
        ("seed_storage", "photo_device", 49),
        ("seed_storage", "cloud_notes", 49),
        ("seed_backup", "no_backup", 49),
        ("hardware_wallet", "hw_seed_typed", 49),
        ("hardware_wallet", "bot_wallet", 49),
        ("phishing_support", "remote_or_code", 49),
        ("phishing_support", "would_give_seed", 49),
        ("tx_verification", "blind", 49),
        ("account_2fa", "none", 59),
        ("password_hygiene", "reused", 59),
    ],
)
def test_each_fatal_answer_caps_an_otherwise_perfect_score(question, value, limit):
    result = assess(**{question: value})
    assert result.cap == formula.Cap(limit, (question,))
    assert result.score == limit < result.raw_score


def test_no_other_single_answer_caps():
    fatal = {
        ("seed_storage", "photo_device"), ("seed_storage", "cloud_notes"), ("seed_backup", "no_backup"),
        ("hardware_wallet", "hw_seed_typed"), ("hardware_wallet", "bot_wallet"),
        ("phishing_support", "remote_or_code"), ("phishing_support", "would_give_seed"),
        ("tx_verification", "blind"), ("account_2fa", "none"), ("password_hygiene", "reused"),
    }  # fmt: skip
    capped = {
        (item.id, choice.value)
        for item in BANK
        for choice in item.choices
        if assess(**{item.id: choice.value}).cap
    }
    assert capped == fatal


def test_the_lowest_cap_wins_and_names_only_its_own_causes():
    result = assess(account_2fa="none", tx_verification="blind", seed_storage="cloud_notes")
    assert result.cap == formula.Cap(49, ("seed_storage", "tx_verification"))


def test_a_cap_above_the_raw_score_is_named_but_changes_nothing():
    result = assess("worst", seed_storage="metal")
    assert result.cap is not None
    assert not result.capped


def test_what_does_not_apply_is_not_assessed():
    result = assess(
        seed_storage="no_seed", seed_backup="no_seed", token_approvals="no_defi", account_2fa="sms"
    )
    assert result.assessed == 100 - 14 - 7 - 8
    assert result.not_assessed == ("seed_storage", "seed_backup", "token_approvals")
    assert result.raw_score == formula.round_half_up(100 * (1 - Fraction(72, 10) / 71)) == 90
    wallet = next(row for row in result.breakdown if row.category == "wallet")
    assert (wallet.lost, wallet.max) == (Decimal("0.0"), Decimal("17.0"))


def test_nothing_assessed_is_no_evidence_of_safety():
    bank = (Item("q", "c", 10, (Choice("a", 0), Choice("b", 10), Choice("n", 0, not_applicable=True))),)
    result = formula.assess(bank, {"q": "n"})
    assert (result.score, result.assessed, result.band) == (0, 0, "exposed")


def test_the_sum_recomputed_by_hand():
    """14x2 + 7x7 + 9x7 + 8x5 + 9x8 + 6x5 + 7x6 + 8x6 + 10x6 + 7x5 + 10x4 + 5x6, each ÷ 10."""
    result = assess(
        seed_storage="paper_safe", seed_backup="single_copy", hardware_wallet="hot_wallet",
        hot_cold_split="half_half", account_2fa="sms", sim_protection="unused_no_lock",
        password_hygiene="browser_saved", token_approvals="unlimited_known", tx_verification="first_last",
        device_hygiene="daily_mixed", phishing_support="usually_check", privacy_inheritance="private_no_plan",
    )  # fmt: skip
    assert result.lost == Decimal("53.7")
    assert (result.raw_score, result.score, result.band) == (46, 46, "fragile")
    assert [(row.category, str(row.lost), str(row.max)) for row in result.breakdown] == [
        ("wallet", "18.0", "38.0"),
        ("twofa", "14.4", "22.0"),
        ("defi", "10.8", "18.0"),
        ("operational", "10.5", "22.0"),
    ]


@pytest.mark.parametrize(
    ("score", "band"),
    [(0, "exposed"), (39, "exposed"), (40, "fragile"), (59, "fragile"), (60, "fair"), (79, "fair"), (80, "solid"),
     (100, "solid")],
)  # fmt: skip
def test_bands(score, band):
    assert formula.band(score) == band


@pytest.mark.parametrize(
    ("number", "rounded"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("2.4999", 2), ("86", 86)]
)
def test_halves_are_rounded_up(number, rounded):
    assert formula.round_half_up(Fraction(number)) == rounded


def test_a_half_point_is_rounded_up_in_the_score():
    bank = (Item("q", "c", 1000, (Choice("a", 0), Choice("b", 125), Choice("c", 1000))),)
    assert formula.assess(bank, {"q": "b"}).raw_score == 88  # 87.5


# -- findings -----------------------------------------------------------------------------------------
def test_findings_are_ordered_by_points_lost_and_equal_points_are_ties():
    result = assess("worst")
    lost = [finding.lost for finding in result.findings]
    assert lost == sorted(lost, reverse=True)
    for finding in result.findings:
        assert finding.tie == (lost.count(finding.lost) > 1)
    assert not result.findings[0].tie


def test_ties_are_in_a_fixed_order_category_then_shorter_fix_then_id():
    def item(name: str, category: str, minutes: int) -> Item:
        return Item(name, category, 5, (Choice("good", 0), Choice("bad", 10, minutes=minutes)))

    bank = (
        item("z_light", "light", 5), item("b_heavy", "heavy", 60), item("a_heavy", "heavy", 60),
        item("c_heavy", "heavy", 10),
    )  # fmt: skip
    result = formula.assess(bank, {each.id: "bad" for each in bank})
    assert [finding.question for finding in result.findings] == ["c_heavy", "a_heavy", "b_heavy", "z_light"]
    assert all(finding.tie for finding in result.findings)


def test_by_speed_puts_the_most_points_per_minute_first():
    result = assess("worst")
    rates = [finding.points_per_minute for finding in result.by_speed]
    assert rates == sorted(rates, reverse=True)
    best = result.by_speed[0]
    assert best.points_per_minute == (best.lost / best.minutes).quantize(Decimal("0.001"))


@pytest.mark.parametrize(
    ("changed", "severity"),
    [
        ({"seed_storage": "photo_device"}, "critical"),
        ({"account_2fa": "none"}, "critical"),
        ({"privacy_inheritance": "known_holder"}, "critical"),
        ({"account_2fa": "sms"}, "high"),
        ({"phishing_support": "click_links"}, "high"),
        ({"seed_storage": "password_manager"}, "medium"),
        ({"phishing_support": "usually_check"}, "medium"),
        ({"seed_storage": "paper_safe"}, "low"),
    ],
)
def test_severity_says_how_bad_the_answer_is_in_itself(changed, severity):
    (finding,) = assess(**changed).findings
    assert finding.severity == severity
    assert finding.critical == (severity == "critical")


def test_fixing_the_fatal_answer_lifts_the_cap():
    given = answers(seed_storage="cloud_notes", account_2fa="sms")
    assert formula.assess(BANK, given).score == 49
    assert formula.score_if_fixed(BANK, given, ["seed_storage"]) == 93
    assert formula.score_if_fixed(BANK, given, ["account_2fa"]) == 49
    assert formula.score_if_fixed(BANK, given, ["account_2fa", "seed_storage"]) == 100


def test_fixing_leaves_what_does_not_apply():
    given = answers(seed_storage="no_seed")
    assert formula.fix(BANK, given, ["seed_storage"])["seed_storage"] == "no_seed"


def test_missing_and_unknown_answers_are_errors():
    given = answers()
    with pytest.raises(ValueError, match="seed_storage is not answered"):
        formula.assess(BANK, {name: value for name, value in given.items() if name != "seed_storage"})
    with pytest.raises(ValueError, match="no answer 'titanium'"):
        formula.assess(BANK, {**given, "seed_storage": "titanium"})


# -- properties ---------------------------------------------------------------------------------------
@given(any_answers)
def test_scores_stay_in_their_bounds(given_answers):
    result = formula.assess(BANK, given_answers)
    assert 0 <= result.score <= result.raw_score <= 100
    assert result.score <= (result.cap.limit if result.cap else 100)
    assert result.assessed == 100 - sum(item.weight for item in BANK if item.id in result.not_assessed)


@given(bank_and_answers())
def test_bounds_hold_for_any_bank(case):
    bank, given_answers = case
    result = formula.assess(bank, given_answers)
    assert 0 <= result.score <= result.raw_score <= 100
    assert {*result.passed, *result.not_assessed, *(f.question for f in result.findings)} == {
        i.id for i in bank
    }


def _safer(case, pick):
    """The same answers with one assessed answer made safer."""
    bank, given_answers = case
    item = bank[pick % len(bank)]
    now = item.choice(given_answers[item.id])
    safer = [choice for choice in item.choices if choice.risk < now.risk and not choice.not_applicable]
    if now.not_applicable or not safer:
        return given_answers
    return {**given_answers, item.id: safer[pick % len(safer)].value}


@given(any_answers, st.integers(0, 1000))
@settings(max_examples=300)
def test_a_safer_answer_never_lowers_the_score(given_answers, pick):
    before = formula.assess(BANK, given_answers)
    after = formula.assess(BANK, _safer((BANK, given_answers), pick))
    assert after.score >= before.score
    assert after.raw_score >= before.raw_score


@given(bank_and_answers(), st.integers(0, 1000))
def test_a_safer_answer_never_lowers_the_score_in_any_bank(case, pick):
    bank, given_answers = case
    assert formula.assess(bank, _safer(case, pick)).score >= formula.assess(bank, given_answers).score


@given(any_answers, st.sets(st.sampled_from(sorted(IDS))))
def test_fixing_never_lowers_the_score(given_answers, fixed):
    assert formula.score_if_fixed(BANK, given_answers, fixed) >= formula.assess(BANK, given_answers).score


@given(bank_and_answers())
def test_all_best_is_100_and_all_worst_is_0_in_any_bank(case):
    bank = tuple(item for item in case[0] if item.highest_risk > 0)
    if bank:
        worst = {item.id: max(item.choices, key=lambda choice: choice.risk).value for item in bank}
        assert formula.assess(bank, {item.id: item.safest.value for item in bank}).score == 100
        assert formula.assess(bank, worst).score == 0


@given(any_answers)
def test_the_breakdown_and_the_findings_add_up_to_what_was_lost(given_answers):
    result = formula.assess(BANK, given_answers)
    exact = sum((Fraction(f.weight * f.risk, f.highest_risk) for f in result.findings), Fraction(0))
    assert formula.one_decimal(exact) == result.lost == sum(row.lost for row in result.breakdown)
    assert sum(row.max for row in result.breakdown) == result.assessed


@given(any_answers)
def test_every_language_gives_the_same_result(given_answers):
    results = []
    for lang in ("en", "ru", "es"):
        with translation.override(lang):
            results.append(formula.assess(BANK, given_answers))
    assert results[0] == results[1] == results[2]


@given(any_answers)
def test_the_order_of_the_bank_changes_no_number(given_answers):
    ahead, back = formula.assess(BANK, given_answers), formula.assess(BANK[::-1], given_answers)
    assert (ahead.score, ahead.raw_score, ahead.findings) == (back.score, back.raw_score, back.findings)


@given(any_answers)
def test_a_result_survives_storage_exactly(given_answers):
    result = formula.assess(BANK, given_answers)
    assert scoring_json.load(scoring_json.dump(result)) == result


def test_scoring_needs_no_django():
    for module in (formula, scoring_json):
        tree = ast.parse(Path(module.__file__).read_text())
        names = [
            name.name if isinstance(node, ast.Import) else node.module
            for node in ast.walk(tree)
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in node.names
        ]
        assert not [name for name in names if name.startswith("django")]
