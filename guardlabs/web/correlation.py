"""The id of a request: told in its answer's X-Request-ID and in every log line that it causes.

One that a trusted proxy sends along is kept, if it looks like one; everybody else gets a new one, so that nobody
can write into our logs or pass for another request.
"""

import re
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponseBase

from audit.client_address import from_trusted_proxy
from guardlabs.web.middleware import Middleware
from llm.calls import current
from llm.secrets import new_id

SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,63}")
HEADER, OURS = "HTTP_X_REQUEST_ID", "guardlabs.request_id"

request_id: ContextVar[str] = ContextVar("guardlabs_request_id", default="")


def begin(identity: str = "") -> str:
    """A new piece of work in this thread: its id, and no call yet. Returns the id."""
    identity = identity or new_id()
    request_id.set(identity)
    current.call_id.set(None)
    return identity


class RequestId(Middleware):
    """Begins the request's id. It stays until the next one in the same thread or task: a streamed body is made, and
    the access log written, after the answer has passed here."""

    def before(self, request: HttpRequest) -> None:
        sent = request.META.get(HEADER, "")
        request.META[OURS] = begin(
            sent if sent and SANE.fullmatch(sent) and from_trusted_proxy(request) else ""
        )

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers["X-Request-ID"] = request.META[OURS]
        return response
