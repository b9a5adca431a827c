"""Whose address counts: the rightmost that no trusted proxy stands for."""

import pytest
from django.test import RequestFactory

from guardlabs.web.client_address import client_address
from guardlabs.web.proxy import TrustedProxy


def address(peer, forwarded=""):
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        (
            "203.0.113.9",
            "1.2.3.4",
            "203.0.113.9",
        ),  # not a proxy of ours: what it forwards is its own invention
        ("127.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),  # the left end is what the client wrote
        ("127.0.0.1", "6.6.6.6, 1.2.3.4, 10.1.2.3", "1.2.3.4"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "not an address", "not an address"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "", "203.0.113.9"),
        ("", "", "unknown"),
    ],
)
def test_the_address_behind_trusted_proxies(settings, peer, forwarded, expected):
    settings.TRUSTED_PROXIES = ["127.0.0.1", "10.0.0.0/8"]
    assert address(peer, forwarded) == expected


def test_forwarding_headers_of_strangers_are_dropped(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    seen = {}
    middleware = TrustedProxy(lambda request: seen.update(request.META))
    headers = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_FOR": "1.2.3.4"}
    middleware(RequestFactory().get("/", REMOTE_ADDR="203.0.113.9", **headers))
    assert "HTTP_X_FORWARDED_PROTO" not in seen
    middleware(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", **headers))
    assert seen["HTTP_X_FORWARDED_PROTO"] == "https"
