"""A first start on a bare machine: two at once, or one whose disk is full, leave one whole set of keys."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from guardlabs import keys
from guardlabs.management.commands import prepare


def test_of_two_first_starts_both_use_the_key_that_was_first(tmp_path):
    path = tmp_path / "var" / "secret_key"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: keys._write_once(path, f"key-{number}"), range(8)))
    first = path.read_text()
    keys._write_once(path, "another")
    assert path.read_text() == first
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_no_half_of_a_key(tmp_path, monkeypatch):
    path = tmp_path / "secret_key"

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            keys._write_once(path, "key")
    assert list(tmp_path.iterdir()) == []
    keys._write_once(path, "key")
    assert keys.read(path) == "key"


def test_an_empty_key_that_an_earlier_start_left_is_replaced(tmp_path):
    path = tmp_path / "secret_key"
    path.write_text("\n")
    keys._write_once(path, "key")
    assert keys.read(path) == "key"


def test_starts_prepare_one_after_the_other(tmp_path):
    inside, most, began = 0, 0, threading.Barrier(4)

    def start(_number):
        nonlocal inside, most
        began.wait()
        with prepare._alone(tmp_path):
            inside += 1
            most = max(most, inside)
            inside -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    assert most == 1
