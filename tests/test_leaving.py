"""Whoever leaves an attempt ends it upstream at once: the provider sees its connection closed, at whatever moment."""

import asyncio
import contextlib
import json
import threading
import time

import pytest

from llm import clock, loop
from llm.adapters import Answer, Request, Timing, adapter_for
from llm.failures.kinds import Failure, Kind
from llm.simulator import behaviours as b
from tests.adapter_setup import HELLO, KINDS, OPENAI_KINDS, chunk, drive, make_adapter
from tests.test_deadline import server

STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n{"
WORD = f"data: {json.dumps(chunk({'content': 'Hello'}))}\n\n".encode()
FIRST = {
    "before it answers": b"",
    "between its headers": b"HTTP/1.1 200 OK\r\ncontent-type: te",
    "before its body": STREAM,
    "in the middle of its words": STREAM + WORD,
}


class Upstream:
    """A provider that says something and then waits to see its caller go."""

    def __init__(self, says):
        self.says = says
        self.asked, self.left = threading.Event(), threading.Event()

    def __call__(self, connection, over):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        connection.sendall(self.says)
        self.asked.set()
        connection.settimeout(60)
        with contextlib.suppress(ConnectionError):
            while connection.recv(65536):
                pass
        self.left.set()


def attempt(kind, port, *, stream=True):
    adapter = adapter_for(kind=kind, base_url=f"http://127.0.0.1:{port}/v1", key="k")
    now = clock.monotonic()
    request = Request(model="m", messages=HELLO, max_tokens=50, stream=stream)
    limits = Timing(first_token=now + 30, end=now + 30)
    return adapter.run(request, limits) if stream else adapter.ask(request, limits)


async def begun(upstream):
    """Waits, off the loop, for the provider to have said its word."""
    assert await asyncio.to_thread(upstream.asked.wait, 60)
    await asyncio.sleep(0.01)


async def all_of(pieces):
    return [piece async for piece in pieces]


async def cancelled(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("kind", OPENAI_KINDS)
@pytest.mark.parametrize("says", FIRST.values(), ids=FIRST)
def test_a_stream_that_is_cancelled_is_closed_upstream(kind, says):
    upstream = Upstream(says)

    async def leave(port):
        task = asyncio.create_task(all_of(attempt(kind, port)))
        await begun(upstream)
        await cancelled(task)

    with server(upstream) as port:
        loop.run(leave(port))
        assert upstream.left.wait(30)


@pytest.mark.parametrize("kind", OPENAI_KINDS)
@pytest.mark.parametrize("says", [b"", PLAIN], ids=["before it answers", "in the middle of its body"])
def test_a_plain_request_that_is_cancelled_is_closed_upstream(kind, says):
    upstream = Upstream(says)

    async def leave(port):
        task = asyncio.create_task(attempt(kind, port, stream=False))
        await begun(upstream)
        await cancelled(task)

    with server(upstream) as port:
        loop.run(leave(port))
        assert upstream.left.wait(30)


@pytest.mark.parametrize("kind", OPENAI_KINDS)
def test_a_reader_that_has_heard_enough_closes_it_upstream(kind):
    upstream = Upstream(STREAM + WORD)

    async def leave(port):
        pieces = attempt(kind, port)
        heard = await anext(pieces)
        await pieces.aclose()
        return heard

    with server(upstream) as port:
        assert loop.run(leave(port)) == "Hello"
        assert upstream.left.wait(30)


@pytest.mark.parametrize("kind", OPENAI_KINDS)
def test_what_nobody_began_to_read_asks_nobody(kind):
    upstream = Upstream(STREAM)

    async def leave(port):
        await attempt(kind, port).aclose()

    with server(upstream) as port:
        loop.run(leave(port))
        assert not upstream.asked.is_set()


@pytest.mark.parametrize("kind", OPENAI_KINDS)
def test_one_that_leaves_while_it_connects_is_gone(kind):
    """The handshake is never answered; what waits on the connection is cancelled with it."""
    left = threading.Event()
    hello = threading.Event()

    def handle(connection, over):
        connection.recv(65536)
        hello.set()
        connection.settimeout(60)
        with contextlib.suppress(ConnectionError):
            connection.recv(65536)
        left.set()

    async def leave(port):
        adapter = adapter_for(kind=kind, base_url=f"https://127.0.0.1:{port}/v1", key="k")
        now = clock.monotonic()
        request = Request(model="m", messages=HELLO, max_tokens=50, stream=True)
        task = asyncio.create_task(all_of(adapter.run(request, Timing(first_token=now + 30, end=now + 30))))
        assert await asyncio.to_thread(hello.wait, 60)
        await cancelled(task)

    with server(handle) as port:
        loop.run(leave(port))
        assert left.wait(30)


@pytest.mark.parametrize("kind", KINDS)
def test_a_deadline_closes_it_upstream_too(sim, kind):
    """And whatever follows gets a connection of its own, and the right answer."""
    adapter, name = make_adapter(sim, kind)
    sim.script(name, b.hang(), b.ok("Hello"))

    async def attempts():
        found = []
        for patience_s in (1, 60):
            now = clock.monotonic()
            request = Request(model="m", messages=HELLO, max_tokens=50, stream=True)
            try:
                found += await all_of(
                    adapter.run(request, Timing(first_token=now + patience_s, end=now + patience_s))
                )
            except Failure as failure:
                found.append(failure.kind)
        return found

    *first, answer = loop.run(attempts())
    assert isinstance(answer, Answer)
    assert "".join(str(each) for each in first) == "provider_downHello"


def test_gemini_is_closed_upstream_by_whoever_leaves(sim):
    adapter, name = make_adapter(sim, "vertex")
    sim.script(name, b.ok("Hello " * 400, pace=0.05))
    connections = sim._server._connections

    async def leave():
        now = clock.monotonic()
        request = Request(model="m", messages=HELLO, max_tokens=500, stream=True)
        pieces = adapter.run(request, Timing(first_token=now + 9, end=now + 30))
        assert await anext(pieces)
        before = len(connections)
        await pieces.aclose()
        return before

    before = loop.run(leave())
    assert wait_until(lambda: len(connections) == before - 1)


def test_a_token_that_google_does_not_give_is_given_up_with_its_caller(sim):
    adapter, name = make_adapter(sim, "vertex")
    sim.script(name, b.hang(), b.ok(), endpoint="token")

    def ask(patience_s):
        end = clock.monotonic() + patience_s
        return drive(
            adapter, Request(model="m", messages=HELLO, max_tokens=50), Timing(first_token=end, end=end)
        )

    with pytest.raises(Failure) as caught:
        ask(1)
    assert caught.value.kind is Kind.PROVIDER_DOWN
    assert ask(60)[1].text


def wait_until(true, limit_s=30.0):
    end = time.monotonic() + limit_s
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.01)
    return found
