"""OpenAI's Python SDK, Responses."""

import json
import sys

from openai import OpenAI
from pydantic import BaseModel

api = OpenAI()
ASK = {"model": "gpt-5", "input": "What is the weather in Oslo?"}
TOOL = {"type": "function", "name": "weather", "strict": True,
        "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"],
                       "additionalProperties": False}}  # fmt: skip


class Mood(BaseModel):
    mood: str


def plain():
    return {"text": api.responses.create(**ASK).output_text}


def streamed():
    with api.responses.stream(**ASK) as events:
        pieces = [event for event in events if event.type == "response.output_text.delta"]
    return {"text": events.get_final_response().output_text, "pieces": len(pieces)}


def tool():
    first = api.responses.create(**ASK, tools=[TOOL])
    call = next(item for item in first.output if item.type == "function_call")
    found = f"rain in {json.loads(call.arguments)['town']}"
    result = {"type": "function_call_output", "call_id": call.call_id, "output": found}
    again = api.responses.create(model="gpt-5", input=[result], previous_response_id=first.id, tools=[TOOL])
    return {"text": again.output_text}


def structured():
    return api.responses.parse(**ASK, text_format=Mood).output_parsed.model_dump()


def cancel():
    stream = api.responses.create(**ASK, stream=True)
    for event in stream:
        if event.type == "response.output_text.delta":
            break
    stream.close()


print(json.dumps(globals()[sys.argv[1]]()))
