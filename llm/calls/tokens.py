"""How many tokens a text will be, before anybody has counted them; corrected by what was counted."""

import json
import re
import string
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llm.adapters.base import Answer
from llm.models import Attempt
from llm.text import encoded

# Characters a token, on the low side, since an estimate that is too small costs a rejected request. Fitted to OpenAI's
# o200k_base; other families are within a third of it, and `correction` learns the rest. See docs/gateway.md, Sizes.
LATIN, CYRILLIC, OTHER, ASTRAL = 4.0, 2.4, 1.2, 0.5
DIGIT, MARK = 1.0, 2.6
# Base64, hexadecimal numbers and the like, in which no word is known: a digit within tells them from long names.
UNKNOWN = 1.4
_RUN = re.compile(r"[A-Za-z0-9+/=_-]{32,}")
# Whether there is any, twenty times quicker than by the expression: its characters made all alike, and 32 in a row.
_OF_RUNS = (string.ascii_letters + string.digits + "+/=_-").encode()
_ALIKE, _A_RUN = bytes.maketrans(_OF_RUNS, b"a" * len(_OF_RUNS)), b"a" * 32
_DIGITS = b"0123456789\n"  # a new line, with the spaces after it, is a token as well
# What characters of other alphabets begin with in UTF-8: U+0400 on, U+10000 on, and the rest from U+0280 on.
_CYRILLIC, _ASTRAL = bytes(range(0xD0, 0xD5)), bytes(range(0xF0, 0xF5))
_FURTHER = bytes([*range(0xCA, 0xD0), *range(0xD5, 0xF0)])
_MARKS = b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
PER_MESSAGE = 6
PER_IMAGE = 1100  # what most providers count for one of ordinary size
# The most there can be of each. No tokenizer in use makes more tokens of a text than it has bytes in UTF-8: all fall
# back to bytes. A message is wrapped in a few marks, a request gets a preamble, and 16,384 is the largest image that a
# provider documents (Qwen-VL; Gemini 2,240, GPT 1,536).
MOST_PER_CALL, MOST_PER_MESSAGE, MOST_PER_IMAGE = 200, 12, 16_384
LEARN_EVERY_S = 600.0
SAMPLE, LEAST_SAMPLE = 300, 20
BOUNDS = (0.6, 2.0)  # a correction beyond these speaks of a broken counter, not of a language
_corrections: dict[str, float] = {}
_learned_at = float("-inf")


def estimate_text(text: str) -> int:
    """Tokens of a text, estimated from its alphabets, its digits and marks, and what looks like no words at all."""
    if not text:
        return 0
    utf8 = text.encode("utf-8", "surrogatepass")
    size = len(utf8)
    digits, marks = size - len(utf8.translate(None, _DIGITS)), size - len(utf8.translate(None, _MARKS))
    latin, rest = len(text) - digits - marks, 0
    cyrillic = astral = 0
    if size != len(text):
        cyrillic, astral = _count(utf8, _CYRILLIC), _count(utf8, _ASTRAL)
        rest = _count(utf8, _FURTHER)
        latin -= cyrillic + astral + rest
    found = (
        latin / LATIN + digits / DIGIT + marks / MARK + cyrillic / CYRILLIC + rest / OTHER + astral / ASTRAL
    )
    if digits and _A_RUN in utf8.translate(_ALIKE):
        found += sum(_surplus(run) for run in _RUN.findall(text))
    return round(found)


def _count(utf8: bytes, which: bytes) -> int:
    return len(utf8) - len(utf8.translate(None, which))


def _surplus(run: str) -> float:
    """What a run of letters has above its estimate as words."""
    digits = sum(run.count(digit) for digit in string.digits)
    if not digits:
        return 0
    marks = sum(map(run.count, "+/=_-"))
    return len(run) / UNKNOWN - (len(run) - digits - marks) / LATIN - digits / DIGIT - marks / MARK


def estimate(messages: Sequence[Mapping[str, Any]], params: Mapping[str, Any] | None = None) -> int:
    """Tokens of a list of chat messages, with the tools and the schema that go along."""
    found = 0
    for message in messages:
        content = message.get("content")
        found += PER_MESSAGE
        found += estimate_text(content) if isinstance(content, str) else _estimate_parts(content or ())
        if calls := message.get("tool_calls"):
            found += estimate_text(json.dumps(calls))
    if params:
        for name in ("tools", "response_format"):
            if extra := params.get(name):
                found += estimate_text(json.dumps(extra))
    return found


def _estimate_parts(parts: Iterable[Any]) -> int:
    return sum(
        estimate_text(str(part.get("text") or "")) if part.get("type", "text") == "text" else PER_IMAGE
        for part in parts
        if isinstance(part, Mapping)
    )


def most(messages: Sequence[Mapping[str, Any]], params: Mapping[str, Any] | None = None) -> int:
    """The most tokens that a request can be, whatever its alphabet: what its money is reserved by."""
    found = MOST_PER_CALL
    for message in messages:
        content = message.get("content")
        found += MOST_PER_MESSAGE
        found += _most_of_parts(message, content) if isinstance(content, list) else len(encoded(message))
    return found + len(encoded(params)) if params else found


def _most_of_parts(message: Mapping[str, Any], parts: list[Any]) -> int:
    images = [part for part in parts if isinstance(part, Mapping) and part.get("type", "text") != "text"]
    texts = [part for part in parts if part not in images]
    return len(encoded({**message, "content": texts})) + MOST_PER_IMAGE * len(images)


def estimate_answer(answer: Answer) -> int:
    """Tokens of an answer that nobody has counted."""
    return (
        estimate_text(answer.text)
        + estimate_text(answer.reasoning)
        + sum(estimate_text(str(call["function"])) for call in answer.tool_calls)
    )


def is_due() -> bool:
    """Whether `correction` would read the ledger now."""
    return time.monotonic() - _learned_at > LEARN_EVERY_S


def correction(lang: str) -> float:
    """Counted ÷ estimated input tokens of the latest answers in a language; 1 while there are few.

    Read from the ledger at most every ten minutes a process.
    """
    global _corrections, _learned_at
    if is_due():
        _learned_at = time.monotonic()
        _corrections = _learn()
    return _corrections.get(lang, 1.0)


def forget() -> None:
    """Drops what was learned, for tests."""
    global _corrections, _learned_at
    _corrections, _learned_at = {}, float("-inf")


def _learn() -> dict[str, float]:
    latest = Attempt.objects.filter(outcome="ok", estimated_in__gt=0, tokens_in__gt=0).order_by("-id")[
        :SAMPLE
    ]
    sums: dict[str, list[int]] = {}
    for lang, counted, estimated in latest.values_list("call__lang", "tokens_in", "estimated_in"):
        total = sums.setdefault(lang, [0, 0, 0])
        total[0] += 1
        total[1] += counted
        total[2] += estimated
    low, high = BOUNDS
    return {
        lang: min(max(counted / estimated, low), high)
        for lang, (samples, counted, estimated) in sums.items()
        if samples >= LEAST_SAMPLE
    }
