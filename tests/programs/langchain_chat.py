"""LangChain with OpenAI's or, if PROGRAM_MODEL says so, Anthropic's models."""

import json
import os
import sys

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool as as_tool
from pydantic import BaseModel

if os.environ.get("PROGRAM_MODEL") == "anthropic":
    from langchain_anthropic import ChatAnthropic

    model = ChatAnthropic(model="claude-sonnet-5")
else:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="gpt-5")
ASK = "What is the weather in Oslo?"


class Mood(BaseModel):
    """How it is."""

    mood: str


@as_tool
def weather(town: str) -> str:
    """The weather of a town."""
    return f"rain in {town}"


def plain():
    return {"text": model.invoke(ASK).text}


def streamed():
    pieces = [chunk.text for chunk in model.stream(ASK) if chunk.text]
    return {"text": "".join(pieces), "pieces": len(pieces)}


def tool():
    with_tools = model.bind_tools([weather])
    first = with_tools.invoke(ASK)
    call = first.tool_calls[0]
    result = ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])
    return {"text": with_tools.invoke([HumanMessage(ASK), first, result]).text}


def structured():
    return model.with_structured_output(Mood).invoke(ASK).model_dump()


def cancel():
    stream = model.stream(ASK)
    for _, _ in zip(range(4), stream, strict=False):
        pass
    stream.close()


print(json.dumps(globals()[sys.argv[1]]()))
