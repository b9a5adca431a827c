"""Where the time of one `complete()` goes: `python -m bench.hotpath` prints cProfile's tables. No section."""

import cProfile
import pstats
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.environment import prepare
from bench.overhead import begin, groq_calls
from bench.upstream import upstream_process

CALLS = 300


def main() -> None:
    """The costliest functions of 300 warm calls, by their own time and with what they call, of both threads."""
    with tempfile.TemporaryDirectory() as directory, upstream_process() as sim:
        prepare(Path(directory))
        from llm import loop

        begin(sim)
        bare, chain = groq_calls(sim.url)
        for name, call in (("complete()", chain), ("the bare groq SDK", bare)):
            for _ in range(30):
                call()
            caller, around = cProfile.Profile(), cProfile.Profile()
            loop.run(switch(around.enable))  # a profiler sees its own thread; calls run on the loop's
            caller.enable()
            for _ in range(CALLS):
                call()
            caller.disable()
            loop.run(switch(around.disable))
            print(f"\n{name}: times of {CALLS} calls, in seconds, with the profiler's own cost")
            for order in ("cumulative", "tottime"):
                pstats.Stats(caller, around, stream=sys.stdout).strip_dirs().sort_stats(order).print_stats(70)


async def switch(profiler: Callable[[], None]) -> None:
    """Turns a profiler on or off on the loop that runs this."""
    profiler()


if __name__ == "__main__":
    main()
