"""Waits for a provider without their time: what comes in a moment is taken, and a wait for more ends as if it had."""

import asyncio
import math
import time
from contextlib import asynccontextmanager, suppress

# Real time in which whatever comes at all comes from a simulator on this machine: in steps, so that a machine that
# stands still for a second has not let it pass.
STEP_S, STEPS = 0.05, 20


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
    async def until(self, end, longer=None):
        self._ahead += self.a_wait_s
        end = longer() if longer else end
        left = max(end - self.monotonic(), 0.0)
        self.limits.append(left)
        try:
            async with asyncio.timeout(None if left == math.inf else left) as limit:
                moment = asyncio.create_task(self._moment(limit))
                try:
                    yield
                finally:
                    moment.cancel()
        except TimeoutError:
            if end != math.inf:
                self._ahead += max(end - self.monotonic(), 0.0)
            self.waited.append(left)
            raise

    @staticmethod
    async def _moment(limit):
        """Ends a wait once a moment is over."""
        for _ in range(STEPS):
            await asyncio.sleep(STEP_S)
        with suppress(RuntimeError):  # it has just come to its end
            limit.reschedule(asyncio.get_running_loop().time())
