"""`manage.py simulate_providers`: the provider simulator, run by hand."""

import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from llm.management import quiet
from llm.simulator import Simulator
from llm.simulator.oauth import ServiceAccounts
from llm.simulator.providers_file import providers_toml

DIRECTORY = "var/simulator"
wait = threading.Event().wait  # for Ctrl+C; a name of its own for tests


class Command(quiet.Command):
    help = "Runs a loopback stand-in for every provider and prints the providers file that points at it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=9999, help="default: 9999; 0 takes any free one")
        parser.add_argument(
            "--print-providers", action="store_true", help="print the providers file and exit, serve nothing"
        )
        parser.add_argument(
            "--limits", action="store_true", help="keep the real free plans' limits, so that quotas run out"
        )
        parser.add_argument("--strict", action="store_true", help="answer 401 to keys that nobody mentioned")

    def handle(self, *args: Any, **options: Any) -> None:
        directory = Path(getattr(settings, "BASE_DIR", ".")) / DIRECTORY
        if options["print_providers"]:
            url = f"http://127.0.0.1:{options['port']}"
            self.stdout.write(providers_toml(url, ServiceAccounts(), directory))
            return
        try:
            simulator = Simulator(port=options["port"], strict=options["strict"])
        except OSError as error:
            raise CommandError(f"Port {options['port']} is not free: {error}") from error
        self.stdout.write(simulator.providers_toml(directory))
        self.stdout.flush()
        if options["limits"]:
            simulator.enforce_free_tiers()
        with simulator:
            self.stderr.write(
                f"Serving at {simulator.url}. Save the text above as a file and load it with "
                "`python manage.py providers load FILE`. Stop with Ctrl+C."
            )
            try:
                wait()
            except KeyboardInterrupt:
                self.stderr.write("Stopped.")
