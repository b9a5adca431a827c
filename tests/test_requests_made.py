"""A request is what Django would make of it, whatever its server tells."""

from io import BytesIO

import pytest
from django.core.handlers.asgi import ASGIRequest
from hypothesis import given
from hypothesis import strategies as st

from guardlabs.serving.request import Request

NAMES = [b"host", b"content-length", b"content-type", b"x-forwarded-for", b"x_forwarded_for", b"cookie", b"remote-addr",
         b"content_length", b"server-name", "x-é".encode("latin-1"), b"path-info"]  # fmt: skip
VALUES = [
    b"",
    b"1",
    b"a, b",
    "é".encode("latin-1"),
    b"text/html; charset=utf-16",
    b"text/html; charset=nonsense",
]


def looks(request):
    """All that a request holds, but for the streams, which are two."""
    held = {
        name: value for name, value in vars(request).items() if name not in ("_stream", "_receive", "filled")
    }
    return (
        held,
        request.content_type,
        request.content_params,
        request.encoding,
        request.scheme,
        dict(request.headers),
    )


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=6),
    st.sampled_from(["GET", "post"]),
    st.sampled_from([b"", b"a=1", "é=ü".encode()]),
    st.fixed_dictionaries(
        {},
        optional={
            "root_path": st.sampled_from(["", "/at"]),
            "client": st.sampled_from([None, ("192.0.2.1", 4711), ("::1", 1)]),
            "server": st.sampled_from([None, ("192.0.2.2", 80), ("/run/socket", None)]),
            "scheme": st.sampled_from(["http", "https"]),
        },
    ),
)
def test_a_request_is_what_django_makes_of_it(headers, method, query, more):
    scope = {
        "type": "http",
        "method": method,
        "path": "/at/x",
        "query_string": query,
        "headers": headers,
        **more,
    }
    assert looks(Request(scope, None)) == looks(ASGIRequest(scope, BytesIO()))


def test_a_forced_prefix_is_taken_off(settings):
    settings.FORCE_SCRIPT_NAME = "/at"
    scope = {"type": "http", "method": "GET", "path": "/at/x", "query_string": b"", "headers": []}
    assert looks(Request(scope, None)) == looks(ASGIRequest(scope, BytesIO()))


def test_a_query_that_is_no_utf_8_is_no_request():
    scope = {"type": "http", "method": "GET", "path": "/x", "query_string": b"a=\xff", "headers": []}
    with pytest.raises(UnicodeDecodeError):
        Request(scope, None)
