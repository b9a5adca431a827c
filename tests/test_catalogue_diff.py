"""What the check finds to be otherwise than configured: a diff to review, applied by staff and never by itself."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from llm.configuration import snapshot
from llm.foresight import catalogue
from llm.models import CatalogueChange, Credential, Model, Notice, Provider
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, SMALL, make_groq, make_provider

pytestmark = pytest.mark.django_db


def providers(*arguments):
    """The exit status and the lines."""
    out = StringIO()
    snapshot.forget()
    try:
        call_command("providers", *arguments, stdout=out, stderr=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def the_change():
    (change,) = catalogue.open_changes()
    return change


def test_a_limit_that_was_halved_is_in_the_diff_after_one_check(sim):
    make_groq(sim, keys=1, models=[{"name": OSS, "rpd": 1000, "tpm": 8000}], timeout_s=20)
    sim.limit("key-of-groq1", OSS, rpd=1000, tpm=4000)
    status, text = providers("check")
    assert status == 1
    assert "changed: groq openai/gpt-oss-120b tpm (8000 → 4000)" in text
    assert Model.objects.get().tpm == 8000  # not by itself
    providers("apply", str(the_change().pk))
    model = Model.objects.get()
    assert (model.tpm, model.rpd, model.method) == (4000, 1000, "header")
    assert model.seen is not None
    assert catalogue.open_changes() == []


def test_a_model_that_is_gone_is_in_the_diff_and_is_switched_off_when_applied(sim):
    make_groq(sim, keys=1, models=(OSS, SMALL), timeout_s=20)
    sim.offer("groq", OSS)
    providers("check")
    assert (the_change().kind, the_change().subject) == ("gone", SMALL)
    providers("check")  # once more: still one
    assert Model.objects.get(name=SMALL).enabled
    providers("apply", "all")
    assert [model.enabled for model in Model.objects.order_by("name")] == [True, False]


def test_a_model_that_is_back_is_no_change(sim):
    make_groq(sim, keys=1, models=(OSS, SMALL), timeout_s=20)
    sim.offer("groq", OSS)
    providers("check")
    sim.offer("groq", OSS, SMALL)
    providers("check")
    assert not [change for change in catalogue.open_changes() if change.kind == "gone"]


def test_a_wall_in_front_of_what_was_free_is_in_the_diff_with_a_notice(sim):
    make_provider(sim, "newcomer", models=["m"], keys={"newcomer": ""}, free=True, timeout_s=20)
    sim.script("key-of-newcomer", b.http(402, {"error": {"message": "Payment method required", "code": 402}}))
    providers("check")
    change = the_change()
    assert (change.kind, change.was, change.becomes) == ("paid", "free", "paid")
    assert Notice.objects.filter(kind="check_paid").exists()
    assert Provider.objects.get().free
    providers("apply", "all")
    assert not Provider.objects.get().free


def test_a_free_model_that_we_do_not_know_is_in_the_diff(sim):
    make_provider(sim, "router", models=["a:free"], keys={"router": ""}, free=True, timeout_s=20)
    sim.offer("router", "a:free", "b:free", "c")
    providers("check")
    assert (the_change().kind, the_change().subject) == ("new", "b:free")
    providers("apply", "all")
    assert Model.objects.get(name="b:free").enabled


def test_what_staff_have_dismissed_is_not_proposed_again(sim):
    make_provider(sim, "router", models=["a:free"], keys={"router": ""}, free=True, timeout_s=20)
    sim.offer("router", "a:free", "b:free")
    providers("check")
    catalogue.dismiss(the_change(), by="anna")
    providers("check")
    assert catalogue.open_changes() == []


def test_a_change_is_applied_once_and_an_unknown_number_is_an_error(sim):
    make_groq(sim, keys=1, models=(OSS, SMALL), timeout_s=20)
    sim.offer("groq", OSS)
    providers("check")
    change = the_change()
    catalogue.apply(change, by="anna")
    with pytest.raises(LookupError, match="applied already"):
        catalogue.apply(change, by="anna")
    with pytest.raises(CommandError, match="nothing to review has the number 999"):
        providers("apply", "999")


def test_it_is_applied_by_a_click(sim, admin_client):
    make_groq(sim, keys=1, models=(OSS, SMALL), timeout_s=20)
    sim.offer("groq", OSS)
    providers("check")
    data = {"action": "apply_now", "_selected_action": [the_change().pk]}
    admin_client.post(reverse("admin:llm_cataloguechange_changelist"), data)
    assert CatalogueChange.objects.get().state == "applied"
    assert not Model.objects.get(name=SMALL).enabled


def test_keys_of_a_file_are_stored_and_tried(sim, tmp_path):
    make_groq(sim, keys=1, models=[OSS], timeout_s=20)
    Credential.objects.all().delete()
    env = tmp_path / ".env"
    env.write_text("GROQ_API_KEY=gsk_abcdefghijklmnop1234\nDEBUG=1\n")
    status, text = providers("import", str(env))
    assert "gsk_" not in text
    assert status == 0, text
    assert Credential.objects.get().key() == "gsk_abcdefghijklmnop1234"
    assert "answered in" in text


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(CommandError, match="cannot read"):
        providers("import", str(tmp_path / "none"))
