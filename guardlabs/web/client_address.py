"""Who is asking: the client's address behind any number of proxies that we trust."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def _trusted(address: str) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:  # a UNIX socket has no address
        return False
    return any(ip in ip_network(proxy, strict=False) for proxy in settings.TRUSTED_PROXIES)


def from_trusted_proxy(request: HttpRequest) -> bool:
    """Whether the peer of this connection is one of TRUSTED_PROXIES."""
    return _trusted(request.META.get("REMOTE_ADDR", ""))


def client_address(request: HttpRequest) -> str:
    """The rightmost address that no trusted proxy stands for; IPv6 by /64, the size of one customer.

    The left end of X-Forwarded-For is whatever the client wrote, so it is never believed.
    """
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    address = request.META.get("REMOTE_ADDR", "")
    while hops and _trusted(address):
        address = hops.pop()
    try:
        ip = ip_address(address)
    except ValueError:
        return address or "unknown"
    if ip.version == 6 and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)
