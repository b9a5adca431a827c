"""OpenAI's Agents SDK, whose default is Responses."""

import asyncio
import json
import sys

from agents import Agent, Runner, function_tool
from pydantic import BaseModel

ASK = "What is the weather in Oslo?"


class Mood(BaseModel):
    mood: str


@function_tool
def weather(town: str) -> str:
    return f"rain in {town}"


def agent(**more):
    return Agent(name="assistant", instructions="Be brief.", **more)


async def plain():
    return {"text": (await Runner.run(agent(), ASK)).final_output}


async def streamed():
    result = Runner.run_streamed(agent(), ASK)
    pieces = [event async for event in result.stream_events() if _is_text(event)]
    return {"text": result.final_output, "pieces": len(pieces)}


async def tool():
    return {"text": (await Runner.run(agent(tools=[weather]), ASK)).final_output}


async def structured():
    return (await Runner.run(agent(output_type=Mood), ASK)).final_output.model_dump()


async def cancel():
    result = Runner.run_streamed(agent(), ASK)
    async for event in result.stream_events():
        if _is_text(event):
            result.cancel()


def _is_text(event):
    return event.type == "raw_response_event" and event.data.type == "response.output_text.delta"


print(json.dumps(asyncio.run(globals()[sys.argv[1]]())))
