"""Errors to Sentry, if SENTRY_DSN is set; else nothing of it is even imported.

What is sent is chosen, not filtered: where in the code, which error, which view and method, and the ids by which
the log is found. No body, query, cookie, address, user, variable or log line before it goes along, and every text
passes the log's redaction.
"""

from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.integrations.django import DjangoIntegration

from guardlabs.operations.logs import redact
from guardlabs.web.correlation import request_id
from llm.calls import current

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

KEPT = (
    "event_id", "timestamp", "level", "logger", "logentry", "message", "exception", "platform", "release",
    "environment", "transaction", "sdk", "modules", "type",
)  # fmt: skip


def start(dsn: str, **more: Any) -> None:
    """Tells Sentry of unhandled errors and of what is logged as one. `more`: options of `sentry_sdk.init`."""
    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        traces_sample_rate=None,
        server_name="",
        integrations=[DjangoIntegration(transaction_style="url", middleware_spans=False)],
        before_send=scrub,
        **more,
    )


def scrub(event: "Event", hint: "Hint") -> "Event":
    """The event with what may leave the site, and nothing else."""
    found: dict[str, Any] = {name: value for name, value in event.items() if name in KEPT}
    if entry := found.pop("logentry", None):
        found["message"] = entry.get("formatted") or entry.get("message")
    if method := (event.get("request") or {}).get("method"):
        found["request"] = {"method": method}
    ids = {"request_id": request_id.get(), "call_id": current.call_id.get()}
    found["tags"] = {name: str(value) for name, value in ids.items() if value}
    return _redacted(found)  # type: ignore[no-any-return]


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(each) for key, each in value.items() if key != "vars"}
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    return value
