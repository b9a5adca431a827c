"""Redis is away: each process counts by itself, says so, and nothing fails."""

import logging
import shutil
import subprocess
import time

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import CacheHandler
from django.test import RequestFactory

from audit import throttle
from guardlabs.operations import chores
from guardlabs.web.shared_cache import FallingBack
from tests.ports import free_port

BACKEND = "guardlabs.web.shared_cache.FallingBack"


@pytest.fixture
def away(settings, monkeypatch):
    """The site's cache is a Redis that nobody runs."""
    monkeypatch.setattr(FallingBack, "away_since", None)
    monkeypatch.setattr(FallingBack, "_next_try", 0.0)
    address = f"redis://127.0.0.1:{free_port()}/0"
    settings.CACHES = {name: {"BACKEND": BACKEND, "LOCATION": address} for name in settings.CACHES}


def wait_s(address):
    return throttle.scan_wait_s(RequestFactory().post("/", REMOTE_ADDR=address))


def test_limits_are_counted_by_the_process_and_the_log_says_so_once(settings, away, caplog, monkeypatch):
    settings.SCAN_RATE = "2/h"
    with caplog.at_level(logging.WARNING):
        assert [wait_s("192.0.2.1") for _ in range(2)] == [0, 0]
        assert wait_s("192.0.2.1") > 0
        assert wait_s("192.0.2.2") == 0
        monkeypatch.setattr(FallingBack, "_next_try", 0.0)  # a look at Redis later is no second message
        assert wait_s("192.0.2.3") == 0
    assert len([r for r in caplog.records if "counts limits by itself" in r.message]) == 1


def test_chores_are_still_done(away, monkeypatch, db):
    done = []
    monkeypatch.setattr(chores, "chores", lambda: (chores.Chore("one", 60, lambda: done.append(1)),))
    assert chores.run_due() == ["one"]
    assert chores.run_due() == []
    assert done == [1]


@pytest.mark.django_db
def test_readyz_and_the_chain_page_say_so(away, client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["cache"].startswith("unreachable")
    client.force_login(get_user_model().objects.create_superuser("boss", password="x"))
    assert "each process counts limits by itself" in client.get("/admin/llm/provider/chain/").content.decode()


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="Redis is not on this machine")
def test_redis_is_used_again_when_it_is_back(monkeypatch, caplog):
    monkeypatch.setattr(FallingBack, "away_since", None)
    monkeypatch.setattr(FallingBack, "_next_try", 0.0)
    port = free_port()
    handler = CacheHandler({"default": {"BACKEND": BACKEND, "LOCATION": f"redis://127.0.0.1:{port}/0"}})
    shared = handler["default"]
    with caplog.at_level(logging.WARNING):
        shared.set("counted", "here")
        assert shared.get("counted") == "here"
        server = subprocess.Popen(
            ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"],
            stdout=subprocess.DEVNULL,
        )
        try:
            until = time.monotonic() + 60
            while not shared.reachable() and time.monotonic() < until:
                time.sleep(0.02)
            assert shared.get("counted") is None  # what one process counted alone is not the shared count
            shared.set("counted", "there")
            assert shared.get("counted") == "there"
        finally:
            server.terminate()
            server.wait(60)
        assert shared.add("after", 1) is True
        assert shared.incr("after") == 2
    said = [record.message for record in caplog.records if record.name == "guardlabs.web.shared_cache"]
    assert ["unreachable" in line for line in said] == [True, False, True]
