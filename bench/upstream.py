"""The simulated providers; in a process of their own, so that they do not slow what is measured by our GIL."""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.managers import BaseManager
from typing import Any, Protocol

from llm.simulator import (  # the only place that imports it
    Behaviour,
    Record,
    Simulator,
    empty,
    hang,
    http,
    ok,
    payload,
    reset,
    slow_first_token,
    truncate,
)  # fmt: skip

__all__ = [
    "Behaviour", "Record", "Simulator", "Upstream", "empty", "hang", "http", "ok", "payload", "reset",
    "slow_first_token", "truncate", "upstream_process",
]  # fmt: skip


class Upstream(Protocol):
    """What the sections use of a simulator, here or in another process."""

    url: str

    def script(self, credential: str, *behaviours: Behaviour, **where: Any) -> None: ...
    def default(self, behaviour: Behaviour) -> None: ...
    def account(self, credential: str, account: str) -> None: ...
    def limit(self, account: str, model: str | None = None, **limits: int | None) -> None: ...
    def block_edge(self, provider: str, payload_id: str = ...) -> None: ...
    def count(self, credential: str | None = None, provider: str | None = None) -> int: ...
    def reset(self) -> None: ...


class _Served(Simulator):
    def __init__(self) -> None:
        super().__init__()
        self.start()

    def address(self) -> str:
        return self.url

    def brief(self) -> list[tuple[str, str, int | None, int, int]]:
        """Of every chat request: provider, model, status, prompt tokens, completion tokens."""
        return [
            (r.provider, r.model or "", r.status, r.prompt_tokens, r.completion_tokens)
            for r in self.requests
            if r.endpoint == "chat"
        ]


class _Manager(BaseManager):
    pass


_Manager.register("Served", _Served)


@contextmanager
def upstream_process() -> Iterator[Any]:
    """A simulator in another process: an Upstream, with `brief()` besides."""
    with _Manager(ctx=get_context("spawn")) as manager:
        served = manager.Served()  # type: ignore[attr-defined]
        served.url = served.address()
        yield served
