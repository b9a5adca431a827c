"""HTTP at the gateway's doors: addresses, packed and chunked bodies, other sites' pages, and errors in JSON."""

import gzip
import io
import json
import zlib

import pytest
from django.test import Client as Browser
from django.test import RequestFactory

from llm.clients import access as clients
from llm.gateway.errors import ApiError
from llm.gateway.serving import body
from llm.models import Call, Client
from llm.simulator import behaviours as b
from tests.chain_setup import OSS, SMALL, make_groq
from tests.gateway_client import HELLO, URL, Gateway, chunks_of, make_client, text_of

pytestmark = pytest.mark.django_db
PAGE = "https://app.example"


# -- addresses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/chat/completions", "/v1/chat/completions/", "/chat/completions/"]
)
def test_the_prefix_is_optional_and_a_slash_makes_no_difference(chain, gateway, path):
    assert gateway.post_to(path, {"messages": HELLO}).json()["object"] == "chat.completion"


@pytest.mark.parametrize(
    "path", ["/responses", "/messages", "/v1/responses/", "/v1/messages/", "/messages/count_tokens"]
)
def test_every_door_has_its_short_address(chain, gateway, path):
    body = {"input": "x"} if "responses" in path else {"messages": HELLO, "max_tokens": 5}
    assert gateway.post_to(path, body).status_code == 200


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/", "/models/auto", "/v1/models/auto/"])
def test_models_too(chain, gateway, path):
    assert gateway.get(path).status_code == 200


def test_whoever_looks_whether_anybody_is_there_hears_yes(client):
    assert client.head("/").status_code == 200
    for path in ("/v1", "/v1/"):
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200
    assert client.get("/").status_code == 302  # a person


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("get", "/v1/chat/completions", 405), ("get", "/responses", 405), ("get", "/v1/nothing", 404),
     ("post", "/v1/v1/messages", 404), ("post", "/v2/chat/completions", 404),
     ("put", "/messages", 405)],
)  # fmt: skip
def test_errors_are_json_wherever_a_client_may_land(client, gateway, method, path, status):
    response = getattr(client, method)(
        path, "{}" if method != "get" else None, content_type="application/json",
        headers={"authorization": f"Bearer {gateway.key}"},
    )  # fmt: skip
    assert response.status_code == status
    assert response.json()["error"]["code"]


# -- bodies ----------------------------------------------------------------------------------------------

PACKED = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("packing", PACKED)
def test_a_packed_body_is_read(chain, gateway, packing):
    content = PACKED[packing](json.dumps({"messages": HELLO}).encode())
    assert gateway.post(content, **{"content-encoding": packing}).status_code == 200


def test_a_body_is_bounded_after_it_is_unpacked(chain, gateway):
    bomb = gzip.compress(b'{"messages": "' + b"x" * (body.MOST_BYTES + 10))
    assert len(bomb) < 20_000
    response = gateway.post(bomb, **{"content-encoding": "gzip"})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "request_too_large")


def test_a_body_just_below_the_bound_is_read_whole():
    text = "x" * (body.MOST_BYTES - 100)
    packed = gzip.compress(json.dumps({"a": text}).encode())
    request = RequestFactory().post(URL, packed, "application/json", headers={"content-encoding": "gzip"})
    assert body.read(request)["a"] == text


@pytest.mark.parametrize(
    ("content", "packing", "status"),
    [(b"no gzip", "gzip", 400), (gzip.compress(b"{}" * 500, mtime=0)[:-20], "gzip", 400), (b"{}", "br", 415),
     (b"", "gzip", 400)],
)  # fmt: skip
def test_a_body_that_cannot_be_unpacked_is_refused(chain, gateway, content, packing, status):
    assert gateway.post(content, **{"content-encoding": packing}).status_code == status


class Chunks(io.RawIOBase):
    """A body as a server hands it over that knows where it ends."""

    def __init__(self, content):
        self.left = content

    def read(self, size=-1):
        found, self.left = self.left[:size], self.left[size:]
        return found


def chunked(content):
    request = RequestFactory().post(URL, b"", "application/json")
    request.environ |= {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input_terminated": True,
        "wsgi.input": Chunks(content),
    }
    request.META.pop("CONTENT_LENGTH", None)
    return request


def test_a_body_in_chunks_is_read():
    assert body.read(chunked(b'{"a": 1}')) == {"a": 1}
    with pytest.raises(ApiError) as refused:
        body.read(chunked(b"x" * (body.MOST_BYTES + 1)))
    assert refused.value.status == 413


def endless(first, rest):
    """A request of packed bytes that never end."""

    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size=-1):
            assert self.taken < 3 * body.MOST_BYTES, "read without an end"
            piece = rest if self.taken else first
            self.taken += len(piece)
            return piece

    request = chunked(b"")
    request.environ |= {"wsgi.input": Endless(), "HTTP_CONTENT_ENCODING": "gzip"}
    return request


HEAD = gzip.compress(b"", mtime=0)[:10]
NOTHING = b"\0\0\0\xff\xff" * 10_000  # blocks of deflate that hold no byte


@pytest.mark.parametrize(
    ("first", "rest", "status"),
    [(HEAD, NOTHING, 413), (gzip.compress(b'{"a": 1}', mtime=0), b"x" * 50_000, 400)],
)
def test_packed_bytes_without_end_are_not_read_for_ever(first, rest, status):
    with pytest.raises(ApiError) as refused:
        body.read(endless(first, rest))
    assert refused.value.status == status


def read(content):
    return body.read(RequestFactory().post(URL, content, "application/json"))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('"\\ud83d\\ude00"', "😀"), ('"\\ud83d"', "\ufffd"), ('"a\\u0000b"', "ab"), ('"é"', "é"),
        ("18446744073709551616", 2**64), ("-9223372036854775809", -(2**63) - 1), ("9223372036854775807", 2**63 - 1),
        ("1e5", 1e5), ("-0", 0), ("0.1", 0.1), ("1.00000000000000000000000001", 1.0), ("1e-400", 0.0),
        ('{"b": 1, "a": 2, "b": 3}', {"b": 3, "a": 2}), ("[[], {}, null, true]", [[], {}, None, True]),
    ],
)  # fmt: skip
def test_a_value_is_read_as_it_was_written(content, found):
    value = read(f'{{"x": {content}}}'.encode())["x"]
    assert (value, type(value)) == (found, type(found))
    assert list(value) == list(found) if isinstance(found, dict) else True


@pytest.mark.parametrize("depth", [100, 190])
def test_what_is_nested_is_read(depth):
    value = read(b'{"x": ' + b"[" * depth + b"]" * depth + b"}")
    while value := value[0] if isinstance(value, list) else value["x"]:
        depth -= 1
    assert depth == 1


@pytest.mark.parametrize("depth", [990, 5_000, 100_000])
@pytest.mark.parametrize("opened", [b"[", b'{"a":'])
def test_what_is_nested_too_deeply_is_refused(depth, opened):
    closed = {b"[": b"]"}.get(opened, b"}")
    with pytest.raises(ApiError) as refused:
        read(b'{"x": ' + opened * depth + b"1" + closed * depth + b"}")
    assert (refused.value.status, refused.value.code) == (400, "invalid_json")


@pytest.mark.parametrize(
    "content",
    [b'{"x": NaN}', b'{"x": -Infinity}', b'{"x": 01}', b'{"x": "a\nb"}', b"{} {}", b"\xef\xbb\xbf{}", b'{"x": "\xff"}',
     b"{'x': 1}", b'{"x": 1,}', b"", b"[]", b"1", b'{"x": .5}'],
)  # fmt: skip
def test_what_is_no_object_of_json_is_refused(content):
    with pytest.raises(ApiError) as refused:
        read(content)
    assert (refused.value.status, refused.value.code) == (400, "invalid_json")


TOO_LARGE_A_NUMBER = [
    '"tools": [{"type": "function", "function": {"name": "f", "parameters": {"minimum": 1e999}}}]',
    '"metadata": {"a": -1e999}',
    '"response_format": {"type": "json_schema", "json_schema": {"name": "f", "schema": {"maximum": 1e400}}}',
]


@pytest.mark.parametrize("field", TOO_LARGE_A_NUMBER)
def test_a_number_that_json_knows_and_nobody_can_store_is_refused(chain, gateway, field):
    content = b'{"messages": [{"role": "user", "content": "hi"}], ' + field.encode() + b"}"
    assert gateway.post(content).json()["error"]["code"] == "invalid_json"
    assert chain.count() == 0


def test_what_was_sent_is_read_before_an_early_error_so_that_it_arrives(chain):
    class Counting(io.BytesIO):
        def read(self, size=-1):
            found = super().read(size)
            taken.append(len(found))
            return found

    taken = []
    browser = Browser()
    content = b"x" * 300_000
    response = browser.generic(
        "POST", URL, content, "application/json", headers={"authorization": "Bearer wrong"},
        **{"wsgi.input": Counting(content)},
    )  # fmt: skip
    assert response.status_code == 401
    assert sum(taken) == len(content)


# -- pages of other sites --------------------------------------------------------------------------------


def preflight(client, origin=PAGE):
    return client.options(
        URL, headers={"origin": origin, "access-control-request-method": "POST",
                      "access-control-request-headers": "authorization, content-type, x-stainless-lang"},
    )  # fmt: skip


def test_a_page_of_an_allowed_origin_may_ask(chain, gateway, client, settings):
    settings.LLM_CORS_ORIGINS = [PAGE]
    asked = preflight(client)
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Origin"] == PAGE
    assert "x-stainless-lang" in asked["Access-Control-Allow-Headers"]
    answer = gateway.post({"messages": HELLO}, origin=PAGE)
    assert answer["Access-Control-Allow-Origin"] == PAGE
    assert "x-guardlabs-provider" in answer["Access-Control-Expose-Headers"]
    assert "Origin" in answer["Vary"]
    stream = gateway.post({"messages": HELLO, "stream": True}, origin=PAGE)
    assert stream["Access-Control-Allow-Origin"] == PAGE
    refused = client.post(URL, "{}", "application/json", headers={"origin": PAGE})
    assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (401, PAGE)


def test_a_page_of_any_other_origin_may_not(chain, gateway, client, settings):
    for origins in ([], [PAGE]):
        settings.LLM_CORS_ORIGINS = origins
        assert not preflight(client, "https://evil.example").has_header("Access-Control-Allow-Origin")
        answer = gateway.post({"messages": HELLO}, origin="https://evil.example")
        assert not answer.has_header("Access-Control-Allow-Origin")


def test_a_star_is_everybody(chain, client, settings):
    settings.LLM_CORS_ORIGINS = ["*"]
    assert preflight(client, "https://any.example")["Access-Control-Allow-Origin"] == "https://any.example"


# -- several answers, old functions, and what is left out ------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_n_answers_are_n_calls(chain, gateway, stream):
    chain.script("key-of-groq1", b.ok("one"), b.ok("two"), b.ok("three"))
    response = gateway.ask(n=3, stream=stream, stream_options={"include_usage": True})
    if stream:
        chunks = chunks_of(response)
        texts = {}
        for chunk in chunks[:-2]:
            for choice in chunk["choices"]:
                texts[choice["index"]] = texts.get(choice["index"], "") + (
                    choice["delta"].get("content") or ""
                )
        usage = chunks[-2]["usage"]
    else:
        choices = response.json()["choices"]
        texts = {choice["index"]: choice["message"]["content"] for choice in choices}
        usage = response.json()["usage"]
    assert texts == {0: "one", 1: "two", 2: "three"}
    assert len(chain.requests) == 3
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_n_answers_are_not_one_kept_reply(chain, gateway, settings):
    settings.LLM_CACHE = "on"
    chain.script("key-of-groq1", b.ok("one"), b.ok("two"))
    texts = [choice["message"]["content"] for choice in gateway.ask(n=2).json()["choices"]]
    assert texts == ["one", "two"]


def test_n_answers_count_for_the_clients_limits(chain):
    gateway = Gateway(make_client(daily_calls=1)[1])
    assert gateway.ask(n=2).status_code == 429


@pytest.mark.parametrize("stream", [False, True])
def test_an_old_function_is_called_and_its_result_goes_back(chain, gateway, stream):
    chain.script("key-of-groq1", b.tool_call("weather", {"town": "Oslo"}), b.ok("Rain."))
    functions = [{"name": "weather", "parameters": {"type": "object"}}]
    response = gateway.ask(functions=functions, function_call={"name": "weather"}, stream=stream)
    if stream:
        choices = [chunk["choices"][0] for chunk in chunks_of(response)[:-1]]
        call = next(
            choice["delta"]["function_call"] for choice in choices if "function_call" in choice["delta"]
        )
        assert choices[-1]["finish_reason"] == "function_call"
    else:
        choice = response.json()["choices"][0]
        call = choice["message"]["function_call"]
        assert choice["finish_reason"] == "function_call"
        assert "tool_calls" not in choice["message"]
    assert chain.requests[-1].body["tool_choice"]["function"]["name"] == "weather"
    assert call["name"] == "weather"
    history = [
        *HELLO, {"role": "assistant", "content": None, "function_call": call},
        {"role": "function", "name": "weather", "content": "rain"},
    ]  # fmt: skip
    assert gateway.ask(history, functions=functions).json()["choices"][0]["message"]["content"] == "Rain."
    asked = chain.requests[-1].body["messages"]
    assert asked[-2]["tool_calls"][0]["id"] == asked[-1]["tool_call_id"]


def test_what_is_not_read_is_named(chain, gateway):
    response = gateway.ask(
        logit_bias={"1": 2}, store=True, user="a", metadata={"a": "b"}, **{"x\r\ny: z": 1}, verbosity="low"
    )
    assert response["x-guardlabs-ignored"] == "logit_bias, store, metadata, verbosity"
    assert not gateway.ask(user="a", store=False, logit_bias=None).has_header("x-guardlabs-ignored")


def test_a_streamed_text_is_whole(chain, gateway):
    chain.script("key-of-groq1", b.ok("one two"))
    assert text_of(gateway.stream()) == "one two"


def test_allowed_tools_narrow_what_is_offered(sim, gateway):
    make_groq(sim, keys=1, models=(OSS, SMALL))
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "b"}}]}
    sim.script("key-of-groq1", b.tool_call("b", {}))
    assert (
        gateway.ask(tools=tools, tool_choice={"type": "allowed_tools", "allowed_tools": allowed}).status_code
        == 200
    )
    sent = sim.requests[-1].body
    assert ([tool["function"]["name"] for tool in sent["tools"]], sent["tool_choice"]) == (["b"], "required")


# -- two keys ----------------------------------------------------------------------------------------------
MINE, FOREIGN = "mine", "sk-ant-api03-of-somebody-else"


@pytest.mark.parametrize(
    ("path", "bearer", "x_api_key", "served"),
    [("/v1/chat/completions", MINE, FOREIGN, MINE), ("/v1/chat/completions", FOREIGN, MINE, MINE),
     ("/v1/messages", MINE, FOREIGN, MINE), ("/v1/messages", FOREIGN, MINE, MINE),
     ("/v1/messages", "other", MINE, MINE), ("/v1/messages/count_tokens", "other", MINE, MINE),
     ("/messages", "other", MINE, MINE),
     ("/v1/chat/completions", MINE, "other", MINE), ("/v1/responses", MINE, "other", MINE),
     ("/v1/messages", "", MINE, MINE), ("/v1/chat/completions", "", MINE, MINE), ("/v1/messages", MINE, "", MINE),
     ("/v1/messages", FOREIGN, FOREIGN, None), ("/v1/chat/completions", FOREIGN, "", None),
     ("/v1/messages", "", "", None)],
)  # fmt: skip
def test_of_two_keys_ours_counts_and_of_two_of_ours_the_protocols_own(chain, path, bearer, x_api_key, served):
    other = make_client("other")[1]
    keys = {MINE: make_client(MINE)[1], "other": other, FOREIGN: FOREIGN, "": ""}
    clients.revoke(Client.objects.filter(name="other"))
    headers = {"authorization": f"Bearer {keys[bearer]}", "x-api-key": keys[x_api_key]}
    body = json.dumps({"messages": HELLO, "max_tokens": 5} if "responses" not in path else {"input": "x"})
    response = Browser().post(path, body, "application/json", headers={n: v for n, v in headers.items() if v})
    assert response.status_code == (200 if served else 401)
    if served and "count_tokens" not in path:
        assert Call.objects.get().client == served
