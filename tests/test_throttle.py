"""The limit on new scans: per client address, for form and API together, and never a reason to fail."""

import json
import logging

import pytest
import time_machine
from django.core.cache import cache, caches
from django.core.cache.backends.base import BaseCache
from django.test import RequestFactory

from audit import checks, throttle
from audit.models import Scan
from tests.factories import answers, load_bank, scan_body

request_factory = RequestFactory()


def wait_s(address: str = "192.0.2.1", **headers) -> int:
    return throttle.scan_wait_s(request_factory.post("/", REMOTE_ADDR=address, **headers))


class BrokenCache(BaseCache):
    """Every call fails as a Redis that went away does."""

    def __init__(self, *args):
        super().__init__({})

    def _fail(self, *args, **kwargs):
        raise ConnectionError("redis is gone")

    add = get = set = incr = touch = delete = clear = _fail


@pytest.fixture
def broken(settings, monkeypatch):
    settings.SCAN_RATE = "1/h"
    monkeypatch.setattr(throttle, "_last_logged", float("-inf"))
    monkeypatch.setattr("django_ratelimit.core.caches", {"default": BrokenCache()})


@time_machine.travel("2026-11-23 12:00:00", tick=False)
def test_the_limit_is_exact_and_says_how_long_to_wait(settings):
    settings.SCAN_RATE = "3/h"
    assert [wait_s() for _ in range(3)] == [0, 0, 0]
    assert 1 <= wait_s() <= 3600


def test_after_the_wait_scans_are_accepted_again(settings):
    settings.SCAN_RATE = "1/h"
    with time_machine.travel("2026-11-23 12:00:00", tick=False) as clock:
        assert wait_s() == 0
        clock.shift(wait_s() + 1)
        assert wait_s() == 0


def test_addresses_are_counted_apart(settings):
    settings.SCAN_RATE = "1/h"
    assert [wait_s("192.0.2.1"), wait_s("192.0.2.2")] == [0, 0]
    assert wait_s("192.0.2.1") > 0


def test_an_ipv6_customer_is_one_client(settings):
    settings.SCAN_RATE = "1/h"
    assert wait_s("2001:db8:1:1::1") == 0
    assert wait_s("2001:db8:1:1:ffff::2") > 0
    assert wait_s("2001:db8:1:2::1") == 0


def test_a_forged_forwarding_header_changes_nothing(settings):
    settings.SCAN_RATE = "1/h"
    assert wait_s(HTTP_X_FORWARDED_FOR="198.51.100.1") == 0
    assert wait_s(HTTP_X_FORWARDED_FOR="198.51.100.2") > 0


def test_clients_behind_a_trusted_proxy_are_counted_apart(settings):
    settings.SCAN_RATE = "1/h"
    settings.TRUSTED_PROXIES = ["192.0.2.1"]
    assert wait_s(HTTP_X_FORWARDED_FOR="198.51.100.1") == 0
    assert wait_s(HTTP_X_FORWARDED_FOR="198.51.100.2") == 0
    assert wait_s(HTTP_X_FORWARDED_FOR="198.51.100.2") > 0


def test_off_limits_nobody(settings):
    settings.SCAN_RATE = "off"
    assert {wait_s() for _ in range(50)} == {0}


def test_a_cache_that_is_down_lets_scans_pass_and_is_logged_once(broken, caplog):
    with caplog.at_level(logging.WARNING):
        assert {wait_s() for _ in range(5)} == {0}
    assert len([record for record in caplog.records if "not limited" in record.message]) == 1


def test_a_counter_that_vanishes_lets_the_scan_pass(settings, monkeypatch):
    settings.SCAN_RATE = "1/h"
    monkeypatch.setattr(type(caches["default"]), "add", lambda *args, **kwargs: False)
    monkeypatch.setattr(type(caches["default"]), "incr", lambda *args, **kwargs: None)
    assert wait_s() == 0


@pytest.mark.django_db
def test_scans_are_made_while_the_cache_is_down(broken, client):
    load_bank()
    for _ in range(2):
        response = client.post("/api/v1/scans", json.dumps(scan_body()), content_type="application/json")
        assert response.status_code == 201


@pytest.mark.django_db
def test_form_and_api_share_one_limit(client, settings):
    settings.SCAN_RATE = "1/h"
    load_bank()
    assert client.post("/en/scan/", {**answers(), "ai": "off"}).status_code == 302
    response = client.post("/api/v1/scans", json.dumps(scan_body()), content_type="application/json")
    assert response.status_code == 429
    again = client.post("/en/scan/", {**answers(), "ai": "off"})
    assert (again.status_code, "Retry-After" in again.headers) == (429, True)
    assert Scan.objects.count() == 1


@pytest.mark.parametrize("rate", ["20/h", "5/m", "1/s", "100/d", "3/10m", "off"])
def test_good_rates_pass_the_system_check(settings, rate):
    settings.SCAN_RATE = rate
    assert checks.check_scan_rate() == []


@pytest.mark.parametrize("rate", ["", "20", "20/hour", "0/h", "h/20", "20/x", "a.b", "OFF"])
def test_a_wrong_rate_is_named_with_a_hint(settings, rate):
    settings.SCAN_RATE = rate
    (error,) = checks.check_scan_rate()
    assert error.id == "audit.E001"
    assert "20/h" in error.hint


def test_nothing_but_a_hash_is_kept_of_the_address(settings):
    settings.SCAN_RATE = "1/h"
    wait_s("192.0.2.77")
    assert not [key for key in cache._cache if "192.0.2.77" in key]
