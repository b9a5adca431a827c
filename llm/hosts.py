"""Where providers are, and which addresses the chain may connect to.

A key belongs to the origin that it was entered for (`Credential.entered_for`), so that whoever may change a
provider's address cannot have its keys sent to a host of their own. Addresses that are not public are connected
to only where the operator says so: in LLM_ALLOW_PRIVATE_HOSTS, or in a providers file (`Provider.vouched_origin`).
"""

import socket
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

from llm.conf import conf

Address = IPv4Address | IPv6Address

BASE_URLS = {  # where a provider of a kind is when it has no base_url
    "groq": "https://api.groq.com",
    "openai": "https://api.openai.com/v1",
    "vertex": "https://{location}-aiplatform.googleapis.com",
}
PORTS = {"http": 80, "https": 443}
EVERYTHING = {"on", "*", "true", "yes", "1", "all"}
# What a cloud tells its machines about themselves, keys included; no provider is ever there.
METADATA = tuple(
    ip_network(network)
    for network in (
        "169.254.0.0/16", "fe80::/10",  # link-local: AWS, Google, Azure and most others
        "fd00:ec2::/32", "fd20:ce::/32",  # AWS and Google over IPv6
        "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",  # Alibaba, Azure, Oracle
    )
)  # fmt: skip
NAT64 = IPv6Network("64:ff9b::/96")

_vouched: frozenset[tuple[str, int]] = frozenset()


def origin(kind: str, base_url: str) -> str:
    """`https://host[:port]` that a provider's requests and keys go to; empty for an address that is none."""
    try:
        parts = urlsplit(base_url or BASE_URLS[kind])
        host, port = parts.hostname or "", parts.port
    except (KeyError, ValueError):
        return ""
    scheme = parts.scheme.lower()
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" + (f":{port}" if port and port != PORTS.get(scheme) else "")


def vouch(origins: Iterable[str]) -> None:
    """Sets the origins that providers files name: their hosts may be private ones, but never METADATA."""
    global _vouched
    _vouched = frozenset(place for each in origins if (place := _place(each)))


def _place(address: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return (host, port or PORTS.get(parts.scheme, 0)) if host else None


def may_connect(host: str, port: int, address: str) -> bool:
    """Whether a connection may be made to `address`, which is what `host` has just resolved to."""
    if _judged(address)[1]:
        return True
    said = conf.LLM_ALLOW_PRIVATE_HOSTS
    return _may(host, port, address, said if isinstance(said, (str, bool)) else tuple(said or ()), _vouched)


@lru_cache(1024)
def _may(
    host: str,
    port: int,
    address: str,
    said: str | bool | tuple[object, ...],
    vouched: frozenset[tuple[str, int]],
) -> bool:
    """Whether that which is said and vouched for lets a connection be made to an address that is not public."""
    found, _, special = _judged(address)
    names, networks, everything = _allowed(said)
    named = [network for network in networks if found.version == network.version and found in network]
    if special:
        # Named by itself; a network that only happens to hold it, such as 0.0.0.0/0, does not mean it.
        return any(_is_within(network, METADATA) for network in named)
    if named:
        return True
    return everything or host.lower() in names or (host.lower(), port) in vouched


def is_refused(address: str) -> bool:
    """Whether an http address names, without asking the DNS, a host that may not be connected to.

    For forms, where a clear word at once is worth more than a failed call later; `may_connect` decides.
    """
    place = _place(address)
    if place is None:
        return False
    host, port = place
    if host == "localhost" or host.endswith(".localhost"):
        return not may_connect(host, port, "127.0.0.1")
    try:
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        return False
    return not all(may_connect(host, port, str(each[4][0])) for each in found)


@lru_cache(1024)
def _judged(address: str) -> tuple[Address, bool, bool]:
    """An address as it is meant, whether it is a public one, and whether it is METADATA's or everybody's."""
    found = _unwrapped(ip_address(address.partition("%")[0]))
    return found, _is_public(found), found.is_multicast or _is_metadata(found)


@lru_cache(16)
def _allowed(said: str | bool | tuple[object, ...]) -> tuple[set[str], list[IPv4Network | IPv6Network], bool]:
    """LLM_ALLOW_PRIVATE_HOSTS: names of hosts, addresses and networks, and whether it says `on`."""
    words: Iterable[object] = (
        said.split(",") if isinstance(said, str) else ["on"] if said is True else said or ()
    )
    names, networks, everything = set(), [], False
    for word in (str(each).strip().lower() for each in words):
        try:
            networks.append(ip_network(word.strip("[]"), strict=False))
        except ValueError:
            if word in EVERYTHING:
                everything = True
            else:
                names.add(word)
    return names, networks, everything


def _is_public(address: Address) -> bool:
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not special and not _is_metadata(address)


def _is_within(network: IPv4Network | IPv6Network, others: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(
        network.version == other.version
        and other.prefixlen <= network.prefixlen
        and network.network_address in other
        for other in others
    )


def _is_metadata(address: Address) -> bool:
    return any(address.version == network.version and address in network for network in METADATA)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that leads to it: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address
