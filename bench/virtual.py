"""A clock for many threads: when all of them sleep, it jumps to the moment at which the first one wakes."""

import heapq
import threading
import time
from typing import Any


class VirtualClock:
    """Moves `time.time()` (by time_machine, which lets it also tick on) for a fixed number of threads.

    Every thread must be in `sleep` or at work, and say `leave` when it ends.
    """

    def __init__(self, traveller: Any, threads: int) -> None:
        self._traveller = traveller
        self._awake = threads
        self._wakes: list[float] = []
        self._changed = threading.Condition()

    def sleep(self, seconds: float) -> None:
        """Returns when so many virtual seconds have passed."""
        with self._changed:
            wake = time.time() + seconds
            heapq.heappush(self._wakes, wake)
            self._fall_asleep()
            while time.time() < wake:
                self._changed.wait()
            self._wakes.remove(wake)
            heapq.heapify(self._wakes)
            self._awake += 1

    def advance(self, seconds: float) -> float:
        """Lets so many seconds pass for everybody at once; returns the time then. Any thread may call it."""
        with self._changed:
            self._traveller.shift(seconds)
            return time.time()

    def leave(self) -> None:
        """The calling thread will not sleep again."""
        with self._changed:
            self._fall_asleep()

    def _fall_asleep(self) -> None:
        self._awake -= 1
        if self._awake == 0 and self._wakes:
            self._traveller.shift(max(0.0, self._wakes[0] - time.time() + 1e-6))
            self._changed.notify_all()
