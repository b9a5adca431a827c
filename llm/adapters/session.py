"""The connections to providers: one aiohttp session for each event loop, shared by every client and credential."""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from typing import Generic, TypeVar

import aiohttp
import httpx2
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from llm import hosts

CONNECT_TIMEOUT_S = 5.0  # resolving, connecting, TLS
KEEP_ALIVE_S = 60.0
MAX_HEADER_BYTES = 64 * 2**10
_RESOLVERS = 32  # threads; the system's resolver knows no timeout, so some of them may hang for a while

T = TypeVar("T")


class PerLoop(Generic[T]):
    """What each event loop has of its own, made when it is first asked for."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._kept: dict[asyncio.AbstractEventLoop, T] = {}

    def __call__(self) -> T:
        """The running loop's."""
        loop = asyncio.get_running_loop()
        if (found := self._kept.get(loop)) is None:
            for ended in [each for each in self._kept.copy() if each.is_closed()]:
                self._kept.pop(ended, None)
            found = self._kept[loop] = self._make()
        return found


def refused(host: str) -> OSError:
    """The error of a host that is not to be connected to."""
    return OSError(f"{host} is at a private address, and LLM_ALLOW_PRIVATE_HOSTS does not allow it")


class Resolver(AbstractResolver):
    """Names to the addresses that may be connected to, as the system orders them.

    They, and never the name again, are what is connected to: a name that resolves to another address a moment later
    leads nowhere else.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=_RESOLVERS, thread_name_prefix="resolve")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError when there is none."""
        loop = asyncio.get_running_loop()
        look_up = socket.getaddrinfo
        try:
            found = await loop.run_in_executor(self._threads, look_up, host, port, family, socket.SOCK_STREAM)
        except ValueError as error:  # no name at all
            raise OSError(str(error)) from error
        allowed = [each for each in found if hosts.may_connect(host, port, str(each[4][0]))]
        if not allowed:
            raise refused(host)
        return [
            ResolveResult(
                hostname=host, host=str(place[0]), port=port, family=kind, proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, place in allowed
        ]  # fmt: skip

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def check(url: URL) -> None:
    """Raises OSError for an address in digits that may not be connected to; it is resolved by nobody."""
    host, port = url.host or "", url.port or 0
    if ":" not in host and not host.replace(".", "").isdigit():
        return
    for address in _meant(host):
        if not hosts.may_connect(host, port, address):
            raise refused(host)


@lru_cache(1024)
def _meant(digits: str) -> tuple[str, ...]:
    """The addresses that digits mean to the system, in any spelling."""
    found = socket.getaddrinfo(digits, 0, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
    return tuple(str(each[4][0]) for each in found)


@cache
def trusted() -> ssl.SSLContext:
    """Which certificates are believed, as the openai client has it: SSL_CERT_FILE's, else Mozilla's list.

    Takes 20 ms to read, so adapters do it when they are made.
    """
    return httpx2.create_ssl_context()


class _Kept:
    """A session for as long as its loop lives."""

    def __init__(self) -> None:
        connector = aiohttp.TCPConnector(
            limit=0,
            resolver=Resolver(),
            ttl_dns_cache=0,  # nothing is remembered, but those who ask at once share one look
            ssl=trusted(),
            keepalive_timeout=KEEP_ALIVE_S,
        )
        self.session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"Accept-Encoding": "gzip, deflate"},
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )
        self.life = self._life()
        self.begun = False

    async def _life(self) -> AsyncGenerator[None]:
        """Waits for the loop to end, which closes its generators (`loop.shutdown_asyncgens`)."""
        try:
            yield
        finally:
            await self.session.close()


_kept = PerLoop(_Kept)


async def current() -> aiohttp.ClientSession:
    """The running loop's session. It is closed when the loop ends."""
    kept = _kept()
    if not kept.begun:
        kept.begun = True
        await anext(kept.life)
    return kept.session
