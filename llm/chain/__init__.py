"""One call down the chain: plan, attempts, events. Imports cache, clients, ledger, limits, failures and what is below.

The public names are looked up when they are first used, so that a room below can import one module of this one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm import gates
    from llm.cache.responses import forget_calls
    from llm.calls.events import AttemptFailed, AttemptStarted, Completed, Delta, Event, ReasoningDelta, Reply
    from llm.chain.aftermath import ChainExhausted
    from llm.chain.run import acomplete, astream
    from llm.chain.sync import CallerLeft, complete, stream
    from llm.gates import purposes
    from llm.ledger import receipts

_HOMES = {
    "llm.chain.run": ("acomplete", "astream"),
    "llm.chain.sync": ("CallerLeft", "complete", "stream"),
    "llm.chain.aftermath": ("ChainExhausted",),
    "llm.calls.events": (
        "AttemptFailed",
        "AttemptStarted",
        "Completed",
        "Delta",
        "Event",
        "ReasoningDelta",
        "Reply",
    ),
    "llm.cache.responses": ("forget_calls",),
}
_MODULES = {"gates": "llm.gates", "purposes": "llm.gates.purposes", "receipts": "llm.ledger.receipts"}

__all__ = [
    "AttemptFailed", "AttemptStarted", "CallerLeft", "ChainExhausted", "Completed", "Delta", "Event", "ReasoningDelta",
    "Reply", "acomplete", "astream", "complete", "forget_calls", "gates", "purposes", "receipts", "stream",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Of a name that has not been used yet; from then on it is one of the module's own."""
    if name in _MODULES:
        globals()[name] = import_module(_MODULES[name])
        return globals()[name]
    for home, names in _HOMES.items():
        if name in names:
            globals()[name] = getattr(import_module(home), name)
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
