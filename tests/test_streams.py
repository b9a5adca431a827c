"""What a stream, or a plain answer, may look like and still be read for what it says: events, endings, counts."""

import json

import pytest

from llm.adapters import base, transport
from llm.failures.kinds import Failure, Kind
from llm.simulator import behaviours as b
from tests.adapter_setup import KINDS, OPENAI_KINDS, Ran, chunk, completion, gemini

TEXT = "Hello world, this is a text of some words that comes in more than one piece."
both = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
every = pytest.mark.parametrize("kind", KINDS)
openais = pytest.mark.parametrize("kind", OPENAI_KINDS)
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def said(*texts, usage=True):
    """Events of a stream that says these pieces and stops."""
    end = (
        chunk(finish="stop", usage={"prompt_tokens": 5, "completion_tokens": 7})
        if usage
        else chunk(finish="stop")
    )
    return [*(chunk({"content": text}) for text in texts), end]


# -- odd events ------------------------------------------------------------------------------------------


@both
@every
def test_events_without_data_and_a_byte_order_mark_are_passed_over(sim, kind, stream):
    ran = Ran(sim, kind, b.odd_events(TEXT), stream=stream)
    assert ran.text == ran.answer.text == TEXT
    assert not ran.answer.doubt


@openais
@pytest.mark.parametrize(
    "odd",
    [
        "data:\n\n", "retry: 10\n\n", "event: ping\n\n", "id: 1\n\n", "data: null\n\n", "data: []\n\n", "\n\n\n",
        ": comment\n\n", "data: ping\n\n", "event: ping\ndata: {}\n\n", 'data: "text"\n\n', "data\n\n", "data: 7\n\n",
        'data: {"choices": []}\n\n', 'data: {"choices": null}\n\n', 'data: {"choices": [null]}\n\n',
        'data: {"choices": [{"index": 0, "delta": null}]}\n\n', "nonsense: x\n\n", "\ufeff\n\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", [0, 1])
def test_an_event_that_says_nothing_changes_nothing(sim, kind, odd, place):
    events = said("Hel", "lo")
    events.insert(place, odd)
    ran = Ran(sim, kind, b.events(*events), stream=True)
    assert (ran.text, ran.answer.finish_reason, ran.answer.doubt) == ("Hello", "stop", "")


@openais
def test_any_end_of_line_and_any_number_of_objects_in_an_event_is_read(sim, kind):
    import json

    first, second, third = (json.dumps(chunk({"content": text})) for text in ("He", "ll", "o"))
    end = json.dumps(chunk(finish="stop"))
    told = [
        f"data: {first}\r\n\r\n", f"data:{second}\r\r", f"data: {third}\ndata: {end}\n", "data: [DONE]\n\n",
    ]  # fmt: skip
    assert Ran(sim, kind, b.events(*told, done=False), stream=True).text == "Hello"
    joined = [f"data: {first}{second}data: {third}\n\n", f"data: [{end}]\n\n"]
    assert Ran(sim, kind, b.events(*joined), stream=True).text == "Hello"
    cut = f"data: {first}\n\ndata: {second}\n\n"
    split = [cut[:20], cut[20:45], cut[45:], f"data: {third}\n\n", f"data: {end}\n\n"]
    assert Ran(sim, kind, b.events(*split), stream=True).text == "Hello"
    lines = json.dumps(chunk({"content": "Hello"}), indent=1).replace("\n", "\ndata: ")
    assert (
        Ran(sim, kind, b.events(f"data: {lines}\n\n", f"data: {end}", done=False), stream=True).text
        == "Hello"
    )


@every
def test_one_malformed_event_is_skipped_when_the_stream_goes_on_well(sim, kind):
    ran = Ran(sim, kind, b.malformed_chunk(after=1), stream=True)
    assert ran.answer.text == ran.text
    assert ran.answer.doubt  # so that nobody else is given it


@every
def test_more_malformed_events_than_one_are_no_stream(sim, kind):
    with pytest.raises(Failure) as caught:
        Ran(sim, kind, b.malformed_chunk(after=1, count=3), stream=True)
    assert caught.value.kind is Kind.PROVIDER_DOWN


@every
def test_a_stream_that_ends_in_the_middle_of_an_event_is_no_answer(sim, kind):
    with pytest.raises(Failure) as caught:
        Ran(sim, kind, b.truncate(mismatch=False), stream=True)
    assert caught.value.kind is Kind.PROVIDER_DOWN


@openais
@pytest.mark.parametrize(
    "mark", ["data: [DONE]\n\n", "data:[DONE]\n\n", 'data: "[DONE]"\n\n', "data: [DONE]"]
)
def test_a_text_that_ended_with_the_closing_mark_needs_no_finish_reason(sim, kind, mark):
    ran = Ran(sim, kind, b.events(chunk({"content": "Hello"}), mark, done=False), stream=True)
    assert (ran.answer.text, ran.answer.finish_reason) == ("Hello", "stop")
    with pytest.raises(Failure) as caught:
        Ran(sim, kind, b.events(chunk({"content": "Hello"}), done=False), stream=True)
    assert caught.value.kind is Kind.PROVIDER_DOWN
    with pytest.raises(Failure) as caught:
        Ran(sim, kind, b.events(mark, done=False), stream=True)
    assert caught.value.kind is Kind.EMPTY_OUTPUT


@openais
@pytest.mark.parametrize(
    ("event", "kind_of_failure"),
    [
        ({"error": {"message": "overloaded", "code": 503}}, Kind.PROVIDER_DOWN),
        ('event: error\ndata: {"message": "no more", "code": 402}\n\n', Kind.CREDITS_DEPLETED),
        ({"object": "error", "message": "boom", "code": 500}, Kind.PROVIDER_DOWN),
        ('{"error": {"message": "bad key", "code": 401}}\n\n', Kind.KEY_INVALID),
        ('{\n "error": {\n  "message": "bad key",\n  "code": 401\n }\n}\n\n', Kind.KEY_INVALID),
    ],
)
def test_an_error_among_the_events_is_read_in_every_shape(sim, kind, event, kind_of_failure):
    with pytest.raises(Failure) as caught:
        Ran(sim, kind, b.events(chunk({"content": "Hel"}), event), stream=True)
    assert caught.value.kind is kind_of_failure


# -- endings ---------------------------------------------------------------------------------------------


@every
def test_a_finish_reason_in_every_chunk_ends_nothing(sim, kind):
    ran = Ran(sim, kind, b.early_finish(TEXT), stream=True)
    assert ran.text == ran.answer.text == TEXT
    assert ran.answer.tokens_out == Ran(sim, kind, b.ok(TEXT), stream=True).answer.tokens_out


@openais
def test_after_a_lone_finish_reason_only_a_short_grace_is_given(sim, kind, virtual):
    ran = Ran(sim, kind, b.no_done(hold_open=True), stream=True, limit_s=200)
    assert ran.answer.text
    assert virtual.waited == [pytest.approx(base.USAGE_GRACE_S, abs=0.95 * base.USAGE_GRACE_S)]


@both
@every
@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("stop", "stop"), ("end_turn", "stop"), ("eos", "stop"), ("COMPLETE", "stop"), ("length", "length"),
        ("max_tokens", "length"), ("model_length", "length"), ("MAX_TOKENS", "length"), ("max_output_tokens", "length"),
        ("model_context_window_exceeded", "length"),
    ],
)  # fmt: skip
def test_every_word_for_done_and_for_cut_is_known(sim, kind, stream, word, told):
    ran = Ran(sim, kind, b.ok(TEXT, finish=word), stream=stream)
    assert (ran.answer.text, ran.answer.finish_reason, ran.answer.doubt) == (TEXT, told, "")


@both
@every
@pytest.mark.parametrize(
    ("word", "failed"),
    [
        ("insufficient_system_resource", Kind.PROVIDER_DOWN), ("network_error", Kind.PROVIDER_DOWN),
        ("abort", Kind.PROVIDER_DOWN), ("timeout", Kind.PROVIDER_DOWN), ("cancelled", Kind.PROVIDER_DOWN),
        ("sensitive", Kind.CONTENT_BLOCKED), ("SAFETY", Kind.CONTENT_BLOCKED), ("content_filter", Kind.CONTENT_BLOCKED),
        ("RECITATION", Kind.CONTENT_BLOCKED), ("guardrail_intervened", Kind.CONTENT_BLOCKED),
        ("MALFORMED_FUNCTION_CALL", Kind.EMPTY_OUTPUT), ("UNEXPECTED_TOOL_CALL", Kind.EMPTY_OUTPUT),
        ("OTHER", Kind.EMPTY_OUTPUT), ("MALFORMED_RESPONSE", Kind.EMPTY_OUTPUT),
    ],
)  # fmt: skip
def test_half_an_answer_that_failed_or_was_blocked_is_none(sim, kind, stream, word, failed):
    with pytest.raises(Failure) as caught:
        Ran(sim, kind, b.ok(TEXT, finish=word), stream=stream)
    assert caught.value.kind is failed


@both
@every
def test_an_unknown_word_with_text_is_done_but_doubtful(sim, kind, stream):
    ran = Ran(sim, kind, b.ok(TEXT, finish="tired"), stream=stream)
    assert (ran.answer.text, ran.answer.finish_reason) == (TEXT, "stop")
    assert "tired" in ran.answer.doubt
    with pytest.raises(Failure) as caught:
        Ran(sim, kind, b.ok("", finish="tired"), stream=stream)
    assert caught.value.kind is Kind.EMPTY_OUTPUT


@openais
def test_a_later_stop_does_not_hide_that_an_answer_was_cut(sim, kind):
    events = [chunk({"content": "Half"}), chunk(finish="length"), chunk(finish="stop")]
    assert Ran(sim, kind, b.events(*events), stream=True).answer.finish_reason == "length"
    with pytest.raises(Failure):
        Ran(
            sim,
            kind,
            b.events(chunk({"content": "Half"}), chunk(finish="abort"), chunk(finish="stop")),
            stream=True,
        )


def test_gemini_cut_in_the_middle_of_its_words_says_so(sim):
    events = [gemini({"text": "Half"}, finish="MAX_TOKENS"), gemini(finish="STOP")]
    assert Ran(sim, "vertex", b.events(*events, done=False), stream=True).answer.finish_reason == "length"


# -- shapes ----------------------------------------------------------------------------------------------


@openais
def test_a_service_that_sends_the_whole_message_as_its_only_chunk_is_read(sim, kind):
    whole = {"choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]}
    assert Ran(sim, kind, b.events(whole), stream=True).text == "Hello"


@openais
def test_the_message_told_again_at_the_end_is_not_doubled(sim, kind):
    end = {"choices": [{"index": 0, "delta": {}, "message": {"content": "Hello"}, "finish_reason": "stop"}]}
    assert Ran(sim, kind, b.events(chunk({"content": "Hello"}), end), stream=True).text == "Hello"


@openais
def test_a_second_choice_is_not_mixed_into_the_first(sim, kind):
    other = chunk({"content": "XX"})
    other["choices"][0]["index"] = 1
    ran = Ran(sim, kind, b.events(chunk({"content": "Hel"}), other, *said("lo")), stream=True)
    assert ran.text == "Hello"


# -- counts ----------------------------------------------------------------------------------------------


@both
@openais
@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 20}, (10, 20)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, (None, None)),
        ({"prompt_tokens": 10, "completion_tokens": 9, "total_tokens": 2828,
          "completion_tokens_details": {"reasoning_tokens": 2809}}, (10, 2818)),
        ({"prompt_tokens": 10, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 2809}},
         (10, 2818)),
        ({"prompt_tokens": 10, "completion_tokens": 100, "total_tokens": 110,
          "completion_tokens_details": {"reasoning_tokens": 60}}, (10, 100)),
        ({"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 30}, (10, 20)),
        ({"input_tokens": 10, "output_tokens": 20}, (10, 20)),
        ({"prompt_tokens": "10", "completion_tokens": "20.0"}, (10, 20)),
        ({"prompt_tokens": 9.5, "completion_tokens": 20.1}, (10, 21)),
        ({"input_tokens": 5, "output_tokens": 20, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 5},
         (40, 20)),
        ({"prompt_tokens": 40, "completion_tokens": 20, "cache_read_input_tokens": 30}, (40, 20)),
        ({"inputTokens": 10, "outputTokens": 20, "totalTokens": 30}, (10, 20)),
        ({"prompt_eval_count": 10, "eval_count": 20}, (10, 20)),
        ({"billed_units": {"input_tokens": 4, "output_tokens": 20},
          "tokens": {"input_tokens": 10, "output_tokens": 20}}, (10, 20)),
        ({"prompt_tokens": 10.0, "completion_tokens": 20.0}, (10, 20)),
        ({"prompt_tokens": 3 * 10**9, "completion_tokens": 3 * 10**9, "total_tokens": 6 * 10**9}, (None, None)),
        ({"prompt_tokens": -1, "completion_tokens": True, "total_tokens": "30"}, (None, None)),
        ({"prompt_tokens": 10, "completion_tokens": 1}, (10, None)),  # fewer than there are words
        ([], (None, None)),
    ],
)  # fmt: skip
def test_a_count_is_the_most_that_the_statements_allow(sim, kind, stream, usage, counted):
    message = {"content": "one two three four five six"}
    if stream:
        behaviour = b.events(chunk(message, finish="stop"), {"choices": [], "usage": usage})
    else:
        behaviour = b.events(completion(message, usage=usage))
    answer = Ran(sim, kind, behaviour, stream=stream).answer
    assert (answer.tokens_in, answer.tokens_out) == counted


@openais
def test_the_last_usage_of_a_stream_counts_unless_it_states_nothing(sim, kind):
    def use(asked, told):
        return {"prompt_tokens": asked, "completion_tokens": told}

    events = [chunk({"content": "Hello"}, usage=use(5, 1)), chunk(finish="stop", usage=use(5, 3)),
              {"choices": [], "usage": use(6, 4)}, {"choices": [], "usage": use(0, 0)},
              {"choices": [], "usage": None}]  # fmt: skip
    answer = Ran(sim, kind, b.events(*events), stream=True).answer
    assert (answer.tokens_in, answer.tokens_out) == (6, 4)
    beside = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": use(5, 8)}]}
    answer = Ran(sim, kind, b.events(chunk({"content": "Hello"}), beside), stream=True).answer
    assert answer.tokens_out == 8


@both
@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 40, "totalTokenCount": 55},
         (10, 45)),
        ({"promptTokenCount": 10, "candidatesTokenCount": 9, "totalTokenCount": 2828}, (10, 2818)),
        ({"promptTokenCount": 10, "toolUsePromptTokenCount": 7, "candidatesTokenCount": 9, "totalTokenCount": 26},
         (17, 9)),
        ({"promptTokenCount": 0, "candidatesTokenCount": 0}, (None, None)),
        ({"totalTokenCount": 30}, (None, None)),
    ],
)  # fmt: skip
def test_gemini_counts_thoughts_as_output(sim, stream, usage, counted):
    behaviour = b.events(gemini({"text": "Hello you"}, finish="STOP", usage=usage), done=False)
    answer = Ran(sim, "vertex", behaviour, stream=stream).answer
    assert (answer.tokens_in, answer.tokens_out) == counted


# -- size ------------------------------------------------------------------------------------------------


@both
@openais
@pytest.mark.parametrize("packed", [False, True], ids=["as it is", "packed"])
def test_an_answer_has_a_size(sim, kind, stream, packed, monkeypatch):
    monkeypatch.setattr(transport, "MAX_BYTES", 500_000)
    with pytest.raises(Failure) as caught:
        Ran(sim, kind, b.huge(1_500_000, packed=packed), stream=stream)
    assert caught.value.kind is Kind.PROVIDER_DOWN
    assert "larger than" in caught.value.detail or "longer than" in caught.value.detail


@both
@every
@pytest.mark.parametrize("status", [200, 500, 401])
def test_an_error_without_end_is_read_no_further(sim, kind, stream, status, monkeypatch):
    monkeypatch.setattr(transport, "MAX_BYTES", 100_000)
    with pytest.raises(Failure) as caught:
        Ran(sim, kind, b.http(status, "x" * 400_000), stream=stream)
    assert caught.value.kind is Kind.PROVIDER_DOWN


def test_a_bomb_is_unpacked_piece_by_piece_and_no_further():
    import gzip
    import zlib

    bomb = gzip.compress(b"*" * 50_000_000, 9)
    pieces = transport.Unpacking("gzip").feed(bomb)
    assert all(len(next(pieces)) <= 65_536 for _ in range(3))

    def unpacked(packed, encoding):
        unpacking = transport.Unpacking(encoding)
        return b"".join([*(piece for data in packed for piece in unpacking.feed(data)), unpacking.end()])

    assert unpacked([gzip.compress(b"a"), gzip.compress(b"b")], "gzip") == b"ab"
    raw = zlib.compressobj(wbits=-15)
    data = raw.compress(b"hello") + raw.flush()
    assert unpacked([data], "deflate") == b"hello"
    assert unpacked([zlib.compress(b"hello")], "deflate") == b"hello"
    assert unpacked([b"hello"], "") == b"hello"
    for odd in ("br", "zstd", "gzip, gzip"):
        with pytest.raises(ValueError, match="encoding"):
            transport.Unpacking(odd)


@openais
def test_events_that_call_themselves_json_are_read_as_events(sim, kind):
    told = [chunk({"content": "Hel"}), chunk({"content": "lo"}), chunk(finish="stop")]
    text = "".join(f"data: {json.dumps(each)}\n\n" for each in told) + "data: [DONE]\n\n"
    headers = {"content-type": "application/json"}
    assert Ran(sim, kind, b.http(200, text, headers), stream=True).answer.text == "Hello"
    with pytest.raises(Failure):
        Ran(sim, kind, b.http(200, text[: text.index("lo")], headers), stream=True)


def test_of_two_candidates_one_is_read(sim):
    told = [gemini({"text": "Hel"}), gemini({"text": "OTHER"}), gemini({"text": "lo"}, finish="STOP")]
    told[1]["candidates"][0]["index"] = 1
    assert Ran(sim, "vertex", b.events(*told, done=False), stream=True).text == "Hello"


@both
@pytest.mark.parametrize("kind", KINDS)
def test_a_block_for_no_stated_reason_is_none(sim, kind, stream):
    feedback = {"promptFeedback": {"blockReason": "BLOCKED_REASON_UNSPECIFIED"}}
    if kind == "vertex":
        body = gemini({"text": "Hello"}, finish="STOP")
    else:
        body = chunk({"content": "Hello"}, finish="stop") if stream else completion({"content": "Hello"})
    assert (
        Ran(sim, kind, b.events({**body, **feedback}, done=kind != "vertex"), stream=stream).text == "Hello"
    )
