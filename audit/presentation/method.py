"""What the method page shows: the bank with every risk, an example that can be redone by hand, how firm it all is.

Every number comes from `scoring` and the bank, the texts from the catalogue; nothing is computed twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.bank import catalogue
from audit.bank import questions as bank
from audit.bank.catalogue import OptionText, QuestionText
from audit.scoring import formula, sensitivity

Text = str | Promise

EXAMPLE: formula.Answers = {
    "seed_storage": "photo_device", "seed_backup": "two_sites_untested", "hardware_wallet": "hw_official",
    "hot_cold_split": "mostly_cold", "account_2fa": "totp_local", "sim_protection": "port_lock",
    "password_hygiene": "pm_unique", "token_approvals": "no_defi", "tx_verification": "first_last",
    "device_hygiene": "separate_profile", "phishing_support": "usually_check",
    "privacy_inheritance": "inherit_only",
}  # fmt: skip

_SAFEST = {item.id: item.safest.value for item in catalogue.scoring_bank()}
PEOPLE: dict[str, formula.Answers] = {
    "cloud_seed": {**_SAFEST, "seed_storage": "cloud_notes"},
    "careful": {
        **_SAFEST, "seed_storage": "paper_safe", "seed_backup": "two_sites_untested",
        "hot_cold_split": "mostly_cold", "account_2fa": "totp_local", "sim_protection": "port_lock",
        "token_approvals": "review_rarely", "device_hygiene": "separate_profile",
    },
    "exchange_only": {
        "seed_storage": "no_seed", "seed_backup": "no_seed", "hardware_wallet": "exchange_custody",
        "hot_cold_split": "all_exchange", "account_2fa": "sms", "sim_protection": "recovery_no_lock",
        "password_hygiene": "browser_saved", "token_approvals": "no_defi", "tx_verification": "first_last",
        "device_hygiene": "daily_mixed", "phishing_support": "usually_check",
        "privacy_inheritance": "private_no_plan",
    },
    "defi_hot": {
        "seed_storage": "paper_home", "seed_backup": "single_copy", "hardware_wallet": "hot_wallet",
        "hot_cold_split": "all_hot", "account_2fa": "totp_cloud", "sim_protection": "unused_no_lock",
        "password_hygiene": "pm_weak_master", "token_approvals": "unlimited_known",
        "tx_verification": "simulate_only", "device_hygiene": "daily_mixed",
        "phishing_support": "usually_check", "privacy_inheritance": "inherit_only",
    },
}  # fmt: skip
PEOPLE_WORDS: dict[str, Text] = {
    "cloud_seed": _("Everything right, but the seed phrase in a cloud note"),
    "careful": _("Careful, with small gaps in seven places"),
    "exchange_only": _("Everything on an exchange, codes by SMS"),
    "defi_hot": _("Active in DeFi with a hot wallet"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of the scoring or of the questions, newest first."""

    scoring: str
    bank: str
    what: Text


VERSIONS = (
    Version(
        scoring=formula.SCORING_VERSION,
        bank=bank.BANK_VERSION,
        what=_(
            "Same weights, risks and caps. The answers are no longer listed from the safest to the worst, and asides "
            "of four questions became hints."
        ),
    ),
    Version(
        scoring=formula.SCORING_VERSION,
        bank="2026-11",
        what=_("First version: 12 questions, weights that add up to 100, two caps."),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer with the points it loses (None: the question is then not assessed) and the cap it causes."""

    option: OptionText
    lost: Decimal | None
    cap: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with all of its answers."""

    question: QuestionText
    category: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the worked example: `term` is `14 × 9 ÷ 10`, `lost` None where nothing was assessed."""

    question: QuestionText
    option: OptionText
    term: str
    lost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """The worked example: its lines and what comes of them."""

    lines: tuple[Line, ...]
    assessment: formula.Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmness:
    """A row of the sensitivity table."""

    person: Text
    figure: sensitivity.Figure


def questions() -> tuple[Question, ...]:
    """Every question with what each answer loses, in the active language. Two queries."""
    categories = catalogue.category_labels()
    return tuple(
        Question(
            question=text,
            category=categories[text.category],
            answers=tuple(
                Answer(
                    option=text.option(choice.value),
                    lost=_lost(item, choice),
                    cap=formula.cap_of(item.id, choice),
                )
                for choice in item.choices
            ),
        )
        for text, item in zip(catalogue.questionnaire(), catalogue.scoring_bank(), strict=True)
    )


def caps(listed: Iterable[Question]) -> list[tuple[int, list[str]]]:
    """Each cap with the weaknesses that cause it, the lowest first."""
    causes: dict[int, list[str]] = {}
    for each in listed:
        for answer in each.answers:
            if answer.cap:
                causes.setdefault(answer.cap, []).append(answer.option.title)
    return sorted(causes.items())


def example(listed: tuple[Question, ...]) -> Example:
    """The worked example in the words of these questions."""
    lines = [_line(each, EXAMPLE[each.question.id]) for each in listed]
    return Example(lines=tuple(lines), assessment=formula.assess(catalogue.scoring_bank(), EXAMPLE))


def firmness() -> list[Firmness]:
    """How far the scores of typical people move when the weights do."""
    return [Firmness(person=PEOPLE_WORDS[each.person], figure=each) for each in sensitivity.FIGURES]


# The questions that had their hint in their sentence.
JOINED_2026_11 = ("seed_storage", "account_2fa", "device_hygiene")


def bank_as_json(listed: tuple[Question, ...], version: str = bank.BANK_VERSION) -> Mapping[str, Any] | None:
    """The whole bank with all numbers, for whoever wants to recompute or reuse it. None for an unknown version.

    `order`: the answers as people saw them. Version 2026-11 showed them from the least to the most risk, and its
    numbers were the same.
    """
    if version not in {each.bank for each in VERSIONS}:
        return None
    today = version == bank.BANK_VERSION
    return {
        "version": version,
        "scoring_version": formula.SCORING_VERSION,
        "formula": {
            "lost": "weight * risk / highest_risk",
            "raw_score": "round_half_up(100 * (1 - sum(lost) / sum(weight)))",
            "score": "min(raw_score, lowest cap)",
            "not_applicable": "the question is left out of both sums",
        },
        "bands": {name: least for least, name in formula.BANDS},
        "severities": {name: least for least, name in formula.SEVERITIES},
        "questions": [
            {
                "id": each.question.id,
                "category": each.question.category,
                "weight": each.question.weight,
                **_wording(each.question, today=today),
                "why": each.question.why,
                "standards": list(each.question.standards),
                "options": [
                    {
                        "value": answer.option.value,
                        "label": answer.option.label,
                        "risk": answer.option.risk,
                        "not_applicable": answer.option.not_applicable,
                        "cap": answer.cap,
                        "minutes": answer.option.minutes,
                    }
                    for answer in each.answers
                ],
            }
            for each in listed
        ],
    }


def _wording(question: QuestionText, *, today: bool) -> dict[str, Any]:
    """What a version asked, and in which order it listed the answers."""
    if today:
        return {"text": question.text, "hint": question.hint, "order": list(question.order)}
    aside = f" {question.hint}" if question.id in JOINED_2026_11 else ""
    return {
        "text": f"{question.text}{aside}",
        "hint": "",
        "order": [option.value for option in question.options],
    }


def _lost(item: formula.Item, choice: formula.Choice) -> Decimal | None:
    if choice.not_applicable:
        return None
    return formula.assess([item], {item.id: choice.value}).lost


def _line(each: Question, value: str) -> Line:
    answer = next(answer for answer in each.answers if answer.option.value == value)
    highest = max(other.option.risk for other in each.answers)
    return Line(
        question=each.question,
        option=answer.option,
        term=f"{each.question.weight} × {answer.option.risk} ÷ {highest}",
        lost=answer.lost,
    )
