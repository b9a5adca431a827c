"""How the JSON API says no: always {"detail": sentence, "errors": {field: reason}} with the right status."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _


class Problem(Exception):
    """An answer that is not the one hoped for. `errors`: field to reason, both for people to read."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})


def respond(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The JSON response of a problem."""
    body = {"detail": problem.detail, "errors": problem.errors}
    return JsonResponse(body, status=problem.status, headers={"Cache-Control": "no-store", **problem.headers})


def not_found() -> Problem:
    return Problem(404, _("Not found."))


def not_allowed(allowed: str) -> Problem:
    return Problem(405, _("This method is not allowed here."), headers={"Allow": allowed})


def too_many(wait_s: int) -> Problem:
    return Problem(
        429,
        _("Too many scans from this network. Try again in %(seconds)d s.") % {"seconds": wait_s},
        headers={"Retry-After": str(wait_s)},
    )
