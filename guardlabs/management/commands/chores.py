"""`chores`: does what is due now, or goes on doing so. For where the serving processes should not (CHORES=off)."""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from guardlabs.operations import chores, probe


class Command(BaseCommand):
    help = "Does the recurring work that is due now: retention, digests to ADMINS, checks of providers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--forever", action="store_true", help="look again every minute, until SIGTERM; for a service"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["forever"]:
            stopping = threading.Event()
            for number in (
                signal.SIGTERM,
                signal.SIGINT,
            ):  # as a container's first process it has no defaults
                signal.signal(number, lambda *_: stopping.set())
            chores.run_until(stopping, first_after_s=0, looked=(settings.VAR_DIR / probe.CHORES_SEEN).touch)
        else:
            done = chores.run_due()
            self.stdout.write(f"done: {', '.join(done)}" if done else "nothing is due")
