"""One worker process of the ledger section: many threads that call the chain, and what they waited for.

    python -m bench.ledger_worker THREADS CALLS_PER_THREAD

Uses the database of the environment; says "ready", waits for a line, and prints one JSON object.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bench import environment
from bench.workload import CALL

waited = threading.local()  # seconds of the call that this thread makes


def measure_waits() -> None:
    """Lets `write_transaction` note how long it took to get in: our lock and BEGIN, without the transaction."""
    from llm import chain, writing

    assert chain  # it imports all that writes
    original = writing.write_transaction

    @contextmanager
    def measured() -> Iterator[None]:
        began = time.perf_counter()
        with original():
            waited.seconds = getattr(waited, "seconds", 0.0) + time.perf_counter() - began
            yield

    for name, module in list(sys.modules.items()):
        if name.startswith("llm.") and getattr(module, "write_transaction", None) is original:
            module.write_transaction = measured  # type: ignore[attr-defined]


def one_call(_: int) -> tuple[float, float]:
    """Seconds that a call waited to write, and that it took."""
    from llm.chain import complete

    waited.seconds, began = 0.0, time.perf_counter()
    complete(**CALL)
    return waited.seconds, time.perf_counter() - began


def main() -> None:
    threads, calls = map(int, sys.argv[1:])
    environment.setup()
    measure_waits()
    with ThreadPoolExecutor(threads) as pool:
        print("ready", flush=True)
        sys.stdin.readline()
        began = time.perf_counter()
        results = list(pool.map(one_call, range(threads * calls)))
        took = time.perf_counter() - began
    waits, times = zip(*results, strict=True)
    print(json.dumps({"waits": waits, "times": times, "took": took}))


if __name__ == "__main__":
    main()
