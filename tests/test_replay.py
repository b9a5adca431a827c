"""Cases played against answers: honest about what stops them, and about what no answer could have stopped."""

import re

import pytest
from django.urls import reverse

from audit.bank import catalogue
from audit.bank.attack_paths import PATH_OF_CASE, PATHS, GateData, PathData, StepData
from audit.bank.incidents import INCIDENTS, VECTORS
from audit.bank.questions import QUESTIONS
from audit.presentation import replay as shown
from audit.scans import replay
from audit.scans import service as scans
from tests.factories import answers, load_bank, make_scan

VALUES = {question.id: {option.value for option in question.options} for question in QUESTIONS}
CASES = {case.slug: case for case in INCIDENTS}
PLAYABLE = [case for case in INCIDENTS if replay.path_of(slug=case.slug, vector=case.vector)]


def play(slug: str, given: dict[str, str]) -> replay.Replay:
    case = CASES[slug]
    path = replay.path_of(slug=slug, vector=case.vector)
    assert path is not None
    return replay.play(path=path, weaknesses=case.weaknesses, answers=given)


# -- the data --------------------------------------------------------------------------------------
def test_every_kind_of_attack_but_statistics_has_a_path():
    assert set(VECTORS) - set(PATHS) == {"aggregate"}
    assert set(PATHS) <= set(VECTORS)
    assert set(PATH_OF_CASE) <= set(CASES)
    assert set(PATH_OF_CASE.values()) <= set(PATHS)


@pytest.mark.parametrize("vector", PATHS)
def test_gates_name_questions_and_answers_that_exist_each_answer_once(vector):
    for step in PATHS[vector].steps:
        for gate in step.gates:
            named = [*gate.stops, *gate.may, *gate.limits]
            assert named, "a gate that does nothing"
            assert set(named) <= VALUES[gate.question]
            assert len(named) == len(set(named))


def test_a_loss_without_a_thief_is_never_limited():
    limits = [gate for path in PATHS.values() if not path.theft for s in path.steps for gate in s.gates]
    assert not [gate for gate in limits if gate.limits]


@pytest.mark.parametrize("case", PLAYABLE, ids=lambda case: case.slug)
def test_the_answers_that_a_case_hits_do_not_stop_it(case):
    """All of a case's weaknesses at once, and the riskiest answers besides: it works, or nothing could help."""
    given = answers("worst")
    for weakness in case.weaknesses:
        question, _, value = weakness.partition(".")
        given[question] = value
    assert play(case.slug, given).verdict in {replay.WORKED, replay.BEYOND}


def test_the_safest_answers_leave_no_case_that_works():
    verdicts = {case.slug: play(case.slug, answers("best")).verdict for case in PLAYABLE}
    assert replay.WORKED not in verdicts.values()
    assert verdicts["usdt-address-poisoning-2025"] == replay.STOPPED
    assert verdicts["sillytuna-2026"] == replay.UNCERTAIN


# -- the rules -------------------------------------------------------------------------------------
def test_it_ends_at_the_first_step_that_holds_and_the_rest_is_not_reached():
    found = play("tmobile-33m-award-2025", answers("worst", account_2fa="passkey_key"))
    assert (found.verdict, found.at) == (replay.STOPPED, 2)
    assert [step.reached for step in found.steps] == [True, True, False]
    assert found.remedies == ()


def test_the_case_has_the_last_word_over_its_kind():
    """A carrier's PIN may stop a SIM swap; in this case it was set, and did not."""
    given = answers("worst", sim_protection="port_lock")
    assert play("friendtech-simswap-2023", given).verdict == replay.UNCERTAIN
    found = play("tmobile-33m-award-2025", given)
    assert found.verdict == replay.WORKED
    assert found.steps[0].answers[0].named


def test_an_exchange_is_out_of_your_hands_but_the_amount_is_not():
    assert play("wazirx-2024", answers("worst", hot_cold_split="all_exchange")).verdict == replay.BEYOND
    assert play("wazirx-2024", answers("worst", hot_cold_split="cold_90")).verdict == replay.LIMITED


def test_malware_needs_both_the_words_and_the_keys_out_of_reach():
    one = answers("worst", seed_storage="metal")
    assert play("blockblasters-2025", one).verdict == replay.WORKED
    both = {**one, "hardware_wallet": "hw_official"}
    assert play("blockblasters-2025", both).verdict == replay.STOPPED


def test_what_would_have_helped_is_named_without_what_failed_in_this_very_case():
    path = PathData(
        steps=(StepData(text="x", gates=(GateData(question="q", stops=("a", "b"), may=("c",)),)),)
    )
    found = replay.play(path=path, weaknesses=["q.b"], answers={"q": "z"})
    assert found.remedies == (("q", ("a",)),)


def test_an_answer_that_the_bank_no_longer_knows_stops_nothing():
    assert play("usdt-address-poisoning-2025", {}).verdict == replay.WORKED


# -- the page --------------------------------------------------------------------------------------
@pytest.fixture
def path(db) -> str:
    load_bank()
    scan = make_scan("worst", hot_cold_split="all_exchange")
    return reverse("audit:replay", kwargs={"token": scans.scan_token(scan)})


def test_the_page_plays_the_case_that_was_picked(client, path):
    html = client.get(path, {"case": "usdt-address-poisoning-2025"}).content.decode()
    assert "With your answers this theft would have worked." in html
    assert '<option value="usdt-address-poisoning-2025" selected>' in html
    assert "That the saved contact, the decoded details" in html  # what would have helped
    html = client.get(path, {"case": "wazirx-2024"}).content.decode()
    assert "Your answers would not have changed this theft." in html
    assert "how much you keep at one company" in html


def test_without_a_case_one_that_works_is_played(client, path):
    assert "With your answers this theft would have worked." in client.get(path).content.decode()


@pytest.mark.parametrize("slug", ["no-such-case", "ic3-2024", "<script>alert(1)</script>"])
def test_a_case_that_cannot_be_played_is_404(client, path, slug):
    response = client.get(path, {"case": slug})
    assert response.status_code == 404
    assert b"alert(1)" not in response.content


def test_a_case_that_staff_withdrew_is_not_played(client, path):
    catalogue.Incident.objects.filter(slug="wazirx-2024").update(active=False)
    assert client.get(path, {"case": "wazirx-2024"}).status_code == 404


def test_the_page_costs_few_queries(client, path, django_assert_max_num_queries):
    with django_assert_max_num_queries(5):
        client.get(path)


def test_every_finding_links_to_a_case_that_can_be_played(client, db):
    """Statistics may be the strongest case of a finding, but there is nothing to replay in them."""
    load_bank()
    links = set()
    for question in (each for each in QUESTIONS if each.id in {"phishing_support", "hot_cold_split"}):
        for option in question.options:
            scan = make_scan("best", **{question.id: option.value})
            page = client.get(reverse("audit:result", kwargs={"token": scans.scan_token(scan)}))
            links |= set(re.findall(r"/replay/\?case=([\w-]+)", page.content.decode()))
    assert len(links) >= 5
    assert not [slug for slug in links if not replay.path_of(slug=slug, vector=CASES[slug].vector)]


@pytest.mark.django_db
def test_what_would_have_helped_is_always_safer_than_the_answer_given():
    """A photo of the words in a phone stops no theft of a vault that anybody should want stopped that way."""
    load_bank()
    questions = {question.text: question for question in catalogue.questions_by_id().values()}
    for kind in ("worst", "middle", "best"):
        scan = make_scan(kind, ai=False)
        for case in PLAYABLE:
            stage = shown.stage(scan=scan, slug=case.slug)
            assert stage is not None
            for remedy in stage.remedies:
                question = questions[remedy.question]
                given = question.option(scan.answers[question.id]).risk
                risks = {option.label: option.risk for option in question.options}
                assert all(risks[label] < given for label in remedy.answers), (case.slug, remedy)
