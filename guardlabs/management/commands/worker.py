"""`worker`: does the background work until it is told to stop. One process beside the server; more do no harm."""

from typing import Any

from django.core.management.base import BaseCommand

from guardlabs.operations import background


class Command(BaseCommand):
    help = "Does the background work (mails, order follow-ups, probes and checks of providers, retention, letters)."

    def handle(self, *args: Any, **options: Any) -> None:
        background.run()
