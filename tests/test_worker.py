"""The worker's patience: connections that take too long are shut, others are not touched."""

import socket
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
