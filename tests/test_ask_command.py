"""`manage.py ask`: what goes to stdout, what to stderr, and with which exit status it ends."""

import io
import json
import logging
import os
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from llm import chain
from llm.calls.terms import DataPolicy
from llm.chain import AttemptFailed, AttemptStarted, ChainExhausted, Completed, Delta, Reply
from llm.failures.kinds import Kind
from llm.ledger import receipts
from llm.models import Provider
from tests.chain_setup import make_deepseek, make_groq

ROOT = Path(__file__).resolve().parent.parent
OK = {
    "provider": "groq", "credential": "groq2", "model": "openai/gpt-oss-120b", "location": None, "outcome": "ok",
    "status": 200, "retry_after_s": None, "latency_ms": 1400, "detail": "",
}  # fmt: skip
LIMITED = {**OK, "credential": "groq1", "outcome": "rate_limited_key", "status": 429, "detail": "Limit 8000"}
SKIPPED = {
    "provider": "deepseek", "credential": None, "model": None, "why": "credits_depleted",
    "until": "2026-11-24T00:00:00+00:00",
}  # fmt: skip
REPLY = Reply(
    text="Hello there.", provider="groq2", model="openai/gpt-oss-120b", finish_reason="stop", cost_usd=Decimal(0),
    tokens_in=812, tokens_out=640, latency_ms=1400, attempts=[LIMITED, OK], skipped=[SKIPPED], call_id=1,
)  # fmt: skip
FOOTER = "[groq2 · in 812 · out 640 · $0.0000 · 1.4 s]\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Asked:
    """A chain that notes what it was asked and then does what the test wants."""

    def __init__(self, monkeypatch):
        self.arguments = {}
        self.reply = REPLY
        self.error = None
        self.events = [Delta("Hello "), Delta("there."), Completed(REPLY)]
        monkeypatch.setattr(chain, "complete", self.complete)
        monkeypatch.setattr(chain, "stream", self.stream)

    def complete(self, *, on_event, **arguments):
        self.arguments = arguments
        if self.error:
            raise self.error
        return self.reply

    def stream(self, **arguments):
        self.arguments = arguments
        yield AttemptStarted("groq", "groq2", "m", "")
        yield from self.events
        if self.error:
            raise self.error


@pytest.fixture
def asked(monkeypatch):
    return Asked(monkeypatch)


def ask(*arguments, terminal=False):
    """(exit status, stdout, stderr)"""
    out, err = (Terminal() if terminal else io.StringIO()), io.StringIO()
    try:
        call_command("ask", *arguments, stdout=out, stderr=err)
    except SystemExit as left:
        return left.code, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def exhausted(**fields):
    return ChainExhausted(**({
        "attempts": [LIMITED], "skipped": [SKIPPED], "call_id": 0, "content_blocked": False,
    } | fields))  # fmt: skip


# -- answers ---------------------------------------------------------------------------------------


def test_text_goes_to_stdout_and_the_footer_to_stderr(asked):
    assert ask("Say hello") == (0, "Hello there.\n", FOOTER)


def test_an_unknown_cost_is_no_zero(asked):
    asked.reply = replace(REPLY, cost_usd=None)
    assert " · $? · " in ask("x")[2]


def test_a_cached_answer_says_so(asked):
    asked.reply = replace(REPLY, cached=True)
    assert ask("x")[2].endswith("· cached]\n")


def test_json_is_one_object_of_the_contract(asked):
    status, out, err = ask("x", "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    receipt = receipts.verify(told.pop("receipt"))
    assert receipt.belongs_to("Hello there.")
    assert (receipt.provider, receipt.cost_usd, len(receipt.attempts)) == ("groq2", 0, 2)
    assert told == {
        "text": "Hello there.", "provider": "groq2", "model": "openai/gpt-oss-120b", "cached": False,
        "cost_usd": "0.000000", "tokens_in": 812, "tokens_out": 640, "latency_ms": 1400,
        "attempts": [LIMITED, OK], "skipped": [SKIPPED],
    }  # fmt: skip


def test_json_says_null_for_an_unknown_cost(asked):
    asked.reply = replace(REPLY, cost_usd=None)
    assert json.loads(ask("x", "--json")[1])["cost_usd"] is None


def test_arguments_reach_the_chain(asked, db):
    Provider.objects.create(slug="groq", kind="groq", name="Groq")
    ask(
        "Hi", "--system", "Be brief", "--max", "100", "--temperature", "0.3", "--provider", "groq",
        "--lang", "ru", "--deadline", "9.5", "--max-usd", "0.002",
    )  # fmt: skip
    assert asked.arguments == {
        "user": "Hi", "system": "Be brief", "max_tokens": 100, "temperature": 0.3, "providers": ["groq"],
        "lang": "ru", "deadline_s": 9.5, "max_usd": Decimal("0.002"), "purpose": "ask",
    }  # fmt: skip


def test_zero_dollars_means_free_only(asked):
    ask("Hi", "--max-usd", "0")
    assert asked.arguments["max_usd"] == 0
    assert asked.arguments["max_usd"] is not None


def test_the_prompt_comes_from_a_file(asked, tmp_path):
    path = tmp_path / "prompt.txt"
    path.write_bytes("\ufeffПривет\n".encode())
    assert ask("-f", str(path))[0] == 0
    assert asked.arguments["user"] == "Привет\n"


def test_the_prompt_comes_from_standard_input(asked, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("from a pipe"))
    ask()
    assert asked.arguments["user"] == "from a pipe"


def test_what_is_piped_in_the_files_and_the_prompt_are_joined_in_this_order(asked, tmp_path, monkeypatch):
    (tmp_path / "a").write_text("first")
    (tmp_path / "b").write_text("second")
    files = ["-f", str(tmp_path / "a"), "-f", str(tmp_path / "b")]
    ask("Review this:", *files)
    assert asked.arguments["user"] == "first\n\nsecond\n\nReview this:"
    for more in ([], ["-f", "-"]):
        monkeypatch.setattr("sys.stdin", io.StringIO("+ piped"))
        ask("Review this:", *files, *more)
        assert asked.arguments["user"] == "+ piped\n\nfirst\n\nsecond\n\nReview this:"
    monkeypatch.setattr("sys.stdin", io.StringIO("+ piped"))
    ask(*files)
    assert asked.arguments["user"] == "+ piped\n\nfirst\n\nsecond"


def test_what_the_call_may_use_reaches_the_chain(asked):
    ask("Hi", "--tier", "1", "--tier", "1.5", "--model", "m", "--data-class", "personal")
    assert asked.arguments["tiers"] == [Decimal(1), Decimal("1.5")]
    assert asked.arguments["models"] == ["m"]
    assert asked.arguments["use"] == DataPolicy(data_class="personal")
    assert asked.arguments["keep_text"] is False


def test_the_help_is_of_our_own_options(capsys):
    with pytest.raises(SystemExit) as left:
        call_command("ask", "--help")
    told = capsys.readouterr().out
    assert left.value.code == 0
    assert {"--tier", "--model", "--data-class", "--max-usd"} <= set(re.findall(r"--[a-z-]+", told))
    assert not {"--settings", "--verbosity", "--traceback"} & set(re.findall(r"--[a-z-]+", told))


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["providers", "clients", "llm_cache", "retirements", "forecast"])
def test_every_command_is_quiet_when_its_reader_has_left(command):
    class Left(io.StringIO):
        def flush(self):
            raise BrokenPipeError

    arguments = ["--scans-per-day", "10"] if command == "forecast" else []
    with pytest.raises(SystemExit) as left:
        call_command(command, *arguments, stdout=Left())
    assert left.value.code == 141


def test_a_prompt_does_not_wait_for_standard_input(asked, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert ask("Hi")[0] == 0


# -- streams ---------------------------------------------------------------------------------------


def test_a_stream_to_a_pipe_prints_only_the_final_text(asked):
    asked.events = [Delta("Wrong"), failed(), AttemptStarted("groq", "groq2", "m", ""), *asked.events]
    assert ask("x", "--stream") == (0, "Hello there.\n", FOOTER)


def failed(kind=Kind.PROVIDER_DOWN):
    return AttemptFailed(kind, "groq", "groq1", "m", "", detail="reset")


def test_a_stream_to_a_terminal_shows_text_as_it_comes(asked):
    assert ask("x", "--stream", terminal=True) == (0, "Hello there.\n", FOOTER)


def test_a_terminal_is_told_when_text_is_to_be_discarded(asked):
    asked.events = [Delta("Wrong"), failed(), *asked.events]
    status, out, err = ask("x", "--stream", terminal=True)
    assert (status, out) == (0, "Wrong\nHello there.\n")
    assert err == f"--- groq1 failed (provider_down); starting over: ---\n{FOOTER}"


def test_a_failure_before_any_text_needs_no_mark(asked):
    asked.events = [failed(), *asked.events]
    assert ask("x", "--stream", terminal=True) == (0, "Hello there.\n", FOOTER)


def test_a_stream_as_json_prints_only_json(asked):
    out = ask("x", "--stream", "--json", terminal=True)[1]
    assert json.loads(out)["text"] == "Hello there."


def test_text_cannot_steer_a_terminal(asked):
    asked.reply = replace(REPLY, text="a\x1b[2Jb\r\n\tc")
    assert ask("x", terminal=True)[1] == "a[2Jb\n\tc\n"
    asked.events = [Delta("a\x1b]0;t\x07b"), Completed(REPLY)]
    assert ask("x", "--stream", terminal=True)[1] == "a]0;tb\n"
    assert ask("x")[1] == "a\x1b[2Jb\r\n\tc\n"  # a file gets what was written


# -- failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_when_every_provider_failed_it_says_why_and_exits_3(asked, stream):
    asked.error, asked.events = exhausted(), []
    status, out, err = ask("x", *stream)
    assert (status, out) == (3, "")
    assert err.splitlines() == [
        "ask: every provider failed or was skipped",
        "  groq1 openai/gpt-oss-120b: rate_limited_key (429): Limit 8000",
        "  skipped deepseek: credits_depleted until 2026-11-24T00:00:00+00:00",
    ]


def test_a_provider_without_a_key_is_told_with_its_variable(asked):
    skip = {"provider": "groq", "credential": None, "model": None, "why": "no key", "until": None}
    asked.error = exhausted(attempts=[], skipped=[skip])
    assert "  skipped groq: no key (set GROQ_API_KEY)" in ask("x")[2]


def test_a_failure_as_json_has_no_text(asked, db):
    asked.error = exhausted()
    status, out, _ = ask("x", "--json")
    assert status == 3
    told = json.loads(out)
    assert [tried.outcome for tried in receipts.verify(told.pop("receipt")).attempts] == [LIMITED["outcome"]]
    assert told == {
        "text": None, "provider": None, "model": None, "cached": False, "cost_usd": "0.000000",
        "tokens_in": 0, "tokens_out": 0, "latency_ms": 0, "attempts": [LIMITED], "skipped": [SKIPPED],
    }  # fmt: skip


def test_what_a_provider_said_stays_on_one_line(asked):
    detail = "first\nsecond\x1b[31m"
    asked.error = exhausted(attempts=[{**LIMITED, "location": "eu", "detail": detail}], skipped=[])
    assert ask("x")[2].splitlines()[1] == (
        "  groq1 openai/gpt-oss-120b in eu: rate_limited_key (429): first second[31m"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-f", "/no/such/file"], "cannot read /no/such/file: No such file or directory"),
        (["-f", "/"], "cannot read /: Is a directory"),
        ([""], "the prompt is empty"),
        ([" \n "], "the prompt is empty"),
        (["a\x00b"], "holds a NUL character"),
        (["a\udce9"], "the prompt is not UTF-8 text"),
        (["x", "--system", "\x00"], "--system is not text"),
    ],
)
def test_a_mistake_of_the_user_is_one_line_and_exit_2(asked, arguments, message):
    status, out, err = ask(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--max", "many"], ["--max", "0"], ["--max", "1.5"], ["--temperature", "hot"], ["--temperature", "-1"],
        ["--temperature", "nan"], ["--deadline", "0"], ["--deadline", "inf"], ["--max-usd", "-1"],
        ["--max-usd", "nan"], ["--max-usd", "$1"],
    ],
)  # fmt: skip
def test_a_number_that_is_none_is_refused(asked, arguments):
    with pytest.raises(CommandError, match=arguments[0]):
        ask("x", *arguments)
    assert asked.arguments == {}


def test_an_unknown_provider_is_refused_with_those_that_are_known(asked, db):
    Provider.objects.create(slug="groq", kind="groq", name="Groq")
    status, _, err = ask("x", "--provider", "grok")
    assert (status, err) == (2, 'ask: there is no provider "grok" (known: groq)\n')


def test_a_provider_that_is_off_is_refused(asked, db):
    Provider.objects.create(slug="groq", kind="groq", name="Groq", enabled=False)
    assert ask("x", "--provider", "groq")[::2] == (2, 'ask: provider "groq" is switched off\n')


def test_what_the_chain_finds_unusable_is_the_users_mistake(asked):
    asked.error = ValueError("deadline_s must be above 0")
    assert ask("x")[::2] == (2, "ask: deadline_s must be above 0\n")


def test_a_database_that_is_not_ready_is_told(asked):
    asked.error = OperationalError("no such table: llm_call")
    status, _, err = ask("x")
    assert status == 1
    assert "manage.py migrate" in err


def test_ctrl_c_ends_quietly_with_130(asked):
    asked.error = KeyboardInterrupt()
    assert ask("x") == (130, "", "")


def test_log_lines_do_not_mix_with_the_answer(monkeypatch, caplog):
    def noisy(**arguments):
        logging.getLogger("llm.notices").warning("a key is invalid")
        return REPLY

    monkeypatch.setattr(chain, "complete", noisy)
    ask("x")
    assert not caplog.records
    logging.getLogger("llm.notices").warning("later")
    assert caplog.records


# -- as a process ----------------------------------------------------------------------------------


def process(*arguments, **options):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": "sqlite:///:memory:",
    }
    return subprocess.run(
        [sys.executable, "manage.py", "ask", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, **options,
    )  # fmt: skip


def test_the_exit_status_of_a_users_mistake_is_2():
    done = process("-f", "/no/such/file")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ask: cannot read /no/such/file: No such file or directory\n"


def test_a_wrong_number_shows_usage_and_no_traceback():
    done = process("x", "--max", "many")
    assert done.returncode == 2
    assert "'many' is not a number" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_is_no_error(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(
        "import django\n"
        "django.setup()\n"
        "from llm import chain\n"
        "from tests.test_ask_command import REPLY\n"
        "from dataclasses import replace\n"
        "from django.core.management import call_command\n"
        "chain.complete = lambda **arguments: replace(REPLY, text='x' * 1_000_000)\n"
        "call_command('ask', 'x')\n"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        f"{sys.executable} {script} | true; exit ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", env=environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (141, "", "")


# -- with a real chain -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_chain_answers(sim):
    make_groq(sim, keys=1)
    status, out, err = ask("Say hello", "--json")
    told = json.loads(out)
    assert (status, err) == (0, "")
    assert (told["provider"], told["cost_usd"]) == ("groq1", "0.000000")
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["ok"]


@pytest.mark.django_db(transaction=True)
def test_the_chain_streams(sim):
    make_deepseek(sim)
    status, out, err = ask("Say hello", "--stream", terminal=True)
    assert status == 0
    assert out.strip()
    assert err.startswith("[deepseek · in ")


@pytest.mark.django_db(transaction=True)
def test_without_any_provider_it_fails_with_3(db):
    status, out, err = ask("Say hello", "--json")
    assert status == 3
    assert json.loads(out)["text"] is None
    assert err == "ask: every provider failed or was skipped\n"
