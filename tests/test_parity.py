"""What gates let pass of each model, with its uncertainty, and an order that a person applies."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from llm.chain import ChainExhausted, complete
from llm.configuration import snapshot
from llm.foresight import parity
from llm.foresight.parity import wilson
from llm.models import Attempt, Call, Model, Provider
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, SMALL, make_deepseek, make_groq

PAGE = "/admin/llm/parity/"


def traffic(
    model, *, passed=0, rejected=0, purpose="letters", lang="en", age_days=0, provider="groq", **fields
):
    at = timezone.now() - timedelta(days=age_days)
    for outcome, count in (("ok", passed), ("rejected_output", rejected)):
        call = Call.objects.create(
            started_at=at, deadline_s=1, purpose=purpose, lang=lang, outcome="ok", text="x" * 100
        )
        Attempt.objects.bulk_create(
            Attempt(
                call=call, provider=provider, credential="k", account="k", model=model, tier=1, free=True,
                started_at=at, finished_at=at, outcome=outcome, judged=True,
                **({"latency_ms": 1500, "cost_usd": Decimal("0.002"), "detail": "" if outcome == "ok" else "too short"}
                   | fields),
            )
            for _ in range(count)
        )  # fmt: skip


@pytest.mark.parametrize(
    ("passed", "judged", "low", "high"),
    [  # as in Wilson's formula, by an independent calculator
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (95, 100, 0.8882, 0.9785),
        (1, 1, 0.2065, 1.0),
    ],
)
def test_the_interval_is_wilsons(passed, judged, low, high):
    found = wilson(passed, judged)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_without_a_sample_anything_is_possible():
    assert (wilson(0, 0).low, wilson(0, 0).high, wilson(0, 0).share) == (0, 1, 0)


@pytest.mark.django_db
def test_the_board_is_measured_from_real_calls(sim):
    make_groq(sim, keys=1, models=(OSS, SMALL))
    make_deepseek(sim)
    sim.script("key-of-groq1", b.ok("bad"), b.ok("good text"), b.ok("good one"))
    sim.script("key-of-deepseek", b.ok("good"))
    for _ in range(3):
        complete(
            user="hi", purpose="letters", lang="es", accept=lambda t: None if "good" in t else "not good"
        )
    found = {(row.provider, row.model): row for row in parity.board()}
    groq, deepseek = found["groq", OSS], found["deepseek", "deepseek-flash"]
    assert (groq.pass_rate.passed, groq.pass_rate.judged, groq.complaint) == (2, 3, "not good")
    assert (groq.purpose, groq.lang, groq.chars, groq.cost_usd) == ("letters", "es", 8.5, 0)
    assert (deepseek.pass_rate.passed, deepseek.pass_rate.judged, deepseek.chars) == (1, 1, 4)
    assert deepseek.cost_usd > 0
    assert deepseek.latency_ms is not None


@pytest.mark.django_db
def test_purposes_languages_and_models_are_kept_apart_and_our_own_checks_left_out():
    traffic("a", passed=2)
    traffic("a", passed=1, rejected=1, lang="ru")
    traffic("a", passed=3, purpose="poems")
    traffic("b", rejected=4, detail="empty words")
    traffic("a", passed=9, purpose="provider-check")
    traffic("a", passed=9, purpose="rehearsal")
    traffic("a", passed=9, age_days=31)
    rows = [(r.purpose, r.lang, r.model, r.pass_rate.passed, r.pass_rate.judged) for r in parity.board()]
    assert rows == [
        ("letters", "en", "a", 2, 2), ("letters", "en", "b", 0, 4), ("letters", "ru", "a", 1, 2),
        ("poems", "en", "a", 3, 3),
    ]  # fmt: skip


@pytest.mark.django_db
def test_the_board_takes_two_queries_however_much_there_is(django_assert_num_queries):
    for model in "abcdef":
        traffic(model, passed=2, rejected=1)
    with django_assert_num_queries(2):
        assert len(parity.board()) == 6


@pytest.mark.django_db
def test_a_forgotten_text_counts_but_has_no_length():
    traffic("a", passed=2)
    Call.objects.update(text="")
    [row] = parity.board()
    assert (row.pass_rate.passed, row.chars) == (2, None)


@pytest.mark.django_db
def test_a_text_that_nobody_judged_has_not_passed(sim):
    make_groq(sim, keys=1)
    complete(user="hi", purpose="letters")
    assert parity.board() == []
    complete(user="hi", purpose="letters", accept=lambda text: None)
    [row] = parity.board()
    assert (row.pass_rate.passed, row.pass_rate.judged) == (1, 1)


# -- the order -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("intervals", "order"),
    [
        ({"a": (0.1, 0.3), "b": (0.4, 0.9)}, "ba"),
        ({"a": (0.1, 0.5), "b": (0.4, 0.9)}, "ab"),  # may be chance
        ({"a": (0.1, 0.3), "b": (0.0, 1.0), "c": (0.4, 0.9)}, "cab"),  # past one that is unknown
        ({"a": (0.0, 0.1), "b": (0.2, 0.3), "c": (0.4, 0.5)}, "cba"),
        ({"a": (0.8, 0.9), "b": (0.0, 0.1)}, "ab"),
    ],
)
def test_only_what_is_surely_better_goes_before(intervals, order):
    found = parity.better_order(list(intervals), lambda one, other: intervals[one][0] > intervals[other][1])
    assert "".join(found) == order


def test_a_circle_changes_nothing():
    beats = {("b", "a"), ("c", "b"), ("a", "c")}
    assert parity.better_order(list("abc"), lambda one, other: (one, other) in beats) == list("abc")


def test_a_model_that_had_the_easier_language_is_not_the_better_one(sim, db):
    make_groq(sim, keys=1, models=(OSS, SMALL))
    traffic(OSS, passed=40, rejected=60, lang="ru")
    traffic(SMALL, passed=95, rejected=5, lang="en")
    assert parity.proposals(parity.board()) == []
    traffic(OSS, passed=95, rejected=5, lang="en")  # where both were judged they are alike
    assert parity.proposals(parity.board()) == []


@pytest.fixture
def lopsided(sim, db):
    """The second of three models passes far more often than the first; another is switched off."""
    make_groq(sim, keys=1, models=(OSS, SMALL, "third", {"name": "off", "enabled": False}))
    traffic(OSS, passed=40, rejected=60)
    traffic(SMALL, passed=45, rejected=5)
    traffic(SMALL, passed=45, rejected=5, lang="ru")
    snapshot.forget()
    return Provider.objects.get()


def order():
    snapshot.forget()
    return [model.name for model in snapshot.providers()[0].models]


def test_staff_see_the_board_and_apply_what_it_proposes(lopsided, admin_client):
    page = admin_client.get(PAGE).content.decode()
    assert "40 of 100" in page
    assert "31 %–50 %" in page
    assert "too short" in page
    assert f"{SMALL}: 45 of 50 passed" in page  # the figures that the proposal rests on
    [proposal] = parity.proposals(parity.board())
    assert (proposal.now, proposal.then) == ((OSS, SMALL, "third"), (SMALL, OSS, "third"))
    assert order() == [OSS, SMALL, "third"]  # nothing by itself
    done = admin_client.post(f"{PAGE}{lopsided.pk}/apply/", {"order": proposal.token}, follow=True)
    assert "The new order is in force." in done.content.decode()
    assert order() == [SMALL, OSS, "third"]
    assert parity.proposals(parity.board()) == []
    assert Model.objects.filter(enabled=False).get().position == 3


@pytest.mark.parametrize("token", ["", "1,2,3", "'; drop table"])
def test_an_order_that_is_not_proposed_is_not_applied(lopsided, admin_client, token):
    done = admin_client.post(f"{PAGE}{lopsided.pk}/apply/", {"order": token}, follow=True)
    assert "no longer proposes" in done.content.decode()
    assert order() == [OSS, SMALL, "third"]


def test_applying_wants_a_post_and_the_right_to_change_models(
    lopsided, client, admin_client, django_user_model
):
    assert admin_client.get(f"{PAGE}{lopsided.pk}/apply/").status_code == 405
    client.force_login(django_user_model.objects.create_user("clerk", password="x", is_staff=True))
    assert client.get(PAGE).status_code == 403
    [proposal] = parity.proposals(parity.board())
    assert client.post(f"{PAGE}{lopsided.pk}/apply/", {"order": proposal.token}).status_code == 403
    assert order()[0] == OSS


@pytest.mark.django_db
def test_an_empty_board_says_so(admin_client):
    assert "No text was judged yet." in admin_client.get(PAGE).content.decode()


def test_a_complaint_is_shown_as_text(db, admin_client):
    traffic("a", rejected=1, detail="<script>alert(1)</script>")
    assert "<script>alert(1)" not in admin_client.get(PAGE).content.decode()


# -- the repair turn -------------------------------------------------------------------------------


def wants_dear(text):
    return None if "Dear" in text else "no greeting"


@pytest.mark.django_db
def test_one_more_turn_with_the_complaint_may_repair_a_text(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.ok("Hello"), b.ok("Dear reader"))
    reply = complete(user="a letter", accept=wants_dear, repair=True)
    assert (reply.text, reply.provider) == ("Dear reader", "groq1")
    assert [(a["credential"], a["outcome"]) for a in reply.attempts] == [
        ("groq1", "rejected_output"), ("groq1", "ok"),
    ]  # fmt: skip
    turns = sim.requests[-1].body["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert turns[1]["content"] == "Hello"
    assert "no greeting" in turns[2]["content"]
    first, second = Attempt.objects.order_by("id")
    assert second.reserved_tokens > first.reserved_tokens
    assert Call.objects.get().messages == [{"role": "user", "content": "a letter"}]
    assert reply.tokens_in == first.tokens_in + second.tokens_in


@pytest.mark.django_db
def test_a_text_is_repaired_once_in_a_call_and_then_the_chain_moves_on(sim):
    make_groq(sim, keys=2)
    make_deepseek(sim)
    sim.default(b.ok("Hello"))
    with pytest.raises(ChainExhausted) as failed:
        complete(user="a letter", accept=wants_dear, repair=True)
    assert [a["credential"] for a in failed.value.attempts] == ["groq1", "groq1", "deepseek"]


@pytest.mark.django_db
def test_without_being_asked_for_nothing_is_repaired(sim):
    make_groq(sim, keys=1)
    sim.default(b.ok("Hello"))
    with pytest.raises(ChainExhausted):
        complete(user="a letter", accept=wants_dear)
    assert sim.count() == 1


@pytest.mark.django_db
def test_what_is_not_a_rejected_text_is_not_repaired(sim):
    make_groq(sim, keys=1)
    sim.default(b.content_filter())
    with pytest.raises(ChainExhausted):
        complete(user="a letter", accept=wants_dear, repair=True)
    assert sim.count() == 1


@pytest.mark.django_db
def test_a_repair_costs_no_more_than_is_left(sim):
    make_deepseek(sim)
    sim.default(b.ok("Hello"))
    with pytest.raises(ChainExhausted) as failed:
        # Worth one attempt of at most 3000 tokens in, a byte each, and 1000 out, and not two.
        complete(user="a letter " * 300, max_tokens=1000, max_usd="0.0022", accept=wants_dear, repair=True)
    assert len(failed.value.attempts) == 1
    assert Call.objects.get().cost_usd < Decimal("0.0016")


@pytest.mark.django_db
def test_a_repair_waits_for_no_deadline(sim):
    make_groq(sim, keys=1)
    sim.default(b.ok("Hello"))
    with pytest.raises(ChainExhausted):
        complete(user="a letter", accept=wants_dear, repair=True, deadline_s=9)
    assert sim.count() == 1


@pytest.mark.django_db(transaction=True)
def test_rejections_are_counted_by_purpose_and_rule(sim):
    make_groq(sim, keys=1)
    for reason in ("figures: a sum or a share", "figures: a date", "names: a name that was not given"):
        with pytest.raises(ChainExhausted):
            complete(user="hi", purpose="audit-report", accept=lambda text, reason=reason: reason)
    assert [(one.purpose, one.rule, one.times) for one in parity.rules()] == [
        ("audit-report", "figures", 2),
        ("audit-report", "names", 1),
    ]
