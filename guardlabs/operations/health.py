"""Liveness and readiness. Neither ever calls a provider."""

import logging
import time
from contextlib import nullcontext
from functools import cache
from typing import Any

from django.core.cache import cache as shared
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from guardlabs.operations.watchers import is_watcher
from llm.operations import alerts
from llm.status import facts

log = logging.getLogger(__name__)

PATIENCE_S = 2.0  # a probe that hangs tells less than one that fails

# Troubles of the site that are mailed to staff, each with a subject that stays the same. That Stripe refuses our key is
# told by a letter of its own, and a worker that is gone mails nothing.
SUBJECTS = {
    "disk": "The disk is nearly full",
    "database": "The database is slow",
    "stripe_webhook": "Stripe's webhook is silent",
    "mails": "Mails were given up",
    "mails_waiting": "The mail server takes no mail",
}


@require_safe
@never_cache
async def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process can answer at all; on the event loop, so that it waits for no thread."""
    return JsonResponse({"status": "ok"})


def _cache_state() -> str:
    try:
        if (asked := getattr(shared, "reachable", None)) is not None:
            return "ok" if asked() else "unreachable: limits are counted by each process"
        shared.get("readyz")
    except Exception:  # whatever a cache library raises: the site runs without a cache
        return "unreachable"
    return "ok"


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database is migrated and takes a write, else 503, within a few seconds either way.

    The cache is reported, not required. `?verbose` adds how the chain stands, for whoever may read /metrics; whatever
    that is, a node that can store and answer is ready.
    """
    database = _database_state()
    ready = database == "ok"
    chain = {"chain": _chain_state()} if ready and "verbose" in request.GET and is_watcher(request) else {}
    return JsonResponse(
        {
            "status": "ok" if ready else "unavailable",
            "database": database,
            "cache": _cache_state() if ready else "not asked",
            **chain,
        },
        status=200 if ready else 503,
        headers={} if ready else {"Retry-After": "5"},
    )


def _chain_state() -> dict[str, object]:
    try:
        with translation.override("en"):
            found = facts.verdict()
            return {
                "status": found.state,
                "word": found.word,
                "sentence": found.sentence,
                "reasons": [each.reason for each in found.troubles],
            }
    except Exception:  # readiness is not decided here
        log.exception("the state of the chain cannot be told")
        return {"status": "unknown"}


def tell_staff() -> None:
    """Writes a notice for each trouble of the site, once a day; what else is wrong with the chain has its own."""
    with translation.override("en"):
        for trouble in facts.verdict().troubles:
            if trouble.reason in SUBJECTS:
                alerts.record(f"site_{trouble.reason}", SUBJECTS[trouble.reason], trouble.sentence)


def _database_state() -> str:
    try:
        with _patience():
            if _ours() - set(MigrationRecorder(connection).applied_migrations()):
                return "not migrated"
            write()
    except (DatabaseError, OSError):
        if not connection.in_atomic_block:
            connection.close()  # one that was opened while the disk was read-only stays so
        return "unreachable or not writable"
    return "ok"


@cache
def _ours() -> frozenset[tuple[str, str]]:
    """The last migration of each app of this release. Reading their files takes longer than asking the database."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _patience() -> Any:
    if connection.vendor == "postgresql":
        from guardlabs.postgresql.base import within

        return within(PATIENCE_S)
    return nullcontext()


def write() -> None:
    """A commit that reaches the disk: a full or read-only one, or somebody's lock, shows here. Needs no table."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA busy_timeout")
            usual = cursor.fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout = {int(PATIENCE_S * 1000)}")
            try:
                cursor.execute(
                    f"PRAGMA user_version = {int(time.time()) % 2**31}"
                )  # a number that nobody reads
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {int(usual)}")
        else:
            cursor.execute(
                "SELECT txid_current(), current_setting('transaction_read_only')"
            )  # takes an id to commit
            if cursor.fetchone()[1] == "on":
                raise OperationalError("the database is read-only")
