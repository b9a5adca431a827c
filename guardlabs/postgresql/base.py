"""A server that is frozen, or whose host is gone without a word, sends no error: only the client can stop waiting.

Timeouts of statements are the server's own. TCP keepalives find a host that is gone, but not a stopped process,
whose kernel still answers. So whoever waits longer than SILENCE_S for an answer asks, by a connection of its own,
whether the server still lives. One that does may take its time: its statements have their own limit.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
from django.db.backends.postgresql import base

SILENCE_S = 4.0
CONNECT_S = 2  # libpq takes whole seconds, and 2 at least
AWAY_S = 2.0  # after a failed connection nobody tries another one for that long

_patience: ContextVar[float | None] = ContextVar("guardlabs_database_patience", default=None)
_away_until = 0.0


@contextmanager
def within(seconds: float) -> Generator[None]:
    """No answer is waited for longer than that in this block: for questions that must not hang, such as /readyz."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


class DatabaseWrapper(base.DatabaseWrapper):
    """ENGINE "guardlabs.postgresql"."""

    def get_new_connection(self, conn_params: Any) -> Any:
        global _away_until
        if time.monotonic() < _away_until:
            raise psycopg.OperationalError("the database server was not reachable a moment ago")
        try:
            connection = super().get_new_connection(conn_params)
        except psycopg.OperationalError as error:
            if not _is_answer(error):
                _away_until = time.monotonic() + AWAY_S
            raise
        _watch(connection, conn_params)
        return connection


def _watch(connection: Any, parameters: Any) -> None:
    """Gives a connection's every wait for the server an end."""
    if hasattr(connection, "_guardlabs_wait"):
        return  # a pool hands connections out again
    connection._guardlabs_wait = wait = connection.wait

    def bounded(generator: Any, *args: Any, **kwargs: Any) -> Any:
        return wait(_bounded(generator, connection, parameters), *args, **kwargs)

    connection.wait = bounded


def _bounded(generator: Any, connection: Any, parameters: Any) -> Generator[Any, Any, Any]:
    """psycopg's own steps, which it repeats several times a second while nothing comes."""
    began = time.monotonic()
    patience = _patience.get()
    ask_after = SILENCE_S
    try:
        wanted = next(generator)
        while True:
            ready = yield wanted
            waited = time.monotonic() - began
            if not ready:
                if patience is not None and waited > patience:
                    _give_up(connection, waited)
                if waited > ask_after:
                    if not _is_alive(parameters):
                        _give_up(connection, waited)
                    ask_after = 2 * (time.monotonic() - began)
            wanted = generator.send(ready)
    except StopIteration as end:
        return end.value


def _give_up(connection: Any, waited: float) -> None:
    connection.pgconn.finish()  # nothing that comes later can be told from the answer to something else
    raise psycopg.OperationalError(f"the database server has not answered for {waited:.0f} s")


def _is_alive(parameters: Any) -> bool:
    """Whether the server lets somebody in, or says why not: one that is full is alive."""
    global _away_until
    names = ("host", "port", "user", "password", "dbname", "sslmode")
    given = {name: parameters[name] for name in names if name in parameters}
    try:
        psycopg.connect(**given, connect_timeout=CONNECT_S).close()
    except psycopg.OperationalError as error:
        if _is_answer(error):
            return True
        _away_until = time.monotonic() + AWAY_S
        return False
    return True


def _is_answer(error: psycopg.OperationalError) -> bool:
    """Whether a connection failed by the server's own word, such as too many clients."""
    return "FATAL" in str(error)
