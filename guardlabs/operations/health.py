"""Liveness and readiness. Neither ever calls a provider."""

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process can answer at all."""
    return JsonResponse({"status": "ok"})


def _cache_state() -> str:
    try:
        if (asked := getattr(cache, "reachable", None)) is not None:
            return "ok" if asked() else "unreachable: limits are counted by each process"
        cache.get("readyz")
    except Exception:  # whatever a cache library raises: the site runs without a cache
        return "unreachable"
    return "ok"


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database is reachable and migrated, else 503. The cache is reported, not required."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        database = "not migrated" if pending else "ok"
    except DatabaseError:
        database = "unreachable"
    ready = database == "ok"
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "database": database, "cache": _cache_state()},
        status=200 if ready else 503,
    )
