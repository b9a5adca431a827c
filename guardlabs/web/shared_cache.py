"""Redis as the cache, and this process's own memory while Redis is away.

What the cache holds is limits and marks of chores, so a process that counts alone is better than none that counts:
with n processes a client gets up to n times its limit. Nothing here may become a 500.
"""

import logging
import time
from typing import Any

import redis.exceptions
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

log = logging.getLogger(__name__)

TRY_AGAIN_S = 5.0  # while Redis is away nobody waits for it more often than that
CONNECT_S, ANSWER_S = 0.5, 1.0
AWAY = (redis.exceptions.RedisError, OSError)


class FallingBack(RedisCache):
    """Django's Redis cache; each operation that cannot reach Redis is done in this process's memory instead."""

    away_since: float | None = None  # time.time(); of the process, whose threads have an instance each
    _next_try = 0.0

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"socket_connect_timeout": CONNECT_S, "socket_timeout": ANSWER_S} | params.get(
            "OPTIONS", {}
        )
        super().__init__(server, {**params, "OPTIONS": options})
        self._own = LocMemCache(f"instead of {server}", params)

    def reachable(self) -> bool:
        """Asks Redis itself, now."""
        try:
            self._cache.get_client().ping()
        except AWAY as error:
            self._gone(error)
            return False
        self._back()
        return True

    def _do(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        cls = type(self)
        if cls.away_since is None or time.monotonic() >= cls._next_try:
            try:
                found = getattr(super(), operation)(*args, **kwargs)
            except AWAY as error:
                self._gone(error)
            else:
                self._back()
                return found
        return getattr(self._own, operation)(*args, **kwargs)

    def _gone(self, error: BaseException) -> None:
        cls = type(self)
        cls._next_try = time.monotonic() + TRY_AGAIN_S
        if cls.away_since is None:
            cls.away_since = time.time()
            log.warning(
                "Redis is unreachable: each process counts limits by itself (%s)", type(error).__name__
            )

    def _back(self) -> None:
        cls = type(self)
        if cls.away_since is not None:
            cls.away_since = None
            log.warning("Redis is back: limits are shared again")

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        return self._do("add", key, value, timeout, version)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._do("get", key, default, version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        return self._do("set", key, value, timeout, version)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        return self._do("touch", key, timeout, version)

    def delete(self, key: Any, version: int | None = None) -> Any:
        return self._do("delete", key, version)

    def has_key(self, key: Any, version: int | None = None) -> Any:
        return self._do("has_key", key, version)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> Any:
        return self._do("incr", key, delta, version)

    def get_many(self, keys: Any, version: int | None = None) -> Any:
        return self._do("get_many", keys, version)

    def set_many(self, data: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        return self._do("set_many", data, timeout, version)

    def delete_many(self, keys: Any, version: int | None = None) -> Any:
        return self._do("delete_many", keys, version)

    def clear(self) -> Any:
        return self._do("clear")
