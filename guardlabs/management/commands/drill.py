"""`manage.py drill`: simulated visitors and failing providers on a scratch database."""

from random import SystemRandom
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from guardlabs.operations.drill.run import drill

MOST_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Sends scans through the whole site while simulated providers fail in every known way, disks are slow, the "
        "cache goes away and workers are killed; then compares the ledger with what the providers received. Works "
        "in a scratch database beside the site's own, which it never touches. Exit 1 when anything did not hold."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--scans", type=int, default=1000, help="default: 1000")
        parser.add_argument("--seed", type=int, help="repeats the storm of an earlier drill")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["scans"] < 1:
            raise CommandError("--scans must be above 0")
        seed = SystemRandom().randrange(1_000_000) if options["seed"] is None else options["seed"]
        self.stdout.write(f"seed {seed}")
        say = self.stderr.write if options["verbosity"] > 1 else lambda line: None
        result = drill(number=options["scans"], seed=seed, say=say)
        books = result.books
        self.stdout.write(
            f"{len(result.visits)} scans on {result.database}, cache in {result.cache}, {result.kills} workers killed, "
            f"{result.unclaimed} scans left behind and finished, {result.seconds:.0f} s"
        )
        self.stdout.write(
            f"{books.requests} requests to providers, {books.answers} answered, ${books.cost_usd:.4f}\n\nserved by"
        )
        for name, number in result.served_by.most_common():
            self.stdout.write(f"  {name:24} {number}")
        self.stdout.write("attempts that ended as")
        for name, number in books.outcomes.most_common():
            self.stdout.write(f"  {name:24} {number}")
        for line, number in result.log.most_common(MOST_SHOWN):
            self.stdout.write(f"logged {number} times: {line}")
        for problem in result.problems[:MOST_SHOWN]:
            self.stdout.write(f"PROBLEM {problem}")
        if result.problems:
            raise CommandError(f"{len(result.problems)} things did not hold; repeat with --seed {seed}")
        self.stdout.write(
            "held: no 5xx, no lost scan, no scan without a report, ledger = simulator (requests, tokens, cost), "
            "budgets, deadlines"
        )
