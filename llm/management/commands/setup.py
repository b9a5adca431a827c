"""The first run in a terminal: paste a key, see it work, get a key for one's own program."""

import getpass
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from llm.clients import access as clients
from llm.management import quiet
from llm.models import Client
from llm.onboarding import trial
from llm.onboarding.keys import import_keys
from llm.onboarding.offers import offers
from llm.status import facts


class Command(quiet.Command):
    help = (
        "From nothing to the first call: stores a provider's key (asked for, or a whole .env on standard input), "
        "tests it at once, and prints a curl for the gateway. Exit 1 when no key works."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--provider", default="", metavar="SLUG", help="whose key it is, if it does not tell"
        )
        parser.add_argument("--no-client", action="store_true", help="make no key for the gateway")

    def handle(self, *args: Any, **options: Any) -> None:
        if not any(offer.keys and offer.provider.enabled for offer in offers()):
            self._show_offers()
        done = import_keys(self._pasted(), provider=options["provider"], by="setup")
        for text in done.problems:
            self.stderr.write(text)
        if done.skipped:
            self.stdout.write(f"Not a provider's key, and left alone: {', '.join(done.skipped)}")
        works = [self._try(label, new=label in done.created) for label in done.labels]
        self.stdout.write(f"\n{facts.verdict().line}")
        if not any(works):
            sys.exit(1)
        if not options["no_client"]:
            self._first_call()

    def _show_offers(self) -> None:
        self.stdout.write("A free key of one provider is enough to begin:\n")
        for offer in offers():
            if offer.provider.enabled and offer.address:
                self.stdout.write(f"  {offer.provider.name:<14} {offer.address}\n{'':<17}{offer.worth}")
        self.stdout.write("")

    def _pasted(self) -> str:
        if sys.stdin.isatty():
            return getpass.getpass("Paste a key (it is not shown), then press Enter: ")
        return sys.stdin.read()

    def _try(self, label: str, *, new: bool) -> bool:
        one = trial.try_key(label)
        if one.ok:
            self.stdout.write(f"{label}: {one.model} answered in {one.ms} ms: {one.text}")
            if one.limits:
                self.stdout.write(f"  limits: {one.limits}")
            return True
        self.stdout.write(f"{label} ({one.provider}): {one.why}")
        if one.refused and new:
            trial.forget_refused(label)
            self.stdout.write("  The key was not kept.")
        return False

    def _first_call(self) -> None:
        if Client.objects.exists():
            return  # whoever has a client knows how to call
        _client, key = clients.add(name="first-call")
        address = f"{getattr(settings, 'SITE_URL', 'http://127.0.0.1:8000')}/v1/chat/completions"
        self.stdout.write(
            "\nThe first call, with a key that nobody can show again:\n\n"
            f'curl {address} \\\n  -H "Authorization: Bearer {key}" \\\n  -H "Content-Type: application/json" \\\n'
            """  -d '{"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]}'"""
        )
