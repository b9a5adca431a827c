"""What a model thinks is a sign of life and billed, but no text; what a reader should see is never cut."""

import json

import pytest

from llm.adapters.answers.visible import Leaked, Reasoning, Visible
from llm.chain import Completed, Delta, ReasoningDelta, complete, stream
from llm.failures.kinds import Failure, Kind
from llm.models import Attempt, Model
from llm.simulator import behaviours as b
from tests.adapter_setup import KINDS, OPENAI_KINDS, Ran, chunk, completion, gemini
from tests.chain_setup import make_deepseek, make_groq, make_provider

pytestmark = pytest.mark.django_db(transaction=True)
both = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
SECRET = "Let me think. The user wants a greeting."
HIDDEN = {
    "think": "<think>{}</think>Hello",
    "think with lines": "<think>\n{}\n</think>\n\nHello",
    "think with spaces": " <think> {} </think> Hello",
    "thinking": "<thinking>{}</thinking>Hello",
    "capitals": "<THINK>{}</THINK>Hello",
    "twice": "<think>{}</think>\n<think>more</think>\nHello",
    "mistral": "[THINK]{}[/THINK]Hello",
    "thought": "<thought>{}</thought>Hello",
    "seed": "<seed:think>{}</seed:think>Hello",
    "reasoning": "<reasoning>\n{}\n</reasoning>\nHello",
    "kimi": "◁think▷{}◁/think▷Hello",
    "cohere": "<|START_THINKING|>{}<|END_THINKING|><|START_RESPONSE|>Hello<|END_RESPONSE|>",
    "thought tokens": "<|begin_of_thought|>{}<|end_of_thought|><|begin_of_solution|>Hello<|end_of_solution|>",
    "apertus": "<|inner_prefix|>{}<|inner_suffix|>Hello",
    "brackets": "[REASONING]{}[/REASONING]Hello",
    "deepseek's tokens": "<｜begin▁of▁think｜>{}<｜end▁of▁think｜>Hello",
    "gemma": "<|channel>thought\n{}<channel|>Hello",
    "harmony": "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>Hello<|return|>",
    "harmony without an end": "<|channel|>analysis<|message|>{}<|start|>assistant<|channel|>final<|message|>Hello",
    "harmony with a remark": "<|start|>assistant<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>"
    "commentary<|message|>I will greet.<|end|><|start|>assistant<|channel|>final<|message|>Hello",
    "with its own mark in quotes": "<think>{} It ends with `</think>`, so.</think>Hello",
    "in the middle": "Hel<think>{}</think>lo",
    "on a line in the middle": "Hel\n<think>\n{}\n</think>\nlo",
    "at the end": "Hello<think>{}</think>",
    "analysis": "<analysis>\n{}\n</analysis>\n\nHello",
    "claude's": "<antThinking>{}</antThinking>Hello",
    "gemini's control tokens": "<ctrl94>thought\n{}<ctrl95>Hello",
    "cohere's text": "<|START_THINKING|>{}<|END_THINKING|><|START_TEXT|>Hello<|END_TEXT|><|END_OF_TURN_TOKEN|>",
    "the end of a turn": "<think>\n{}\n</think>\n\nHello<|im_end|>\n",
    "deepseek's end": "<think>{}</think>Hello<｜end▁of▁sentence｜>",
}
OF_A_FAMILY = {  # by model: only there are these marks, not a format that was asked for
    "granite-3.2-8b-instruct": "Here is my thought process:\n{}\n\nHere is my response:\nHello",
    "granite-3.2-2b": "Here's my thought process: {} Here's my response: Hello",
    "granite-3.3-8b": "<think>{}</think><response>Hello</response>",
    "ernie-4.5-21b-a3b-thinking": "{}\n</think>\n\n<response>\nHello\n</response>\n",
    "hunyuan-a13b-instruct": "<think>\n{}\n</think>\n<answer>\nHello\n</answer>",
    "k2-think": "<think>{}</think><answer>Hello</answer>",
    "glm-4.1v-9b-thinking": "<think>{}</think><answer><|begin_of_box|>Hello<|end_of_box|></answer>",
    "marco-o1": "<Thought>\n{}\n</Thought>\n<Output>\nHello\n</Output>",
    "reflection-70b": "<thinking>\n{}\n<reflection>hm</reflection>\n</thinking>\n<output>\nHello\n</output>",
    "gpt-oss-120b": "assistantanalysis{}assistantfinalHello",
    "gpt-oss-20b": "analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>Hello",
    "openai/gpt-oss-20b": "analysisthe user: {}assistantcommentaryHm.assistantfinalHello",
}
PROSE = [
    "The tag </think> closes the reasoning.",
    "It ends with </think>.",
    "Use <think> before and </think> after it.",
    "<think> and </think> are tags.",
    "Wrap it in <think>...</think>, as usual.",
    "Write `<think>x</think>` here, or '</think>', or \"[/THINK]\".",
    "So:\n```xml\n<think>\nx\n</think>\n```\nThat is all.",
    "A < b, [x], <b>, <th, [THI, a<|b and 2 <thinking",
    "Он пишет <think> в начале и </think> в конце.",
    "The last word is <think",
    "analysis of your answers: fine.",
    "Das (</think>) schließt es.",
    "a <|channel|> token is special",
    "The token <|channel|>, then <|start|>.",
    "1. <think>\n2. </think>",
    "Tags:\n- <think>\n- </think>\n",
    '{"html": "<think>x</think>", "more": "[THINK]y[/THINK]"}',
    "| tag |\n| <think> | opens |\n| </think> | closes |",
    "The token <|end|> ends a message, and <|return|> the answer.",
    "Use <|message|> there.",
    "ChatML ends a turn with <|im_end|>.",
    "A turn ends with <|im_end|>",
    "Llama writes <|eot_id|> there, and a<|eot_id|>b.",
    "<|START_RESPONSE|> is a token of Cohere's; it goes with <|END_RESPONSE|> here.",
    "<analysis>All is well.</analysis>",
    "<analysis> of a text, unclosed",
    "<review>\n<reasoning>\nIt is good.\n</reasoning>\n<score>3</score></review>",
    "<r><analysis>Good.</analysis><reflection>Hm</reflection></r>",
    "<answer>42</answer>",
    "<response>ok</response> and <output>x</output>",
    "Here is my thought process: first I looked.\nHere is my response: no.",
    "analysisOf(x) is a function.",
]


def read(text, *, model="m", whole=False, step=1, cut=False):
    visible, told = Visible(model, whole=whole), []
    for start in range(0, len(text), len(text) if whole else step):
        told += visible.feed(text[start : start + (len(text) if whole else step)])
    told += visible.finish(cut=cut)
    assert "".join(piece for piece in told if isinstance(piece, str)) == visible.text
    assert "".join(piece.text for piece in told if isinstance(piece, Reasoning)) == visible.reasoning
    return visible.text, visible.reasoning


# -- marks in the text -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("step", [0, 1, 3, 8])
def test_marked_reasoning_is_no_text_wherever_it_stands(text, step):
    seen, thought = read(text.format(SECRET), whole=not step, step=step or 1)
    assert seen.replace("\n", "") == "Hello"
    assert SECRET in thought


@pytest.mark.parametrize("model", OF_A_FAMILY)
def test_a_familys_own_marks_are_no_text_wherever_the_stream_is_cut(model):
    text = OF_A_FAMILY[model].format(SECRET)
    seen, thought = read(text, model=model, whole=True)
    assert (seen.strip(), SECRET in thought) == ("Hello", True)
    for place in range(1, len(text)):
        visible = Visible(model)
        pieces = [*visible.feed(text[:place]), *visible.feed(text[place:]), *visible.finish()]
        assert visible.text.strip() == "Hello", pieces
        assert SECRET in visible.reasoning


@pytest.mark.parametrize("model", OF_A_FAMILY)
@pytest.mark.parametrize("step", [0, 1])
def test_the_words_of_a_familys_marks_may_be_prose_there_too(model, step):
    for text in (
        "Here is my response: no.",
        "Here is my thought process: I looked, and that is all.",
        "<answer>42</answer>, <response>ok</response>, <output>x</output>",
        "Here we are.",
        "analysis of it: fine",
        "assistants help",
        "analysisOf(x) is a function.",
    ):
        assert read(text, model=model, whole=not step, step=step or 1) == (text, "")


@both
@pytest.mark.parametrize("model", ["m", "granite-3.3-8b"])
def test_a_tag_that_the_request_names_is_the_callers_own(sim, streamed, model):
    asked = [{"role": "user", "content": "Write <analysis>…</analysis>, then <response>…</response>."}]
    text = "<analysis>Good.</analysis>\n<response>Yes.</response>"
    ran = Ran(sim, "openai", b.ok(text), stream=streamed, messages=asked, model=model)
    assert (ran.text, ran.reasoning) == (text, "")
    ran = Ran(
        sim, "openai", b.ok(f"<think>{SECRET}</think>{text}"), stream=streamed, messages=asked, model=model
    )
    assert (ran.text, ran.reasoning) == (text, SECRET)


@pytest.mark.parametrize("text", PROSE)
@pytest.mark.parametrize("step", [0, 1, 4, 9])
def test_a_text_about_marks_is_not_cut(text, step):
    assert read(text, whole=not step, step=step or 1) == (text, "")


@pytest.mark.parametrize("step", [0, 1, 4])
@pytest.mark.parametrize(
    "text", [" <|im_end|>", "<think>Hm</think>  <|im_end|>", "<think>Hm</think>\n <|im_end|>"]
)
def test_the_end_of_a_turn_behind_nothing_is_no_text(text, step):
    assert read(text, whole=not step, step=step or 1)[0].strip() == ""


@pytest.mark.parametrize("close", ["</think>", "[/THINK]", "</thought>", "</seed:think>", "◁/think▷"])
def test_reasoning_without_its_opening_mark_is_no_text(close):
    for text in (f"{SECRET}{close}Hello", f"{SECRET}\n{close}\n\nHello"):
        assert read(text, whole=True) == ("Hello", text[: text.index(close)])
        for step in (1, 5, 500):
            assert read(text, model="qwen/qwen3-235b-a22b-thinking-2507", step=step)[0] == "Hello"


def test_a_model_that_turns_out_to_think_without_a_mark_is_remembered():
    with pytest.raises(Leaked):
        read(f"{SECRET}</think>Hello", model="never-seen")
    assert read(f"{SECRET}</think>Hello", model="never-seen") == ("Hello", SECRET)


def test_reasoning_that_never_ends_stays_hidden_and_a_word_does_not():
    assert read("<think>I wonder whether", cut=True) == ("", "I wonder whether")
    assert read("<think>\nI wonder whether") == ("", "I wonder whether")
    assert read("<think> is what R1 writes first.") == ("<think> is what R1 writes first.", "")
    assert read("<think> is what R1 writes first.", cut=True)[0] == ""


def test_harmony_without_its_special_tokens_is_known_of_the_models_that_write_it():
    text = "analysisWe need to greet.assistantfinalHello"
    for step in (1, 4, 100):
        assert read(text, model="openai/gpt-oss-120b", step=step) == ("Hello", "We need to greet.")
    assert read(text, model="other", step=4)[0] == text


@both
@pytest.mark.parametrize("kind", KINDS)
def test_every_adapter_hides_them(sim, kind, streamed):
    ran = Ran(sim, kind, b.ok(HIDDEN["mistral"].format(SECRET)), stream=streamed)
    assert (ran.text, ran.reasoning, ran.answer.text, ran.answer.reasoning) == (
        "Hello",
        SECRET,
        "Hello",
        SECRET,
    )


# -- reasoning that the provider tells apart -------------------------------------------------------------


@both
@pytest.mark.parametrize("kind", KINDS)
def test_reasoning_comes_apart_from_the_text(sim, kind, streamed):
    ran = Ran(sim, kind, b.ok("Hello", reasoning=SECRET), stream=streamed)
    assert (ran.text, ran.reasoning, ran.answer.reasoning) == ("Hello", SECRET, SECRET)


@pytest.mark.parametrize("kind", OPENAI_KINDS)
@pytest.mark.parametrize(
    "said",
    [
        {"reasoning_content": "hm"}, {"reasoning": "hm"}, {"reasoning": "hm", "reasoning_content": "hm"},
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm", "index": 0}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}]}, {"reasoning": {"content": "hm"}},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
        {"content": [{"type": "reasoning", "text": "hm"}]}, {"thinking": "hm"},
        {"content": "hm", "extra_content": {"google": {"thought": True}}},
    ],
)  # fmt: skip
def test_every_field_for_it_is_known(sim, kind, said):
    ran = Ran(
        sim, kind, b.events(chunk(said), chunk({"content": "Hello"}), chunk(finish="stop")), stream=True
    )
    assert (ran.text, ran.reasoning) == ("Hello", "hm")
    if not isinstance(said.get("content"), str):
        whole = {**said, "content": [*said.get("content", []), {"type": "text", "text": "Hello"}]}
        ran = Ran(sim, kind, b.events(completion(whole)), stream=False)
        assert (ran.text, ran.reasoning) == ("Hello", "hm")


@both
@pytest.mark.parametrize("told", ["NaN", "1e999", "-Infinity"])
def test_state_that_is_no_json_is_not_kept(sim, streamed, told):
    details = [{"type": "reasoning.text", "text": "hm", "index": 0, "score": "?"}]
    extra = {"google": {"thought_signature": "s\ud83d"}}
    said = {"reasoning_details": details, "extra_content": extra, "content": "Hello"}
    whole = chunk(said) if streamed else completion(said)
    texts = [json.dumps(whole).replace('"?"', told)] + ([chunk(finish="stop")] if streamed else [])
    answer = Ran(sim, "openai", b.events(*texts), stream=streamed).answer
    assert (answer.text, answer.reasoning) == ("Hello", "hm")
    assert "reasoning_details" not in answer.state
    assert answer.state["extra_content"]["google"]["thought_signature"].isprintable()


@both
def test_a_closing_mark_beside_told_reasoning_is_text(sim, streamed):
    behaviour = b.ok("So</think>Hello", reasoning=SECRET)
    assert Ran(sim, "openai", behaviour, stream=streamed).answer.reasoning == SECRET


SEALED = chunk({"reasoning_details": [{"type": "reasoning.encrypted", "data": "xx", "index": 0}]})


@pytest.mark.parametrize("kind", [*KINDS, "encrypted"])
def test_reasoning_is_a_sign_of_life(sim, kind):
    from llm import clock
    from llm.adapters import Request, Timing
    from tests.adapter_setup import HELLO, drive, make_adapter

    adapter, name = make_adapter(sim, "openai" if kind == "encrypted" else kind)
    behaviour = b.ok("Hello", reasoning="x" * 24 * 8, pace=0.1)
    if kind == "encrypted":
        behaviour = b.events(*[SEALED] * 8, chunk({"content": "Hello"}, finish="stop"), pace=0.1)
    sim.script(name, behaviour)
    now = clock.monotonic()
    request = Request(model="m", messages=HELLO, max_tokens=900, stream=True)
    pieces, _ = drive(adapter, request, Timing(first_token=now + 0.5, end=now + 20, idle_s=5))
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == "Hello"


def test_only_reasoning_is_an_empty_answer_that_is_billed(sim):
    make_deepseek(sim)
    sim.script(
        "key-of-deepseek", b.events(completion({"content": "", "reasoning_content": SECRET}, finish="length"))
    )
    with pytest.raises(Exception, match="every provider"):
        complete(user="hi")
    row = Attempt.objects.get()
    assert row.outcome == Kind.EMPTY_OUTPUT
    assert row.tokens_out > 0
    assert row.cost_usd > 0


def test_the_chain_tells_reasoning_as_events_of_its_own(sim):
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.ok("Hello", reasoning=SECRET))
    events = list(stream(user="hi", params={"include_reasoning": True}))
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == SECRET
    assert "".join(event.text for event in events if isinstance(event, Delta)) == "Hello"
    assert isinstance(events[-1], Completed)
    assert (events[-1].reply.text, events[-1].reply.reasoning) == ("Hello", SECRET)
    assert complete(user="hi").reasoning == SECRET


def test_a_provider_that_dies_while_it_thinks_is_replaced(sim):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.events(chunk({"reasoning": "hm"}), done=False))
    reply = list(stream(user="hi", on_broken_stream="error"))[-1].reply
    assert reply.provider == "deepseek"


# -- asking for it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "model", "own", "asked", "sent"),
    [
        ("other", "m", {}, {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
        ("other", "openai/gpt-oss-120b", {"reasoning_effort": "low", "include_reasoning": False},
         {"reasoning_effort": "xhigh"}, {"reasoning_effort": "high", "include_reasoning": True}),
        ("other", "openai/gpt-oss-120b", {"reasoning_effort": "low"}, {"reasoning_effort": "none"},
         {"reasoning_effort": "low"}),
        ("other", "m", {"include_reasoning": False}, {}, {"include_reasoning": False}),
        ("openrouter", "x/y", {"reasoning": {"effort": "low", "exclude": True}}, {"reasoning_effort": "high"},
         {"reasoning": {"effort": "high", "exclude": False}}),
        ("openrouter", "x/y", {"reasoning": {"effort": "low", "exclude": True}}, {"include_reasoning": True},
         {"reasoning": {"effort": "low", "exclude": False}}),
        ("deepseek", "deepseek-flash", {"thinking": {"type": "disabled"}}, {"reasoning_effort": "high"},
         {"thinking": {"type": "enabled"}}),
        ("deepseek", "deepseek-flash", {}, {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        ("deepseek", "deepseek-flash", {}, {"reasoning_effort": "max"},
         {"thinking": {"type": "enabled"}, "reasoning_effort": "max"}),
    ],
)  # fmt: skip
def test_effort_is_said_in_each_providers_words(sim, slug, model, own, asked, sent):
    make_provider(sim, slug, models=[model], keys={"k": ""}, free=True)
    Model.objects.update(params=own)
    complete(user="hi", params=asked)
    names = ("reasoning_effort", "include_reasoning", "reasoning", "thinking")
    assert {name: value for name, value in sim.requests[-1].body.items() if name in names} == sent


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("gemini-3.5-flash-lite", "low", {"thinking_level": "LOW", "include_thoughts": True}),
        ("gemini-3.5-flash-lite", "none", {"thinking_level": "MINIMAL", "include_thoughts": False}),
        ("gemini-2.5-flash", "none", {"thinking_budget": 0, "include_thoughts": False}),
        ("gemini-2.5-flash", "high", {"thinking_budget": 24576, "include_thoughts": True}),
    ],
)
def test_gemini_is_asked_in_levels_or_budgets(sim, model, effort, sent):
    ran = Ran(sim, "vertex", b.ok("Hello"), stream=False, model=model, effort=effort,
              params={"thinking_config": {"thinking_level": "MINIMAL"}})  # fmt: skip
    config = ran.sent["generationConfig"]["thinkingConfig"]
    words = {
        "thinkingLevel": "thinking_level",
        "thinkingBudget": "thinking_budget",
        "includeThoughts": "include_thoughts",
    }
    assert {words.get(name, name): value for name, value in config.items()} == sent


# -- doubt -----------------------------------------------------------------------------------------------


def test_a_doubtful_answer_is_given_and_noted_but_not_kept(sim, settings):
    settings.LLM_CACHE = "on"
    make_groq(sim, keys=1)
    sim.script("key-of-groq1", b.ok("Hello", finish="tired"))
    assert [complete(user="hi").cached for _ in range(2)] == [False, False]
    assert "tired" in Attempt.objects.first().detail
    sim.script("key-of-groq1", b.ok("Hello"))
    assert [complete(user="hi").cached for _ in range(2)] == [False, True]


def test_a_failed_half_is_neither_given_nor_kept(sim, settings):
    settings.LLM_CACHE = "on"
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", b.ok("Half", finish="insufficient_system_resource"))
    assert complete(user="hi").provider == "deepseek"


def test_gemini_thoughts_and_an_empty_text_are_no_answer(sim):
    with pytest.raises(Failure) as caught:
        Ran(
            sim,
            "vertex",
            b.events(gemini({"text": "hm", "thought": True}, finish="STOP"), done=False),
            stream=True,
        )
    assert caught.value.kind is Kind.EMPTY_OUTPUT
