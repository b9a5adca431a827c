"""What became of an attempt to write a report, in a visitor's words: one line for each kind of failure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from audit import formats
from llm import chain

WORTH_NAMING = timedelta(minutes=1)  # a shorter pause is over before it is read
MOST_LINES = 5
# A kind, or a kind and the quota's window where the provider named one.
SENTENCES = {
    "rate_limited_key": _("%(who)s has used up its quota"),
    "rate_limited_key/day": _("%(who)s is out of tokens for today"),
    "rate_limited_key/month": _("%(who)s is out of tokens for this month"),
    "rate_limited_key/minute": _("%(who)s is out of tokens for this minute"),
    "rate_limited_provider": _("%(who)s has too many other users right now"),
    "blocked_provider": _("%(who)s does not let our server in"),
    "key_invalid": _("%(who)s no longer accepts our access key"),
    "credits_depleted": _("Our credit at %(who)s is used up"),
    "model_gone": _("%(who)s no longer offers this model"),
    "request_too_large": _("Our question is too long for %(who)s"),
    "request_rejected": _("%(who)s did not understand our question"),
    "provider_down": _("%(who)s does not answer"),
    "cut_short": _("There was no time to wait any longer for %(who)s"),
    "content_blocked": _("%(who)s does not talk about this subject"),
    "empty_output": _("%(who)s sent an empty answer"),
    "rejected_output": _("The text by %(who)s did not pass our checks"),
}


def failed(event: chain.AttemptFailed) -> dict[str, str]:
    """What the report's row keeps of a failure: the kind, the quota's window, and until when it lasts."""
    kept = {"outcome": str(event.kind), "window": event.window or ""}
    if event.until is not None and event.until - timezone.now() >= WORTH_NAMING:
        kept["until"] = event.until.isoformat()
    return kept


def lines(progress: Sequence[Mapping[str, str]], *, today: datetime | None) -> list[str]:
    """One sentence for each failed attempt and who came next, oldest first, at most MOST_LINES.

    `today`: the moment that times refer to; a time on another day is shown with its date.
    """
    told = [
        " → ".join([sentence(attempt, today=today), *(_who(after) for after in progress[n : n + 1])])
        for n, attempt in enumerate(progress, start=1)
        if attempt["outcome"] not in {"trying", "ok"}
    ]
    if (untold := len(told) - MOST_LINES) > 0:
        before = ngettext("%(count)d attempt before failed", "%(count)d attempts before failed", untold)
        return [before % {"count": untold}, *told[untold:]]
    return told


def sentence(attempt: Mapping[str, str], *, today: datetime | None) -> str:
    """Why an attempt failed, and when the next one is worth it, if that is known."""
    kind = attempt["outcome"]
    words = SENTENCES.get(f"{kind}/{attempt.get('window')}") or SENTENCES.get(
        kind, SENTENCES["provider_down"]
    )
    text = str(words % {"who": _who(attempt)})
    if not attempt.get("until"):
        return text
    until = datetime.fromisoformat(attempt["until"]).astimezone(UTC)
    when = f"{until:%H:%M}"
    if today is None or until.date() != today.astimezone(UTC).date():
        when = f"{formats.month_and_day(until)}, {when}"
    return gettext("%(what)s (next try: %(when)s UTC)") % {"what": text, "when": when}


def _who(attempt: Mapping[str, str]) -> str:
    """The service and its model; of older rows, the key's label."""
    return attempt.get("who") or attempt["provider"]
