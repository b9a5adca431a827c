"""Recorded exchanges of each protocol: what is sent stays what it was, field by field and event by event.

After an intended change: `REWRITE_GOLDEN=on pytest tests/test_golden.py`, and read the difference.
"""

import json
import os
import re
from pathlib import Path

import pytest

from llm.simulator import behaviours as b
from tests.chain_setup import make_groq, make_provider
from tests.gateway_client import Gateway, make_client

pytestmark = pytest.mark.django_db
FOLDER = Path(__file__).parent / "golden"
TOOL = {"name": "weather", "description": "The weather of a town"}
SCHEMA = {"type": "object", "properties": {"town": {"type": "string"}}}
HELLO = [{"role": "user", "content": "Say hello."}]
CHAT_TOOLS = [{"type": "function", "function": {**TOOL, "parameters": SCHEMA}}]
TEXT, PLAIN = b.ok("Hello you.", reasoning="I greet."), b.ok("Hello you.")
CALL = b.tool_calls(("weather", {"town": "Oslo"}), reasoning="I look.")
EXCHANGES = {
    "chat": ("chat/completions", {"messages": HELLO, "include_reasoning": True}, TEXT),
    "chat-tool": ("chat/completions", {"messages": HELLO, "tools": CHAT_TOOLS}, CALL),
    "completions": ("completions", {"prompt": "Once"}, PLAIN),
    "responses": ("responses", {"input": "Say hello.", "store": False,
                                "reasoning": {"effort": "low", "summary": "auto"}}, TEXT),
    "responses-tool": ("responses", {"input": "Oslo?", "store": False,
                                     "tools": [{"type": "function", **TOOL, "parameters": SCHEMA}]}, CALL),
    "responses-cut": ("responses", {"input": "x", "store": False}, b.ok("Hello", finish="length")),
    "messages": ("messages", {"messages": HELLO, "max_tokens": 50,
                              "thinking": {"type": "enabled", "budget_tokens": 2000}}, TEXT),
    "messages-tool": ("messages", {"messages": HELLO, "max_tokens": 50, "tools": [{**TOOL, "input_schema": SCHEMA}]},
                      CALL),
    "embeddings": ("embeddings", {"input": ["a", "b"], "dimensions": 4, "model": "e"}, None),
}  # fmt: skip
# What differs from one run to the next: ids, moments, packed state.
LOOSE = (
    (re.compile(r"(chatcmpl-|cmpl-|resp_|msg_|rs_|fc_|call_)\w+"), r"\1ID"),
    (re.compile(r'"(created|created_at|completed_at)": ?\d+'), r'"\1": 0'),
    (re.compile(r"gl1\.[\w=-]+"), "gl1.STATE"),
)


def settled(text):
    for pattern, by in LOOSE:
        text = pattern.sub(by, text)
    return text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", EXCHANGES)
def test_an_exchange_is_what_was_recorded(sim, name, stream):
    if stream and name == "embeddings":
        pytest.skip("embeddings are not streamed")
    make_groq(sim, keys=1)
    vectors = {"name": "e", "kind": "embedding", "family": "e", "dimensions": 32}
    make_provider(sim, "embedder", models=[vectors], keys={"embedder": ""}, free=True)
    door, body, behaviour = EXCHANGES[name]
    if behaviour is not None:
        sim.script("key-of-groq1", behaviour)
    body = {**body, **({"stream": True} if stream else {})}
    answer = Gateway(make_client()[1]).post_to(f"/v1/{door}", body)
    assert answer.status_code == 200, answer.content
    if answer.streaming:
        told = b"".join(answer.streaming_content).decode()
    else:
        told = json.dumps(answer.json(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    sent = json.dumps(sim.requests[-1].body, indent=1, ensure_ascii=False, sort_keys=True)
    asked = json.dumps(body, indent=1, ensure_ascii=False, sort_keys=True)
    record = settled(f"# asked: /v1/{door}\n{asked}\n# sent to the provider\n{sent}\n# answered\n{told}")
    file = FOLDER / f"{name}{'-stream' if stream else ''}.txt"
    if os.environ.get("REWRITE_GOLDEN"):
        file.write_text(record)
    assert record == file.read_text()
