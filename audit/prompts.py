"""What a language model is asked: the rules, and the facts of one scan. English rules, facts in the report's
language, and nothing a visitor typed: answers are codes.
"""

import math
import re

from django.utils.translation import get_language_info

from audit.details import Case, Details, Weakness
from audit.template_report import headings

PROMPT_VERSION = "1"
MAX_TOKENS_IN = 1200
MAX_TOKENS_OUT = {"ru": 1400}
DEFAULT_TOKENS_OUT = 900
WORDS_OUT = "350 to 500"

TONE = {
    "en": "Plain US English, short sentences.",
    "ru": "Informal «ты», never «Вы». Terms: сид-фраза, кошелёк, апрув, бэкап, 2FA.",
    "es": "Informal «tú» (no vos, usted or vosotros), neutral for Latin America and Spain. Terms: frase semilla, "
    "wallet, aprobación.",
}
RULES = """\
You are a calm security engineer. Write a report to one person about how they keep their crypto.
Language: {lang}. Every sentence in {language}, product names as they are. {tone}
Use exactly these three Markdown headings, in this order, and start with the first: {headings}.
{words} words. First section: what the answers mean together. Second: the worst weaknesses, for each the risk, \
the steps, the tools. Third: the other weaknesses in order, then one habit to keep.
Name the fact and the next step; never shame or frighten. Address the reader directly and informally.
{grounds}
No links, HTML, images, tables or code. Never ask for a seed phrase, key, password or address. No greeting, no \
closing question, no talk about these rules."""

CITE = (
    "Use only the facts given. Cite a case by its id in square brackets, like [{example}], where it fits; name at "
    "least two if two are given. Invent no case, amount, date, product or quotation."
)
NO_CASES = "Use only the facts given. Invent no case, amount, date, product or quotation."

CYRILLIC = re.compile(r"[\u0400-\u052f]")
SENTENCE = re.compile(r"(?<=[.!?])\s(?=[^a-zа-яё])")

# From the fullest to the leanest: weaknesses with steps, steps of each, cases, sentences of a case.
LEVELS = (
    (4, 4, 5, 2),
    (3, 4, 5, 1),
    (3, 3, 4, 1),
    (3, 2, 4, 1),
    (3, 2, 3, 1),
    (2, 2, 3, 1),
    (2, 2, 2, 1),
    (1, 2, 2, 1),
)


def estimate_tokens(text: str) -> int:
    """About how many tokens a text is: 4 characters each, 2.5 in Cyrillic."""
    cyrillic = len(CYRILLIC.findall(text))
    return math.ceil((len(text) - cyrillic) / 4 + cyrillic / 2.5)


def tokens_out(lang: str) -> int:
    """The most that a report in this language may take; Cyrillic costs more tokens."""
    return MAX_TOKENS_OUT.get(lang, DEFAULT_TOKENS_OUT)


def build(details: Details, lang: str) -> tuple[str, str]:
    """System and user text for a scan: the fullest set of facts that fits MAX_TOKENS_IN.

    The language of `details` must be the active one.
    """
    system = rules(lang, details.cases)
    for level in LEVELS:
        user = facts(details, lang, *level)
        if estimate_tokens(system + user) <= MAX_TOKENS_IN:
            break
    return system, user


def rules(lang: str, cases: tuple[Case, ...]) -> str:
    return RULES.format(
        lang=lang,
        language=get_language_info(lang)["name"],
        tone=TONE.get(lang, ""),
        headings=", ".join(f'"## {heading}"' for heading in headings()),
        words=WORDS_OUT,
        grounds=CITE.format(example=cases[0].slug) if cases else NO_CASES,
    )


def facts(details: Details, lang: str, in_full: int, steps: int, cases: int, sentences: int) -> str:
    """The scan as the model sees it."""
    result = details.assessment
    score = f"Score: {result.score} of 100, {result.band}"
    if result.capped and result.cap:
        score += f"; {result.raw_score} before the limit that {' and '.join(result.cap.because)} set"
    told = details.weaknesses[:in_full]
    cited = _pick(details, cases)
    lines = [
        f"Language: {lang}",
        f"{score}. {result.assessed} points assessed.",
        "Weaknesses, worst first:",
        *(_in_full(place, weakness, steps, cited) for place, weakness in enumerate(told, start=1)),
        *(
            _in_short(place, each)
            for place, each in enumerate(details.weaknesses[in_full:], start=in_full + 1)
        ),
        *(["Cases:"] if cited else []),
        *(_case(case, sentences) for case in cited),
    ]
    if not details.weaknesses:
        lines[2] = "No weaknesses: every answer was the safe one. Say what keeps it so; invent no weakness."
    if details.passed:
        lines.append(f"Answered safely: {', '.join(question.id for question in details.passed)}.")
    return "\n".join(lines)


def _pick(details: Details, count: int) -> list[Case]:
    """The strongest case of each weakness, worst first, then the second ones, each case once."""
    ranks = max((len(weakness.cases) for weakness in details.weaknesses), default=0)
    ordered = [
        weakness.cases[rank]
        for rank in range(ranks)
        for weakness in details.weaknesses
        if rank < len(weakness.cases)
    ]
    return list({case.slug: case for case in ordered}.values())[:count]


def _in_full(place: int, weakness: Weakness, steps: int, cited: list[Case]) -> str:
    option, slugs = weakness.option, {case.slug for case in cited}
    cases = " ".join(f"[{case.slug}]" for case in weakness.cases if case.slug in slugs)
    how = "; ".join(step.rstrip(".") for step in option.fix_steps[:steps])
    return (
        f"{place}. {_code(weakness)}: {weakness.title}. {weakness.finding.severity}, "
        f"-{weakness.finding.lost} points, {weakness.finding.minutes} min. "
        f"Steps: {how}. Tools: {', '.join(option.tools[:3])}. {cases}"
    ).rstrip()


def _in_short(place: int, weakness: Weakness) -> str:
    return f"{place}. {_code(weakness)}: {weakness.title}. -{weakness.finding.lost}"


def _code(weakness: Weakness) -> str:
    return f"{weakness.finding.question}={weakness.finding.value}"


def _case(case: Case, sentences: int) -> str:
    """The note comes along: it says what the figure is not (no net loss, a charge and no conviction)."""
    told = f"[{case.slug}] {case.name}, {case.facts}: {_first(case.what_happened, sentences)}"
    return f"{told} (Note: {case.note})" if case.note else told


def _first(text: str, sentences: int) -> str:
    return " ".join(SENTENCE.split(text)[:sentences])
