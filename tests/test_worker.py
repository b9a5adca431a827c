"""The worker's patience: connections that take too long are shut, others are not touched."""

import contextlib
import socket
import time
from collections import deque
from types import SimpleNamespace

import pytest

from guardlabs import worker as module
from guardlabs.worker import Worker


@pytest.fixture
def worker():
    made = Worker.__new__(Worker)
    made.waiting, made.keepalived_conns = {}, deque()
    return made


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    theirs.settimeout(0.2)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_who_takes_too_long_is_cut_off(worker, pair):
    ours, theirs = pair
    with worker.patience(ours, -1):
        worker.murder_keepalived()
        assert theirs.recv(1) == b""
        assert ours.recv(1) == b""  # what the thread that waits for the head sees
    assert worker.waiting == {}


def test_who_is_in_time_is_not(worker, pair):
    ours, theirs = pair
    with worker.patience(ours, 60):
        worker.murder_keepalived()
        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"


def test_an_answer_may_take_its_time(worker, pair):
    ours, theirs = pair
    request = SimpleNamespace(body=SimpleNamespace(read=lambda *size: b"all"))
    with worker.patience(ours, -1):
        worker.head_is_read(request)  # the head came just in time; a report of 45 s follows
        worker.murder_keepalived()
        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"
        assert request.body.read(3) == b"all"


def test_all_reads_of_a_body_share_one_patience(worker, pair, monkeypatch):
    ours, _ = pair
    clock = iter(range(0, 1000, 40))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(clock)))
    left = []

    def read(*size):
        left.append(next(iter(worker.waiting.values()))[1])
        return b"x"

    request = SimpleNamespace(body=SimpleNamespace(read=read))
    with worker.patience(ours, 15):
        worker.head_is_read(request)
        body = request.body
        body.read(1)
        assert body._left < module.BODY_S
        body.read(1)
        assert body._left < 0


@pytest.fixture
def tcp():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        theirs = socket.create_connection(listening.getsockname())
        ours, _address = listening.accept()
    yield ours, theirs
    ours.close()
    theirs.close()


def fill(sock):
    """Writes until nothing more goes in, as an answer larger than all buffers does."""
    sock.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += sock.send(b"x" * 65536)
    return sent


def test_who_reads_nothing_of_an_answer_is_cut_off(worker, tcp, monkeypatch):
    ours, theirs = tcp
    reader = module.Reader(ours)
    sent, now = fill(ours), time.monotonic()
    assert not reader.is_stuck(now + 10)
    while len(theirs.recv(1 << 20)) == 1 << 20 and sent > 1 << 21:  # some of it is read
        sent -= 1 << 20
    reader.is_stuck(now + 21)
    fill(ours)
    assert not reader.is_stuck(now + 30)
    assert reader.is_stuck(now + 42)
    monkeypatch.setattr(worker, "answering", {1: SimpleNamespace(is_stuck=lambda now: True, sock=ours)})
    worker.murder_keepalived()
    with pytest.raises(OSError):  # noqa: PT011  # EPIPE or ECONNRESET, as the kernel likes
        ours.send(b"x")


def test_an_answer_that_was_taken_may_wait_for_its_next_word(tcp):
    ours, theirs = tcp
    reader = module.Reader(ours)
    ours.sendall(b"word")
    assert theirs.recv(10) == b"word"
    assert not any(reader.is_stuck(time.monotonic() + later) for later in (5, 25, 60, 300))


def test_a_steady_reader_is_left_alone(tcp, monkeypatch):
    ours, theirs = tcp
    reader, now = module.Reader(ours), time.monotonic()
    for second in range(0, 120, 10):
        fill(ours)
        theirs.recv(1 << 20)
        assert not reader.is_stuck(now + second)
