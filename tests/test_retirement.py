"""A model that ends: staff are warned, its replacement is rehearsed and takes its place in time."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command

from llm import maintenance
from llm.chain import complete
from llm.configuration import file as config
from llm.configuration import presets, snapshot
from llm.foresight import retirement
from llm.gates import purposes
from llm.models import Call, Model, Notice, Provider, Rehearsal
from llm.operations import alerts
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, SMALL, make_deepseek, make_groq

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LAST_DAY = date(2026, 11, 26)
PAGE = "/admin/llm/retirement/"


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def ending(sim, clock):
    make_groq(sim, keys=1, models=(OSS,))
    Model.objects.update(shutdown_on=LAST_DAY, replacement=SMALL)
    snapshot.forget()
    return Model.objects.get()


@pytest.fixture
def gate(monkeypatch):
    """A purpose "letters" whose gate wants a greeting."""
    monkeypatch.setattr(purposes, "_gates", {})
    purposes.register(
        "letters", gate=lambda lang, messages: lambda text: None if "Dear" in text else "no greeting"
    )


def run(*arguments):
    out = StringIO()
    call_command("retirements", *arguments, stdout=out)
    return out.getvalue()


def test_three_days_before_its_end_a_model_warns_rehearses_and_is_replaced(
    sim, clock, ending, gate, settings, admin_client
):
    settings.ADMINS = [("staff", "staff@example.org")]
    sim.default(b.ok("Dear reader"))
    complete(user="write a letter", purpose="letters", lang="en")
    # warns
    [notice] = retirement.warn()
    assert (notice.kind, notice.subject) == ("retirement_7", f"groq: {OSS} ends on 2026-11-26")
    assert "not rehearsed yet" in notice.detail
    alerts.mail_digest()
    assert OSS in mail.outbox[0].subject
    # rehearses
    assert "3 days left" in admin_client.get(PAGE).content.decode()
    admin_client.post(f"{PAGE}{ending.pk}/rehearse/")
    result = Rehearsal.objects.get()
    assert (result.purpose, result.samples, result.passed, result.gated) == ("letters", 1, 1, True)
    assert sim.requests[-1].body["model"] == SMALL
    assert "1 of 1 passed" in admin_client.get(PAGE).content.decode()
    # is replaced
    admin_client.post(f"{PAGE}{ending.pk}/switch/")
    reply = complete(user="write a letter", purpose="letters")
    assert reply.model == SMALL
    assert "No model in use has a last day" in admin_client.get(PAGE).content.decode()


def test_on_the_day_itself_the_chain_moves_on_without_anybody(sim, clock, ending):
    make_deepseek(sim)
    clock.move_to(datetime.combine(LAST_DAY, datetime.min.time(), UTC))
    sim.script("key-of-groq1", b.payload("groq-400-decommissioned-1"), model=OSS)
    reply = complete(user="hi")
    assert reply.provider == "deepseek"
    assert [attempt["outcome"] for attempt in reply.attempts] == ["ok"]  # and no call is spent to learn it
    assert {skip["why"] for skip in reply.skipped} == {f"ended on {LAST_DAY}"}
    assert complete(user="hi").attempts[0]["provider"] == "deepseek"


def test_each_warning_comes_once_however_often_one_looks(clock, ending):
    kinds = []
    for day in range(-40, 5):
        clock.move_to(datetime.combine(LAST_DAY + timedelta(days=day), datetime.min.time(), UTC))
        kinds += [(day, notice.kind) for notice in retirement.warn() + retirement.warn()]
    assert kinds == [(-30, "retirement_30"), (-7, "retirement_7"), (-1, "retirement_1")]


def test_a_warning_that_was_missed_comes_late_and_earlier_ones_not_at_all(clock, ending):
    clock.move_to(datetime(2026, 11, 25, tzinfo=UTC))
    assert [notice.kind for notice in retirement.warn()] == ["retirement_1"]


def test_a_day_that_moved_is_news(clock, ending):
    assert len(retirement.warn()) == 1
    Model.objects.update(shutdown_on=LAST_DAY + timedelta(days=1))
    assert len(retirement.warn()) == 1


@pytest.mark.parametrize("off", ["model", "provider"])
def test_what_is_switched_off_warns_nobody(clock, ending, off):
    (Model if off == "model" else Provider).objects.update(enabled=False)
    assert retirement.warn() == []


def test_housekeeping_warns_once_a_day(clock, ending, monkeypatch):
    monkeypatch.setattr(maintenance, "_warned_on", None)
    maintenance.warn_of_retirements()
    assert Notice.objects.count() == 1
    Notice.objects.all().delete()
    maintenance.warn_of_retirements()
    assert not Notice.objects.exists()
    clock.shift(timedelta(days=1))
    maintenance.warn_of_retirements()
    assert Notice.objects.count() == 1


def test_a_rehearsal_asks_what_the_model_was_asked_lately_and_keeps_none_of_it(sim, ending, gate):
    for number in range(5):
        complete(user=f"letter {number}", purpose="letters", lang="es")
    complete(user="old", purpose="letters")
    Call.objects.filter(messages__0__content="old").update(started_at=NOW - timedelta(days=31))
    sim.script("key-of-groq1", b.ok("Dear you"), b.ok("Hello"), b.ok("Dear me"))
    [result] = retirement.rehearse(ending)
    assert (result.samples, result.passed, result.detail) == (3, 2, "no greeting (1)")
    asked = [request.body["messages"][-1]["content"] for request in sim.requests[-3:]]
    assert asked == ["letter 4", "letter 3", "letter 2"]
    rehearsed = Call.objects.filter(purpose="rehearsal")
    assert rehearsed.count() == 3
    assert not rehearsed.exclude(messages=[], text="").exists()
    assert retirement.rehearse(ending)[0].samples == 3  # and does not rehearse rehearsals


def test_without_a_recorded_prompt_built_in_ones_must_do(sim, ending):
    [result] = retirement.rehearse(ending)
    assert (result.purpose, result.samples, result.passed, result.gated) == ("", 3, 3, False)
    assert run().splitlines() == [
        f"2026-11-26 (in 3 days)  groq: {OSS}, then {SMALL}",
        "    built-in prompts: 3 of 3 passed (no gate: any answer passes)",
    ]


def test_a_replacement_that_does_not_answer_fails_its_rehearsal(sim, ending):
    sim.script("key-of-groq1", b.payload("groq-404-model-not-found-1"), model=SMALL)
    [result] = retirement.rehearse(ending)
    assert result.passed == 0
    assert "model_gone" in result.detail
    assert "passed 0 of 3" in retirement._advice(ending)


def test_a_model_without_a_replacement_cannot_rehearse_or_switch(ending):
    Model.objects.update(replacement="")
    ending.refresh_from_db()
    assert "no replacement yet" in retirement.warn()[0].detail
    for action in ("rehearse", "switch"):
        with pytest.raises(CommandError, match="replacement"):
            run(action, "groq", OSS)


def test_a_provider_without_a_key_cannot_rehearse(ending):
    ending.provider.credentials.all().delete()
    with pytest.raises(LookupError):
        retirement.rehearse(ending)


def test_the_switch_keeps_the_place_and_takes_over_what_is_not_configured(sim, clock):
    make_groq(sim, keys=1, models=("first", {"name": OSS, "tpm": 8000, "reasoning_reserve": 500}, "last"))
    old = Model.objects.get(name=OSS)
    Model.objects.filter(pk=old.pk).update(replacement="new")
    assert run("switch", "groq", OSS) == f"new takes the place of {OSS}\n"
    names = [model.name for model in snapshot.providers()[0].models]
    assert names == ["first", "new", "last"]
    new = Model.objects.get(name="new")
    assert (new.tpm, new.reasoning_reserve, new.price_in) == (8000, 500, None)
    with pytest.raises(LookupError):
        retirement.switch(old.pk)  # a second click


def test_a_replacement_that_is_configured_keeps_its_own_fields_and_moves_up(sim):
    make_groq(sim, keys=1, models=(OSS, "other", {"name": SMALL, "tpm": 6000, "enabled": False}))
    Model.objects.filter(name=OSS).update(replacement=SMALL)
    new = retirement.switch(Model.objects.get(name=OSS).pk)
    assert (new.tpm, new.enabled) == (6000, True)
    assert [model.name for model in snapshot.providers()[0].models] == [SMALL, "other"]


def test_switching_wants_a_post_and_the_right_to_change_models(
    client, admin_client, ending, django_user_model
):
    for action in ("rehearse", "switch"):
        assert admin_client.get(f"{PAGE}{ending.pk}/{action}/").status_code == 405
    clerk = django_user_model.objects.create_user("clerk", password="x", is_staff=True)
    client.force_login(clerk)
    assert client.get(PAGE).status_code == 403
    assert client.post(f"{PAGE}{ending.pk}/switch/").status_code == 403
    assert Model.objects.get(pk=ending.pk).enabled


def test_an_unknown_model_is_an_error():
    with pytest.raises(CommandError, match="has no model"):
        run("rehearse", "groq", "nothing")


def test_the_providers_file_names_the_last_day_and_the_replacement(ending):
    text = config.export()
    assert f'shutdown_on = 2026-11-26\nreplacement = "{SMALL}"' in text
    Model.objects.update(shutdown_on=None, replacement="")
    config.load(text)
    assert (Model.objects.get().shutdown_on, Model.objects.get().replacement) == (LAST_DAY, SMALL)


def test_replacements_that_ship_are_models_that_ship():
    presets.install()
    ends = Model.objects.exclude(shutdown_on=None)
    assert ends.exists()
    for model in ends:
        assert model.provider.models.filter(name=model.replacement).exists()


def test_the_audit_has_told_its_gate():
    gate = purposes.gate_for("audit-report", "en", [])
    assert gate
    assert gate("too short")


def test_a_sample_that_could_not_be_asked_is_none_that_did_not_pass(sim, ending, gate):
    for number in range(3):
        complete(user=f"letter {number}", purpose="letters", lang="en")
    sim.script("key-of-groq1", b.ok("Dear you"), b.http(429), model=SMALL)
    (result,) = retirement.rehearse(ending)
    assert (result.passed, result.samples) == (1, 1)
    assert "not asked" in result.detail
