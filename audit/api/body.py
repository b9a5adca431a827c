"""Reads the JSON body of a request, strictly: whatever is sent, the caller gets an object or a Problem."""

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError
from django.utils.translation import gettext as _

from audit.api.errors import Problem

MAX_BYTES = 64 * 1024


class _Refused(ValueError):
    """Valid JSON to Python's parser, but not to us."""


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the body. Raises Problem: 413 over MAX_BYTES, 400 for anything but one object."""
    raw = _raw(request)
    if request.content_type != "application/json":
        raise Problem(400, _("Send JSON with the header Content-Type: application/json."))
    try:
        data = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except _Refused as refused:
        raise Problem(400, str(refused)) from None
    except (ValueError, RecursionError):
        raise Problem(400, _("The body is not valid JSON.")) from None
    if not isinstance(data, dict):
        raise Problem(400, _("The body must be a JSON object."))
    return data


def _raw(request: HttpRequest) -> bytes:
    limit = min(MAX_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE or MAX_BYTES)
    too_large = Problem(413, _("The body is too large; the limit is %(bytes)d bytes.") % {"bytes": limit})
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            raise too_large
        raw = request.body
    except RequestDataTooBig:
        raise too_large from None
    except (UnreadablePostError, ValueError):
        raise Problem(400, _("The body could not be read.")) from None
    if len(raw) > limit:
        raise too_large
    return raw


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Refused(_("The key “%(name)s” is given twice.") % {"name": name[:60]})
        found[name] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise _Refused(_("The body is not valid JSON."))
