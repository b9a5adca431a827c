"""Anthropic's Python SDK."""

import json
import sys

from anthropic import Anthropic
from pydantic import BaseModel

api = Anthropic()
ASK = {"model": "claude-sonnet-5", "max_tokens": 4000,
       "messages": [{"role": "user", "content": "What is the weather in Oslo?"}]}  # fmt: skip
TOOL = {"name": "weather", "input_schema": {"type": "object", "properties": {"town": {"type": "string"}}}}


class Mood(BaseModel):
    mood: str


def plain():
    return {"text": api.messages.create(**ASK).content[0].text}


def streamed():
    with api.messages.stream(**ASK) as stream:
        pieces = list(stream.text_stream)
        return {"text": stream.get_final_text(), "pieces": len(pieces)}


def tool():
    first = api.messages.create(**ASK, tools=[TOOL])
    call = next(block for block in first.content if block.type == "tool_use")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": f"rain in {call.input['town']}"}
    said = [
        *ASK["messages"],
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    return {"text": api.messages.create(**{**ASK, "messages": said}, tools=[TOOL]).content[0].text}


def structured():
    return api.messages.parse(**ASK, output_format=Mood).parsed_output.model_dump()


def cancel():
    with api.messages.stream(**ASK) as stream:
        for _, _ in zip(range(4), stream.text_stream, strict=False):
            pass


print(json.dumps(globals()[sys.argv[1]]()))
