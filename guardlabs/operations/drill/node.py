"""The site as a drill serves it: `gunicorn guardlabs.operations.drill.node:application`, in $DRILL_WEATHER."""

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardlabs.settings")

from django.conf import settings
from django.core.cache.backends.db import DatabaseCache
from django.db import DatabaseError

from guardlabs.operations.drill.weather import Weather

weather = Weather(Path(os.environ["DRILL_WEATHER"]))
weather.rule()
settings.CACHES["default"]["KEY_PREFIX"] = os.environ["DRILL_NAME"]  # beside whatever else Redis holds

from guardlabs.wsgi import application

__all__ = ["application"]


def _breakable(operation: Any) -> Any:
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if weather.get("cache_is_down"):
            raise DatabaseError("the drill broke the cache")
        return operation(*args, **kwargs)

    return guarded


# A cache in Redis is broken where it is reached: see `outage`.
for name in ("get_many", "_base_set", "has_key", "delete_many"):
    setattr(DatabaseCache, name, _breakable(getattr(DatabaseCache, name)))

# Loaded by the first call to Vertex, which in a drill has less time than that takes.
import google.genai  # noqa: F401

# A worker that was killed is missed sooner than in production, so that a drill is over sooner.
from audit.report import heartbeat, jobs

heartbeat.EVERY_S, jobs.STALE_S = 0.5, 3.0
