"""A loopback stand-in for every provider's wire format, for tests, benchmarks and local trials.

Uses the standard library alone (and `cryptography` for service accounts); imports nothing else of `llm`.
"""

from llm.simulator.behaviours import (
    Behaviour,
    blank_keepalive,
    content_filter,
    drip,
    empty,
    error_in_200,
    error_in_stream,
    hang,
    http,
    malformed_chunk,
    midstream_death,
    midstream_stall,
    no_done,
    ok,
    payload,
    payloads,
    reset,
    short,
    slow_first_token,
    think_only,
    tool_call,
    truncate,
)
from llm.simulator.records import Record
from llm.simulator.simulator import Simulator

__all__ = [
    "Behaviour",
    "Record",
    "Simulator",
    "blank_keepalive",
    "content_filter",
    "drip",
    "empty",
    "error_in_200",
    "error_in_stream",
    "hang",
    "http",
    "malformed_chunk",
    "midstream_death",
    "midstream_stall",
    "no_done",
    "ok",
    "payload",
    "payloads",
    "reset",
    "short",
    "slow_first_token",
    "think_only",
    "tool_call",
    "truncate",
]
