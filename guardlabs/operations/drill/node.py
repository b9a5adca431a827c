"""The site as a drill serves it: `gunicorn guardlabs.operations.drill.node:application`, in $DRILL_WEATHER."""

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardlabs.settings")

from django.conf import settings
from django.db import DatabaseError

from guardlabs.operations.drill.weather import Weather
from guardlabs.web.database_cache import AtomicDatabaseCache

weather = Weather(Path(os.environ["DRILL_WEATHER"]))
weather.rule()
settings.CACHES["default"]["KEY_PREFIX"] = os.environ["DRILL_NAME"]  # beside whatever else Redis holds

from guardlabs.asgi import application

__all__ = ["application"]


def _breakable(operation: Any) -> Any:
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if weather.get("cache_is_down"):
            raise DatabaseError("the drill broke the cache")
        return operation(*args, **kwargs)

    return guarded


# A cache in Redis is broken where it is reached: see `outage`.
for name in ("get_many", "_base_set", "_execute", "has_key", "delete_many"):
    setattr(AtomicDatabaseCache, name, _breakable(getattr(AtomicDatabaseCache, name)))

# Loaded by the first call to Vertex, which in a drill has less time than that takes.
import google.genai  # noqa: F401

# A worker that was killed is missed sooner than in production, so that a drill is over sooner.
from audit.report import claims, tasks

tasks.EVERY_S, claims.STALE_S = 0.5, 3.0
