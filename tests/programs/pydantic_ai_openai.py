"""pydantic-ai with an OpenAI model, which it asks by Responses; PROGRAM_MODEL names another one."""

import asyncio
import json
import os
import sys

from pydantic import BaseModel
from pydantic_ai import Agent

ASK = "What is the weather in Oslo?"
MODEL = os.environ.get("PROGRAM_MODEL", "openai:gpt-5")


class Mood(BaseModel):
    mood: str


def weather(town: str) -> str:
    """The weather of a town."""
    return f"rain in {town}"


async def plain():
    return {"text": (await Agent(MODEL).run(ASK)).output}


async def streamed():
    async with Agent(MODEL).run_stream(ASK) as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
        return {"text": "".join(pieces), "pieces": len(pieces)}


async def tool():
    return {"text": (await Agent(MODEL, tools=[weather]).run(ASK)).output}


async def structured():
    return (await Agent(MODEL, output_type=Mood).run(ASK)).output.model_dump()


async def cancel():
    async with Agent(MODEL).run_stream(ASK) as result:
        async for _ in result.stream_text(delta=True, debounce_by=None):
            break
        await result.cancel() if hasattr(result, "cancel") else None


print(json.dumps(asyncio.run(globals()[sys.argv[1]]())))
