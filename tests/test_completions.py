"""/v1/completions, for clients from before chat."""

import pytest

from llm.simulator import behaviours as b
from tests.chain_setup import make_groq
from tests.gateway_client import Gateway, make_client
from tests.sdk_clients import openai_sdk

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(sim):
    make_groq(sim, keys=1)
    return sim


@pytest.mark.parametrize("prompt", ["Once upon", ["Once upon"]])
def test_a_prompt_is_completed(chain, prompt):
    chain.script("key-of-groq1", b.ok("a time"))
    answer = openai_sdk().completions.create(model="auto", prompt=prompt, max_tokens=20, stop=["."], user="a")
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("a time", "stop")
    assert answer.usage.total_tokens > 0
    assert chain.requests[-1].body["messages"] == [{"role": "user", "content": "Once upon"}]
    assert chain.requests[-1].body["stop"] == ["."]


def test_a_completion_is_streamed(chain):
    chain.script("key-of-groq1", b.ok("one two", reasoning="Hm.", finish="length"))
    chunks = list(openai_sdk().completions.create(
        model="auto", prompt="x", stream=True, stream_options={"include_usage": True}))  # fmt: skip
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(choice.text for choice in choices) == "one two"
    assert choices[-1].finish_reason == "length"
    assert chunks[-1].usage.total_tokens > 0


@pytest.mark.parametrize(
    ("body", "param"),
    [({}, "prompt"), ({"prompt": ["a", "b"]}, "prompt"), ({"prompt": [1, 2]}, "prompt"), ({"prompt": ""}, "prompt"),
     ({"prompt": "x", "echo": True}, "echo"), ({"prompt": "x", "suffix": "y"}, "suffix"),
     ({"prompt": "x", "logprobs": 3}, "logprobs"), ({"prompt": "x", "best_of": 3}, "best_of")],
)  # fmt: skip
def test_what_is_not_done_is_refused(chain, body, param):
    response = Gateway(make_client()[1]).post_to("/v1/completions", body)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
