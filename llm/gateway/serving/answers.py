"""A door's answer, before a server or Django has made it its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from llm.gateway.serving.streaming import Stream


@dataclass(slots=True)
class Answer:
    """A success: its headers, each name always in the same spelling, and its body, whole or as it comes.

    A server that knows it is spared what Django's answers cost, sends a stream's pieces as they are, and ends it
    (`aclose`): a reader who leaves stops the provider, and is accounted.
    """

    body: bytes | Stream
    headers: dict[str, str]
    status_code: ClassVar[int] = 200
    cookies: ClassVar[Mapping[str, Any]] = {}


def as_response(answer: Answer | HttpResponseBase) -> HttpResponseBase:
    """The same as Django's. A stream in it is ended by its last reference."""
    if not isinstance(answer, Answer):
        return answer
    if isinstance(answer.body, bytes):
        return HttpResponse(answer.body, headers=answer.headers)
    return StreamingHttpResponse(answer.body, headers=answer.headers)
