"""What serves the site: connections that take too long are shut, a stop ends what is idle, pages have their threads."""

import asyncio
import contextlib
import os
import socket
import time
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from gunicorn.config import Config
from gunicorn.glogging import Logger

from guardlabs import gunicorn as ours
from guardlabs.serving import connection as module
from guardlabs.serving import worker as worker_module
from guardlabs.serving.connection import BODY_S, HEAD_S, WRITE_S, Connection, Reader
from guardlabs.serving.listener import Listener
from guardlabs.serving.request import Gone, Request
from guardlabs.serving.site import Site
from guardlabs.serving.threads import Pipe, Threads
from llm.clients import access
from llm.gateway import views

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"


async def answer(scope, receive, send):
    """Reads the body and says how much it was."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"%02d" % size})


class Served:
    """Connections as a worker has them, on a loop of the test."""

    def __init__(self, app=answer, **more):
        cfg = Config()
        for name in ("keepalive", "asgi_disconnect_grace_period"):
            cfg.set(name, getattr(ours, name))
        self.worker = SimpleNamespace(
            cfg=cfg, log=Logger(cfg), asgi=app, nr_conns=0, nr=0, max_requests=10**9, alive=True, state={},
            connections=set(), worker_connections=more.get("most", 100),
        )  # fmt: skip

    async def __aenter__(self):
        self.worker.loop = asyncio.get_running_loop()
        self.server = await self.worker.loop.create_server(lambda: Connection(self.worker), "127.0.0.1", 0)
        self.address = self.server.sockets[0].getsockname()
        return self

    async def __aexit__(self, *problem):
        self.server.close()
        for connection in list(self.worker.connections):
            connection.shut()
        await asyncio.sleep(0)

    async def connect(self, sent=b""):
        reader, writer = await asyncio.open_connection(*self.address)
        writer.write(sent)
        await until(lambda: self.worker.connections)
        await asyncio.sleep(0.02)
        (ours,) = self.worker.connections
        return reader, writer, ours


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


def run(test):
    asyncio.run(test())


@pytest.mark.parametrize("sent", [b"", b"GET / HTT", HEAD])
def test_whoever_never_finishes_a_head_is_cut_off(sent):
    async def test():
        async with Served() as served:
            reader, _, connection = await served.connect(sent)
            now = time.monotonic()
            assert not connection.is_stuck(now)
            assert connection.is_stuck(now + HEAD_S + 1)
            connection.shut()
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""

    run(test)


def test_a_length_of_thousands_of_digits_is_refused_in_words():
    async def test():
        async with Served() as served:
            reader, writer = await asyncio.open_connection(*served.address)
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
            writer.close()

    run(test)


def test_whoever_never_finishes_a_body_is_cut_off_and_its_request_is_over():
    async def test():
        async with Served() as served:
            _, _, connection = await served.connect(HEAD + b"\r\n12345")
            now = time.monotonic()
            assert not connection.is_stuck(now + HEAD_S + 1)
            assert connection.is_stuck(now + BODY_S + 1)
            connection.shut()
            await until(lambda: not served.worker.connections)

    run(test)


def test_an_answer_may_take_its_time():
    async def slow(scope, receive, send):
        await asyncio.Event().wait()

    async def test():
        async with Served(slow) as served:
            _, _, connection = await served.connect(HEAD + b"\r\n1234567890")
            now = time.monotonic()
            assert not any(connection.is_stuck(now + later) for later in (20, 70, 100, 3600))
            assert not connection.is_idle

    run(test)


def test_a_kept_connection_may_be_idle_and_its_next_head_has_its_own_patience():
    async def test():
        async with Served() as served:
            reader, writer, connection = await served.connect(HEAD + b"\r\n1234567890")
            assert (await reader.readuntil(b"\r\n\r\n10")).startswith(b"HTTP/1.1 200")
            await until(lambda: connection.is_idle)
            now = time.monotonic()
            assert not connection.is_stuck(now + ours.keepalive - 5)
            assert connection.is_stuck(now + ours.keepalive + 1)
            writer.write(b"GET /next HT")
            await until(lambda: not connection.is_idle)
            assert not connection.is_stuck(time.monotonic() + 1)
            assert connection.is_stuck(time.monotonic() + HEAD_S + 1)

    run(test)


def test_who_leaves_cancels_what_is_done_for_them_at_once():
    ended = []

    async def slow(scope, receive, send):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(time.monotonic())

    async def test():
        async with Served(slow) as served:
            _, writer, _ = await served.connect(HEAD + b"\r\n1234567890")
            writer.close()
            await until(lambda: ended)

    run(test)


def test_more_connections_than_a_worker_takes_are_told_so():
    async def test():
        async with Served(most=0) as served:
            reader, _writer = await asyncio.open_connection(*served.address)
            assert b" 503 " in await reader.readline()

    run(test)


# -- readers ---------------------------------------------------------------------------------------------


@pytest.fixture
def tcp():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        theirs = socket.create_connection(listening.getsockname())
        mine, _address = listening.accept()
    yield mine, theirs
    mine.close()
    theirs.close()


def reader_of(sock, now):
    return Reader(SimpleNamespace(get_extra_info=lambda name: sock), now)


def fill(sock):
    """Writes until nothing more goes in, as an answer larger than all buffers does."""
    sock.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += sock.send(b"x" * 65536)
    return sent


def test_who_reads_nothing_of_an_answer_is_cut_off(tcp):
    mine, theirs = tcp
    now = time.monotonic()
    reader, sent = reader_of(mine, now), fill(mine)
    assert not reader.is_stuck(now + 10)
    while len(theirs.recv(1 << 20)) == 1 << 20 and sent > 1 << 21:  # some of it is read
        sent -= 1 << 20
    reader.is_stuck(now + WRITE_S + 1)
    fill(mine)
    assert not reader.is_stuck(now + WRITE_S + 10)
    reader.is_stuck(now + 2 * WRITE_S + 2)  # what the kernel took for them in between counts
    assert reader.is_stuck(now + 3 * WRITE_S + 3)


def test_an_answer_that_was_taken_may_wait_for_its_next_word(tcp):
    mine, theirs = tcp
    now = time.monotonic()
    reader = reader_of(mine, now)
    mine.sendall(b"word")
    assert theirs.recv(10) == b"word"
    assert not any(reader.is_stuck(now + later) for later in (5, 25, 60, 300))


def test_a_steady_reader_is_left_alone(tcp):
    mine, theirs = tcp
    now = time.monotonic()
    reader = reader_of(mine, now)
    for second in range(0, 120, 10):
        fill(mine)
        theirs.recv(1 << 20)
        assert not reader.is_stuck(now + second)


# -- a stop ----------------------------------------------------------------------------------------------


def test_a_stop_ends_idle_connections_at_once_and_waits_for_answers(monkeypatch):
    go, told = asyncio.Event(), []

    async def slow(scope, receive, send):
        if scope["path"] == "/slow":
            await go.wait()
        await answer(scope, receive, send)

    slow.stopping = lambda: told.append(1)

    async def test():
        async with Served(slow) as served:
            worker, loop = served.worker, asyncio.get_running_loop()
            idle, idle_writer = await asyncio.open_connection(*served.address)
            idle_writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await idle.readuntil(b"\r\n\r\n00")
            busy, busy_writer = await asyncio.open_connection(*served.address)
            busy_writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            await until(lambda: len(worker.connections) == 2)
            worker.alive, worker._quick_shutdown, worker.notify = False, False, lambda: None
            worker._end_patience = lambda: None
            draining = loop.create_task(worker_module.Worker._drain(worker))
            with contextlib.suppress(ConnectionResetError):
                assert await idle.read() == b""
            assert told == [1]
            assert not draining.done()
            go.set()
            assert (await busy.read()).endswith(b"00")
            async with asyncio.timeout(60):
                await draining

    run(test)


def test_a_connection_that_never_said_a_word_holds_up_no_stop():
    async def test():
        async with Served() as served:
            _reader, _writer = await asyncio.open_connection(*served.address)
            await until(lambda: served.worker.connections)
            (connection,) = served.worker.connections
            assert not connection.is_idle  # its request may be on the way
            connection.head_since -= module.SILENT_S + 0.1
            assert connection.is_idle
            assert not connection.is_stuck(time.monotonic())
            connection.data_received(b"GET / HT")
            assert not connection.is_idle

    run(test)


def test_what_outlasts_a_stop_is_cancelled(monkeypatch):
    ended = []

    async def endless(scope, receive, send):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    async def test():
        async with Served(endless) as served:
            await served.connect(HEAD + b"\r\n1234567890")
            worker = served.worker
            worker.alive, worker._quick_shutdown, worker.notify = False, False, lambda: None
            worker._end_patience = lambda: None
            worker.cfg.set("graceful_timeout", 0)
            await worker_module.Worker._drain(worker)
            assert ended == [1]

    run(test)


def test_the_arbiter_kills_nobody_who_is_still_handing_over():
    assert 0 < worker_module.LEAVE_S < ours.graceful_timeout / 2


# -- bodies and threads ----------------------------------------------------------------------------------


def request(*pieces, headers=()):
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1]["more_body"] = False
    coming = iter(messages)

    async def receive():
        return next(coming, {"type": "http.disconnect"})

    scope = {"type": "http", "method": "POST", "path": "/x", "headers": list(headers), "query_string": b""}
    return Request(scope, receive), coming


def test_a_body_is_read_to_its_limit_and_no_further():
    async def test():
        small, _ = request(b"a" * 10, b"b" * 10)
        await small.fill(100)
        assert small.read() == b"a" * 10 + b"b" * 10
        large, coming = request(*[b"x" * 10] * 50)
        await large.fill(25)
        assert len(large.read()) == 30
        assert len(list(coming)) == 47  # still unread

    run(test)


def test_a_body_in_chunks_gets_its_length():
    async def test():
        chunked, _ = request(b"a" * 10, b"b" * 10, headers=[(b"transfer-encoding", b"chunked")])
        await chunked.fill(15)
        assert chunked.META["CONTENT_LENGTH"] == "20"

    run(test)


def test_who_leaves_within_a_body_has_asked_nothing():
    async def test():
        gone, coming = request(b"a")
        list(coming)
        with pytest.raises(Gone):
            await gone.fill(10)

    run(test)


def test_what_a_thread_streams_arrives_in_order_and_ends_when_nobody_reads():
    async def test():
        threads, sent, seen = Threads(1, "t"), [], []

        async def send(piece):
            sent.append(piece)

        def make(pipe, count):
            try:
                for number in range(count):
                    pipe.put(number)
            finally:
                seen.append("closed")

        pipe = Pipe()
        await pipe.drain(threads.run(make, pipe, 100), send)
        assert sent == list(range(100))

        async def leave(piece):
            raise asyncio.CancelledError

        pipe = Pipe()
        work = threads.run(make, pipe, 10**9)
        with pytest.raises(asyncio.CancelledError):
            await pipe.drain(work, leave)
        await asyncio.wait([work])
        assert seen == ["closed", "closed"]
        assert work.exception()

    run(test)


def test_the_patience_is_what_the_proxies_are_told():
    assert module.HEAD_S < 30 < module.BODY_S <= ours.graceful_timeout
    assert ours.keepalive == 75


@pytest.mark.django_db
def test_who_leaves_within_a_body_is_no_failure_of_the_gateway(caplog):
    """Under a server that says so in words (`http.disconnect`) instead of cancelling the answer."""
    key = access.add(name="shop")[1]
    gone, coming = request(b"", headers=[(b"authorization", f"Bearer {key}".encode())])
    list(coming)

    async def ask():
        await views.chat(gone)

    with pytest.raises(Gone):
        async_to_sync(ask)()
    assert not caplog.records


def test_head_is_told_the_length_of_what_get_answers():
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "HEAD", "path": "/healthz", "query_string": b"",
             "headers": [(b"host", b"localhost")]}  # fmt: skip
    async_to_sync(Site())(scope, receive, send)
    assert dict(sent[0]["headers"])[b"Content-Length"] == b"16"


# -- who gets a connection -----------------------------------------------------------------------------


class Taken(asyncio.Protocol):
    """Notes that it was made, for a worker's list."""

    def __init__(self, mine):
        mine.append(self)


async def shared_burst():
    """How many of 64 connections that wait each of two workers takes."""
    loop, mine, theirs = asyncio.get_running_loop(), [], []
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening, contextlib.ExitStack() as clients:
        for _ in range(64):
            clients.enter_context(socket.create_connection(listening.getsockname()))
        workers = [
            Listener(loop, listening.dup(), lambda: Taken(mine)),
            Listener(loop, listening.dup(), lambda: Taken(theirs)),
        ]
        while len(mine) + len(theirs) < 64:
            await asyncio.sleep(0)
        for worker in workers:
            worker.close()
    return len(mine), len(theirs)


def test_a_burst_of_connections_is_shared_by_the_workers():
    mine, theirs = asyncio.run(asyncio.wait_for(shared_burst(), 60))
    assert abs(mine - theirs) <= 2


async def refused_once():
    loop, mine = asyncio.get_running_loop(), []
    listening = socket.create_server(("127.0.0.1", 0))

    class Full:
        """The socket, whose first connection cannot be taken."""

        refusals = 1

        def accept(self):
            if self.refusals:
                self.refusals -= 1
                raise OSError(24, "Too many open files")
            return listening.accept()

        def __getattr__(self, name):
            return getattr(listening, name)

    listener = Listener(loop, Full(), lambda: Taken(mine))
    with socket.create_connection(listening.getsockname()):
        while not mine:
            await asyncio.sleep(0)
    listener.close()
    assert listening.fileno() < 0


def test_a_worker_without_a_file_left_looks_again_later(monkeypatch):
    monkeypatch.setattr("guardlabs.serving.listener.PAUSE_S", 0.0)
    asyncio.run(asyncio.wait_for(refused_once(), 60))


def test_a_sandbox_may_forbid_a_worker_to_take_its_time(monkeypatch):
    def forbidden(*_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", forbidden, raising=False)
    worker_module.Worker._take_time(SimpleNamespace(_has_time=False), True)
