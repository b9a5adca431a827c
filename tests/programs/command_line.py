"""What the scripts of programs without an API have in common: a terminal's user, who may leave."""

import json
import os
import signal
import subprocess
from pathlib import Path

BIN = Path(os.environ["PROGRAMS"]) / "node_modules/.bin"
NOTE = Path("note.txt")
SCHEMA = {"type": "object", "properties": {"mood": {"type": "string"}}, "required": ["mood"],
          "additionalProperties": False}  # fmt: skip


def run(*command):
    """What a program prints. Raises with what it complains of."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def lines(*command):
    """The events that it prints, one a line."""
    return [json.loads(line) for line in run(*command).splitlines() if line.startswith("{")]


def interrupted(*command):
    """Presses Control-C once there is a line on stdin: then the answer has begun."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as program:
        input()
        program.send_signal(signal.SIGINT)
        program.wait(120)
