"""How many tokens an answer took, from whatever a provider states."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# The names of a count, OpenAI's first; those after `input_tokens` are Bedrock's, Ollama's and AI SDK's.
_PROMPT = ("prompt_tokens", "input_tokens", "inputTokens", "prompt_eval_count", "promptTokens")
_SPOKEN = ("completion_tokens", "output_tokens", "outputTokens", "eval_count", "completionTokens")
_THOUGHT = ("reasoning_tokens",)
_TOTAL = ("total_tokens", "totalTokens")
_ASIDE = ("cache_read_input_tokens", "cache_creation_input_tokens")
_CACHED = ("cached_tokens",)
_CACHED_BESIDE = (
    "prompt_cache_hit_tokens",
    "cached_tokens",
    "cache_read_input_tokens",
)  # DeepSeek's, Anthropic's
_DIGITS = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.A)
MAX_IN, MAX_OUT = 20_000_000, 2_000_000  # beyond any model's window: whoever counts more has miscounted


@dataclass(slots=True)
class Usage:
    """The counts of one answer. A stream may state them several times: the last statement counts."""

    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int = 0

    def note(self, *, prompt: int, spoken: int, thought: int = 0, total: int = 0) -> None:
        """One statement, of counts (see `count`). Hidden reasoning is billed as output, whether `spoken` includes it
        or not.

        They contradict each other at some providers, so the largest that they allow is taken. Zero is what an
        unfilled field holds, not a count.
        """
        written = spoken if spoken >= thought else spoken + thought
        if 0 < prompt < total <= prompt + MAX_OUT:
            written = max(written, total - prompt)
        self.tokens_out = written or self.tokens_out
        self.tokens_in = prompt or (total - spoken if total > spoken > 0 else 0) or self.tokens_in

    def note_cached(self, told: int) -> None:
        """How much of the input came from the provider's prompt cache."""
        self.tokens_cached = min(told, self.tokens_in or 0) or self.tokens_cached

    def plausible_out(self, text: str) -> int | None:
        """The output's count, unless so few tokens cannot hold the text: a word takes one at least."""
        few = self.tokens_out is not None and 2 * self.tokens_out < text.count(" ")
        return None if few else self.tokens_out


def note_openai(usage: Usage, stated: object) -> None:
    """Notes a `usage` in OpenAI's shape, with the names that others gave its fields."""
    if not isinstance(stated, dict):
        return
    if "billed_units" in stated or "tokens" in stated:  # Cohere's
        stated = {**_mapping(stated.get("billed_units")), **_mapping(stated.get("tokens")), **stated}
    details = stated.get("completion_tokens_details") or stated.get("output_tokens_details")
    prompt = _first(stated, _PROMPT)
    if "prompt_tokens" not in stated:  # Anthropic's aside, which are not among `input_tokens`
        prompt = count(prompt + sum(count(stated.get(name)) for name in _ASIDE))
    usage.note(
        prompt=prompt,
        spoken=_first(stated, _SPOKEN, MAX_OUT),
        thought=_first(details, _THOUGHT, MAX_OUT) or _first(stated, _THOUGHT, MAX_OUT),
        total=_first(stated, _TOTAL, MAX_IN + MAX_OUT),
    )
    details = stated.get("prompt_tokens_details") or stated.get("input_tokens_details")
    usage.note_cached(_first(details, _CACHED) or _first(stated, _CACHED_BESIDE))


def count(value: object, most: int = MAX_IN) -> int:
    """A number of tokens as a provider states it, in digits or as a text of them; 0 for what cannot be one."""
    if type(value) is int:
        return value if 0 <= value <= most else 0
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = float(value)
    if isinstance(value, float) and math.isfinite(value):
        value = math.ceil(value)
    return value if type(value) is int and 0 <= value <= most else 0


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _first(stated: object, names: Sequence[str], most: int = MAX_IN) -> int:
    """The first of these counts that one is stated of; 0 where none is."""
    if isinstance(stated, dict):
        for name in names:
            if name in stated and (found := count(stated[name], most)):
                return found
    return 0
