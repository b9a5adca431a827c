"""The first run: keys as people paste them, a test at once, and the first call, on the page and in the terminal."""

import io
import json

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.core.management import call_command

from llm.configuration import snapshot
from llm.models import Attempt, Call, Client, Credential, Model, Pause, Provider
from llm.onboarding import trial
from llm.onboarding.keys import import_keys
from llm.onboarding.offers import KEY_PAGES, offers
from tests.chain_setup import make_groq

pytestmark = pytest.mark.django_db
GROQ, HF = "gsk_planted_4242424242", "hf_planted_4343434343"


@pytest.fixture(autouse=True)
def _keys(settings):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    settings.LLM_STATUS_SOURCES = []  # no worker runs beside a test


@pytest.fixture
def presets():
    from llm.configuration import presets

    presets.install()


def held():
    return {row.label: row.key() for row in Credential.objects.all()}


# -- what people paste ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        GROQ,
        f"  {GROQ}\n",
        f'"{GROQ}"',
        f"GROQ_API_KEY={GROQ}",
        f"export GROQ_API_KEY='{GROQ}'  # mine",
        f"# keys\n\nGROQ_API_KEY_1 = {GROQ}\nSECRET_KEY=abc\n",
        f"MY_OWN_NAME={GROQ}",
        f"groq_api_keys={GROQ},{GROQ}",
    ],
)
def test_a_key_is_found_in_whatever_it_comes_in(presets, text):
    done = import_keys(text)
    assert (done.created, done.problems, held()) == (["groq"], [], {"groq": GROQ})


def test_several_of_several_providers(presets):
    done = import_keys(
        f"GROQ_API_KEYS={GROQ}, gsk_second_4242\nHF_TOKEN={HF}\nDEBUG=on\nGOOGLE_CLOUD_PROJECT=proj-1"
    )
    assert done.created == ["groq", "groq2", "huggingface"]
    assert done.skipped == ["DEBUG"]
    assert Provider.objects.get(slug="vertex").project == "proj-1"
    assert import_keys(GROQ).known == ["groq"]
    assert Credential.objects.count() == 3


def test_a_service_account_is_a_key_of_vertex(presets):
    text = json.dumps({"type": "service_account", "project_id": "proj-9", "private_key": "x"}, indent=1)
    assert import_keys(text).created == ["vertex"]
    assert Provider.objects.get(slug="vertex").project == "proj-9"
    assert json.loads(held()["vertex"])["project_id"] == "proj-9"


def test_a_key_that_tells_nothing_wants_its_provider(presets):
    assert "Choose the provider" in import_keys("abcdef0123456789").problems[0]
    assert import_keys("abcdef0123456789", provider="mistral").created == ["mistral"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("env:HOME", "no reference"),
        ("GROQ_API_KEY=file:/etc/passwd", "no reference"),
        ("GOOGLE_APPLICATION_CREDENTIALS=/etc/passwd", "paste the JSON"),
        ("x" * 70_000, "too long"),
        ("short", "no key"),
        ("GROQ_API_KEY=enc:abcdef", "Groq"),
    ],
)
def test_what_is_no_key_is_refused_and_nothing_is_stored(presets, text, says):
    done = import_keys(text, provider="groq")
    assert says in " ".join(done.problems)
    assert not Credential.objects.exists()


def test_no_answer_repeats_a_key(presets, settings):
    settings.ENCRYPTION_KEYS = []
    done = import_keys(f"GROQ_API_KEY={GROQ}\nNOPE={HF[:6]}x y")
    assert done.problems
    assert GROQ not in str(done)


def test_every_shipped_provider_says_where_its_keys_are(presets):
    shipped = {row.slug for row in Provider.objects.filter(keyless=False)}
    assert shipped <= set(KEY_PAGES)
    groq = next(each for each in offers() if each.provider.slug == "groq")
    assert "requests a day" in groq.worth
    assert [each.provider.free for each in offers()] == sorted(
        (e.provider.free for e in offers()), reverse=True
    )


# -- a test at once ------------------------------------------------------------------------------------
def test_a_trial_tells_model_time_text_and_limits(sim):
    make_groq(sim, keys=1, models=[{"name": "openai/gpt-oss-120b", "rpm": 30, "tpd": 200_000}])
    found = trial.try_key("groq1")
    assert (found.ok, found.model, bool(found.text)) == (True, "openai/gpt-oss-120b", True)
    assert found.limits == "30 requests a minute, 200,000 tokens a day"
    assert Attempt.objects.get().call.purpose == "staff-test"


def test_a_trial_goes_on_to_the_next_model(sim):
    from llm.simulator import payload

    make_groq(sim, keys=1, models=["gone", "openai/gpt-oss-120b"])
    sim.script("key-of-groq1", payload("groq-404-model-not-found-1"))
    assert trial.try_key("groq1").model == "openai/gpt-oss-120b"


# -- the page ------------------------------------------------------------------------------------------
PAGE = "/admin/llm/provider/setup/"


@pytest.fixture
def bare(sim):
    """Groq at the simulator, without a key."""
    row = make_groq(sim, keys=0)
    snapshot.forget()
    return row


def test_a_pasted_key_is_stored_tested_and_never_shown(bare, admin_client, caplog):
    html = admin_client.post(PAGE, {"do": "keys", "text": f"GROQ_API_KEY={GROQ}"}).content.decode()
    assert "openai/gpt-oss-120b answered in" in html
    assert held() == {"groq": GROQ}
    assert GROQ not in html + caplog.text + "".join(LogEntry.objects.values_list("change_message", flat=True))
    assert "Healthy" in html


def test_a_key_that_is_refused_is_not_kept(bare, sim, admin_client):
    from llm.simulator import payload

    sim.default(payload("groq-401-invalid-key"))
    html = admin_client.post(PAGE, {"do": "keys", "text": GROQ}).content.decode()
    assert "The key was not kept." in html
    assert not Credential.objects.exists()
    assert not Pause.objects.filter(closed_at=None).exists()


def test_the_first_call_is_ready_to_be_copied_and_works(bare, admin_client, client):
    admin_client.post(PAGE, {"do": "keys", "text": GROQ})
    html = admin_client.post(PAGE, {"do": "client"}).content.decode()
    row = Client.objects.get()
    assert f"-{row.key_id}-" in html
    key = html.split("Bearer ")[1].split("&quot;")[0].split('"')[0]
    assert f"-{row.key_id}-" not in admin_client.get(PAGE).content.decode()
    assert "http://testserver/v1/chat/completions" in html
    body = {"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}
    answer = client.post(
        "/v1/chat/completions", json.dumps(body), content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip
    assert answer.status_code == 200
    assert Call.objects.filter(client="first-call", outcome="ok").exists()


@pytest.mark.parametrize("do", ["keys", "client", "", "explode"])
def test_who_may_not_does_nothing(bare, client, django_user_model, do):
    from django.contrib.auth.models import Permission

    user = django_user_model.objects.create_user("vera", password="x", is_staff=True)
    client.force_login(user)
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"do": do, "text": GROQ}).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename="add_credential"))
    if do != "keys":
        assert client.post(PAGE, {"do": do, "provider": "groq"}).status_code == 403
    else:
        html = client.post(PAGE, {"do": do, "text": GROQ}).content.decode()
        assert "groq is stored." in html  # who may not test has it stored, untested
        assert not Call.objects.exists()
    assert not Client.objects.exists()


def test_the_page_has_no_inline_code(bare, admin_client):
    import re

    html = admin_client.get(PAGE).content.decode()
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*src)", html)


# -- the terminal --------------------------------------------------------------------------------------
def setup(monkeypatch, text, *arguments):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    out = io.StringIO()
    try:
        call_command("setup", *arguments, stdout=out, stderr=out)
    except SystemExit as left:
        return out.getvalue(), left.code
    return out.getvalue(), 0


def test_the_command_does_the_same(bare, monkeypatch):
    text, code = setup(monkeypatch, f"GROQ_API_KEY={GROQ}\nSECRET_KEY=x\n")
    assert code == 0
    assert "groq: openai/gpt-oss-120b answered in" in text
    assert "Healthy: groq answers" in text
    assert "Authorization: Bearer" in text
    assert GROQ not in text
    assert Client.objects.get().name == "first-call"


def test_the_command_exits_1_without_a_key_that_works(bare, monkeypatch):
    text, code = setup(monkeypatch, "SECRET_KEY=x\n")
    assert code == 1
    assert "Template only" in text
    assert not Model.objects.filter(provider__slug="x").exists()
