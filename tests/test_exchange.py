"""What goes out on a connection: one head and one body a request, framed so that nobody reads one answer as two."""

import asyncio
import logging

import pytest
from gunicorn.glogging import Logger

from guardlabs.serving.exchange import LEFT, WHOLE
from tests.test_serving import Served, until

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"


def start(*headers, status=200):
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def piece(body=b"", more=False):
    return {"type": "http.response.body", "body": body, "more_body": more}


def accessible(cfg, take):
    """A log whose access lines are handed to a function."""
    return type("Log", (Logger,), {"access_log_enabled": True, "access": staticmethod(take)})(cfg)


def answered(*messages, sent=GET, log=None, then=b""):
    """What a client reads that sends these bytes to a site that answers so, until its connection is closed."""

    async def site(scope, receive, send):
        for message in messages:
            if isinstance(message, Exception):
                raise message
            await send(message)

    return answered_by(site, sent, log, then)


def answered_by(site, sent, log=None, then=b""):
    async def test():
        async with Served(site) as served:
            if log is not None:
                served.worker.log = accessible(served.worker.cfg, log)
            reader, writer = await asyncio.open_connection(*served.address)
            writer.write(sent)
            if then:
                await reader.readuntil(then)
                await until(lambda: next(iter(served.worker.connections)).is_idle)
                return b""
            return await asyncio.wait_for(reader.read(), 60)

    return asyncio.run(test())


LAST = GET.replace(b"Host: a", b"Host: a\r\nConnection: close")
LENGTH = (b"content-length", b"5")


def split(told):
    head, _, body = told.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}, body


def test_a_whole_answer_has_its_length_a_date_and_a_server():
    first, headers, body = split(answered(start(LENGTH), piece(b"hello"), sent=LAST))
    assert (first, body) == ("HTTP/1.1 200 OK", b"hello")
    assert headers["content-length"] == "5"
    assert headers["connection"] == "close"
    assert headers["date"].endswith(" GMT")
    assert "server" in headers


def test_an_answer_without_a_length_comes_in_chunks():
    told = answered(start(), piece(b"hel", True), piece(b"", True), piece(b"lo", True), piece(), sent=LAST)
    _, headers, body = split(told)
    assert headers["transfer-encoding"] == "chunked"
    assert body == b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"


def test_the_last_chunk_may_come_with_the_end():
    assert split(answered(start(), piece(b"hello"), sent=LAST))[2] == b"5\r\nhello\r\n0\r\n\r\n"


def test_an_old_client_reads_until_the_connection_is_closed():
    old = b"GET /x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
    first, headers, body = split(answered(start(), piece(b"hel", True), piece(b"lo"), sent=old))
    assert (first, body) == ("HTTP/1.0 200 OK", b"hello")
    assert headers["connection"] == "close"
    assert "transfer-encoding" not in headers


@pytest.mark.parametrize(
    ("method", "status", "length"), [("HEAD", 200, "5"), ("GET", 304, "5"), ("GET", 204, None)]
)
def test_what_may_have_no_body_has_none(method, status, length):
    sent = LAST.replace(b"GET", method.encode())
    _, headers, body = split(answered(start(LENGTH, status=status), piece(b"hello"), sent=sent))
    assert body == b""
    assert headers.get("content-length") == length
    assert "transfer-encoding" not in headers


def test_a_large_body_arrives_whole():
    large = b"x" * 300_000
    length = (b"content-length", b"300000")
    assert split(answered(start(length), piece(large), sent=LAST))[2] == large


def test_no_byte_beyond_the_length_is_sent():
    assert split(answered(start(LENGTH), piece(b"hello world"), sent=LAST))[2] == b"hello"


def test_a_body_that_is_shorter_than_its_length_ends_the_connection():
    assert split(answered(start(LENGTH), piece(b"hel")))[2] == b"hel"


def test_two_requests_that_come_at_once_are_answered_one_after_the_other():
    told = answered(start(LENGTH), piece(b"hello"), sent=GET + LAST)
    assert told.count(b"HTTP/1.1 200 OK") == 2
    assert told.count(b"hello") == 2


def test_a_connection_is_kept_after_a_whole_answer():
    answered(start(LENGTH), piece(b"hello"), then=b"hello")


@pytest.mark.parametrize("value", [b"a\r\nSet-Cookie: x=1", b"a\nb", b"a\rb", b"a\0b", b"\x7f"])
def test_a_header_with_a_control_character_is_never_sent(value, caplog):
    told = answered(start((b"x-name", value), LENGTH), piece(b"hello"))
    assert told.startswith(b"HTTP/1.1 500 ")
    assert b"x-name" not in told


def test_a_header_may_hold_a_tab_and_letters_beyond_ascii():
    told = answered(start((b"x-name", "a\té".encode("latin-1")), LENGTH), piece(b"hello"), sent=LAST)
    assert "x-name: a\té".encode("latin-1") in told


@pytest.mark.parametrize(
    "messages",
    [
        (ValueError("a bug"),),
        (),
        (piece(b"hello"),),
        (start((b"content-length", b"five")), piece(b"hello")),
    ],
)
def test_a_site_that_fails_is_answered_500_for(messages, caplog):
    told = answered(*messages)
    assert told.startswith(b"HTTP/1.1 500 ")
    assert b"a bug" not in told


@pytest.mark.parametrize(
    "messages",
    [(start(), piece(b"hel", True), ValueError("a bug")), (start(), piece(b"hel", True))],
)
def test_an_answer_that_breaks_off_is_not_ended_as_if_it_were_whole(messages):
    told = answered(*messages)
    assert split(told)[2] == b"3\r\nhel\r\n"


def test_the_access_log_knows_status_and_size():
    seen = []
    answered(
        start(LENGTH), piece(b"hello"), sent=LAST,
        log=lambda answer, request, environ, took: seen.append((answer.status, answer.sent, environ)),
    )  # fmt: skip
    assert seen == [
        (200, 5, {"REQUEST_METHOD": "GET", "PATH_INFO": "/x", "SERVER_PROTOCOL": "HTTP/1.1"}),
    ]


def test_an_answer_that_nobody_waited_for_is_no_error_of_ours(caplog):
    seen = []

    async def slow(scope, receive, send):
        await asyncio.Event().wait()

    async def test():
        async with Served(slow) as served:
            served.worker.log = accessible(
                served.worker.cfg, lambda answer, *more: seen.append(answer.status)
            )
            _, writer, _ = await served.connect(GET)
            writer.close()
            await until(lambda: seen)

    with caplog.at_level(logging.WARNING):
        asyncio.run(test())
    assert seen == [LEFT]
    assert not caplog.records


def test_whoever_reads_slowly_is_not_written_to_without_end():
    pieces, made = 400, []

    async def site(scope, receive, send):
        await send(start())
        for number in range(pieces):
            made.append(number)
            await send(piece(b"x" * 100_000, True))
        await send(piece())

    async def test():
        async with Served(site) as served:
            _, _, connection = await served.connect(GET)
            await until(lambda: connection.is_full)
            assert len(made) < pieces

    asyncio.run(test())


def told_both_ways(headers, body, sent):
    """What is read of an answer in two messages, and of the same one told as a whole; without their dates."""
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    length = (b"Content-Length", b"%d" % len(body))
    two = answered(start(*pairs, length), piece(body), sent=sent)

    async def site(scope, receive, send):
        await scope["extensions"][WHOLE](200, headers, body)

    one = answered_by(site, sent)
    return [b"\n".join(line for line in told.split(b"\r\n") if line[:5] != b"Date:") for told in (two, one)]


@pytest.mark.parametrize("body", [b"", b"hello", b"x" * 300_000])
@pytest.mark.parametrize("sent", [LAST, LAST.replace(b"GET", b"HEAD"), GET.replace(b"1.1", b"1.0")])
def test_an_answer_that_is_told_whole_looks_like_one_in_two_messages(body, sent):
    two, one = told_both_ways({"X-A": "1", "X-Tab": "é\t"}, body, sent)
    assert two == one
    assert two.startswith(b"HTTP/1.")


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nX-B: b"}, {"X-A\r\nB": "1"}, {"X-A": "→"}])
def test_a_whole_answer_with_an_odd_header_is_never_sent(headers, caplog):
    async def site(scope, receive, send):
        await scope["extensions"][WHOLE](200, headers, b"hello")

    told = answered_by(site, LAST)
    assert told.startswith(b"HTTP/1.1 500 ")
    assert b"hello" not in told


def test_an_answer_is_told_once():
    async def site(scope, receive, send):
        whole = scope["extensions"][WHOLE]
        await whole(200, {}, b"first")
        await whole(200, {}, b"second")

    told = answered_by(site, GET)
    assert told.endswith(b"\r\n\r\nfirst")
