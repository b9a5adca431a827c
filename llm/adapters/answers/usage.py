"""How many tokens an answer took, from whatever a provider states; None for what cannot be."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PROMPT = ("inputTokens", "prompt_eval_count", "promptTokens")  # Bedrock's, Ollama's, AI SDK's
_SPOKEN = ("outputTokens", "eval_count", "completionTokens")
_ASIDE = ("cache_read_input_tokens", "cache_creation_input_tokens")
_DIGITS = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.A)
MAX_IN, MAX_OUT = 20_000_000, 2_000_000  # beyond any model's window: whoever counts more has miscounted


@dataclass(slots=True)
class Usage:
    """The counts of one answer. A stream may state them several times: the last statement counts."""

    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int = 0

    def note(self, *, prompt: object, spoken: object, thought: object = None, total: object = None) -> None:
        """One statement. Hidden reasoning is billed as output, whether `spoken` includes it or not.

        The counts contradict each other at some providers, so the largest that they allow is taken. Zero is what
        an unfilled field holds, not a count.
        """
        asked, both = count(prompt, MAX_IN) or 0, count(total, MAX_IN + MAX_OUT) or 0
        said, hidden = count(spoken, MAX_OUT) or 0, count(thought, MAX_OUT) or 0
        known = [said if said >= hidden else said + hidden]
        if asked < both <= asked + MAX_OUT and asked:
            known.append(both - asked)
        self.tokens_out = max(known) or self.tokens_out
        self.tokens_in = asked or (both - said if both > said > 0 else 0) or self.tokens_in

    def note_cached(self, told: object) -> None:
        """How much of the input came from the provider's prompt cache."""
        self.tokens_cached = min(count(told, MAX_IN) or 0, self.tokens_in or 0) or self.tokens_cached

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
    details = _mapping(stated.get("completion_tokens_details")) or _mapping(
        stated.get("output_tokens_details")
    )
    prompt_tokens = _first(stated, "prompt_tokens", "input_tokens", *_PROMPT)
    if "prompt_tokens" not in stated:  # Anthropic's aside, which are not among `input_tokens`
        aside = sum(count(stated.get(name)) or 0 for name in _ASIDE)
        prompt_tokens = (count(prompt_tokens) or 0) + aside if aside else prompt_tokens
    usage.note(
        prompt=prompt_tokens,
        spoken=_first(stated, "completion_tokens", "output_tokens", *_SPOKEN),
        thought=_first(details, "reasoning_tokens") or _first(stated, "reasoning_tokens"),
        total=_first(stated, "total_tokens", "totalTokens"),
    )
    prompt = _mapping(stated.get("prompt_tokens_details")) or _mapping(stated.get("input_tokens_details"))
    # OpenAI's name for it, DeepSeek's, Moonshot's, Anthropic's.
    told = _first(prompt, "cached_tokens") or _first(
        stated, "prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens"
    )
    usage.note_cached(told)


def count(value: object, most: int = MAX_IN) -> int | None:
    """A number of tokens as a provider states it, in digits or as a text of them; None for what cannot be one."""
    if type(value) is int:
        return value if 0 <= value <= most else None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = float(value)
    if isinstance(value, float) and math.isfinite(value):
        value = math.ceil(value)
    return value if type(value) is int and 0 <= value <= most else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _first(stated: Mapping[str, Any], *names: str) -> object:
    for name in names:
        if count(found := stated.get(name)):
            return found
    return None
