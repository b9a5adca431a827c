"""One word for the whole chain, one sentence, and what helps: a pure function of facts that `llm.status.facts` gathers.

The desk, the chain page, `manage.py providers`, /readyz?verbose, /metrics and the weekly letter all say this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from llm.failures.kinds import Kind
from llm.status import words


class State(StrEnum):
    """The best first."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    TEMPLATE_ONLY = "template_only"


WORDS: dict[State, Promise] = {
    State.HEALTHY: gettext_lazy("Healthy"),
    State.DEGRADED: gettext_lazy("Degraded"),
    State.TEMPLATE_ONLY: gettext_lazy("Template only"),
}
# For whoever may not know more.
PLAIN: dict[State, Promise] = {
    State.HEALTHY: gettext_lazy("texts are written by models"),
    State.DEGRADED: gettext_lazy("not everything works as it should; whoever runs the chain knows more"),
    State.TEMPLATE_ONLY: gettext_lazy("no model answers at the moment"),
}


@dataclass(frozen=True, slots=True)
class Help:
    """A button: its label, the name of its page, and the permission to use it; and the command that does the same.

    Without a page only the command helps.
    """

    label: Promise
    page: str = ""
    permission: str = ""
    command: str = ""


SETUP = Help(gettext_lazy("Add a key"), "admin:llm_setup", "llm.add_credential", "manage.py setup")
CHAIN = Help(gettext_lazy("See the chain"), "admin:llm_chain", "llm.view_provider", "manage.py providers")
KEYS = Help(gettext_lazy("See the keys"), "admin:llm_credential_changelist", "llm.view_credential")
CALLS = Help(gettext_lazy("See the calls"), "admin:llm_call_changelist", "llm.view_call")
MONEY = Help(gettext_lazy("See the providers"), "admin:llm_provider_changelist", "llm.view_provider")


@dataclass(frozen=True, slots=True)
class Link:
    """A provider that has a key and a model, where it stands in line.

    open: labels of the keys that may be asked now; keys: how many there are; why: what stops all of them (a kind of
    failure, `quota` or `budget`), since when and until when, where that is known.
    """

    name: str
    open: tuple[str, ...]
    keys: int
    why: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the verdict is made of. Money in USD, of today; calls are those of the last hour or two."""

    now: datetime
    links: tuple[Link, ...] = ()
    broken_keys: tuple[str, ...] = ()  # labels
    gone_models: tuple[str, ...] = ()  # each with its provider
    answered: int = 0
    unanswered: int = 0
    quota_left: float | None = None  # 0 to 1, of today's free quota; None where no limit is known
    spent: Decimal = Decimal(0)
    saved: Decimal = Decimal(0)
    spent_budgets: tuple[str, ...] = ()  # names; an empty one is the whole site
    spent_credits: tuple[str, ...] = ()  # names
    catalogue_seen: datetime | None = None  # when somebody last looked at limits and terms


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong. `reason` is a code, fit for a metric's label."""

    state: State
    reason: str
    sentence: str
    help: Help | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`troubles`: the worst first; the sentence is the first one's, in the language of the moment."""

    state: State
    sentence: str
    troubles: tuple[Trouble, ...] = ()

    @property
    def word(self) -> str:
        return str(WORDS[self.state])

    @property
    def plain(self) -> str:
        return str(PLAIN[self.state])

    @property
    def help(self) -> Help | None:
        return self.troubles[0].help if self.troubles else None

    @property
    def line(self) -> str:
        """For a terminal, a letter or a probe: `Degraded: Groq …`."""
        command = f" ({self.help.command})" if self.help and self.help.command else ""
        return f"{self.word}: {self.sentence}{command}"


LITTLE_QUOTA = 0.1
BAD_SHARE, FEW = 0.2, 3  # of calls that nobody answered, and how many calls say something
OLD_CATALOGUE = timedelta(days=180)


def judge(facts: Facts, others: Sequence[Trouble] = ()) -> Verdict:
    """The verdict; `others` are troubles that only the product knows of."""
    found = [*_none(facts), *_unanswered(facts), *_detour(facts), *others, *_broken(facts), *_gone(facts)]
    found += [*_money(facts), *_quota(facts), *_catalogue(facts)]
    found.sort(key=lambda each: list(State).index(each.state), reverse=True)  # a stable sort
    if not found:
        return Verdict(State.HEALTHY, _healthy(facts))
    more = len(found) - 1
    sentence = found[0].sentence
    if more:
        rest = ngettext("and %(count)d more thing", "and %(count)d more things", more) % {"count": more}
        sentence = f"{sentence}; {rest}"
    return Verdict(found[0].state, sentence, tuple(found))


def _serving(facts: Facts) -> Link | None:
    return next((link for link in facts.links if link.open), None)


def _none(facts: Facts) -> list[Trouble]:
    """Nobody can be asked."""
    if not facts.links:
        return [Trouble(State.TEMPLATE_ONLY, "no_key", _("no provider has a working key"), SETUP)]
    if _serving(facts):
        return []
    # A key that was revoked never comes back: another one helps.
    help_ = SETUP if all(link.why == Kind.KEY_INVALID for link in facts.links) else CHAIN
    if len(facts.links) == 1:
        return [Trouble(State.TEMPLATE_ONLY, "all_stopped", _stopped(facts.links[0], facts.now), help_)]
    back = min((link.until for link in facts.links if link.until), default=None)
    if back is None:
        text = _("every provider is stopped, and none comes back by itself")
    else:
        text = _("every provider is stopped; the first comes back in %(span)s") % {
            "span": words.span(back - facts.now)
        }
    return [Trouble(State.TEMPLATE_ONLY, "all_stopped", text, help_)]


def _unanswered(facts: Facts) -> list[Trouble]:
    asked = facts.answered + facts.unanswered
    if asked < FEW or facts.unanswered < BAD_SHARE * asked or not facts.links:
        return []
    state = State.DEGRADED if facts.answered else State.TEMPLATE_ONLY
    text = ngettext(
        "nobody answered %(unanswered)d of %(count)d call within two hours",
        "nobody answered %(unanswered)d of %(count)d calls within two hours",
        asked,
    ) % {"unanswered": facts.unanswered, "count": asked}
    return [Trouble(state, "unanswered", text, CALLS)]


def _detour(facts: Facts) -> list[Trouble]:
    """Somebody else serves than who stands first."""
    serving = _serving(facts)
    if serving is None or facts.links[0].open:
        return []
    text = _("%(stopped)s, %(name)s serves") % {
        "stopped": _stopped(facts.links[0], facts.now), "name": serving.name,
    }  # fmt: skip
    return [Trouble(State.DEGRADED, "first_stopped", text, CHAIN)]


def _stopped(link: Link, now: datetime) -> str:
    names = {"name": link.name, "why": words.why(link.why)}
    if link.until is not None:
        return _("%(name)s: %(why)s, back in %(span)s") % {**names, "span": words.span(link.until - now)}
    if link.since is not None:
        return _("%(name)s: %(why)s for %(span)s, until staff act") % {
            **names, "span": words.span(now - link.since),
        }  # fmt: skip
    return _("%(name)s: %(why)s") % names


def _broken(facts: Facts) -> list[Trouble]:
    if not facts.broken_keys:
        return []
    text = ngettext(
        "the key %(names)s no longer works", "the keys %(names)s no longer work", len(facts.broken_keys)
    ) % {"names": ", ".join(facts.broken_keys)}
    return [Trouble(State.DEGRADED, "key", text, KEYS)]


def _gone(facts: Facts) -> list[Trouble]:
    if not facts.gone_models:
        return []
    text = ngettext(
        "the model %(names)s is gone: switch it off or name another",
        "the models %(names)s are gone: switch them off or name others",
        len(facts.gone_models),
    ) % {"names": ", ".join(facts.gone_models)}
    return [Trouble(State.DEGRADED, "model", text, MONEY)]


def _money(facts: Facts) -> list[Trouble]:
    budgets = (
        _("the daily budget of %(name)s is spent until midnight UTC") % {"name": name}
        if name
        else _("the site’s daily budget is spent until midnight UTC")
        for name in facts.spent_budgets
    )
    credits_ = (_("the trial credit of %(name)s is spent") % {"name": name} for name in facts.spent_credits)
    return [
        *(Trouble(State.DEGRADED, "budget", text, MONEY) for text in budgets),
        *(Trouble(State.DEGRADED, "credit", text, MONEY) for text in credits_),
    ]


def _quota(facts: Facts) -> list[Trouble]:
    if facts.quota_left is None or facts.quota_left >= LITTLE_QUOTA or not _serving(facts):
        return []
    text = _("only %(share)s of today’s free quota is left") % {"share": _percent(facts.quota_left)}
    return [Trouble(State.DEGRADED, "quota", text, SETUP)]


def _catalogue(facts: Facts) -> list[Trouble]:
    if facts.catalogue_seen is None or facts.now - facts.catalogue_seen < OLD_CATALOGUE:
        return []
    days = (facts.now - facts.catalogue_seen).days
    text = ngettext(
        "limits and terms of the providers were last looked at %(count)d day ago",
        "limits and terms of the providers were last looked at %(count)d days ago",
        days,
    ) % {"count": days}
    return [Trouble(State.DEGRADED, "catalogue", text, MONEY)]


def _healthy(facts: Facts) -> str:
    serving = _serving(facts)
    assert serving is not None  # or it would not be healthy  # noqa: S101
    spare = sum(len(link.open) for link in facts.links) - 1
    first = _("%(key)s answers") if facts.answered else _("%(key)s is asked next")
    parts = [first % {"key": serving.open[0]}]
    parts.append(ngettext("%(count)d spare key", "%(count)d spare keys", spare) % {"count": spare})
    if facts.quota_left is not None:
        parts.append(_("%(share)s of today’s free quota left") % {"share": _percent(facts.quota_left)})
    parts.append(_("$%(usd)s spent today") % {"usd": _usd(facts.spent)})
    parts.append(_("$%(usd)s saved") % {"usd": _usd(facts.saved)})
    return ", ".join(parts)


def _percent(share: float) -> str:
    return f"{int(share * 100)} %"


def _usd(amount: Decimal) -> str:
    return number_format(amount, 2 if amount >= 1 or not amount else 4)
