"""OpenAI's Python SDK, chat completions."""

import json
import sys

from openai import OpenAI
from pydantic import BaseModel

api = OpenAI()
ASK = {"model": "gpt-5", "messages": [{"role": "user", "content": "What is the weather in Oslo?"}]}
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"town": {"type": "string"}}}},
}  # fmt: skip


class Mood(BaseModel):
    mood: str


def plain():
    return {"text": api.chat.completions.create(**ASK).choices[0].message.content}


def streamed():
    with api.chat.completions.stream(**ASK) as events:
        pieces = [event.delta for event in events if event.type == "content.delta"]
    return {"text": events.get_final_completion().choices[0].message.content, "pieces": len(pieces)}


def tool():
    message = api.chat.completions.create(**ASK, tools=[TOOL]).choices[0].message
    call = message.tool_calls[0]
    found = f"rain in {json.loads(call.function.arguments)['town']}"
    result = {"role": "tool", "tool_call_id": call.id, "content": found}
    ask = {**ASK, "messages": [*ASK["messages"], message, result]}
    return {"text": api.chat.completions.create(**ask, tools=[TOOL]).choices[0].message.content}


def structured():
    return api.chat.completions.parse(**ASK, response_format=Mood).choices[0].message.parsed.model_dump()


def cancel():
    stream = api.chat.completions.create(**ASK, stream=True)
    for _, _ in zip(range(4), stream, strict=False):
        pass
    stream.close()


print(json.dumps(globals()[sys.argv[1]]()))
