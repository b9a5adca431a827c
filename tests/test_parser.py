"""Requests are read as gunicorn reads them, whatever they hold and in however many pieces they come."""

import pytest
from gunicorn.asgi.parser import ParseError, PythonProtocol
from hypothesis import given
from hypothesis import strategies as st

from guardlabs.serving.parser import Parser

FIRST = b"POST /x HTTP/1.1\r\n"
FIRSTS = [
    FIRST, b"GET /x?a=%20b HTTP/1.1\r\n", b"\r\n" + FIRST, b"\r\n\r\n" + FIRST, b"POST /x HTTP/1.0\r\n", b"POST /x\r\n",
    b"POST  /x HTTP/1.1\r\n", b"post /x HTTP/1.1\r\n", b"PO /x HTTP/1.1\r\n", b"M-SEARCH * HTTP/1.1\r\n",
    b"OPTIONS * HTTP/1.1\r\n", b"GET http://a/x HTTP/1.1\r\n", "GET /é HTTP/1.1\r\n".encode(), b"GET x HTTP/1.1\r\n",
    b"CONNECT a:443 HTTP/1.1\r\n", b"GET /x HTTP/1.1\n", b"GET /" + b"x" * 60 + b" HTTP/1.1\r\n",
    b"GET /x HTTP/1.1 \r\n",
    b"GET /x HTTP/2.0\r\n", b"GET /x\0 HTTP/1.1\r\n", b"A" * 21 + b" /x HTTP/1.1\r\n",
]  # fmt: skip
LINES = [
    b"Host: a", b"Content-Length: 2", b"X-Empty:", b"X-Tab:\t a \t", "X-Latin: é".encode("latin-1"), b"x_under: 1",
    b"A!#$%&'*+.^_`|~-9: 1", b"No-Space:x", b"Colons: a:b:c", b"Transfer-Encoding: chunked", b"Connection: close",
    b" Folded: x", b"Space : x", b"No colon", b": no name", b"X-Null: a\0b", b"X-Del: \x7f", b"X-CR: a\rb",
    b"X-LF: a\nb", b"Host: b", b"Content-Length: 3", b"(X): 1", "Ключ: 1".encode(), b"X-Long: " + b"x" * 200, b"",
]  # fmt: skip


def read(made, pieces, **limits):
    """What a parser finds, or what it says is wrong."""
    body = []
    limits = {
        "limit_request_field_size": 150,
        "limit_request_fields": 5,
        "limit_request_line": 60,
        **limits,
    }
    parser = made(on_body=body.append, **limits)
    try:
        for piece in pieces:
            parser.feed(piece)
    except ParseError as error:
        return type(error), str(error)
    found = (parser.headers, parser.content_length, parser.is_chunked, parser.should_keep_alive)
    first = parser.method, parser.path, parser.http_version
    return found, first, b"".join(body), parser.is_complete, parser.remaining()


@given(
    st.sampled_from(FIRSTS),
    st.lists(st.sampled_from(LINES), max_size=7),
    st.integers(1, 400),
    st.sampled_from([b"", b"h", b"hi", b"higher"]),
)
def test_a_request_is_read_as_gunicorn_reads_it(first, lines, cut, more):
    sent = first + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + more
    for pieces in ([sent], [sent[:cut], sent[cut:]]):
        assert read(Parser, pieces) == read(PythonProtocol, pieces)


@pytest.mark.parametrize(
    "limits", [{"limit_request_fields": 0}, {"limit_request_field_size": 0}, {"limit_request_line": 0}]
)
def test_no_limit_is_no_limit(limits):
    sent = FIRST + b"".join(b"X-%d: %b\r\n" % (number, b"x" * 20) for number in range(4)) + b"\r\n"
    assert read(Parser, [sent], **limits) == read(PythonProtocol, [sent], **limits)
    assert len(read(Parser, [sent], **limits)[0][0]) == 4


def test_a_second_request_has_a_head_of_its_own():
    parser = Parser()
    for name in (b"x-first", b"x-second"):
        parser.feed(FIRST + name + b": 1\r\n\r\n")
        assert parser.headers == [(name, b"1")]
        assert parser.is_complete
        parser.feed(b"GET")
        assert parser.ahead == 3
        parser.reset()


@pytest.mark.parametrize("more", [0, 1])
def test_the_longest_request_line_is_the_same(more):
    first = b"GET /" + b"x" * (60 - len(b"GET / HTTP/1.1") + more) + b" HTTP/1.1\r\n"
    sent = first + b"Host: a\r\n\r\n"
    assert read(Parser, [sent]) == read(PythonProtocol, [sent])
    assert (len(read(Parser, [sent])) == 2) is bool(more)


def test_what_follows_a_whole_request_is_the_next_ones():
    parser = Parser(on_body=(body := []).append)
    parser.feed(FIRST + b"Content-Length: 2\r\n\r\nhiGET /next")
    assert (body, parser.is_complete, parser.remaining()) == ([b"hi"], True, b"GET /next")
