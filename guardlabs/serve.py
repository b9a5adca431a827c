"""The site and its background worker in one go, for one machine: `python -m guardlabs.serve`, which `make run` calls.

Starts gunicorn and `manage.py worker`. A worker that ends is started again, after a pause that doubles up to a minute;
when the server ends, so does all of it, with its exit code. SIGTERM and SIGINT stop both gracefully, SIGHUP has both
load the code anew. With CHORES=off there is no worker here. Units and containers run the two apart (deploy/).
"""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from guardlabs import env

SERVER = (
    str(Path(sys.executable).with_name("gunicorn")),
    "-c",
    "python:guardlabs.gunicorn",
    "guardlabs.asgi",
)
WORKER = (sys.executable, "manage.py", "worker")
LOOK_EVERY_S = 0.5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
STEADY_AFTER_S = 60.0  # a worker that lived so long starts again at once
LAST_WORDS_S = 60.0


class Pair:
    """Two processes, of which the second is kept alive as long as the first one lives."""

    def __init__(self, server: Sequence[str] = SERVER, worker: Sequence[str] | None = WORKER) -> None:
        self._worker_command = worker
        self._stopping = False
        self._pause_s = FIRST_PAUSE_S
        self._worker: subprocess.Popen[bytes] | None = None
        self._began = self._next_at = time.monotonic()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._pass_on)
        self._server = subprocess.Popen(server)  # noqa: S603 - our own command

    def run(self) -> int:
        """Until the server ends; returns its exit code."""
        while (code := self._server.poll()) is None:
            self._look_after_worker()
            try:
                self._server.wait(LOOK_EVERY_S)
            except subprocess.TimeoutExpired:
                continue
        self._stopping = True
        self._stop_worker()
        return code if code >= 0 else 128 - code  # as a shell says of a process that a signal ended

    def _look_after_worker(self) -> None:
        if self._worker_command is None or self._stopping:
            return
        now = time.monotonic()
        if self._worker is not None:
            if self._worker.poll() is None:
                return
            if now - self._began > STEADY_AFTER_S:
                self._pause_s = FIRST_PAUSE_S
            print(  # noqa: T201
                f"the background worker ended with {self._worker.returncode}; the next starts in {self._pause_s:g} s",
                file=sys.stderr,
                flush=True,
            )
            self._worker, self._next_at = None, now + self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        if now >= self._next_at:
            self._worker, self._began = subprocess.Popen(self._worker_command), now  # noqa: S603

    def _stop_worker(self) -> None:
        if self._worker is None or self._worker.poll() is not None:
            return
        self._worker.terminate()
        try:
            self._worker.wait(LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            self._worker.kill()
            self._worker.wait()

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGHUP:
            self._stopping = True
            number = (
                signal.SIGTERM
            )  # Ctrl-C has reached both already, and a second SIGINT would cut requests short
        for process in (self._server, self._worker):
            if process is not None and process.poll() is None:
                process.send_signal(number)


def main() -> int:
    return Pair(worker=WORKER if env.boolean("CHORES", default=True) else None).run()


if __name__ == "__main__":
    sys.exit(main())
