"""Whose address counts: the rightmost that no trusted proxy stands for."""

import pytest
from django.test import RequestFactory

from audit.client_address import client_address, client_site
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
        ("127.0.0.1", "not an address", "unknown"),  # or each request could be an address of its own
        ("127.0.0.1", "1.2.3.4:4711", "1.2.3.4"),
        ("127.0.0.1", "[2001:db8:1:2::5]:4711", "2001:db8:1:2::/64"),
        ("127.0.0.1", "[2001:db8:1:2::5]", "2001:db8:1:2::/64"),
        ("127.0.0.1", "6.6.6.6, 1.2.3.4:1, 10.1.2.3:2", "1.2.3.4"),
        ("127.0.0.1", "1.2.3.4:99999999", "unknown"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "", "203.0.113.9"),
        ("::ffff:127.0.0.1", "1.2.3.4", "1.2.3.4"),  # a socket for both kinds (HOST=::)
        ("127.0.0.1", "6.6.6.6, 1.2.3.4, ::ffff:10.1.2.3", "1.2.3.4"),
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


def test_an_ipv6_client_belongs_to_a_site_of_many_networks():
    meta = {"REMOTE_ADDR": "2001:db8:1:2:3:4:5:6"}
    assert client_site(RequestFactory().get("/", **meta)) == "2001:db8:1::/48"
    assert client_site(RequestFactory().get("/", REMOTE_ADDR="203.0.113.9")) is None
