"""The id of a request: told in its answer's X-Request-ID and in every log line that it causes.

One that a trusted proxy sends along is kept, if it looks like one; everybody else gets a new one, so that nobody
can write into our logs or pass for another request.
"""

import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponseBase

from audit.client_address import from_trusted_proxy
from llm.calls import current

SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,63}")
HEADER = "HTTP_X_REQUEST_ID"

request_id: ContextVar[str] = ContextVar("guardlabs_request_id", default="")


def begin(identity: str = "") -> str:
    """A new piece of work in this thread: its id, and no call yet. Returns the id."""
    identity = identity or uuid.uuid4().hex
    request_id.set(identity)
    current.call_id.set(None)
    return identity


def forget() -> None:
    """What this thread does from now on belongs to no request."""
    request_id.set("")
    current.call_id.set(None)


class RequestId:
    """Begins the request's id. It stays until the thread's next request: a streamed body is read, and the access
    log written, after the answer has passed here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.META.get(HEADER, "")
        identity = begin(sent if SANE.fullmatch(sent) and from_trusted_proxy(request) else "")
        response = self.get_response(request)
        response["X-Request-ID"] = identity
        return response
