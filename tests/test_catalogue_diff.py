"""What the check finds to be otherwise than configured: a diff to review, applied by staff and never by itself."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from llm.chain import complete
from llm.configuration import snapshot
from llm.foresight import catalogue, newer_presets
from llm.models import Credential, Limit, Model, Notice, Provider
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


def answer(**headers):
    """A usual answer with headers of the provider's own."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}
    usage = {"prompt_tokens": 8, "completion_tokens": 1, "total_tokens": 9}
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }
    return b.http(200, body, {"content-type": "application/json", **headers})


def listing(*models):
    """A list of models in the provider's own words."""
    return b.http(200, {"object": "list", "data": [{"object": "model", **model} for model in models]})


def found_by_a_check():
    """Open changes, but those that compare the test's own providers with what this release ships."""
    return [change for change in catalogue.open_changes() if not change.subject.endswith(newer_presets.OURS)]


def the_change():
    (change,) = found_by_a_check()
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
    assert found_by_a_check() == []


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
    assert not [change for change in found_by_a_check() if change.kind == "gone"]


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
    assert found_by_a_check() == []


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
    change = the_change()
    data = {"action": "apply_now", "_selected_action": [change.pk]}
    admin_client.post(reverse("admin:llm_cataloguechange_changelist"), data)
    change.refresh_from_db()
    assert change.state == "applied"
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


def test_a_limit_that_was_raised_is_in_the_diff_and_holds_once_it_is_applied(sim):
    make_groq(sim, keys=1, models=[{"name": OSS, "rpd": 1000, "tpm": 8000}], timeout_s=20)
    sim.limit("key-of-groq1", OSS, rpd=1000, tpm=12_000)
    status, _ = providers("check")
    assert status == 0  # nothing is lost meanwhile
    assert (the_change().was, the_change().becomes) == ("8000", "12000")
    providers("apply", "all")
    assert Model.objects.get().tpm == 12_000


def test_a_number_that_stands_for_no_limit_is_no_change(sim):
    make_groq(sim, keys=1, models=[{"name": OSS, "rpd": 1000, "tpm": 8000}], timeout_s=20)
    providers("check")  # ten million requests a day
    assert found_by_a_check() == []


def test_a_limit_that_calls_have_learned_already_is_in_the_diff_all_the_same(sim):
    make_groq(sim, keys=1, models=[{"name": OSS, "rpd": 1000, "tpm": 8000}], timeout_s=20)
    sim.limit("key-of-groq1", OSS, rpd=1000, tpm=4000)
    complete(user="hello", max_tokens=20)
    assert found_by_a_check() == []
    providers("check")
    assert (the_change().was, the_change().becomes) == ("8000", "4000")


def test_a_limit_that_is_as_configured_again_leaves_the_diff(sim):
    make_groq(sim, keys=1, models=[{"name": OSS, "rpd": 1000, "tpm": 8000}], timeout_s=20)
    sim.limit("key-of-groq1", OSS, rpd=1000, tpm=4000)
    providers("check")
    sim.limit("key-of-groq1", OSS, rpd=1000, tpm=8000)
    providers("check")
    assert found_by_a_check() == []


def test_of_accounts_that_are_told_different_limits_the_lowest_is_proposed(sim):
    make_groq(sim, keys=2, models=[{"name": OSS, "rpd": 1000, "tpm": 8000}], timeout_s=20)
    sim.limit("key-of-groq1", OSS, rpd=1000, tpm=6000)
    sim.limit("key-of-groq2", OSS, rpd=1000, tpm=20_000)
    providers("check")
    assert the_change().becomes == "6000"


def test_a_limit_by_another_window_is_in_the_diff(sim):
    make_provider(
        sim, "hourly", models=[{"name": "m", "rpd": 1000}], keys={"hourly": ""}, free=True, timeout_s=20
    )
    sim.script("key-of-hourly", answer(**{"x-ratelimit-limit-requests-hour": "50"}))
    providers("check")
    assert (the_change().subject, the_change().was, the_change().becomes) == ("m rph", "1000 rpd", "50")
    providers("apply", "all")
    limit = Limit.objects.get()
    assert (limit.scope, limit.patterns, limit.per, limit.unit, limit.amount) == (
        "model", ["m"], "hour", "requests", 50,
    )  # fmt: skip


def test_a_shared_limit_that_was_halved_is_changed_where_it_is_configured(sim):
    row = make_provider(sim, "pool", models=["a", "b"], keys={"pool": ""}, free=True, timeout_s=20)
    Limit.objects.create(provider=row, scope="account", per="minute", unit="requests", amount=40)
    sim.script("key-of-pool", answer(**{"x-ratelimit-limit-requests-minute": "20"}))
    providers("check")
    providers("apply", "all")
    assert Limit.objects.get().amount == 20


def test_a_limit_of_input_tokens_that_a_refusal_named_is_changed_where_it_is_configured(sim):
    row = make_provider(sim, "input", models=["qwen/m"], keys={"input": ""}, free=True, timeout_s=20)
    Limit.objects.create(
        provider=row, scope="model", patterns=["qwen/*"], per="minute", unit="tokens_in", amount=7000
    )
    sim.script("key-of-input", answer(**{"x-ratelimit-limit-input-tokens": "3500"}))
    providers("check")
    assert (the_change().was, the_change().becomes) == ("7000", "3500")
    providers("apply", "all")
    assert Limit.objects.get().amount == 3500


def test_a_model_under_another_name_is_one_that_is_gone_and_one_that_is_new(sim):
    make_provider(sim, "router", models=["a:free"], keys={"router": ""}, free=True, timeout_s=20)
    sim.offer("router", "a-2:free")
    providers("check")
    assert {(change.kind, change.subject) for change in found_by_a_check()} == {
        ("gone", "a:free"), ("new", "a-2:free"),
    }  # fmt: skip


def test_a_price_on_a_model_that_was_free_is_in_the_diff_and_switches_it_off(sim):
    make_provider(sim, "router", models=["a", "b"], keys={"router": ""}, free=True, timeout_s=20)
    prices = {"prompt": "0.0000001", "completion": "0.0000004"}
    sim.script("key-of-router", listing({"id": "a", "pricing": prices}, {"id": "b"}), endpoint="models")
    providers("check")
    assert (the_change().kind, the_change().was, the_change().becomes) == (
        "paid",
        "free",
        "$0.1 in, $0.4 out",
    )
    providers("apply", "all")
    assert list(Model.objects.filter(enabled=True).values_list("name", flat=True)) == ["b"]


def test_a_window_that_shrank_is_in_the_diff(sim):
    models = [{"name": "m", "context": 131_072, "max_output": 65_536}]
    make_provider(sim, "router", models=models, keys={"router": ""}, free=True, timeout_s=20)
    sim.script("key-of-router", listing({"id": "m", "context_length": 32_768}), endpoint="models")
    providers("check")
    assert (the_change().subject, the_change().was, the_change().becomes) == ("m context", "131072", "32768")
    providers("apply", "all")
    model = Model.objects.get()
    assert (model.context, model.max_output) == (32_768, 32_768)


def test_a_window_that_is_as_configured_again_leaves_the_diff(sim):
    make_provider(sim, "router", models=[{"name": "m", "context": 8192}], keys={"router": ""}, free=True)
    sim.script("key-of-router", listing({"id": "m", "context_window": 4096}), endpoint="models")
    providers("check")
    assert the_change().becomes == "4096"
    sim.script("key-of-router", listing({"id": "m", "context_window": 8192}), endpoint="models")
    providers("check")
    assert found_by_a_check() == []
