"""Who is asking: the client's address behind any number of proxies that we trust."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"
WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::\d{1,5})?|(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}")


def _trusted(address: str) -> bool:
    networks = settings.TRUSTED_PROXIES
    return bool(networks) and _is_in(address, tuple(networks))


@lru_cache(maxsize=256)  # the same few proxies stand behind every request
def _is_in(address: str, networks: tuple[str, ...]) -> bool:
    ip = _read(address)
    if ip is None:  # a UNIX socket has no address
        return False
    return any(ip in ip_network(network, strict=False) for network in networks)


def from_trusted_proxy(request: HttpRequest) -> bool:
    """Whether the peer of this connection is one of TRUSTED_PROXIES."""
    return _trusted(request.META.get("REMOTE_ADDR", ""))


def client_address(request: HttpRequest) -> str:
    """The rightmost address that no trusted proxy stands for; IPv6 by /64, the size of one customer's network.

    The left end of X-Forwarded-For is whatever the client wrote, so it is never believed. What a proxy calls an
    address and is none counts as `unknown`, one address for all of them.
    """
    ip = _client(request)
    if ip is None:
        return UNKNOWN
    return str(ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)


def client_site(request: HttpRequest) -> str | None:
    """The /48 that an IPv6 client's address belongs to: one customer may hold all of its 65,536 networks."""
    ip = _client(request)
    return str(ip_network((ip, 48), strict=False)) if ip is not None and ip.version == 6 else None


def _client(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    address = _bare(request.META.get("REMOTE_ADDR", ""))
    while hops and _trusted(address):
        address = _bare(hops.pop())
    return _read(address)


def _read(address: str) -> IPv4Address | IPv6Address | None:
    """An address; the IPv4 one that a socket for both kinds writes as ::ffff:192.0.2.1."""
    try:
        ip = ip_address(address)
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip


def _bare(address: str) -> str:
    """The address without the port that some proxies write: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    found = WITH_PORT.fullmatch(address)
    return (found[1] or found[2]) if found else address
