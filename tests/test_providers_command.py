"""`manage.py providers`: the table, load and export."""

import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from llm import secrets
from llm.configuration import file as config
from llm.configuration import presets
from llm.models import Credential, Pause, Provider

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
TWO = """
[[provider]]
slug = "groq"
kind = "groq"
tier = 1
free = true
[[provider.model]]
id = "openai/gpt-oss-120b"
[[provider.model]]
id = "openai/gpt-oss-20b"
[[provider.model]]
id = "off-model"
enabled = false
[[provider.key]]
label = "groq1"
secret = "gsk_abcdefgh1234"
account = "org-a"
[[provider.key]]
label = "groq2"
secret = "env:GROQ_TEST_KEY"

[[provider]]
slug = "local"
kind = "openai"
tier = 1.5
keyless = true
base_url = "http://127.0.0.1:11434/v1"
[[provider.model]]
id = "gpt-oss:20b"
"""


def run(*arguments):
    out = io.StringIO()
    call_command("providers", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def line(text, word):
    return next(" ".join(row.split()) for row in text.splitlines() if f" {word} " in f" {row} ")


def pause(**fields):
    since = fields.pop("since", NOW)
    return Pause.objects.create(**({"provider": "groq", "source": "guess", "since": since} | fields))


@pytest.fixture
def two():
    config.load(TWO)
    with time_machine.travel(NOW, tick=False):
        yield


def test_the_table_shows_tier_key_account_fingerprint_models_and_state(two):
    text = run()
    fingerprint = secrets.fingerprint("gsk_abcdefgh1234")
    assert line(text, "groq1") == f"1 groq groq1 org-a {fingerprint} ready"
    assert line(text, "(keyless)") == "1.5 local (keyless) - - ready"
    assert "models: openai/gpt-oss-120b, openai/gpt-oss-20b\n" in text
    assert text.index("groq1") < text.index("local")


def test_the_table_never_shows_a_key(two):
    text = run()
    assert "gsk_" not in text
    assert "1234" not in text.replace(secrets.fingerprint("gsk_abcdefgh1234"), "")


def test_the_table_has_no_colours_in_a_pipe(two):
    assert "\x1b" not in run()


def test_a_key_that_is_missing_says_what_is_missing(two, monkeypatch):
    monkeypatch.delenv("GROQ_TEST_KEY", raising=False)
    assert "no key: GROQ_TEST_KEY is not set" in line(run(), "groq2")
    Credential.objects.filter(label="groq2").update(secret="file:/no/such/file")
    assert "no key: /no/such/file cannot be read" in line(run(), "groq2")
    Credential.objects.filter(label="groq2").update(secret="")
    assert "no key: no secret yet" in line(run(), "groq2")


def test_a_preset_without_a_key_names_its_variable(monkeypatch):
    for variables in presets.ENVIRONMENT.values():
        for name in filter(None, vars(variables).values()):
            monkeypatch.delenv(name, raising=False)
    presets.install()
    text = run()
    assert line(text, "groq") == "1 groq - - - no key: set GROQ_API_KEY"
    assert line(text, "vertex").endswith(
        "no key: set GOOGLE_APPLICATION_CREDENTIALS and GOOGLE_CLOUD_PROJECT"
    )
    assert line(text, "nvidia").endswith("off")
    assert "https://console.groq.com/keys" in text
    assert "Five keys of one organisation add nothing" in text


def test_no_word_on_first_steps_once_there_is_a_key(two):
    assert "console.groq.com" not in run()


def test_a_paused_model_is_told_with_reason_and_end(two):
    pause(
        account="org-a",
        model="openai/gpt-oss-120b",
        kind="rate_limited_key",
        until=NOW + timedelta(minutes=8),
    )
    assert line(run(), "groq1").endswith(
        "openai/gpt-oss-120b: rate_limited_key until 2026-11-23 05:08 UTC (in 8 min)"
    )


def test_a_paused_provider_is_told_below_its_keys(two, monkeypatch):
    monkeypatch.setenv("GROQ_TEST_KEY", "x")
    pause(kind="blocked_provider", until=NOW + timedelta(hours=3))
    text = run()
    assert "blocked_provider until 2026-11-23 08:00 UTC (in 3 h)" in text
    assert line(text, "groq1").endswith("paused")
    assert line(text, "groq2").endswith("paused")


def test_a_key_that_staff_must_repair_says_so(two):
    pause(credential="groq1", kind="key_invalid", until=None)
    text = run()
    assert line(text, "groq1").endswith("key_invalid until staff act")
    assert "key_invalid: the key no longer works. Make another key at the provider and add it" in text


def test_a_pause_whose_time_is_over_is_told_as_over(two):
    pause(kind="provider_down", since=NOW - timedelta(hours=1), until=NOW - timedelta(minutes=1))
    text = run()
    assert "provider_down is over, the next call tests it" in text
    assert line(text, "groq1").endswith("ready")


def test_closed_pauses_are_history(two):
    pause(kind="provider_down", until=NOW + timedelta(hours=1), closed_at=NOW)
    assert line(run(), "groq1").endswith("ready")


def test_a_learned_organisation_is_the_account(two):
    Credential.objects.update(organisation="org_01abc")
    assert " org_01abc " in line(run(), "groq2")
    assert " org-a " in line(run(), "groq1")  # what staff declared stays


def test_switched_off_is_told(two):
    Credential.objects.filter(label="groq1").update(enabled=False)
    assert line(run(), "groq1").endswith("switched off")
    Provider.objects.filter(slug="groq").update(enabled=False)
    assert line(run(), "groq1").endswith("off")


def test_a_provider_whose_keys_are_all_off_cannot_be_asked(two):
    Credential.objects.update(enabled=False)
    Provider.objects.filter(slug="local").update(enabled=False)
    text = run()
    assert line(text, "groq1").endswith("switched off")
    assert "console.groq.com/keys" in text


def test_a_keyless_provider_may_have_a_key(two):
    local = Provider.objects.get(slug="local")
    Credential.objects.create(provider=local, label="near", secret="env:NOT_SET_ANYWHERE")
    Provider.objects.filter(slug="groq").update(enabled=False)
    text = run()
    assert line(text, "near").endswith("ready")
    assert "console.groq.com/keys" not in text


def test_a_provider_without_models_says_so(two):
    Provider.objects.get(slug="local").models.all().delete()
    text = run()
    assert line(text, "(keyless)").endswith("no model")
    assert "models: none" in text


def test_queries_do_not_grow_with_the_rows(two, django_assert_num_queries):
    run()  # sums the hours and days that are over
    with CaptureQueriesContext(connection) as few:
        run()
    assert len(few) < 25
    for n in range(5):
        config.load(TWO.replace('"groq', f'"other{n}').replace('"local', f'"near{n}').replace(
            f'kind = "other{n}"', 'kind = "groq"'
        ))  # fmt: skip
    run()
    with django_assert_num_queries(len(few)):
        run()


def test_an_empty_database_tells_how_to_begin():
    assert "GROQ_API_KEY" in run()


# -- load and export -------------------------------------------------------------------------------


def test_load_tells_what_it_did(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text(TWO)
    assert 'created provider "groq"' in run("load", str(path))
    assert run("load", str(path)).strip() == "0 created, 0 changed, 8 unchanged"


def test_a_refused_file_exits_1_with_all_errors_on_stderr(tmp_path, capsys):
    path = tmp_path / "p.toml"
    path.write_text('[[provider]]\nslug = "x"\nkind = "y"\ntier = -1\n')
    with pytest.raises(SystemExit) as left:
        call_command("providers", "load", str(path))
    out, err = capsys.readouterr()
    assert left.value.code == 1
    assert out == ""
    assert err.splitlines() == [
        f"{path} is refused, and nothing was changed:",
        '  provider 1 ("x"): kind must be one of groq, openai, vertex, not "y"',
        '  provider 1 ("x"): tier must be an amount of at least 0, such as "0.27", not -1',
    ]
    assert not Provider.objects.exists()


def test_a_missing_file_is_told_without_a_traceback(capsys):
    with pytest.raises(SystemExit) as left:
        call_command("providers", "load", "/no/such/file.toml")
    assert left.value.code == 1
    assert "No such file" in capsys.readouterr().err


def test_an_export_goes_through_a_pipe(two, monkeypatch):
    exported = run("export")
    assert exported == config.export()
    Provider.objects.all().delete()
    monkeypatch.setattr("sys.stdin", io.StringIO(exported))
    assert 'created provider "local"' in run("load", "-")
    assert "has no secret yet" in run("export") or "# secret: none" in run("export")


def test_an_unknown_action_is_refused():
    with pytest.raises(CommandError, match="invalid choice"):
        run("delete")
