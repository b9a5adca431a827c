"""Waits for a provider without their time: what comes in a moment is taken, and a wait for more ends as if it had."""

import asyncio
import math
import time
from contextlib import asynccontextmanager

MOMENT_S = 1.0  # real seconds in which whatever comes at all comes from a simulator on this machine


class VirtualTime:
    """In the place of `llm.clock.monotonic` and `llm.adapters.transport.until`.

    a_wait_s: what each wait takes of virtual time, for providers that always send something
    waited: the seconds for which the provider was waited for in vain, one by one; limits: for which it might have been
    """

    def __init__(self, monkeypatch):
        self.a_wait_s = 0.0
        self.waited, self.limits = [], []
        self._ahead = 0.0
        monkeypatch.setattr("llm.clock.monotonic", self.monotonic)
        monkeypatch.setattr("llm.adapters.transport.until", self.until)

    def monotonic(self):
        return time.monotonic() + self._ahead

    @asynccontextmanager
    async def until(self, end):
        self._ahead += self.a_wait_s
        left = max(end - self.monotonic(), 0.0)
        self.limits.append(left)
        try:
            async with asyncio.timeout(min(left, MOMENT_S)):
                yield
        except TimeoutError:
            if end != math.inf:
                self._ahead += max(end - self.monotonic(), 0.0)
            self.waited.append(left)
            raise
