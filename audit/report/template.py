"""The report that needs no language model: the same findings, steps and cases, put together by rule.

Written when every provider failed, and for visitors who want no AI. Deterministic: the same scan, language and
bank give the same text.
"""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit import formats
from audit.scans.findings import Case, Details, Weakness

DETAILED = 3
RETEST_DAYS = 90
SPECIAL = re.compile(r"[\\`*_\[\]#]")
ENTITY = re.compile(r"&(?=#?\w+;)")


def headings() -> tuple[str, str, str]:
    """The sections of every report, written or put together, in the active language."""
    return _("Where you stand"), _("What to fix first"), _("What comes next")


def write(details: Details) -> str:
    """The report as Markdown, in the active language."""
    stand, first, then = headings()
    cases = _one_case_each(details.weaknesses)
    parts = [f"## {stand}", *_standing(details)]
    if details.weaknesses:
        parts.append(f"## {first}")
        for number, weakness in enumerate(details.weaknesses[:DETAILED], start=1):
            parts += _in_full(number, weakness, cases[number - 1])
    parts += [f"## {then}", *_afterwards(details, cases)]
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """A text of the bank so that Markdown shows it as it is."""
    escaped = SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))
    return ENTITY.sub("&amp;", escaped).replace("<", "&lt;")


def _one_case_each(weaknesses: Iterable[Weakness]) -> list[Case | None]:
    """A case for each weakness, a new one as long as there are some."""
    told: set[str] = set()
    chosen: list[Case | None] = []
    for weakness in weaknesses:
        fresh = [case for case in weakness.cases if case.slug not in told]
        chosen.append(next(iter(fresh or weakness.cases), None))
        told.update(case.slug for case in chosen[-1:] if case)
    return chosen


def _standing(details: Details) -> Iterator[str]:
    result = details.assessment
    score = {"score": result.score, "raw": result.raw_score}
    if result.capped:
        # Translators: e.g. "Your score is 49 of 100. Your answers add up to 86, but one of them …"
        yield ngettext(
            "**Your score is %(score)s of 100.** Your answers add up to %(raw)s, but one answer alone can cost you "
            "everything, and it limits the score: %(why)s.",
            "**Your score is %(score)s of 100.** Your answers add up to %(raw)s, but some answers alone can cost you "
            "everything, and they limit the score: %(why)s.",
            len(details.capped_by),
        ) % {**score, "why": "; ".join(plain(each.title) for each in details.capped_by)}
    else:
        yield _("**Your score is %(score)s of 100.**") % score
    if result.assessed < 100:
        yield _(
            "Some questions do not apply to you: %(assessed)s of 100 points were assessed, and the score is the "
            "share of those that you keep."
        ) % {"assessed": result.assessed}
    if not details.weaknesses:
        yield _(
            "No answer lost a point. Keep these habits: most thefts happen on a day when a careful person is in a "
            "hurry."
        )
        return
    yield ngettext(
        "There is %(count)d weak spot. It comes with steps, tools and a case in which the same habit cost somebody "
        "money.",
        "There are %(count)d weak spots, the most expensive first. They come with steps, tools and cases in which "
        "the same habit cost somebody money.",
        len(details.weaknesses),
    ) % {"count": len(details.weaknesses)}


def _in_full(number: int, weakness: Weakness, case: Case | None) -> Iterator[str]:
    option = weakness.option
    yield f"### {number}. {plain(weakness.title)}"
    yield _("*%(cost)s* Your answer: “%(answer)s”.") % {
        "cost": _cost(weakness),
        "answer": plain(option.label),
    }
    if option.harm:
        yield plain(option.harm)
    yield "\n".join(f"{place}. {plain(step)}" for place, step in enumerate(option.fix_steps, start=1))
    if option.tools:
        yield _("**Tools:** %(tools)s.") % {"tools": ", ".join(map(plain, option.tools))}
    if case is not None:
        yield _in_words(case)


def _cost(weakness: Weakness) -> str:
    lost = formats.number(weakness.finding.lost)
    minutes = weakness.finding.minutes
    if not minutes:
        # Translators: points lost, such as "8.4 of 100 points."
        return _("%(lost)s of 100 points.") % {"lost": lost}
    return ngettext(
        "%(lost)s of 100 points, about %(minutes)d minute to fix.",
        "%(lost)s of 100 points, about %(minutes)d minutes to fix.",
        minutes,
    ) % {"lost": lost, "minutes": minutes}


def _in_words(case: Case) -> str:
    parts = [
        # Translators: name of a case, then its date and loss
        _("**It has happened.** %(name)s (%(facts)s).") % {"name": plain(case.name), "facts": case.facts},
        plain(case.what_happened),
        plain(case.note),
        plain(case.lesson),
        sources(case),
    ]
    return "> " + " ".join(filter(None, parts))


def sources(case: Case) -> str:
    """`Source: [host](<address>).` for the sources of a case; empty without any."""
    links = ", ".join(f"[{plain(_host(url))}](<{url}>)" for url in case.sources)
    if not links:
        return ""
    return ngettext("Source: %(links)s.", "Sources: %(links)s.", len(case.sources)) % {"links": links}


def _host(url: str) -> str:
    return urlsplit(url).netloc.removeprefix("www.")


def _afterwards(details: Details, cases: list[Case | None]) -> Iterator[str]:
    rest = list(zip(details.weaknesses, cases, strict=True))[DETAILED:]
    if rest:
        yield "\n".join(_in_short(weakness, case) for weakness, case in rest)
    quickest = _quickest(details)
    if quickest is not None:
        yield ngettext(
            "If you have only %(minutes)d minute today, fix this: %(title)s. It gains the most points for its time.",
            "If you have only %(minutes)d minutes today, fix this: %(title)s. It gains the most points for its time.",
            quickest.finding.minutes,
        ) % {"minutes": quickest.finding.minutes, "title": plain(quickest.title)}
    if details.passed:
        yield ngettext(
            "What you already do well: %(count)d question without a weak spot. Keep that.",
            "What you already do well: %(count)d questions without a weak spot. Keep that.",
            len(details.passed),
        ) % {"count": len(details.passed)}
    yield _(
        "Take the test again in %(days)d days, or sooner if something changes: a new device, a new wallet, a new "
        "phone number. The score rests on your own answers; it is no audit of your devices, and no score means that "
        "you are safe. Nobody honest will ever ask for your seed phrase: not even we do."
    ) % {"days": RETEST_DAYS}


def _quickest(details: Details) -> Weakness | None:
    """The best points per minute, unless the report begins with it anyway."""
    if len(details.weaknesses) < 2:
        return None
    best = details.assessment.by_speed[0].question
    if best == details.weaknesses[0].finding.question:
        return None
    return next(each for each in details.weaknesses if each.finding.question == best)


def _in_short(weakness: Weakness, case: Case | None) -> str:
    option = weakness.option
    parts: Iterable[str] = (
        f"**{plain(weakness.title)}.** *{_cost(weakness)}*",
        " ".join(_sentence(step) for step in option.fix_steps),
        _("Tools: %(tools)s.") % {"tools": ", ".join(map(plain, option.tools))} if option.tools else "",
        _reference(case) if case else "",
    )
    return "- " + " ".join(filter(None, parts))


def _sentence(step: str) -> str:
    text = plain(step)
    return text if text.endswith((".", "!", "?")) else text + "."


def _reference(case: Case) -> str:
    known = _("A known case: %(name)s (%(facts)s).") % {"name": plain(case.name), "facts": case.facts}
    return f"{known} {sources(case)}".strip()
