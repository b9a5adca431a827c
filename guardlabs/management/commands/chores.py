"""`chores`: does what is due now. For a timer, where no worker runs."""

from typing import Any

from django.core.management.base import BaseCommand

from guardlabs.operations import chores


class Command(BaseCommand):
    help = (
        "Does the recurring work that is due now: mails, retention, digests to ADMINS, checks of providers."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = chores.run_due()
        self.stdout.write(f"done: {', '.join(done)}" if done else "nothing is due")
