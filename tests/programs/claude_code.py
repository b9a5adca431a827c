"""Claude Code with nothing but ANTHROPIC_BASE_URL and ANTHROPIC_AUTH_TOKEN."""

import json
import sys

from command_line import BIN, NOTE, SCHEMA, interrupted, lines, run

ASK = "What is the weather in Oslo?"
PRINT = (BIN / "claude", "-p", ASK)


def plain():
    return {"text": run(*PRINT).strip()}


def streamed():
    events = lines(*PRINT, "--output-format", "stream-json", "--include-partial-messages", "--verbose")
    pieces = [each for each in events if each.get("event", {}).get("type") == "content_block_delta"]
    return {"text": events[-1]["result"], "pieces": len(pieces)}


def tool():
    NOTE.write_text("rain in Oslo")
    return {"text": run(*PRINT, "--allowedTools", "Read").strip()}


def structured():
    told = json.loads(run(*PRINT, "--output-format", "json", "--json-schema", json.dumps(SCHEMA)))
    return told["structured_output"]


def cancel():
    interrupted(*PRINT)


print(json.dumps(globals()[sys.argv[1]]()))
