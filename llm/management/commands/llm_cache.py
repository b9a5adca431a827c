"""Shows what is kept of earlier replies, and purges it."""

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Sum

from llm.cache import responses
from llm.conf import conf
from llm.management import quiet
from llm.models import CachedReply


class Command(quiet.Command):
    help = "Without arguments: how many replies are kept, and how often they were used."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION")
        purge = actions.add_parser("purge", help="delete kept replies: all, or those of one purpose")
        purge.add_argument("--purpose", help="such as audit-report")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "purge":
            which = {} if options["purpose"] is None else {"purpose": options["purpose"]}
            self.stdout.write(f"purged: {responses.purge(**which)}")
            return
        responses.measure()
        kept = CachedReply.objects.exclude(filled_at=None)
        hits = kept.aggregate(hits=Sum("hits"))["hits"] or 0
        state = "on" if responses.is_on() else "off"
        mode = conf.LLM_CACHE
        self.stdout.write(f"LLM_CACHE={mode}: {state} · kept: {kept.count()} · hits: {hits}")
