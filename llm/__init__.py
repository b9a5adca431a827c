"""A deterministic fallback chain over the free tiers of LLM providers: a reusable Django app. See docs/python-api.md.

The public names are looked up when they are first used, so that importing a part of the app loads no other.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm import gates, stats
    from llm.calls.events import (
        AttemptFailed,
        AttemptStarted,
        Completed,
        Delta,
        Event,
        ReasoningDelta,
        Reply,
    )
    from llm.chain.aftermath import ChainExhausted
    from llm.chain.run import acomplete, astream
    from llm.chain.sync import complete, stream
    from llm.ledger import receipts

__all__ = [
    "AttemptFailed", "AttemptStarted", "ChainExhausted", "Completed", "Delta", "Event", "ReasoningDelta", "Reply",
    "acomplete", "astream", "complete", "gates", "receipts", "stats", "stream",
]  # fmt: skip

__version__ = "0.2.0"

_MODULES = {"gates": "llm.gates", "receipts": "llm.ledger.receipts", "stats": "llm.stats"}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in __all__:
        return getattr(import_module("llm.chain"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
