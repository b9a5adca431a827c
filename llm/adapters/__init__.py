"""One outside wire format = one small module. `adapter_for` is the registry, and it keeps the clients."""

from collections import OrderedDict
from threading import Lock
from typing import Any

from django.conf import settings

from llm.adapters.base import Adapter, Answer, Piece, Reasoning, Request, Timing
from llm.failures.kinds import Failure, Kind
from llm.libraries import missing_library

__all__ = ["Adapter", "Answer", "Piece", "Reasoning", "Request", "Timing", "adapter_for", "is_kept"]

_MOST_CLIENTS = 256
_clients: OrderedDict[tuple[str, ...], Adapter] = OrderedDict()
_lock = Lock()


def is_kept(*, kind: str, base_url: str, key: str, project: str = "", location: str = "") -> bool:
    """Whether `adapter_for` has it at hand: else it takes its time, and on an event loop is called in a thread."""
    return (kind, base_url, key, project, location) in _clients


def adapter_for(*, kind: str, base_url: str, key: str, project: str = "", location: str = "") -> Adapter:
    """The adapter of one credential (in one location). Clients are kept, and with them their connections.

    Imports a kind's SDK on first use: Google's alone takes a second. Raises Failure for an unusable key.
    """
    identity = (kind, base_url, key, project, location)
    with _lock:
        if adapter := _clients.get(identity):
            _clients.move_to_end(identity)
            return adapter
    if lacking := missing_library(kind):
        raise Failure(Kind.KEY_INVALID, lacking)
    options: dict[str, Any] = {
        "base_url": base_url,
        "key": key,
        "user_agent": getattr(settings, "LLM_USER_AGENT", "llm-chain/1"),
    }
    if kind == "groq":
        from llm.adapters.groq import Groq

        adapter = Groq(**options)
    elif kind == "openai":
        from llm.adapters.openai import OpenAICompatible

        adapter = OpenAICompatible(**options)
    else:
        from llm.adapters.vertex import Vertex

        adapter = Vertex(**options, project=project, location=location)
    with _lock:
        _clients[identity] = adapter
        while len(_clients) > _MOST_CLIENTS:
            _clients.popitem(last=False)
    return adapter
