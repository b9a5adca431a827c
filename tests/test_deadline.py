"""No wait goes beyond the deadline: resolving, connecting, TLS, sending, headers, body."""

import asyncio
import contextlib
import math
import socket
import threading
import time
from types import SimpleNamespace

import httpx
import httpx2
import pytest

from llm import clock, loop
from llm.adapters import Request, Timing, adapter_for, session, transport
from llm.adapters.groq import Groq
from llm.adapters.openai import OpenAICompatible
from llm.adapters.vertex import Vertex
from llm.calls.spec import CallSpec
from llm.chain import ChainExhausted, complete, stream
from llm.chain.selector import Selector
from llm.failures.kinds import Failure, Kind
from llm.models import Attempt, Pause
from llm.simulator import behaviours as b
from llm.text import characters
from tests.adapter_setup import HELLO, Ran, drive
from tests.chain_setup import make_deepseek, make_vertex
from tests.matrix import matrix

LIMIT, SLACK = 0.2, 15  # seconds; the second only tells an end from none, on however slow a machine
LIBRARIES = {"httpx": httpx, "httpx2": httpx2}


@pytest.fixture(params=LIBRARIES.values(), ids=LIBRARIES)
def library(request):
    return request.param


@pytest.fixture
def client(library):
    return transport.client(library)


def fetch(client, url, *, end=math.inf, content=None):
    """What a server says until then."""

    async def asked():
        async with transport.until(end):
            return await client.request("POST" if content else "GET", url, content=content)

    return loop.run(asked())


@contextlib.contextmanager
def server(handle, *, backlog=50):
    """The address of a loopback server that gives every connection to `handle` in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
    open_ones = [listener]
    over = threading.Event()

    def serve(connection):
        with contextlib.suppress(OSError):
            handle(connection, over)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_ones.append(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        for each in open_ones:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def silence(connection, over):
    over.wait(20)


def drip(text, then=b" "):
    """Sends a text at once, then one piece after another, for ever."""

    def handle(connection, over):
        connection.recv(65536)
        connection.sendall(text)
        while not over.wait(0.02):
            connection.sendall(then)

    return handle


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
WAYS = {
    "silence": silence,
    "one letter of a header after the other": drip(HEAD + b"x-padding: ", b"x"),
    "headers without end": drip(HEAD, b"x-padding: x\r\n"),
    "one byte of the body after the other": drip(HEAD + b"content-length: 100000\r\n\r\n"),
    "chunks without end": drip(HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "comments without end": drip(STREAM_HEAD, b": still here\n\n"),
}


@contextlib.contextmanager
def ends_in_time(limit=LIMIT):
    began = time.monotonic()
    yield began + limit
    took = time.monotonic() - began
    assert limit * 0.8 < took < limit + SLACK


# -- the seam ----------------------------------------------------------------------------------------------


def test_the_sdks_use_our_client():
    for kind, cls in (("openai", OpenAICompatible), ("groq", Groq)):
        adapter = adapter_for(kind=kind, base_url="http://127.0.0.1:9/v1", key="k")
        assert adapter.client._client is cls.http
        assert adapter.client.max_retries == 0
    assert isinstance(Vertex.http, httpx.AsyncClient)


def test_no_redirect_is_followed(client):
    assert client.follow_redirects is False


def test_all_clients_of_a_loop_share_its_connections(sim):
    loop.run(session.current())
    assert loop.run(session.current()) is loop.run(session.current())


def test_a_loop_that_ends_closes_its_connections(recwarn):
    import asyncio

    kept = []

    async def once():
        kept.append(await session.current())
        assert not kept[-1].closed

    for _ in range(2):
        asyncio.run(once())
    assert all(each.closed for each in kept)
    assert kept[0] is not kept[1]
    assert not recwarn.list


# -- every wait --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_whatever_a_server_sends_or_does_not_the_deadline_ends_it(client, way):
    with server(way) as port, ends_in_time() as end, pytest.raises(TimeoutError):
        fetch(client, f"http://127.0.0.1:{port}/", end=end)


def test_a_server_that_does_not_read_is_cut(client):
    body = b"x" * 50_000_000  # more than the buffers take
    with server(silence) as port, ends_in_time() as end, pytest.raises(TimeoutError):
        fetch(client, f"http://127.0.0.1:{port}/", end=end, content=body)


def test_a_tls_handshake_that_is_not_answered_is_cut(client):
    with server(silence) as port, ends_in_time() as end, pytest.raises(TimeoutError):
        fetch(client, f"https://127.0.0.1:{port}/", end=end)


def test_a_connection_that_is_not_accepted_is_cut(client):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = []
        for _ in range(4):  # fill the queue of connections
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(address)
        with ends_in_time() as end, pytest.raises(TimeoutError):
            fetch(client, f"http://127.0.0.1:{address[1]}/", end=end)
        for each in waiting:
            each.close()


def test_a_connection_has_a_limit_of_its_own(client, library, monkeypatch):
    import aiohttp

    async def asked(port):
        short = aiohttp.ClientTimeout(total=None, connect=LIMIT)
        connector = aiohttp.TCPConnector(ssl=session.trusted(), resolver=session.Resolver())
        async with aiohttp.ClientSession(connector=connector, timeout=short) as patient:

            async def current():
                return patient

            monkeypatch.setattr(session, "current", current)
            await client.get(f"https://127.0.0.1:{port}/")

    with server(silence) as port, ends_in_time(), pytest.raises(library.ConnectTimeout):
        loop.run(asked(port))


def test_a_name_that_is_not_resolved_is_cut(library, client, monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **more: over.wait(20) and [])
    try:
        with ends_in_time() as end, pytest.raises(TimeoutError):
            fetch(
                client, f"http://{library.__name__}.invalid/", end=end
            )  # who asks for one name shares the look
    finally:
        over.set()


def test_a_name_that_does_not_exist_is_told_in_the_librarys_words(library, client, monkeypatch):
    def unknown(*arguments, **more):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(library.ConnectError, match="not known"):
        fetch(client, "http://unknown.invalid/")


def answer(connection, over):
    while connection.recv(65536):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


def test_a_name_is_resolved_and_an_address_is_not(client, monkeypatch):
    asked = []
    genuine = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: (asked.append(host), genuine("127.0.0.1", *rest))[1],
    )
    with server(answer) as port:
        assert fetch(client, f"http://provider.invalid:{port}/").text == "ok"
        assert "provider.invalid" in asked
        asked.clear()
        assert fetch(client, f"http://127.0.0.1:{port}/").text == "ok"
        assert set(asked) <= {"127.0.0.1"}


def addresses(*hosts):
    """A resolver that knows these addresses of every name, in this order."""

    def resolve(host, port, *rest, **more):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in hosts]

    return resolve


def test_the_next_address_of_a_name_is_tried_when_the_first_is_dead(client, monkeypatch):
    genuine = socket.getaddrinfo

    def resolve(host, port, *rest, **more):
        known = addresses("127.0.0.2", "127.0.0.1") if host == "provider.invalid" else genuine
        return known(host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with server(answer) as port:
        assert fetch(client, f"http://provider.invalid:{port}/").text == "ok"


def test_a_connection_that_is_kept_keeps_the_deadline_of_each_call(client):
    accepted = []

    def twice(connection, over):
        accepted.append(connection)
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        connection.recv(65536)
        over.wait(1.6)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    with server(twice) as port:
        for limit_s in (1.5, 60):
            end = time.monotonic() + limit_s
            assert fetch(client, f"http://127.0.0.1:{port}/", end=end).text == "ok"
    assert len(accepted) == 1


@pytest.mark.parametrize("kind", ["openai", "groq"])
def test_a_stream_leaves_its_connection_to_the_next(kind):
    """Though its end comes a moment after its closing mark."""
    accepted = []

    def streams(connection, over):
        accepted.append(connection)
        said = b'data: {"choices": [{"delta": {"content": "Hello"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
        while connection.recv(65536):
            connection.sendall(STREAM_HEAD[:-2] + b"transfer-encoding: chunked\r\n\r\n")
            connection.sendall(b"%x\r\n%b\r\n" % (len(said), said))
            over.wait(0.005)
            connection.sendall(b"0\r\n\r\n")

    with server(streams) as port:
        adapter = adapter_for(kind=kind, base_url=f"http://127.0.0.1:{port}/v1", key="k")
        for _ in range(3):
            end = time.monotonic() + 60
            request = Request(model="m", messages=HELLO, max_tokens=9, stream=True)
            assert drive(adapter, request, Timing(first_token=end, end=end))[0] == ["Hello"]
    assert len(accepted) == 1


@pytest.mark.parametrize("kind", ["openai", "groq"])
def test_a_stream_that_does_not_end_after_its_closing_mark_keeps_nobody(kind):
    said = (
        b'data: {"choices": [{"delta": {"content": "Hello"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    )
    with server(drip(STREAM_HEAD + said, b": still here\n\n")) as port:
        adapter = adapter_for(kind=kind, base_url=f"http://127.0.0.1:{port}/v1", key="k")
        began = time.monotonic()
        request = Request(model="m", messages=HELLO, max_tokens=9, stream=True)
        drive(adapter, request, Timing(first_token=began + 60, end=began + 60))
        assert time.monotonic() - began < 30  # not until its time is up, even on a busy machine


# -- the deadline itself -----------------------------------------------------------------------------------


def test_a_deadline_is_told_by_the_clock_that_can_be_set(monkeypatch):
    async def waited(end):
        import asyncio

        async with transport.until(end):
            await asyncio.sleep(0.01)
        return "ended"

    monkeypatch.setattr(clock, "monotonic", lambda: 1_000_000.0)
    assert loop.run(waited(1_000_001.0)) == "ended"
    assert loop.run(waited(math.inf)) == "ended"
    for past in (1_000_000.0, 999_990.0):
        with pytest.raises(TimeoutError):
            loop.run(waited(past))


# -- through the SDKs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "kind", "streamed"), matrix(list(WAYS), ["openai", "groq"], [False, True]))
def test_an_attempt_ends_at_its_deadline_as_a_failure(kind, way, streamed):
    with server(WAYS[way]) as port:
        adapter = adapter_for(kind=kind, base_url=f"http://127.0.0.1:{port}/v1", key="k")
        request = Request(
            model="m", messages=[{"role": "user", "content": "hi"}], max_tokens=9, stream=streamed
        )
        with ends_in_time() as end, pytest.raises(Failure) as caught:
            drive(adapter, request, Timing(first_token=end, end=end))
    assert (caught.value.kind, caught.value.silent) == (Kind.PROVIDER_DOWN, True)


@pytest.mark.parametrize("kind", ["openai", "groq"])
def test_a_list_of_models_ends_at_its_deadline(kind):
    with server(WAYS["headers without end"]) as port, ends_in_time() as end, pytest.raises(Failure):
        loop.run(adapter_for(kind=kind, base_url=f"http://127.0.0.1:{port}/v1", key="").list_models(end))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("endpoint", ["token", "chat"])
def test_google_is_cut_as_well(sim, tmp_path, monkeypatch, endpoint, streamed):
    monkeypatch.setattr("llm.clock.sleep", lambda seconds: None)
    make_vertex(sim, tmp_path, locations=["global"], timeout_s=9, first_byte_s=9)
    sim.script("vertex", b.hang(), endpoint=endpoint)
    adapter_for(
        kind="vertex", base_url="", key=secret_of(sim), project="p", location="global"
    )  # imports take long
    with ends_in_time(1.5), pytest.raises(ChainExhausted):
        list(stream(user="hi", deadline_s=1.5)) if streamed else complete(user="hi", deadline_s=1.5)


def secret_of(sim):
    import json

    return json.dumps(sim.service_account(label="another"))


# -- the loop ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "where"), [(100, "llm-loop"), (400_000, "asyncio")], ids=["small", "large"])
def test_what_is_large_is_written_and_read_off_the_loop(sim, monkeypatch, size, where):
    from llm.adapters import openai as module

    threads = []

    def noted(function):
        return lambda *arguments: (threads.append(threading.current_thread().name), function(*arguments))[1]

    monkeypatch.setattr(module, "read_completion", noted(module.read_completion))
    monkeypatch.setattr(OpenAICompatible, "_packed", noted(OpenAICompatible._packed))
    asked = {"messages": [{"role": "user", "content": "y" * size}], "max_tokens": size}
    ran = Ran(sim, "openai", b.ok("x" * size), stream=False, **asked)
    assert len(ran.text) == size
    assert [name.partition("_")[0] for name in threads] == [where, where]


def test_characters_are_counted_to_an_end():
    circle = [{"a": "four"}]
    circle.append(circle)
    assert characters(circle, 1000) > 1000
    assert characters(({"role": "user", "content": [{"text": "x" * 70}]}, None, 7), 1000) == 74 + 7
    assert characters("y" * 5000, 1000) > 1000


@pytest.mark.parametrize("own_deadline", [False, True])
@pytest.mark.parametrize(("others", "usable"), [(0, 0), (1, 0), (1, 1), (8, 0), (8, 3), (8, 8)])
@pytest.mark.parametrize("left_s", [0.5, 6, 12, 25, 27, 60, 1000, math.inf])
def test_an_attempt_has_all_the_time_that_usable_successors_do_not_keep(
    monkeypatch, left_s, others, usable, own_deadline
):
    monkeypatch.setattr(clock, "monotonic", lambda: 100.0)
    monkeypatch.setattr(Selector, "_usable_after", lambda *_: usable)
    asked = SimpleNamespace(slug="groq", first_byte_s=10, timeout_s=20)
    selector = Selector(
        want=CallSpec(1, 1), end=100 + left_s, begin_by=100 + left_s, own_deadline=own_deadline,
        providers=(asked,) * (others + 1),
    )  # fmt: skip
    share = left_s - usable * min(5, left_s / (usable + 1))
    assert selector.timing(asked, streamed=True).first_token == 100 + min(10, share)
    alone = own_deadline and not usable
    whole = 100 + min(max(20, min(left_s, 600)) if alone else 20, share)
    limits = selector.timing(asked, streamed=False)
    assert limits.end <= whole
    assert (limits.longer() if limits.longer else limits.end) == whole


def test_successors_are_counted_only_where_that_tells(monkeypatch):
    counted = []
    monkeypatch.setattr(Selector, "_usable_after", lambda *_: counted.append(1) or 1)
    asked = SimpleNamespace(slug="groq", first_byte_s=10, timeout_s=20)
    now = clock.monotonic()
    asks = [(60, False, True), (60, False, False), (12, False, False), (60, True, False)]
    for left_s, own_deadline, streamed in asks:
        selector = Selector(
            want=CallSpec(1, 1), end=now + left_s, begin_by=now + left_s, own_deadline=own_deadline,
            providers=(asked, asked),
        )  # fmt: skip
        limits = selector.timing(asked, streamed=streamed)
        assert bool(limits.longer) == (left_s == 12 or own_deadline)
    assert not counted


@pytest.mark.parametrize(
    ("longer_s", "outcome"), [(0.2, "answered"), (0, "ended"), (-5, "ended"), (None, "ended")]
)
def test_a_wait_that_is_not_sure_of_its_end_asks_when_that_has_come(longer_s, outcome):
    """None: whoever is asked fails."""
    asked = []

    def longer():
        asked.append(clock.monotonic())
        return clock.monotonic() + longer_s

    async def waited(wait_s, end):
        try:
            async with transport.until(end, longer):
                await asyncio.sleep(wait_s)
                return "answered"
        except TimeoutError:
            return "ended"

    assert loop.run(waited(0.02, clock.monotonic() + 0.01)) == outcome
    assert len(asked) == 1
    assert loop.run(waited(0, clock.monotonic() + 5)) == "answered"
    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("streamed", [False, True])
def test_what_has_no_time_left_is_not_sent_and_costs_nothing(sim, monkeypatch, streamed):
    make_deepseek(sim)
    over = clock.monotonic() - 1
    monkeypatch.setattr(Selector, "timing", lambda *_, **more: Timing(first_token=over, end=over))
    with pytest.raises(ChainExhausted) as told:
        list(stream(user="hi")) if streamed else complete(user="hi")
    assert [each["outcome"] for each in told.value.attempts] == ["cut_short"]
    assert sim.count() == 0
    assert [each.cost_usd for each in Attempt.objects.all()] == [0]
    assert not Pause.objects.exists()
