"""Codex with its default model, or the one that PROGRAM_MODEL names."""

import json
import os
import sys
from pathlib import Path

from command_line import BIN, NOTE, SCHEMA, interrupted, lines, run

ASK = "What is the weather in Oslo?"
MODEL = ("-m", os.environ["PROGRAM_MODEL"]) if "PROGRAM_MODEL" in os.environ else ()
EXEC = (
    BIN / "codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", *MODEL,
)  # fmt: skip


def plain():
    return {"text": run(*EXEC, ASK).strip()}


def streamed():
    return {"text": _said(lines(*EXEC, "--json", ASK))[-1]}


def tool():
    NOTE.write_text("rain in Oslo")
    return {"text": run(*EXEC, ASK).strip()}


def structured():
    Path("schema.json").write_text(json.dumps(SCHEMA))
    return json.loads(run(*EXEC, "--output-schema", "schema.json", ASK))


def cancel():
    interrupted(*EXEC, ASK)


def _said(events):
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    return [item["text"] for item in items if item["type"] == "agent_message"]


print(json.dumps(globals()[sys.argv[1]]()))
