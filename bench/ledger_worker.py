"""One worker process of the ledger section: many threads that call the chain, and what they waited for.

    python -m bench.ledger_worker THREADS CALLS_PER_THREAD SPREAD_S

Uses the database of the environment. Makes one call, for the imports, opens each thread's connection, which a server's
thread has from its first request on, says "ready", waits for a line, lets the threads begin at moments spread over
SPREAD_S seconds, and prints one JSON object.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench import environment
from bench.workload import CALL

waited = threading.local()  # seconds of the call that this thread makes
connected = threading.Semaphore(0)


def measure_waits() -> None:
    """Notes the time of the transactions in which a thread does its call's jobs: the turn, BEGIN, the work, COMMIT."""
    from llm.ledger import books

    run = books.run

    def measured(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return run(*arguments, **options)
        finally:
            waited.seconds += time.perf_counter() - began

    books.run = measured


def calls_of_thread(calls: int, start_s: float, go: threading.Event) -> list[tuple[float, float]]:
    """Of each call the seconds that it spent on writing the ledger, and in all."""
    from django.db import connection

    from llm.chain import complete
    from llm.configuration import snapshot

    snapshot.read()
    connected.release()
    go.wait()
    time.sleep(start_s)
    spent = []
    for _ in range(calls):
        waited.seconds, began = 0.0, time.perf_counter()
        complete(**CALL)
        spent.append((waited.seconds, time.perf_counter() - began))
    connection.close()
    return spent


def main() -> None:
    threads, calls, spread_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    environment.setup()
    measure_waits()
    go = threading.Event()
    go.set()
    calls_of_thread(1, 0, go)
    go.clear()
    with ThreadPoolExecutor(threads) as pool:
        work = [pool.submit(calls_of_thread, calls, n / threads * spread_s, go) for n in range(threads)]
        for _ in range(threads + 1):
            connected.acquire()
        print("ready", flush=True)
        sys.stdin.readline()
        began = time.perf_counter()
        go.set()
        spent = [call for thread in work for call in thread.result()]
        took = time.perf_counter() - began
    waits, times = zip(*spent, strict=True)
    print(json.dumps({"waits": waits, "times": times, "took": took}))


if __name__ == "__main__":
    main()
