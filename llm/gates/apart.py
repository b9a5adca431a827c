"""Judges JSON in a process of its own with a time limit, since the engine holds the interpreter's lock."""

import json
import subprocess
import sys
from threading import BoundedSemaphore
from typing import Any

from llm.gates import judge

MOST_WALL_S = 20.0  # on a machine that is too busy to give the process its two seconds
_places = BoundedSemaphore(2)  # a process of ours may be busy with so many


class Unjudgeable(ValueError):
    """A schema by which nothing can be judged in the time, or the memory, that one answer may take."""

    def __init__(self) -> None:
        super().__init__(f"the schema takes more than {judge.MOST_CPU_S} seconds to judge one answer by")


class Busy(Exception):
    """Others are being judged, and for too long."""


def judged(schema: Any, text: str | None) -> str | None:
    """Why a JSON text does not fit a schema, None when it does; without a text only the schema is looked at.

    Raises ValueError for a schema that is none, Unjudgeable when it takes too long, Busy when no process was free.
    """
    if not _places.acquire(timeout=MOST_WALL_S):
        raise Busy
    try:
        done = subprocess.run(  # noqa: S603  # our own program, whose input is data
            [sys.executable, "-I", judge.__file__],
            input=json.dumps({"schema": schema, "text": text}).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},  # what it judges comes from strangers, and our environment holds keys
            timeout=MOST_WALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unjudgeable from None
    finally:
        _places.release()
    if done.returncode:  # killed by its limits
        raise Unjudgeable
    found: dict[str, str | None] = json.loads(done.stdout)
    if "invalid" in found:
        raise ValueError(str(found["invalid"]))
    return found.get("fault")
