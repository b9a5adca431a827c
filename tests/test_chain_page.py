"""The chain page tells what the next call would do, and staff's buttons do what they say."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from llm import secrets
from llm.calls.deployment import CallSkips, Deployment
from llm.chain.plan import Planner
from llm.chain.selector import Selector
from llm.configuration import snapshot
from llm.failures.kinds import Kind
from llm.limits import quota
from llm.models import Attempt, Call, Credential, Model, Pause, Provider
from llm.pauses import breaker
from llm.status import chain as overview
from llm.status import usage
from tests.chain_setup import make_deepseek, make_groq

pytestmark = pytest.mark.django_db
PAGE = "/admin/llm/provider/chain/"
PLANTED = "gsk_plantedsecretvalue_4242424242"


def do(client, action, scope):
    return client.post(reverse("admin:llm_chain_act"), {"do": f"{action}|{scope}"})


def pause(**fields):
    return Pause.objects.create(
        **({"provider": "groq", "kind": "provider_down", "source": "guess", "since": timezone.now(),
            "until": timezone.now() + timedelta(hours=1)} | fields)
    )  # fmt: skip


def states():
    return {
        (place.deployment.key.label, place.deployment.model.name): (place.state, place.why)
        for rank in overview.ranks()
        for place in rank.places
    }


@pytest.fixture
def operator(client):
    """Staff who may see providers, and nothing else."""
    user = get_user_model().objects.create_user("otto", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_provider"))
    client.force_login(user)
    return client


# -- what it shows -----------------------------------------------------------------------------------
def configurations():
    hour = timezone.now() + timedelta(hours=1)
    yield []
    yield [{"credential": "groq1", "kind": "key_invalid", "until": None}]
    yield [{"kind": "blocked_provider"}]
    yield [{"account": "shared", "model": "openai/gpt-oss-120b", "kind": "rate_limited_key"}]
    yield [
        {"model": "openai/gpt-oss-120b"},
        {"credential": "groq3", "kind": "credits_depleted", "until": hour},
    ]
    yield [{"provider": "deepseek"}, {"until": timezone.now() - timedelta(hours=1)}]


@pytest.mark.parametrize("number", range(6))
def test_the_page_has_the_order_of_the_next_call(sim, number):
    groq = make_groq(sim, keys=3, models=["openai/gpt-oss-120b", "openai/gpt-oss-20b"])
    groq.credentials.filter(label__in=["groq1", "groq2"]).update(account="shared")
    make_deepseek(sim)
    for fields in list(configurations())[number]:
        pause(**fields)
    snapshot.forget()
    now = timezone.now()
    current = snapshot.read()
    planner = Planner(
        current.providers, current.pauses, quota.LedgerMeter(now, {}), overview.WANT, CallSkips(), now
    )
    tried = [step for step in planner.steps() if isinstance(step, Deployment)]
    shown = [place for rank in overview.ranks(usage.Usage(now)) for place in rank.places]
    assert [place.deployment for place in shown if place.state in {"next", "ready"}] == tried
    assert [place.state for place in shown if place.state in {"next", "ready"}][:1] == ["next"][: len(tried)]
    chosen = Selector(want=overview.WANT, end=float("inf"), begin_by=float("inf")).look()
    assert chosen == (tried[0] if tried else None)
    assert len(shown) == 3 * 2 + 1


def test_it_says_why_until_when_and_what_is_left(sim, admin_client):
    make_groq(sim, keys=2, models=[{"name": "openai/gpt-oss-120b", "rpd": 100}])
    pause(credential="groq1", kind="key_invalid", until=None, detail="Invalid API Key")
    call = Call.objects.create(started_at=timezone.now(), deadline_s=45)
    for _ in range(3):
        Attempt.objects.create(
            call=call, provider="groq", credential="groq2", account="groq2", model="openai/gpt-oss-120b", tier=1,
            free=True, started_at=timezone.now(), finished_at=timezone.now(), outcome="ok", cost_usd=Decimal("0.01"),
        )  # fmt: skip
    html = " ".join(admin_client.get(PAGE).content.decode().split())
    assert "the key no longer works" in html
    assert "until staff act" in html
    assert "Invalid API Key" in html
    assert "97 of 100 requests" in html
    assert "$0.0300" in html
    assert states()["groq2", "openai/gpt-oss-120b"] == ("next", "")


def test_a_key_is_one_row_with_a_dot_for_each_model(sim, admin_client):
    make_groq(sim, keys=5, models=["openai/gpt-oss-120b", "openai/gpt-oss-20b"])
    pause(model="openai/gpt-oss-20b", kind="rate_limited_provider")
    html = admin_client.get(PAGE).content.decode()
    assert html.count('<th scope="row" data-label="Key"') == 5
    assert html.count('<span class="dot stopped" aria-hidden="true">○</span> <span title=') == 5
    assert html.count("data-local>") >= 5  # until when, for the reader's own zone
    assert html.count('<details class="menu">') == 6


# -- what a call would do ------------------------------------------------------------------------------
def tried(client, **query):
    html = " ".join(client.get(PAGE, {"try": 1, **query}).content.decode().split())
    return html[html.index('id="try"') :]


def test_a_dry_run_says_who_would_be_asked_and_why_not_the_others(sim, admin_client):
    make_groq(sim, keys=1, models=[{"name": "openai/gpt-oss-120b", "tpm": 8000}])
    make_deepseek(sim)
    assert "groq1 would be asked, with openai/gpt-oss-120b." in tried(admin_client)
    assert "deepseek would be asked" in tried(admin_client, tokens_in=9000, max_tokens=500)
    html = tried(admin_client, tokens_in=9000, max_tokens=500, free="on")
    assert "Nobody would be asked." in html
    assert "costs money, and the call may cost nothing" in html
    Provider.objects.filter(slug="groq").update(trains_on_prompts=True)
    snapshot.forget()
    html = tried(admin_client, data_class="internal")
    assert "its terms: it trains on prompts" in html
    assert sim.requests == []


def test_a_dry_run_of_a_purpose_has_its_usual_size(sim, admin_client):
    make_groq(sim, keys=1, models=[{"name": "openai/gpt-oss-120b", "tpm": 8000}])
    Call.objects.create(
        started_at=timezone.now(),
        deadline_s=45,
        purpose="long",
        outcome="ok",
        tokens_in=20_000,
        tokens_out=900,
    )
    assert "Nobody would be asked." in tried(admin_client, purpose="long")
    assert "Nobody would be asked." not in tried(admin_client, purpose="long", tokens_in=100)


@pytest.mark.parametrize(
    "query", [{"tokens_in": "x"}, {"tokens_in": 0}, {"data_class": "secret"}, {"purpose": "none"}]
)
def test_a_dry_run_of_nonsense_says_so(sim, admin_client, query):
    make_groq(sim, keys=1)
    html = tried(admin_client, **query)
    assert "errorlist" in html
    assert "would be asked, with" not in html


def test_spare_keys_and_missing_keys_are_named(sim):
    groq = make_groq(sim, keys=3)
    groq.credentials.filter(label__in=["groq1", "groq2"]).update(account="org")
    Credential.objects.filter(label="groq3").update(secret="env:NOT_THERE")
    found = [each for _model, each in states().items()]
    assert found == [("next", ""), ("spare", ""), ("stopped", "no key")]


def test_queries_do_not_grow_with_the_ledger(sim, admin_client, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    make_groq(sim, keys=2)
    admin_client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        admin_client.get(PAGE)
    call = Call.objects.create(started_at=timezone.now(), deadline_s=45)
    Attempt.objects.bulk_create(
        Attempt(call=call, provider="groq", credential="groq1", account="groq1", model="m", tier=1, free=True,
                started_at=timezone.now(), outcome="ok") for _ in range(200)
    )  # fmt: skip
    with django_assert_num_queries(len(few)):
        admin_client.get(PAGE)


# -- what it does ------------------------------------------------------------------------------------
def test_a_trial_is_one_ledgered_call_of_that_key_alone(sim, admin_client):
    make_groq(sim, keys=2)
    do(admin_client, "test", "groq|groq2||openai/gpt-oss-120b")
    attempt = Attempt.objects.get()
    assert (attempt.credential, attempt.outcome, attempt.call.purpose) == ("groq2", "ok", "staff-test")
    assert (sim.count("key-of-groq1"), sim.count("key-of-groq2")) == (0, 1)
    assert "Tested groq2" in LogEntry.objects.get().change_message


def test_a_trial_reopens_a_key_that_works_again_but_not_what_staff_paused(sim, admin_client):
    make_groq(sim, keys=1)
    pause(credential="groq1", kind="key_invalid", until=None)
    kept = breaker.by_staff({"provider": "groq"}, until=None, by="anna")
    do(admin_client, "test", "groq|groq1||openai/gpt-oss-120b")
    assert list(Pause.objects.filter(closed_at=None)) == [kept]


def test_a_reset_ends_the_pauses_of_its_scope_alone(sim, admin_client):
    make_groq(sim, keys=2)
    one, other = pause(credential="groq1"), pause(credential="groq2")
    do(admin_client, "reset", "groq|groq1||openai/gpt-oss-120b")
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.closed_by, other.closed_at) == ("admin", None)
    do(admin_client, "reset", "groq|||")
    assert not Pause.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("groq|||", ("", "", "")),
        ("groq|groq2", ("groq2", "", "")),
        ("groq|groq2||openai/gpt-oss-120b", ("", "groq2", "openai/gpt-oss-120b")),
    ],
)
def test_staff_pause_a_provider_a_key_or_a_model_of_an_account(sim, admin_client, scope, expected):
    make_groq(sim, keys=2)
    earlier = pause(credential=expected[0], account=expected[1], model=expected[2])
    address = f"{reverse('admin:llm_chain_pause')}?scope={scope}"
    assert admin_client.get(address).status_code == 200
    admin_client.post(address, {"hours": "6", "reason": "moving house"})
    made = Pause.objects.get(closed_at=None)
    earlier.refresh_from_db()
    assert (made.credential, made.account, made.model) == expected
    assert (made.kind, made.source, made.detail) == ("paused_by_staff", "staff", "moving house")
    assert timedelta(hours=5.9) < made.until - timezone.now() < timedelta(hours=6.1)
    assert earlier.closed_by == "admin"
    assert states()["groq2", "openai/gpt-oss-120b"] == ("stopped", "paused_by_staff")


def test_a_provider_moves_within_its_tier_and_then_beyond(sim, admin_client):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    assert [rank.row.slug for rank in overview.ranks()] == ["groq", "deepseek"]
    do(admin_client, "up", "deepseek|||")  # joins the tier
    assert Provider.objects.get(slug="deepseek").tier == 1
    do(admin_client, "up", "deepseek|||")
    assert [rank.row.slug for rank in overview.ranks()] == ["deepseek", "groq"]
    do(admin_client, "up", "deepseek|||")  # the first stays the first
    do(admin_client, "down", "deepseek|||")
    assert [rank.row.slug for rank in overview.ranks()] == ["groq", "deepseek"]


def test_a_rotated_key_is_used_and_never_shown(sim, admin_client, caplog):
    make_groq(sim, keys=1)
    row = Credential.objects.get()
    pause(credential="groq1", kind="key_invalid", until=None)
    address = reverse("admin:llm_chain_rotate", args=[row.pk])
    assert "key-of-groq1" not in admin_client.get(address).content.decode()
    bad = admin_client.post(address, {"new_key": f"{PLANTED} two words"})
    assert PLANTED not in bad.content.decode()
    assert admin_client.post(address, {"new_key": PLANTED}).status_code == 302
    row.refresh_from_db()
    assert row.secret.startswith("enc:")
    assert row.key() == PLANTED
    assert not Pause.objects.filter(closed_at=None).exists()
    assert PLANTED not in caplog.text


@pytest.mark.parametrize("action", ["test", "reset", "up", "down"])
def test_a_reader_can_press_nothing(sim, operator, action):
    make_groq(sim, keys=1)
    pause()
    html = operator.get(PAGE).content.decode()
    assert 'name="do"' not in html
    assert "rotate/" not in html
    assert do(operator, action, "groq|groq1||openai/gpt-oss-120b").status_code == 403
    row = Credential.objects.get()
    assert operator.get(f"{reverse('admin:llm_chain_pause')}?scope=groq").status_code == 403
    assert (
        operator.post(reverse("admin:llm_chain_rotate", args=[row.pk]), {"new_key": "k"}).status_code == 403
    )
    assert (Attempt.objects.count(), Pause.objects.filter(closed_at=None).count()) == (0, 1)


@pytest.mark.parametrize(("post", "status"), [("explode|groq|||", 404), ("", 404), ("up|nobody|||", 404)])
def test_nonsense_is_not_found(admin_client, post, status):
    assert admin_client.post(reverse("admin:llm_chain_act"), {"do": post}).status_code == status
    assert admin_client.get(reverse("admin:llm_chain_act")).status_code == 405


# -- keys --------------------------------------------------------------------------------------------
def test_no_page_export_log_or_history_holds_a_key(sim, admin_client, caplog, capsys):
    make_groq(sim, keys=1)
    row = Credential.objects.get()
    admin_client.post(reverse("admin:llm_chain_rotate", args=[row.pk]), {"new_key": PLANTED})
    row.refresh_from_db()
    pause(credential="groq1", kind="key_invalid", until=None)
    do(admin_client, "test", "groq|groq1||openai/gpt-oss-120b")  # the simulator refuses an unknown key
    call, rows = Call.objects.get(), [Provider.objects.get(), row, Model.objects.get(), Call.objects.get()]
    addresses = {"/admin/", PAGE, reverse("admin:llm_chain_rotate", args=[row.pk])}
    addresses |= {reverse("admin:llm_call_export"), reverse("admin:llm_attempt_export")}
    for model in ("provider", "credential", "call", "attempt", "pause", "notice", "quota"):
        addresses.add(reverse(f"admin:llm_{model}_changelist"))
    for each in (*rows, Attempt.objects.get(), *Pause.objects.all()):
        label = each._meta.model_name
        if label != "model":
            addresses |= {
                reverse(f"admin:llm_{label}_{page}", args=[each.pk]) for page in ("change", "history")
            }
    seen = caplog.text + json.dumps(
        [str(value) for entry in LogEntry.objects.values() for value in entry.values()]
    )
    for address in addresses:
        response = admin_client.get(address)
        assert response.status_code == 200, address
        seen += b"".join(response).decode()
    call_command("providers", "export")
    call_command("providers")
    seen += capsys.readouterr().out
    assert call.attempt_count == 1
    assert secrets.fingerprint(PLANTED) in seen
    assert PLANTED not in seen
    assert PLANTED[4:-4] not in seen
    assert row.secret not in seen
    assert row.secret[4:40] not in seen


def test_rotating_the_encryption_makes_the_old_key_needless(settings, sim):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [old]
    make_groq(sim, keys=2)
    Credential.objects.filter(label="groq1").update(secret=secrets.seal(PLANTED))
    settings.ENCRYPTION_KEYS = [new, old]
    call_command("rotate_encryption")
    settings.ENCRYPTION_KEYS = [new]
    assert Credential.objects.get(label="groq1").key() == PLANTED
    assert Credential.objects.get(label="groq2").secret == "key-of-groq2"


def test_an_unreadable_key_stops_the_rotation_whole(settings, sim):
    lost, old, new = (Fernet.generate_key().decode() for _ in range(3))
    make_groq(sim, keys=2)
    for label, key in (("groq1", old), ("groq2", lost)):
        settings.ENCRYPTION_KEYS = [key]
        Credential.objects.filter(label=label).update(secret=secrets.seal(PLANTED))
    settings.ENCRYPTION_KEYS = [new, old]
    before = list(Credential.objects.order_by("pk").values_list("secret", flat=True))
    with pytest.raises(CommandError, match="groq2") as error:
        call_command("rotate_encryption")
    assert PLANTED not in str(error.value)
    assert list(Credential.objects.order_by("pk").values_list("secret", flat=True)) == before


def test_a_staff_pause_that_is_over_simply_is_over(sim):
    make_groq(sim, keys=1)
    breaker.by_staff({"provider": "groq"}, until=timezone.now() - timedelta(seconds=1), by="anna")
    assert states()["groq1", "openai/gpt-oss-120b"] == ("next", "")
    assert breaker.BY_STAFF not in set(Kind)
