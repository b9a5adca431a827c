"""Prompt caches as providers have them: an account's model keeps what it has read, and reads the same beginning faster.

The rules, so that an oracle can be computed without this module: what counts is the longest beginning, in characters,
that a prompt has in common with an earlier one of the same account and model; the last KEEP prompts are kept, whatever
their age; fewer than LEAST tokens are not cached.
"""

import threading
from collections import defaultdict, deque

from llm.simulator.tokens import count_tokens
from llm.simulator.wire import Ask

KEEP, LEAST = 50, 8


class PromptCache:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: defaultdict[tuple[str, str], deque[str]] = defaultdict(lambda: deque(maxlen=KEEP))

    def held(self, account: str, ask: Ask) -> int:
        """Tokens of the prompt that were there already; from now on all of it is."""
        with self._lock:
            kept = self._kept[account, ask.model]
            common = ask.prompt[: max((_common(ask.prompt, earlier) for earlier in kept), default=0)]
            kept.append(ask.prompt)
        tokens = min(count_tokens(common), ask.prompt_tokens)
        return tokens if tokens >= LEAST else 0


def _common(one: str, other: str) -> int:
    """Characters of the beginning that two texts share, by halving: most of a conversation is the same."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one.startswith(other[:middle]) else (low, middle - 1)
    return low
