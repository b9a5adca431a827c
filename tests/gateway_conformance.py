"""What the official Python SDK does with the gateway, as it does it with OpenAI: `python -m tests.gateway_conformance`.

Takes OPENAI_BASE_URL and OPENAI_API_KEY from the environment, as the SDK does. Prints one line a check.
"""

import asyncio
from typing import Literal

import openai
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

HELLO = [{"role": "user", "content": "Say hello."}]
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"town": {"type": "string"}}}},
}  # fmt: skip


class Mood(BaseModel):
    mood: Literal["good", "bad"]


def raised(kind, call):
    """The error that a call has to raise."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def models(api):
    ids = [model.id for model in api.models.list()]
    assert {"auto", "free", "good", "good/m"} <= set(ids)
    assert api.models.retrieve("good/m").owned_by == "good"


def plain(api):
    raw = api.chat.completions.with_raw_response.create(
        model="auto", messages=[{"role": "system", "content": "Be brief."}, *HELLO], max_completion_tokens=50,
        temperature=0.2, top_p=0.9, stop=["\n\n"], seed=1, user="someone", reasoning_effort="low",
    )  # fmt: skip
    assert raw.headers["x-guardlabs-provider"] == "good"
    answer = raw.parse()
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens > 0


def streamed(api):
    text, usage, reasons = "", None, []
    for chunk in api.chat.completions.create(
        model="good", messages=HELLO, stream=True, stream_options={"include_usage": True}
    ):
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasons.append(choice.finish_reason)
        usage = chunk.usage or usage
    assert text
    assert reasons[-1] == "stop"
    assert usage.completion_tokens > 0


def streamed_with_helper(api):
    with api.chat.completions.stream(model="tools", messages=HELLO, tools=[TOOL]) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert "chunk" in kinds
    assert final.choices[0].message.tool_calls[0].function.name == "weather"


def structured(api):
    answer = api.chat.completions.parse(model="good", messages=HELLO, response_format=Mood)
    assert answer.choices[0].message.parsed.mood in {"good", "bad"}
    parse = api.chat.completions.parse
    wrong = raised(
        openai.InternalServerError, lambda: parse(model="moody", messages=HELLO, response_format=Mood)
    )
    assert wrong.code == "invalid_output"


def tools(api):
    answer = api.chat.completions.create(model="tools", messages=HELLO, tools=[TOOL], tool_choice="auto")
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls"
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "rain"}
    again = api.chat.completions.create(model="good", messages=[*HELLO, message, result], tools=[TOOL])
    assert again.choices[0].message.content


def errors(api):
    ask = api.with_options(max_retries=0).chat.completions.create
    assert raised(openai.NotFoundError, lambda: ask(model="gpt-9", messages=HELLO)).code == "model_not_found"
    assert raised(openai.BadRequestError, lambda: ask(model="auto", messages=[])).param == "messages"
    limited = raised(openai.RateLimitError, lambda: ask(model="limited", messages=HELLO))
    assert limited.type == "rate_limit_error"
    assert 60 < int(limited.response.headers["retry-after"]) <= 77
    wrong = api.with_options(api_key="sk-wrong").models
    assert raised(openai.AuthenticationError, wrong.list).code == "invalid_api_key"
    long = [{"role": "user", "content": "Tell me a long story. " * 60}]
    broken = raised(openai.APIError, lambda: list(ask(model="broken", messages=long, stream=True)))
    assert broken.code == "stream_interrupted"


def cancelled(api):
    stream = api.chat.completions.create(model="slow", messages=HELLO, stream=True, max_tokens=20_000)
    for number, _ in enumerate(stream):
        if number == 3:
            break
    stream.close()


def timeouts(api):
    ask = api.with_options(max_retries=0, timeout=0.5).chat.completions.create
    raised(openai.APITimeoutError, lambda: ask(model="silent", messages=HELLO))
    patient = {"timeout": 20, "extra_body": {"deadline_s": 0.5}}
    error = raised(openai.InternalServerError, lambda: ask(model="silent", messages=HELLO, **patient))
    assert error.code == "no_provider_available"


def in_parallel(api):
    async def run():
        async with AsyncOpenAI(base_url=api.base_url, api_key=api.api_key) as client:
            create = client.chat.completions.create
            answers = await asyncio.gather(*(create(model="good", messages=HELLO) for _ in range(20)))
            assert all(answer.choices[0].message.content for answer in answers)

    asyncio.run(run())


CHECKS = (
    models, plain, streamed, streamed_with_helper, structured, tools, errors, cancelled, in_parallel, timeouts,
)  # fmt: skip


def main():
    api = OpenAI()
    for check in CHECKS:
        check(api)
        print(f"ok {check.__name__}")


if __name__ == "__main__":
    main()
