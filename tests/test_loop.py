"""The loop of a process that has none: what runs there, for whom, and how it ends."""

import asyncio
import contextvars
import os
import signal
import subprocess
import sys
import threading

import pytest

from llm import loop

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


async def double(number):
    await asyncio.sleep(0)
    return number * 2


def test_a_coroutine_runs_in_the_loops_thread_and_gives_its_result():
    async def where():
        return threading.current_thread().name

    assert loop.run(double(21)) == 42
    assert loop.run(where()) == "llm-loop"


def test_an_error_is_the_callers():
    async def fails():
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        loop.run(fails())


def test_threads_share_one_loop():
    found = []

    async def which():
        return asyncio.get_running_loop()

    threads = [threading.Thread(target=lambda: found.append(loop.run(which()))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(found) == {loop.running()}


def test_context_variables_go_along():
    async def who():
        return WHO.get()

    WHO.set("me")
    assert loop.run(who()) == "me"


def test_the_loop_does_not_wait_for_itself():
    async def inner():
        with pytest.raises(RuntimeError, match="await"):
            loop.run(double(1))
        return "went on"

    assert loop.run(inner()) == "went on"


def test_an_interrupted_caller_cancels_what_it_waited_for():
    begun, cancelled = threading.Event(), []

    async def waits():
        try:
            begun.set()
            await asyncio.sleep(120)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    def interrupt():
        begun.wait(60)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run(waits())
    finally:
        signal.signal(signal.SIGINT, before)
    assert cancelled == [True]


def test_a_forked_child_has_a_loop_of_its_own():
    loop.run(double(1))
    child = os.fork()
    if not child:
        os._exit(0 if loop.run(double(21)) == 42 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert loop.run(double(2)) == 4


def test_the_process_ends_in_peace():
    """Generators that are open are closed, tasks that wait are cancelled, nothing is complained about."""
    program = """
import asyncio
from llm import loop

async def kept():
    try:
        yield
    finally:
        print("closed")

generator = kept()
async def begin():
    await anext(generator)
    asyncio.get_running_loop().create_task(asyncio.sleep(60))

loop.run(begin())
"""
    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "closed\n", "")
