"""gunicorn's ASGI worker, with connections that have time limits, and a stop that ends all that still runs.

What gunicorn's own has no setting for: the class of its connections (serving/connection.py), and a stop that shuts
idle connections at once instead of waiting for them as for answers.
"""

import asyncio
import contextlib
import gc
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from gunicorn.asgi.lifespan import LifespanManager
from gunicorn.workers.gasgi import ASGIWorker

from guardlabs.serving.connection import Connection
from guardlabs.serving.listener import Listener

LOOK_EVERY_S = 0.5
FEW = 4  # connections of a worker that is not busy
LEAVE_S = 10.0  # of graceful_timeout, kept for what is handed over; the arbiter kills who needs longer
MOST_FILES = 65_536
# The bookkeeper gives up the interpreter with each statement, and holds the database while it waits to get it back:
# 5 ms at Python's default, when the loop is busy.
SWITCH_S = 0.0005
COLLECT_AFTER = (
    20_000,
    20,
    20,
)  # objects, and younger collections: a request makes some thousand, and few circles


_Worker: Any = ASGIWorker  # whose stubs are not those of this version


class Worker(_Worker):  # type: ignore[misc]
    """One process: one loop, and every connection on it."""

    alive: bool
    connections: set[Connection]

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """gunicorn's own warns of `threads`, which are the pages' here (serving/site.py)."""

    def init_process(self) -> None:
        self.connections = set()
        more_files()
        sys.setswitchinterval(SWITCH_S)
        self._has_time = False
        super().init_process()

    async def _serve(self) -> None:
        life = LifespanManager(self.asgi, self.log, self.state)
        await life.startup()
        gc.collect()
        gc.freeze()  # half a million objects that stay: no collection need look at them again
        gc.set_threshold(*COLLECT_AFTER)
        listeners = [Listener(self.loop, each.sock, lambda: Connection(self)) for each in self.sockets]
        while self.alive and self.ppid == os.getppid():
            self.notify()
            self._end_patience()
            self._take_time(len(self.connections) > FEW)
            await asyncio.sleep(LOOK_EVERY_S)
        self.alive = False  # from now on every answer is its connection's last
        for listener in listeners:
            listener.close()
        if not self._quick_shutdown:
            await self._drain()
        await life.shutdown()

    def _end_patience(self) -> None:
        now = time.monotonic()
        for connection in [each for each in self.connections if each.is_stuck(now)]:
            connection.shut()

    def _take_time(self, wanted: bool) -> None:
        """Tells the kernel whether threads of this process that wake up need to interrupt whoever has the processor.

        With many connections they need not: what comes meanwhile is then done together, in one turn of the loop and
        one transaction, which makes a tenth more requests a second. With a few, who waits would wait longer. Linux
        alone knows this; where a sandbox forbids it, nothing changes.
        """
        if wanted == self._has_time or not hasattr(os, "SCHED_BATCH"):
            return
        self._has_time = wanted
        policy = os.SCHED_BATCH if wanted else os.SCHED_OTHER
        for thread in Path("/proc/self/task").iterdir():
            with contextlib.suppress(OSError):  # forbidden, or it has ended
                os.sched_setscheduler(int(thread.name), policy, os.sched_param(0))

    async def _drain(self) -> None:
        """Lets answers end, for graceful_timeout less LEAVE_S; the rest is cancelled."""
        stopping = getattr(self.asgi, "stopping", None)  # what would go on for ever may end by itself
        if stopping is not None:
            stopping()
        until = time.monotonic() + max(0.0, self.cfg.graceful_timeout - LEAVE_S)
        while self.connections and time.monotonic() < until and not self._quick_shutdown:
            self.notify()
            self._end_patience()
            for connection in [each for each in self.connections if each.is_idle]:
                connection.shut()
            await asyncio.sleep(0.05)
        for connection in list(self.connections):
            connection.shut()
        await asyncio.sleep(0.1)  # for their answers' ends: what was cancelled is accounted


def more_files() -> None:
    """As many open files as the system allows: a waiting call has two, its client's and its provider's."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, MOST_FILES), hard))
