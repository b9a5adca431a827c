"""How 12 answers become a score. Pure: no Django, no clock, no language; exact arithmetic inside.

    lost      = weight x risk / highest risk of the question        (of the questions that apply)
    raw_score = 100 x (1 - sum of lost / sum of weights that apply)  rounded half up
    score     = min(raw_score, cap)

An answer "does not apply" is not assessed: it neither loses nor saves points. When nothing at all is
assessed the score is 0: no evidence is no evidence of safety. (The shipped bank cannot get there.)

The cap: sums let strong answers hide a fatal one. Some answers can cost everything alone, so they limit the
score whatever the rest is worth. The raw score stays beside it.

Severity of a finding says how bad the answer is in itself, not how much its question weighs:
critical = it causes a cap or its risk is 9 or more, high = 7 or more, medium = 4 or more, low = below.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

SCORING_VERSION = "1"

FATAL_RISK = 9
FATAL_CAP = 49
FATAL_QUESTIONS = frozenset(
    {"seed_storage", "seed_backup", "hardware_wallet", "phishing_support", "tx_verification"}
)
ACCOUNT_CAP = 59
ACCOUNT_ANSWERS = frozenset({("account_2fa", "none"), ("password_hygiene", "reused")})

BANDS = ((80, "solid"), (60, "fair"), (40, "fragile"), (0, "exposed"))
SEVERITIES = ((FATAL_RISK, "critical"), (7, "high"), (4, "medium"), (0, "low"))


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer of a question: risk from 0 (safe), minutes that its remedy takes."""

    value: str
    risk: int
    not_applicable: bool = False
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """A question as the formula sees it. `weight`: points lost with the riskiest answer."""

    id: str
    category: str
    weight: int
    choices: tuple[Choice, ...]

    @property
    def highest_risk(self) -> int:
        return max(choice.risk for choice in self.choices)

    @property
    def safest(self) -> Choice:
        """The assessed answer of the lowest risk, the first of equals."""
        return min((c for c in self.choices if not c.not_applicable), key=lambda c: c.risk)

    def choice(self, value: str) -> Choice:
        for choice in self.choices:
            if choice.value == value:
                return choice
        raise ValueError(f"{self.id} has no answer {value!r}")


Bank = tuple[Item, ...]
Answers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cap:
    """The lowest limit that applies, and the questions whose answers cause it, in the bank's order."""

    limit: int
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer that loses points. `lost`: points with one decimal; `tie`: another one loses as many."""

    question: str
    category: str
    value: str
    severity: str
    lost: Decimal
    weight: int
    risk: int
    highest_risk: int
    minutes: int
    points_per_minute: Decimal
    tie: bool
    cap: int | None

    @property
    def critical(self) -> bool:
        return self.severity == "critical"

    @property
    def term(self) -> str:
        """The finding's line of the formula, to be recomputed by hand: `14 × 10 ÷ 10`."""
        return f"{self.weight} × {self.risk} ÷ {self.highest_risk}"


@dataclass(frozen=True, slots=True)
class CategoryLoss:
    """Points lost in a category, of the points that apply there; both with one decimal."""

    category: str
    lost: Decimal
    max: Decimal


@dataclass(frozen=True, slots=True)
class Assessment:
    """The whole result. `findings` are ordered by points lost; see `by_speed` for the other order."""

    score: int
    raw_score: int
    cap: Cap | None
    assessed: int
    lost: Decimal
    band: str
    breakdown: tuple[CategoryLoss, ...]
    findings: tuple[Finding, ...]
    passed: tuple[str, ...]
    not_assessed: tuple[str, ...]

    @property
    def capped(self) -> bool:
        """Whether the cap lowers this score (a cap above the raw score changes nothing)."""
        return self.score < self.raw_score

    @property
    def by_speed(self) -> tuple[Finding, ...]:
        """The findings by points per minute of fixing; equals keep the order of points lost."""
        return tuple(sorted(self.findings, key=lambda finding: -finding.points_per_minute))


def assess(bank: Sequence[Item], answers: Answers) -> Assessment:
    """The assessment of one answer for each question of the bank; other keys are ignored.

    Raises ValueError for a missing question or an unknown value.
    """
    given = [(item, _given(item, answers)) for item in bank]
    rated = [(item, choice, _lost(item, choice)) for item, choice in given if not choice.not_applicable]
    assessed = sum(item.weight for item, _, _ in rated)
    lost = sum((points for _, _, points in rated), Fraction(0))
    raw_score = round_half_up(100 * (1 - lost / assessed)) if assessed else 0
    cap = _cap((item.id, choice) for item, choice, _ in rated)
    score = min(raw_score, cap.limit) if cap else raw_score
    return Assessment(
        score=score,
        raw_score=raw_score,
        cap=cap,
        assessed=assessed,
        lost=one_decimal(lost),
        band=band(score),
        breakdown=_breakdown(bank, rated),
        findings=_findings(rated),
        passed=tuple(item.id for item, _, points in rated if not points),
        not_assessed=tuple(item.id for item, choice in given if choice.not_applicable),
    )


def fix(bank: Sequence[Item], answers: Answers, questions: Collection[str]) -> dict[str, str]:
    """The answers after the named questions are fixed: their safest answer instead.

    What does not apply stays so. Raises ValueError as `assess` does.
    """
    return {
        item.id: item.safest.value
        if item.id in questions and not _given(item, answers).not_applicable
        else answers[item.id]
        for item in bank
    }


def score_if_fixed(bank: Sequence[Item], answers: Answers, questions: Collection[str]) -> int:
    """The score that the named fixes would give ("you would score 78"), the cap included."""
    return assess(bank, fix(bank, answers, questions)).score


def band(score: int) -> str:
    """exposed below 40, fragile below 60, fair below 80, else solid."""
    return next(name for least, name in BANDS if score >= least)


def round_half_up(number: Fraction) -> int:
    """The nearest integer of a number that is not negative; .5 goes up."""
    return int(number + Fraction(1, 2))


def one_decimal(points: Fraction) -> Decimal:
    """Points as they are shown: one decimal, half up."""
    return Decimal(round_half_up(points * 10)).scaleb(-1)


def _given(item: Item, answers: Answers) -> Choice:
    if item.id not in answers:
        raise ValueError(f"{item.id} is not answered")
    return item.choice(answers[item.id])


def _lost(item: Item, choice: Choice) -> Fraction:
    return Fraction(item.weight * choice.risk, item.highest_risk) if choice.risk else Fraction(0)


def cap_of(question: str, choice: Choice) -> int | None:
    """The limit that this answer alone puts on the score, if any."""
    if question in FATAL_QUESTIONS and choice.risk >= FATAL_RISK:
        return FATAL_CAP
    return ACCOUNT_CAP if (question, choice.value) in ACCOUNT_ANSWERS else None


def _cap(given: Iterable[tuple[str, Choice]]) -> Cap | None:
    caps = [(question, limit) for question, choice in given if (limit := cap_of(question, choice))]
    if not caps:
        return None
    lowest = min(limit for _, limit in caps)
    return Cap(limit=lowest, because=tuple(question for question, limit in caps if limit == lowest))


def _severity(cap: int | None, risk: int) -> str:
    return "critical" if cap else next(name for least, name in SEVERITIES if risk >= least)


Rated = list[tuple[Item, Choice, Fraction]]


def _findings(rated: Rated) -> tuple[Finding, ...]:
    """By points lost; then the category that loses most, the shorter fix, the id: a fixed order for ties."""
    by_category: dict[str, Fraction] = {}
    for item, _, points in rated:
        by_category[item.category] = by_category.get(item.category, Fraction(0)) + points
    losing = sorted(
        (entry for entry in rated if entry[2]),
        key=lambda entry: (-entry[2], -by_category[entry[0].category], entry[1].minutes, entry[0].id),
    )
    all_points = [points for _, _, points in losing]
    return tuple(
        replace(_finding(item, choice, points), tie=all_points.count(points) > 1)
        for item, choice, points in losing
    )


def _finding(item: Item, choice: Choice, points: Fraction) -> Finding:
    cap = cap_of(item.id, choice)
    per_minute = points / max(choice.minutes, 1)
    return Finding(
        question=item.id,
        category=item.category,
        value=choice.value,
        severity=_severity(cap, choice.risk),
        lost=one_decimal(points),
        weight=item.weight,
        risk=choice.risk,
        highest_risk=item.highest_risk,
        minutes=choice.minutes,
        points_per_minute=Decimal(round_half_up(per_minute * 1000)).scaleb(-3),
        tie=False,
        cap=cap,
    )


def _breakdown(bank: Sequence[Item], rated: Rated) -> tuple[CategoryLoss, ...]:
    categories = dict.fromkeys(item.category for item in bank)
    return tuple(
        CategoryLoss(
            category=category,
            lost=one_decimal(sum((p for item, _, p in rated if item.category == category), Fraction(0))),
            max=one_decimal(Fraction(sum(item.weight for item, _, _ in rated if item.category == category))),
        )
        for category in categories
    )
