"""Which call of the chain this thread (or task) made last, for whoever words log lines: `call_id.get()`.

The chain sets it and never clears it, so that what is logged right after a call, such as a server's access log,
can still be told with it. Whoever begins another piece of work in the same thread sets it to None.
"""

from contextvars import ContextVar

call_id: ContextVar[int | None] = ContextVar("llm_call_id", default=None)
