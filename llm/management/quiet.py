"""The base class of the chain's commands: a closed pipe (`providers | head`) ends them without a traceback."""

import os
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand

BROKEN_PIPE = 141  # as a shell tells of a program that SIGPIPE has ended


def leave() -> NoReturn:
    """Ends the process without a word: nobody reads any more, so Python must not fail again when it flushes."""
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except (OSError, ValueError):  # no file behind it
            continue
    sys.exit(BROKEN_PIPE)


class Command(BaseCommand):
    """A command whose reader may leave."""

    def execute(self, *args: Any, **options: Any) -> Any:
        try:
            told = super().execute(*args, **options)
            self.stdout.flush()
        except BrokenPipeError:
            leave()
        return told
