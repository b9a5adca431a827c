"""What an adapter sends is what its SDK would send, though the SDK is asked for one request alone."""

import json
from contextlib import suppress

import pytest

from llm import clock, loop
from llm.adapters import Request, Timing, adapter_for
from llm.failures.kinds import Failure, Kind
from llm.simulator import behaviours as b
from tests.adapter_setup import HELLO, OPENAI_KINDS, Ran, completion, drive, make_adapter

openais = pytest.mark.parametrize("kind", OPENAI_KINDS)
both = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


def asked(adapter, *, stream=False):
    end = clock.monotonic() + 30
    request = Request(model="m", messages=HELLO, max_tokens=9, stream=stream)
    return drive(adapter, request, Timing(first_token=end, end=end))


def sent(sim):
    """The headers of the latest request, in their order; the length is the body's."""
    return [(name, value) for name, value in sim.requests[-1].headers.items() if name != "content-length"]


async def create(client, *, stream, **options):
    answer = await client.chat.completions.create(
        model="m", messages=HELLO, max_tokens=9, stream=stream, **options
    )
    if stream:
        async for _ in answer:
            pass


async def post(client, path, *, stream, **options):
    body = {"model": "m", "messages": HELLO, "max_tokens": 9, "stream": stream}
    await client.post(path, body=body, cast_to=object, options={"headers": options.get("extra_headers", {})})


@both
@openais
@pytest.mark.parametrize("key", ["key", ""], ids=["keyed", "keyless"])
def test_every_header_is_the_sdks_own(sim, kind, key, stream):
    path = "groq" if kind == "groq" else "other/v1"
    adapter = adapter_for(kind=kind, base_url=f"{sim.url}/{path}", key=key)
    options = {} if key else {"extra_headers": {"Authorization": adapter.sdk.Omit()}}
    told = []
    for call in (
        create(adapter.client, stream=stream, **options),
        create(adapter.client, stream=stream, **options),  # whatever is drawn anew would differ
        post(adapter.client, adapter.chat_path, stream=stream, **options),
    ):
        with suppress(adapter.sdk.AuthenticationError):  # the simulator wants a key
            loop.run(call)
        told.append(sent(sim))
    assert told[0] == told[1] == told[2]
    for _ in range(2):
        with suppress(Failure):
            asked(adapter, stream=stream)
        assert sent(sim) == told[0]
    assert len(sim.requests) == 5
    names = dict(told[0])
    assert names.get("authorization") == ("Bearer key" if key else None)
    assert names["content-type"] == "application/json"
    assert any(name.startswith("x-stainless-") for name in names)


@openais
def test_the_sdk_is_asked_once_for_all_calls_to_a_path(sim, kind, monkeypatch):
    adapter, _ = make_adapter(sim, kind, slug=f"once-{kind}")
    made = []
    genuine = adapter.client.post
    monkeypatch.setattr(
        adapter.client, "post", lambda path, **more: (made.append(path), genuine(path, **more))[1]
    )
    for stream in (False, True, False):
        asked(adapter, stream=stream)
    assert len(made) == 1
    assert len(sim.requests) == 3  # and what it made then went nowhere


@openais
@pytest.mark.parametrize("key", ["a\nb", "ключ"])
def test_a_key_that_no_header_can_hold_is_sent_nowhere(sim, kind, key):
    adapter = adapter_for(kind=kind, base_url=f"{sim.url}/v1", key=key)
    for _ in range(2):
        with pytest.raises(Failure, match="could not be built") as caught:
            asked(adapter)
        assert caught.value.kind is Kind.REQUEST_REJECTED
        assert key not in caught.value.detail
    assert not sim.requests


@both
@openais
@pytest.mark.parametrize("charset", ["nonsense", "hex", "latin-1"])
def test_a_body_is_read_in_whatever_encoding_its_type_names(sim, kind, stream, charset):
    body = json.dumps(completion({"content": "Hello"}))
    headers = {"content-type": f"application/json; charset={charset}"}
    assert Ran(sim, kind, b.http(200, body, headers), stream=stream).text == "Hello"


@openais
def test_headers_that_come_twice_are_kept_under_one_name(sim, kind):
    headers = {"content-type": "application/json", "X-A": "1", "x-a": "2"}
    ran = Ran(sim, kind, b.http(200, completion({"content": "Hello"}), headers), stream=False)
    assert ran.answer.headers["x-a"] == "1, 2"
