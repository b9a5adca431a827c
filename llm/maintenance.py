"""What has to be done every minute: by a background worker, or in a thread after a call."""

from datetime import date

from django.utils import timezone

from llm.cache import responses
from llm.foresight import retirement
from llm.ledger import bookkeeper
from llm.operations import alerts
from llm.status import facts

_warned_on: date | None = None


def run() -> None:
    """Marks calls whose worker died, mails what is new, tends cached responses, warns of models that end."""
    bookkeeper.mark_abandoned()
    alerts.mail_digest(lambda: facts.verdict().line)
    responses.tend()
    warn_of_retirements()


def warn_of_retirements() -> None:
    """Once a day a process; each warning is written once in all."""
    global _warned_on
    if (today := timezone.now().date()) != _warned_on:
        retirement.warn()
        _warned_on = today
