"""The provider simulator, seen through the real SDKs of the providers."""

import ast
import json
import math
import re
import socket
import ssl
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import google.auth.exceptions
import groq
import httpx
import httpx2
import openai
import pytest
from django.core.management import CommandError, call_command
from google import genai
from google.auth import crypt
from google.genai import errors, types
from google.oauth2 import service_account

from llm.simulator import (
    Behaviour,
    Simulator,
    blank_keepalive,
    content_filter,
    drip,
    empty,
    error_in_200,
    error_in_stream,
    hang,
    http,
    malformed_chunk,
    midstream_death,
    midstream_stall,
    no_done,
    ok,
    payload,
    payloads,
    reset,
    short,
    slow_first_token,
    think_only,
    truncate,
)
from llm.simulator.limits import go_duration
from llm.simulator.stories import STORY
from llm.simulator.tokens import count_tokens, cut_to_tokens

PATIENT = 60.0  # seconds that a client waits for the next byte
IMPATIENT = 0.5  # where waiting is in vain
FACTS = "<facts>\nfinding:1 {{finding:1}}\nForm:\n## One\n‹story›\n## Two\n{{finding:1}}\n</facts>"
PROMPT = "Language: {language}\n" + FACTS
PACKAGE = Path(__file__).parent.parent / "llm" / "simulator"


@pytest.fixture(autouse=True)
def _no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDKs load the system's certificates several times a client, slowly, and loopback needs none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr(ssl, "create_default_context", lambda *args, **options: context)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


# -- the real clients, behind one function ---------------------------------------------------------------


class Said(dict[str, Any]):
    """What a client understood: text, finish, usage (prompt, completion)."""

    __getattr__ = dict.__getitem__


def groq_client(sim: Simulator, key: str = "key", *, timeout: float = PATIENT) -> groq.Groq:
    return groq.Groq(base_url=f"{sim.url}/groq", api_key=key, max_retries=0, timeout=timeout)


def openai_client(
    sim: Simulator, key: str = "key", provider: str = "deepseek", *, timeout: float = PATIENT
) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{sim.url}/{provider}/v1", api_key=key, max_retries=0, timeout=timeout)


def chat(client: Any, prompt: str = "Hello", *, stream: bool = False, model: str = "m", **more: Any) -> Said:
    """One call of a groq or openai client."""
    messages = [{"role": "user", "content": prompt}]
    if not stream:
        reply = client.chat.completions.create(model=model, messages=messages, **more)
        choice, usage = reply.choices[0], reply.usage
        return Said(text=choice.message.content, finish=choice.finish_reason,
                    usage=(usage.prompt_tokens, usage.completion_tokens))  # fmt: skip
    text, finish, usage = "", None, None
    more.setdefault("extra_body", {"stream_options": {"include_usage": True}})
    for chunk in client.chat.completions.create(model=model, messages=messages, stream=True, **more):
        if chunk.usage:
            usage = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    return Said(text=text, finish=finish, usage=usage)


@cache
def google_account(label: str) -> tuple[dict[str, str], crypt.RSASigner]:
    """A service account's JSON and its signer. Keys are slow to make and to load, so all tests use the same."""
    with Simulator() as simulator:
        account = simulator.service_account(project="p", label=label)
    return account, crypt.RSASigner.from_service_account_info(account)


def google_credentials(sim: Simulator, label: str = "vertex") -> service_account.Credentials:
    account, signer = google_account(label)
    sim.accounts.trust(account, label)
    return service_account.Credentials(
        signer, account["client_email"], f"{sim.url}/token",
        scopes=["https://www.googleapis.com/auth/cloud-platform"],
    )  # fmt: skip


def vertex_client(
    sim: Simulator, label: str = "vertex", location: str = "eu", path: str = "", *, timeout: float = PATIENT
) -> genai.Client:
    return genai.Client(
        vertexai=True, project="p", location=location, credentials=google_credentials(sim, label),
        http_options=types.HttpOptions(
            base_url=f"{sim.url}/vertex{path}", httpx_client=httpx.Client(), timeout=int(timeout * 1000)
        ),
    )  # fmt: skip


def gemini(client: genai.Client, prompt: str = "Hello", *, stream: bool = False, **config: Any) -> Said:
    """One call of a google-genai client."""
    call = client.models.generate_content_stream if stream else client.models.generate_content
    answer = call(model="gemini-3.5-flash-lite", contents=prompt, config=config or None)
    text, finish, usage = "", None, None
    for response in answer if stream else [answer]:
        for candidate in response.candidates or []:
            finish = candidate.finish_reason.value if candidate.finish_reason else finish
            parts = (candidate.content.parts if candidate.content else None) or []
            text += "".join(part.text or "" for part in parts if not part.thought)
        if (counts := response.usage_metadata) and counts.total_token_count:
            spoken = (counts.candidates_token_count or 0) + (counts.thoughts_token_count or 0)
            usage = (counts.prompt_token_count, spoken)
    return Said(text=text, finish=finish, usage=usage)


def asker(family: str, sim: Simulator, timeout: float = PATIENT) -> Callable[..., Said]:
    """ask(prompt, stream=…) with the credential "key", in one of the three families of clients."""
    if family == "vertex":
        client = vertex_client(sim, "key", timeout=timeout)
        return lambda prompt="Hello", **more: gemini(client, prompt, **more)
    made = groq_client(sim, timeout=timeout) if family == "groq" else openai_client(sim, timeout=timeout)
    return lambda prompt="Hello", **more: chat(made, prompt, **more)


def outcome(ask: Callable[[], Said]) -> Said | Exception:
    try:
        return ask()
    except Exception as error:
        return error


families = pytest.mark.parametrize("family", ["groq", "openai", "vertex"])
streams = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


# -- good answers ----------------------------------------------------------------------------------------


@families
@streams
@pytest.mark.parametrize("language", ["en", "ru", "es", "de"])
def test_a_form_comes_back_with_a_story_in_the_language_asked_for(
    sim: Simulator, family: str, stream: bool, language: str
) -> None:
    prompt = PROMPT.format(language=language)
    said = asker(family, sim)(prompt, stream=stream)
    told = [each for each in STORY.get(language, STORY["en"]) if "{finding:2}" not in each]
    assert said.text == f"## One\n{' '.join(told)}\n## Two\n{{finding:1}}\n"
    assert said.finish in {"stop", "STOP"}
    assert said.usage == (count_tokens(prompt), count_tokens(said.text))
    again = asker(family, sim)(prompt, stream=stream)
    assert again.text == said.text


@pytest.mark.parametrize(
    "prompt", ["Say hello", "Скажи привет", "Form:\n‹story›", "Tell me about seeds " * 400]
)
def test_without_facts_and_a_form_one_sentence_says_what_it_is(sim: Simulator, prompt: str) -> None:
    assert chat(openai_client(sim), prompt).text == (
        f"Simulated answer: the provider simulator received {count_tokens(prompt)} tokens, and no model was asked."
    )


@families
@streams
def test_max_tokens_cuts_the_answer(sim: Simulator, family: str, stream: bool) -> None:
    limit = {"max_output_tokens": 100} if family == "vertex" else {"max_tokens": 100}
    said = asker(family, sim)(PROMPT.format(language="ru"), stream=stream, **limit)
    assert said.finish in {"length", "MAX_TOKENS"}
    assert said.usage[1] == count_tokens(said.text) == 100


def test_given_text_reasoning_and_usage(sim: Simulator) -> None:
    sim.script("key", ok("Fine.", reasoning="Let me think.", usage={"prompt_tokens": 7}))
    request = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    message = groq_client(sim).chat.completions.create(**request).choices[0].message
    assert (message.content, message.reasoning) == ("Fine.", "Let me think.")
    reply = openai_client(sim).chat.completions.create(**request)
    assert reply.choices[0].message.model_extra == {"reasoning_content": "Let me think."}
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (7, 2 + 4)
    assert reply.usage.completion_tokens_details.reasoning_tokens == 4
    thought = vertex_client(sim, "key").models.generate_content(model="gemini-x", contents="Hi")
    assert [(part.text, bool(part.thought)) for part in thought.candidates[0].content.parts] == [
        ("Let me think.", True),
        ("Fine.", False),
    ]
    assert thought.usage_metadata.thoughts_token_count == 4


def test_a_paced_stream_comes_piece_by_piece(sim: Simulator) -> None:
    sim.script("key", ok("word " * 20, pace=0.02))
    seen = []
    for chunk in groq_client(sim).chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Hi"}], stream=True
    ):
        seen.append((time.monotonic(), chunk.choices[0].delta.content))
    assert seen[-1][0] - seen[0][0] >= 0.06
    assert "".join(text or "" for _, text in seen) == "word " * 20


SCHEMA = {
    "type": "object",
    "required": ["score", "tags", "level", "nested"],
    "properties": {
        "score": {"type": "integer", "minimum": 3},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
        "level": {"enum": ["high", "low"]},
        "nested": {"$ref": "#/$defs/nested"},
        "optional": {"type": "boolean"},
    },
    "$defs": {
        "nested": {"type": "object", "properties": {"flag": {"type": "boolean"}, "n": {"type": "number"}}}
    },
}


def test_json_that_fits_the_schema(sim: Simulator) -> None:
    expected = {"score": 3, "tags": ["simulated"] * 2, "level": "high", "nested": {"flag": True, "n": 0}}
    wanted = {"type": "json_schema", "json_schema": {"name": "r", "schema": SCHEMA}}
    assert json.loads(chat(groq_client(sim), response_format=wanted).text) == expected
    assert json.loads(chat(openai_client(sim), response_format={"type": "json_object"}).text)["simulated"]
    said = gemini(
        vertex_client(sim), response_mime_type="application/json",
        response_schema=types.Schema(type="OBJECT", properties={"name": types.Schema(type="STRING")}),
    )  # fmt: skip
    assert json.loads(said.text) == {"name": "simulated"}


def test_tokens_are_counted_by_alphabet() -> None:
    assert [count_tokens(text) for text in ("", "abcd", "abcde", "абвгд", "абвгд abc")] == [0, 1, 2, 2, 3]
    assert cut_to_tokens("абвгд" * 10, 4) == "абвгд" * 2


# -- faults ----------------------------------------------------------------------------------------------

TIMED_OUT = (groq.APITimeoutError, openai.APITimeoutError, httpx.TimeoutException, httpx2.TimeoutException)
BROKEN = (groq.APIConnectionError, openai.APIConnectionError, httpx.NetworkError, httpx.RemoteProtocolError,
          httpx2.NetworkError, httpx2.RemoteProtocolError)  # fmt: skip
NOT_JSON = (ValueError, groq.APIResponseValidationError, openai.APIResponseValidationError,
            errors.UnknownApiResponseError)  # fmt: skip
STATUS = (groq.APIStatusError, openai.APIStatusError, errors.APIError)


def cut_short(said: Any) -> bool:
    return isinstance(said, Said) and bool(said.text) and said.finish is None


def complete(said: Any) -> bool:
    return isinstance(said, Said) and said.finish in {"stop", "STOP"} and said.text.endswith("{finding:1}\n")


def errors_of(*kinds: Any) -> Callable[[Any], bool]:
    flat = tuple(each for kind in kinds for each in (kind if isinstance(kind, tuple) else (kind,)))
    return lambda said: isinstance(said, flat)


timed_out = errors_of(TIMED_OUT)

# behaviour, what a plain request meets, what a streamed one meets
FAULTS: list[tuple[str, Behaviour, Callable[[Any], bool], Callable[[Any], bool]]] = [
    ("http-500", http(500), errors_of(STATUS), errors_of(STATUS)),
    ("hang", hang(), timed_out, timed_out),
    ("reset", reset(), errors_of(BROKEN), errors_of(BROKEN)),
    ("truncate", truncate(), errors_of(BROKEN), errors_of(BROKEN)),
    ("truncate-quietly", truncate(mismatch=False), errors_of(NOT_JSON),
     lambda said: cut_short(said) or isinstance(said, NOT_JSON)),
    ("slow", slow_first_token(0.05), complete, complete),
    ("too-slow", slow_first_token(60), timed_out, timed_out),
    ("keepalive-ok", blank_keepalive("ok", count=3), complete, complete),
    ("keepalive-close", blank_keepalive("close", count=3), errors_of(NOT_JSON),
     lambda said: isinstance(said, Said) and not said.text and not said.finish),
    ("short", short(), lambda said: said.text == "OK.", lambda said: said.text == "OK."),
    ("empty", empty(), lambda said: not said.text and said.usage[1] == 0, lambda said: not said.text),
    ("death", midstream_death(), errors_of(BROKEN), errors_of(BROKEN)),
    ("stall", midstream_stall(), timed_out, timed_out),
    ("no-done", no_done(), complete, complete),
    ("no-done-no-finish", no_done(finish=False), cut_short, cut_short),
    ("content-filter", content_filter(),
     lambda said: not said.text and said.finish in {"content_filter", "SAFETY"},
     lambda said: not said.text and said.finish in {"content_filter", "SAFETY"}),
    ("think-only", think_only(),
     lambda said: said.finish in {"length", "MAX_TOKENS"} and "</think>" not in (said.text or ""),
     lambda said: said.finish in {"length", "MAX_TOKENS"} and "</think>" not in (said.text or "")),
]  # fmt: skip


@families
@streams
@pytest.mark.parametrize(("behaviour", "plain", "streamed"), [fault[1:] for fault in FAULTS],
                         ids=[fault[0] for fault in FAULTS])  # fmt: skip
def test_a_fault_looks_to_the_client_as_in_real_life(
    sim: Simulator, family: str, stream: bool, behaviour: Behaviour,
    plain: Callable[[Any], bool], streamed: Callable[[Any], bool],
) -> None:  # fmt: skip
    sim.script("key", behaviour)
    ask = asker(family, sim, IMPATIENT if plain is timed_out else PATIENT)
    said = outcome(lambda: ask(PROMPT.format(language="en"), stream=stream))
    assert (streamed if stream else plain)(said), repr(said)
    assert sim.count("key") == 1
    sim.script("key", ok())
    assert complete(asker(family, sim)(PROMPT.format(language="en"), stream=stream)), (
        "the next request is served again"
    )


@pytest.mark.parametrize("family", ["groq", "openai"])
def test_a_malformed_chunk(sim: Simulator, family: str) -> None:
    sim.script("key", malformed_chunk(after=2))
    ask = asker(family, sim)
    for stream in (False, True):
        with pytest.raises(ValueError):  # noqa: PT011
            ask(PROMPT.format(language="en"), stream=stream)


def test_a_malformed_chunk_of_gemini(sim: Simulator) -> None:
    sim.script("key", malformed_chunk(after=2))
    for stream in (False, True):
        with pytest.raises((ValueError, errors.UnknownApiResponseError)):
            gemini(vertex_client(sim, "key"), PROMPT.format(language="en"), stream=stream)


@pytest.mark.parametrize("family", ["groq", "openai"])
@pytest.mark.parametrize("behaviour", [error_in_200(), error_in_stream(after=2)], ids=["first", "later"])
def test_an_error_with_status_200(sim: Simulator, family: str, behaviour: Behaviour) -> None:
    sim.script("key", behaviour)
    client = groq_client(sim) if family == "groq" else openai_client(sim)
    sdk = groq if family == "groq" else openai
    raw = client.chat.completions.with_raw_response.create(
        model="m", messages=[{"role": "user", "content": "Hi"}]
    )
    assert raw.http_response.status_code == 200
    assert json.loads(raw.http_response.text)["error"]["code"] == 502
    with pytest.raises(sdk.APIError) as caught:
        chat(client, stream=True)
    assert caught.value.body["code"] == 502


def test_an_error_with_status_200_of_gemini(sim: Simulator) -> None:
    sim.script("key", error_in_stream(after=2, code=503, message="overloaded"))
    said = outcome(lambda: gemini(vertex_client(sim, "key"), "Language: en", stream=True))
    assert isinstance(said, errors.ServerError)
    sim.script("key", error_in_200(code=503))
    said = outcome(lambda: gemini(vertex_client(sim, "key"), "Language: en"))
    assert isinstance(said, Said)
    assert not said.text


@families
@streams
def test_a_drip_never_lets_the_read_timeout_fire(sim: Simulator, family: str, stream: bool) -> None:
    """So only a deadline on the whole helps."""
    sim.script("key", drip(0.0, "Drop by drop."))
    assert asker(family, sim)(stream=stream).text == "Drop by drop."
    sim.script("key", drip(0.02))
    ask = asker(family, sim, timeout=1)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(outcome, lambda: ask(stream=stream))
        with pytest.raises(TimeoutError):
            future.result(1.2)
        sim.close()
        assert isinstance(future.result(PATIENT), BROKEN)


def test_blank_lines_for_ever_end_with_the_simulator(sim: Simulator) -> None:
    sim.script("key", blank_keepalive("forever", interval=0.01))
    with ThreadPoolExecutor(2) as pool:
        futures = [
            pool.submit(outcome, lambda stream=stream: chat(openai_client(sim), stream=stream))
            for stream in (False, True)
        ]
        with pytest.raises(TimeoutError):
            futures[0].result(0.1)
        sim.close()
        assert all(isinstance(future.result(PATIENT), BROKEN) for future in futures)


def test_a_stream_without_done_may_stay_open(sim: Simulator) -> None:
    sim.script("key", no_done(hold_open=True))
    said = outcome(lambda: chat(openai_client(sim, timeout=IMPATIENT), stream=True))
    assert isinstance(said, TIMED_OUT)


def test_keepalive_lines_are_those_of_deepseek(sim: Simulator) -> None:
    sim.script("key", blank_keepalive("close", count=2, interval=0))
    for stream, line in ((False, b"\n"), (True, b": keep-alive\n\n")):
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
        reply = httpx.post(f"{sim.url}/deepseek/v1/chat/completions", json=body, headers=BEARER)
        assert reply.content == line * 2


BEARER = {"authorization": "Bearer key"}


# -- recorded payloads -----------------------------------------------------------------------------------

ANSWERED = {name: record for name, record in payloads().items() if record["status"] not in {None, 200}}


def test_all_recorded_payloads_are_here() -> None:
    assert len(payloads()) == 112
    fields = {"id", "provider", "status", "headers", "body", "expected"}
    for record in payloads().values():
        assert fields <= set(record) <= fields | {"retry_after_s", "exception"}


def test_a_recorded_refusal_arrives_byte_for_byte(sim: Simulator) -> None:
    with httpx.Client() as client:
        for name, record in ANSWERED.items():
            sim.script("key", payload(name), endpoint="chat")
            for stream in (False, True):
                reply = client.post(
                    f"{sim.url}/any/v1/chat/completions", headers=BEARER,
                    json={"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": stream},
                )  # fmt: skip
                assert (reply.status_code, reply.text) == (record["status"], record["body"]), name
                assert record["headers"].items() <= dict(reply.headers).items(), name
    assert {record.behaviour for record in sim.requests} == {f"payload:{name}" for name in ANSWERED}


@pytest.mark.parametrize(("name", "plain", "streamed"), [
    ("transport-connection-reset", BROKEN, BROKEN),
    ("transport-ssl-eof", BROKEN, BROKEN),
    ("transport-dns", BROKEN, BROKEN),
    ("transport-read-timeout", TIMED_OUT, TIMED_OUT),
    ("transport-incomplete-read", BROKEN, BROKEN),
    ("truncated-json", NOT_JSON, Said),
    ("empty-body-200", NOT_JSON, Said),
    ("deepseek-keepalive-blank-then-close", NOT_JSON, Said),
    ("openrouter-midstream-server-error", None, openai.APIError),
    ("openrouter-200-error-502", None, openai.APIError),
])  # fmt: skip
def test_recorded_failures_without_an_honest_status(
    sim: Simulator, name: str, plain: Any, streamed: Any
) -> None:
    sim.script("key", payload(name))
    client = openai_client(sim, timeout=IMPATIENT if plain is TIMED_OUT else PATIENT)
    if plain:
        assert isinstance(outcome(lambda: chat(client)), plain)
    said = outcome(lambda: chat(client, stream=True))
    assert isinstance(said, streamed)
    assert not (isinstance(said, Said) and said.text)


def test_a_recorded_200_is_retold_as_a_stream(sim: Simulator) -> None:
    client = openai_client(sim)
    sim.script("key", payload("empty-gpt-oss-reasoning"))
    assert (
        chat(client, stream=True) == chat(client) == {"text": "", "finish": "length", "usage": (1010, 1000)}
    )
    assert [(r.prompt_tokens, r.completion_tokens) for r in sim.requests] == [(1010, 1000)] * 2
    sim.script("key", payload("content-filter-finish"))
    assert chat(client, stream=True).finish == chat(client).finish == "content_filter"
    sim.script("key", payload("gemini-200-safety"))
    assert gemini(vertex_client(sim, "key"), stream=True).finish == "SAFETY"
    sim.script("key", payload("gemini-200-max-tokens-no-parts"))
    assert gemini(vertex_client(sim, "key"), stream=True) == gemini(vertex_client(sim, "key"))


def test_an_unknown_payload_is_refused_when_scripted() -> None:
    with pytest.raises(KeyError):
        payload("no-such-thing")


# -- scripts ---------------------------------------------------------------------------------------------


def test_a_script_is_consumed_and_its_last_behaviour_repeats(sim: Simulator) -> None:
    sim.script("key", http(500), ok("one"), http(429, headers={"retry-after": "2"}), ok("two"))
    said = [outcome(lambda: chat(openai_client(sim))) for _ in range(5)]
    assert isinstance(said[0], openai.InternalServerError)
    assert isinstance(said[2], openai.RateLimitError)
    assert said[2].response.headers["retry-after"] == "2"
    assert [each.text for each in (said[1], said[3], said[4])] == ["one", "two", "two"]
    sim.script("key")
    assert chat(openai_client(sim)).text.startswith("Simulated")


def test_the_most_particular_script_wins(sim: Simulator) -> None:
    sim.default(http(503))
    sim.script("a", ok("any"))
    sim.script("a", ok("model"), model="special")
    sim.script("v", ok("elsewhere"))
    sim.script("v", ok("eu"), location="eu")
    client = openai_client(sim, "a")
    assert [chat(client, model=model).text for model in ("m", "special")] == ["any", "model"]
    assert [gemini(vertex_client(sim, "v", place)).text for place in ("eu", "us")] == ["eu", "elsewhere"]
    with pytest.raises(openai.InternalServerError):
        chat(openai_client(sim, "b"))
    sim.reset()
    assert chat(openai_client(sim, "b")).text
    assert sim.count() == 1


def test_bad_requests_are_refused_as_providers_do(sim: Simulator) -> None:
    url = f"{sim.url}/groq/openai/v1/chat/completions"
    for body in (b"not json", b"[]", b'{"model": "m"}', b'{"messages": [{"role": "user", "content": "x"}]}'):
        reply = httpx.post(url, content=body, headers=BEARER)
        assert (reply.status_code, reply.json()["error"]["type"]) == (400, "invalid_request_error")
    assert httpx.get(f"{sim.url}/nothing").status_code == 404


def test_strict_knows_only_what_was_mentioned() -> None:
    with Simulator(strict=True) as sim:
        sim.account("mine", "org")
        sim.script("scripted", ok("Hi."))
        assert chat(groq_client(sim, "mine")).text
        assert chat(groq_client(sim, "scripted")).text
        with pytest.raises(groq.AuthenticationError):
            chat(groq_client(sim, "stranger"))
        assert gemini(vertex_client(sim)).text


# -- limits ----------------------------------------------------------------------------------------------


class Clock:
    """Noon UTC of some day, moved by hand."""

    now = 20_000 * 86_400 + 43_200.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limited(clock: Clock) -> Iterator[Simulator]:
    with Simulator(clock=clock) as simulator:
        simulator.default(ok("x" * 400))  # 100 tokens
        for key in ("one", "two"):
            simulator.account(key, "org-a")
        yield simulator


def refused(client: Any, prompt: str = "abcd", max_tokens: int = 200) -> Any:
    with pytest.raises((groq.APIStatusError, openai.APIStatusError)) as caught:
        chat(client, prompt, max_tokens=max_tokens)
    return caught.value


def test_requests_a_minute_belong_to_account_and_model(limited: Simulator, clock: Clock) -> None:
    limited.limit("org-a", "m", rpm=2)
    one, two = groq_client(limited, "one"), groq_client(limited, "two")
    chat(one)
    clock.now += 10
    chat(two)
    clock.now += 20
    error = refused(one)
    assert error.status_code == 429
    assert re.fullmatch(
        r"Rate limit reached for model `m` in organization `org_01[a-z0-9]{24}` service tier `on_demand` on "
        r"requests per minute \(RPM\): Limit 2, Used 2, Requested 1\. Please try again in 30s\. "
        r"Need more tokens\? Upgrade to Dev Tier today at https://console\.groq\.com/settings/billing",
        error.body["error"]["message"],
    )
    assert (error.body["error"]["type"], error.body["error"]["code"]) == ("requests", "rate_limit_exceeded")
    assert error.response.headers["retry-after"] == "30"
    chat(one, model="another")
    chat(groq_client(limited, "foreign"))
    clock.now += 29.999
    refused(one)
    clock.now += 0.001
    chat(one)


def test_tokens_a_minute_are_reserved_then_settled(limited: Simulator, clock: Clock) -> None:
    limited.limit("org-a", "m", tpm=500)
    client = groq_client(limited, "one")
    for remaining in (399, 298):
        raw = client.chat.completions.with_raw_response.create(
            model="m", messages=[{"role": "user", "content": "abcd"}], max_tokens=200
        )
        assert raw.headers["x-ratelimit-remaining-tokens"] == str(remaining)  # 1 in and 100 out were used
    chat(client, max_tokens=200)  # 197 left
    error = refused(client)
    assert "tokens per minute (TPM): Limit 500, Used 304, Requested 201." in error.body["error"]["message"]
    assert error.body["error"]["type"] == "tokens"
    clock.now += 60
    chat(client, max_tokens=200)


def test_one_request_above_the_minute_is_too_large(limited: Simulator) -> None:
    limited.limit("org-a", "m", tpm=500)
    error = refused(groq_client(limited, "one"), max_tokens=500)
    assert error.status_code == 413
    assert "Limit 500, Requested 501, please reduce your message size" in error.body["error"]["message"]
    assert "retry-after" not in error.response.headers


def test_a_running_call_holds_its_reservation(limited: Simulator) -> None:
    limited.limit("org-a", "m", tpm=500)
    limited.script("one", midstream_stall())
    with ThreadPoolExecutor(1) as pool:
        client = groq_client(limited, "one", timeout=3)
        stalled = pool.submit(outcome, lambda: chat(client, stream=True, max_tokens=300))
        wait_until(lambda: any(record.status == 200 for record in limited.requests))
        assert refused(groq_client(limited, "two")).status_code == 429
        assert isinstance(stalled.result(), TIMED_OUT)
    patient = groq_client(limited, "two")
    wait_until(lambda: isinstance(outcome(lambda: chat(patient, max_tokens=200)), Said))


def test_days_begin_at_midnight_utc(limited: Simulator, clock: Clock) -> None:
    limited.limit("org-a", "m", rpd=2, tpd=10_000)
    limited.limit("org-a", "n", tpd=250)
    client = groq_client(limited, "one")
    chat(client)
    clock.now += 3600
    chat(client)
    error = refused(client)
    assert "requests per day (RPD): Limit 2, Used 2, Requested 1. Please try again in 11h." in str(error)
    assert error.response.headers["retry-after"] == str(11 * 3600)
    assert error.response.headers["x-ratelimit-reset-requests"] == "11h"
    assert error.response.headers["x-ratelimit-remaining-requests"] == "0"
    chat(client, model="n", max_tokens=200)
    with pytest.raises(groq.RateLimitError, match=r"\(TPD\): Limit 250, Used 102, Requested 202"):
        chat(client, model="n", max_tokens=200)
    clock.now += 11 * 3600
    chat(client)
    chat(client, model="n", max_tokens=200)


def test_failed_calls_use_a_request_and_no_tokens(limited: Simulator) -> None:
    limited.limit("org-a", "m", rpm=3, tpm=300)
    limited.script("one", http(500), ok("x" * 400))
    client = groq_client(limited, "one")
    with pytest.raises(groq.InternalServerError):
        chat(client, max_tokens=250)
    chat(client, max_tokens=250)
    chat(client, max_tokens=150)
    assert "requests per minute" in str(refused(client, max_tokens=50))


def test_every_groq_answer_tells_the_quota(sim: Simulator) -> None:
    reply = httpx.post(
        f"{sim.url}/groq/openai/v1/chat/completions", headers=BEARER,
        json={"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True},
    )  # fmt: skip
    for what in ("requests", "tokens"):
        assert reply.headers[f"x-ratelimit-limit-{what}"].isdigit()
        assert reply.headers[f"x-ratelimit-remaining-{what}"].isdigit()
        assert re.fullmatch(r"[\d.]+ms", reply.headers[f"x-ratelimit-reset-{what}"])


def test_openrouter_says_it_in_epoch_milliseconds(limited: Simulator, clock: Clock) -> None:
    limited.limit("org-a", rpd=1)
    client = openai_client(limited, "one", "openrouter")
    chat(client)
    error = refused(client)
    midnight = str(math.ceil((clock.now + 12 * 3600) * 1000))
    assert error.status_code == 429
    assert error.response.headers["x-ratelimit-reset"] == midnight
    assert error.body["code"] == 429
    assert error.body["message"].startswith("Rate limit exceeded: free-models-per-day.")
    assert error.body["metadata"]["headers"]["X-RateLimit-Reset"] == midnight
    with pytest.raises(openai.RateLimitError):
        chat(client, model="another")  # one quota over all models


def test_other_services_and_gemini(limited: Simulator) -> None:
    limited.limit("org-a", rpm=1)
    limited.limit("vertex", "gemini-3.5-flash-lite", rpm=1)
    chat(openai_client(limited, "one"))
    error = refused(openai_client(limited, "two"))
    assert (error.code, error.response.headers["retry-after"]) == ("rate_limit_exceeded", "60")
    client = vertex_client(limited)
    gemini(client)
    with pytest.raises(errors.ClientError) as caught:
        gemini(client)
    assert (caught.value.code, caught.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert caught.value.message.startswith("Quota exceeded for aiplatform.googleapis.com/")


@pytest.mark.parametrize(("seconds", "text"), [
    (7.66, "7.66s"), (0.644, "644ms"), (0.00864, "8.64ms"), (179.56, "2m59.56s"), (43200, "12h"), (0, "0s"),
    (578.016, "9m38.016s"), (766, "12m46s"), (720, "12m"), (3605, "1h5s"), (59.9999, "1m"),
])  # fmt: skip
def test_durations_are_written_as_groq_does(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text


def test_limits_hold_under_many_threads(sim: Simulator) -> None:
    sim.limit("key", "m", rpm=30)
    client = openai_client(sim)
    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(lambda _: outcome(lambda: chat(client)), range(64)))
    assert sum(isinstance(each, Said) for each in said) == 30
    assert sim.count("key") == 64


# -- Google's tokens -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/eu"])
def test_a_service_account_is_really_used(sim: Simulator, path: str) -> None:
    client = vertex_client(sim, "vertex:eu-1", path=path)
    gemini(client)
    gemini(client)
    assert [(r.endpoint, r.credential, r.location) for r in sim.requests] == [
        ("token", "vertex:eu-1", None), ("chat", "vertex:eu-1", "eu"), ("chat", "vertex:eu-1", "eu"),
    ]  # fmt: skip


def test_a_foreign_key_gets_no_token(sim: Simulator) -> None:
    sim.service_account(project="p", label="mine")
    with Simulator() as other:
        info = {**other.service_account(project="p", label="mine"), "token_uri": f"{sim.url}/token"}
    credentials = service_account.Credentials.from_service_account_info(info, scopes=["scope"])
    client = genai.Client(
        vertexai=True, project="p", location="eu", credentials=credentials,
        http_options=types.HttpOptions(base_url=f"{sim.url}/vertex"),
    )  # fmt: skip
    with pytest.raises(google.auth.exceptions.RefreshError, match=r"invalid_grant: Invalid JWT Signature\."):
        gemini(client)
    assert sim.requests[-1].behaviour == "unauthorised"


def test_the_token_endpoint_follows_its_script(sim: Simulator) -> None:
    sim.script("vertex", payload("vertex-invalid-grant-signature"), ok())
    client = vertex_client(sim)
    with pytest.raises(google.auth.exceptions.RefreshError, match="invalid_grant"):
        gemini(client)
    assert gemini(client).text
    sim.script("vertex", http(403, {"error": "access_denied"}), endpoint="token")
    with pytest.raises(google.auth.exceptions.RefreshError, match="access_denied"):
        gemini(vertex_client(sim))


@pytest.mark.parametrize("form", [{}, {"grant_type": "password"}, {"assertion": "a.b.c"}])
def test_a_shapeless_grant_is_refused(sim: Simulator, form: dict[str, str]) -> None:
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", **form}
    reply = httpx.post(f"{sim.url}/token", data=grant)
    assert reply.status_code == 400
    assert reply.json()["error"] in {"invalid_request", "unsupported_grant_type"}


# -- models, edges, records ------------------------------------------------------------------------------


def test_models_need_a_key_and_tell_what_is_served(sim: Simulator) -> None:
    url = f"{sim.url}/groq/openai/v1/models"
    reply = httpx.get(url)
    assert (reply.status_code, reply.text) == (401, payloads()["groq-401-invalid-key"]["body"])
    sim.script("key", http(404), model="old-model")
    listed = [model.id for model in groq_client(sim).models.list().data]
    assert listed[0] == "openai/gpt-oss-120b"
    assert listed[-1] == "old-model"
    sim.offer("groq", "only-this")
    assert [model.id for model in groq_client(sim).models.list().data] == ["only-this"]
    assert next(iter(vertex_client(sim).models.list())).name.endswith("/gemini-3.5-flash-lite")
    sim.script("key", http(500), endpoint="models")
    with pytest.raises(groq.InternalServerError):
        groq_client(sim).models.list()
    assert (sim.count(), sim.count(endpoint="models")) == (0, 5)


def test_a_blocked_edge_answers_before_anything_else(sim: Simulator) -> None:
    sim.block_edge("groq")
    for said in (outcome(lambda: chat(groq_client(sim))), outcome(groq_client(sim).models.list)):
        assert isinstance(said, groq.PermissionDeniedError)
        assert said.body["error_code"] == 1010
        assert said.response.headers["server"] == "cloudflare"
    assert httpx.get(f"{sim.url}/groq/openai/v1/models").status_code == 403
    assert chat(openai_client(sim)).text, "another provider is not blocked"
    sim.unblock_edge("groq")
    assert chat(groq_client(sim)).text
    assert [record.behaviour for record in sim.requests].count("blocked") == 3
    with pytest.raises(ValueError, match="no HTTP answer"):
        sim.block_edge("groq", "transport-dns")


def test_keyless_providers(sim: Simulator) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert httpx.post(f"{sim.url}/ollama/v1/chat/completions", json=body).status_code == 200
    assert httpx.post(f"{sim.url}/deepseek/v1/chat/completions", json=body).status_code == 401
    assert [(record.provider, record.credential) for record in sim.requests] == [
        ("ollama", ""),
        ("deepseek", ""),
    ]


def test_what_was_received_is_recorded(sim: Simulator) -> None:
    sim.account("key", "org-a")
    chat(groq_client(sim), "abcd", model="m1", extra_headers={"user-agent": "honest/1"})
    chat(groq_client(sim), "abcd", model="m2", stream=True)
    outcome(lambda: chat(openai_client(sim, "other")))
    first, second, _ = sim.requests
    assert (first.provider, first.credential, first.account, first.model) == ("groq", "key", "org-a", "m1")
    assert (first.status, first.behaviour, first.stream, second.stream) == (200, "ok", False, True)
    assert (first.prompt_tokens, first.completion_tokens) == (1, 21)
    assert first.user_agent == "honest/1"
    assert first.body["messages"] == [{"role": "user", "content": "abcd"}]
    assert abs(first.time - time.time()) < 60
    assert sim.count() == 3
    assert sim.count("key") == sim.count(provider="groq") == 2
    assert sim.count(model="m2") == 1


def test_a_broken_stream_counts_what_was_sent(sim: Simulator) -> None:
    sim.script("key", midstream_death(after=2))
    outcome(lambda: chat(groq_client(sim), "abcd", stream=True))
    record = sim.requests[0]
    assert (record.status, record.prompt_tokens, record.completion_tokens) == (200, 1, 12)


# -- control API, command, server ------------------------------------------------------------------------


def test_another_process_can_drive_it(sim: Simulator) -> None:
    def control(command: str, **body: Any) -> Any:
        reply = httpx.post(f"{sim.url}/_control/{command}", json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    control("script", credential="key", behaviours=["empty", {"name": "http", "status": 402}, "ok"])
    client = groq_client(sim)
    assert chat(client).text == ""
    assert isinstance(outcome(lambda: chat(client)), groq.APIStatusError)
    control("account", credential="key", account="org-a")
    control("limit", account="org-a", model="m", rpm=1)
    chat(client)
    assert isinstance(outcome(lambda: chat(client)), groq.RateLimitError)
    control("block", provider="groq", payload_id="cf-1010-plain")
    assert isinstance(outcome(lambda: chat(client)), groq.PermissionDeniedError)
    control("unblock", provider="groq")
    control("models", provider="groq", models=["x"])
    assert [model.id for model in client.models.list().data] == ["x"]
    assert control("service-account", label="v")["token_uri"] == f"{sim.url}/token"
    rows = httpx.get(f"{sim.url}/_control/counts").json()
    assert {"endpoint": "chat", "provider": "groq", "credential": "key", "model": "m", "count": 5} in rows
    records = httpx.get(f"{sim.url}/_control/requests").json()
    assert [record["behaviour"] for record in records][:3] == ["empty", "http", "ok"]
    control("reset")
    control("default", behaviour={"name": "payload", "payload_id": "deepseek-402"})
    assert isinstance(outcome(lambda: chat(client)), groq.APIStatusError)
    assert sim.count() == 1


@pytest.mark.parametrize(("command", "body"), [
    ("script", {"credential": "key", "behaviours": ["nonsense"]}),
    ("script", {"credential": "key", "behaviours": [{"name": "hang", "seconds": 1}]}),
    ("script", {"credential": "key", "behaviours": [], "endpoint": "moon"}),
    ("limit", {"account": "a", "rpx": 1}),
    ("block", {"provider": "groq", "payload_id": "nonsense"}),
])  # fmt: skip
def test_a_wrong_command_is_refused_with_the_reason(sim: Simulator, command: str, body: Any) -> None:
    reply = httpx.post(f"{sim.url}/_control/{command}", json=body)
    assert reply.status_code == 400
    assert reply.json()["detail"]
    assert httpx.post(f"{sim.url}/_control/nonsense").status_code == 404


def test_the_providers_file_is_complete_and_loads_again(sim: Simulator, tmp_path: Path) -> None:
    text = sim.providers_toml(tmp_path)
    providers = {each["slug"]: each for each in tomllib.loads(text)["provider"]}
    assert list(providers) == ["groq", "openrouter", "huggingface", "deepseek", "vertex"]
    assert [key["label"] for key in providers["groq"]["key"]] == [f"groq{n}" for n in range(1, 6)]
    assert len({key["account"] for key in providers["groq"]["key"]}) == 5
    assert (providers["groq"]["base_url"], providers["groq"]["model"][0]["tpm"]) == (f"{sim.url}/groq", 8000)
    assert providers["deepseek"]["model"][0]["price_out"] == "0.60"
    vertex = providers["vertex"]
    assert (vertex["locations"], vertex["base_url"]) == (
        ["global", "eu", "us"],
        f"{sim.url}/vertex/{{location}}",
    )
    file = Path(vertex["key"][0]["secret"].removeprefix("file:"))
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_text()
    assert sim.providers_toml(tmp_path) == text
    assert file.read_text() == before, "a second run keeps the key that may be loaded already"
    known = {"slug", "kind", "name", "base_url", "tier", "free", "daily_budget_usd", "project", "locations"}
    assert all(set(each) <= known | {"model", "key"} for each in providers.values())


def test_free_tiers_are_kept_when_asked(sim: Simulator) -> None:
    sim.enforce_free_tiers()
    client = groq_client(sim, "gsk_simulated_1")
    with pytest.raises(groq.APIStatusError) as caught:
        chat(client, model="openai/gpt-oss-120b", max_tokens=9000)
    assert caught.value.status_code == 413
    assert chat(client, model="openai/gpt-oss-120b", max_tokens=900).text


def test_the_command_prints_the_providers_file(
    tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.BASE_DIR = tmp_path
    call_command("simulate_providers", "--print-providers")
    providers = tomllib.loads(capsys.readouterr().out)["provider"]
    assert [each["base_url"].startswith("http://127.0.0.1:9999/") for each in providers] == [True] * 5
    assert (tmp_path / "var/simulator/service-account-vertex.json").exists()


def test_the_command_serves_until_it_is_stopped(tmp_path: Path, settings: Any, monkeypatch: Any) -> None:
    settings.BASE_DIR = tmp_path
    stdout, answers = StringIO(), []

    def ctrl_c() -> None:
        groq1 = tomllib.loads(stdout.getvalue())["provider"][0]
        client = groq.Groq(base_url=groq1["base_url"], api_key=groq1["key"][0]["secret"], max_retries=0)
        answers.append(chat(client, model="openai/gpt-oss-120b", max_tokens=100).text)
        raise KeyboardInterrupt

    monkeypatch.setattr("guardlabs.management.commands.simulate_providers.wait", ctrl_c)
    call_command("simulate_providers", "--port", "0", "--strict", stdout=stdout, stderr=StringIO())
    assert answers[0].startswith("Simulated")
    with Simulator() as other, pytest.raises(CommandError, match="not free"):
        call_command("simulate_providers", "--port", other.url.rpartition(":")[2])


def wait_until(condition: Callable[[], bool], seconds: float = PATIENT) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_closing_releases_every_hanging_request_at_once() -> None:
    sim = Simulator().start()
    sim.default(hang())
    with ThreadPoolExecutor(100) as pool:
        client = openai_client(sim, timeout=60)
        futures = [pool.submit(outcome, lambda: chat(client)) for _ in range(100)]
        wait_until(lambda: sim.count() == 100)
        sim.close()
        assert all(isinstance(future.result(PATIENT), BROKEN) for future in futures)
    name = f"simulator {sim.url}"
    wait_until(lambda: not any(thread.name == name for thread in threading.enumerate()))


def test_a_client_that_leaves_ends_its_hanging_request(sim: Simulator) -> None:
    sim.script("key", hang())
    sim.limit("key", "m", tpm=2000)
    outcome(lambda: chat(openai_client(sim, timeout=IMPATIENT), max_tokens=1900))
    sim.script("key", ok())
    client = openai_client(sim)
    wait_until(lambda: isinstance(outcome(lambda: chat(client, max_tokens=1900)), Said))


def test_a_taken_port_is_told(sim: Simulator) -> None:
    with pytest.raises(OSError, match="in use"):
        Simulator(port=int(sim.url.rpartition(":")[2]))


def test_requests_in_pieces_and_in_chunks(sim: Simulator) -> None:
    host, port = sim.url.removeprefix("http://").split(":")
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Привет"}]}).encode()
    head = (b"POST /groq/openai/v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer k\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")  # fmt: skip
    whole = head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    with socket.create_connection((host, int(port))) as sock:
        sock.settimeout(PATIENT)
        for start in range(0, len(whole), 40):
            sock.sendall(whole[start : start + 40])
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        sock.sendall(b"nonsense\r\n\r\n")
        assert sock.recv(100) == b""


def test_it_is_quick_enough_to_be_a_baseline(sim: Simulator) -> None:
    """The target is 0.3 ms; what this finds is the 40 ms of a delayed acknowledgement."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * 4000}]}).encode()
    head = f"POST /groq/openai/v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer k\r\nContent-Length: {len(body)}"
    host, port = sim.url.removeprefix("http://").split(":")
    took = []
    with socket.create_connection((host, int(port))) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(300):
            start = time.perf_counter()
            sock.sendall(head.encode() + b"\r\n\r\n" + body)
            assert sock.recv(65536)
            took.append(time.perf_counter() - start)
    assert sorted(took)[30] < 0.03


def test_it_imports_neither_django_nor_the_rest_of_the_app() -> None:
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names.append(node.module or "")
            for name in names:
                assert not name.startswith(("django", "audit", "guardlabs")), f"{file.name}: {name}"
                assert not name.startswith("llm") or name.startswith("llm.simulator"), f"{file.name}: {name}"
