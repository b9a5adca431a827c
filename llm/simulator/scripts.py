"""Which behaviour the next request gets."""

import threading
from collections.abc import Iterable, Sequence

from llm.simulator.behaviours import Behaviour, ok

Key = tuple[str, str | None, str | None, str]  # credential, model, location, endpoint


class Scripts:
    """Lists of behaviours: one a request, the last one of a list repeats. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lists: dict[Key, list[Behaviour]] = {}
        self._default = ok()

    def set(
        self,
        behaviours: Sequence[Behaviour],
        *,
        credential: str,
        model: str | None,
        location: str | None,
        endpoint: str,
    ) -> None:
        """Replaces the list for exactly this; an empty one removes it."""
        key = (credential, model, location, endpoint)
        with self._lock:
            if behaviours:
                self._lists[key] = list(behaviours)
            else:
                self._lists.pop(key, None)

    def set_default(self, behaviour: Behaviour) -> None:
        """What a chat request gets that no list is for."""
        self._default = behaviour

    def clear(self) -> None:
        with self._lock:
            self._lists.clear()
            self._default = ok()

    def next(
        self, credential: str, model: str | None, location: str | None, endpoint: str
    ) -> Behaviour | None:
        """Takes the next behaviour from the most particular list. None: nothing scripted (never for chat)."""
        if self._lists:
            with self._lock:
                for key in _keys(credential, model, location, endpoint):
                    if queue := self._lists.get(key):
                        return queue.pop(0) if len(queue) > 1 else queue[0]
        return self._default if endpoint == "chat" else None

    def models(self, credential: str) -> list[str]:
        """The models for which this credential has a list."""
        return [model for owner, model, *_ in list(self._lists) if owner == credential and model]

    def knows(self, credential: str) -> bool:
        return any(owner == credential for owner, *_ in list(self._lists))


def _keys(credential: str, model: str | None, location: str | None, endpoint: str) -> Iterable[Key]:
    return (
        (credential, model, location, endpoint),
        (credential, model, None, endpoint),
        (credential, None, location, endpoint),
        (credential, None, None, endpoint),
    )
