"""No text that strangers write may cost more than in proportion to its length: one request must not stop a worker."""

import gc
import re
import time
from collections.abc import Callable, Iterator

import pytest

from audit.orders import secret_guard
from audit.report import gates as report_gates
from audit.report.gates import links
from audit.report.text import drafts, render, slots
from guardlabs.operations import logs
from llm import gates
from llm.adapters.answers.sse import EventParser
from llm.adapters.answers.toolcalls import ToolCalls, offered_name
from llm.adapters.answers.visible import Visible
from llm.failures import rules
from tests import patterns

SIZES = (4096, 16_384, 65_536)  # each four times the one before: the first that grows too fast ends the trial
# Of a text of 16 KiB, a quadratic pattern looks at a hundred million characters: that tells as well as the largest.
UP_TO = [SIZES[1], pytest.param(SIZES[2], marks=pytest.mark.exhaustive)]
MOST_GROWTH = 10  # of the time from one size to the next: linear is 4, quadratic is 16
QUICK_S = 0.02  # below, nothing can be told

# Patterns that are put together while the program runs, and of what.
BUILT = {
    "audit.report.gates.words.voice f'(?<![\\\\w-])(?:{words})(?![\\\\w])'": "held by the module's voices",
    'audit.report.text.slots f"{marks}(?P<label>{names})(?![\\\\w\'’])"': "labels of the plan",
    "audit.orders.secret_guard.keys pattern": "held by the module",
    "llm.failures.rules pattern": "the table's, see below",
    "llm.failures.rules words": "the table's, see below",
    "llm.failures.signals pattern": "the table's, see below",
    "llm.failures.signals f'(?<![\\\\w-]){re.escape(name)}(?![\\\\w-])'": "the id of a configured model",
    "llm.configuration.presets re.escape(self.provider.slug) + '[0-9]*'": "a slug of the providers file",
    "llm.configuration.presets f'env:{re.escape(self.variables.key)}(S|_[0-9]+)?(\\\\[|$)'": "a name in the code",
    "llm.configuration.presets re.escape(variables.key) + '_([0-9]{1,4})(?:_FILE)?'": "a name in the code",
    "llm.onboarding.keys re.escape(variables.key) + '(S|_[0-9]{1,4})?'": "a name in the code",
    "llm.failures.signals f'(?<=[\\\\d\\\\s]){name}'": "names of units in the code",
    "llm.adapters.answers.mark_search '|'.join(map(re.escape, by_length))": "marks",
}


def seconds(run: Callable[[str], object], text: str) -> float:
    """CPU time without the collector's. A virtual machine that is stopped for a moment counts that: ask again."""
    gc.disable()
    before = time.thread_time()
    try:
        run(text)
        return time.thread_time() - before
    finally:
        gc.enable()


def grows_too_fast(run: Callable[[str], object], make: Callable[[int], str], most: int) -> bool:
    """Whether a text of at `most` so many characters takes far longer than its length explains."""
    return any(
        all(_jumps(run, make, size) for _ in range(5))  # what is slow once may be the machine
        for size in SIZES
        if size <= most
    )


def _jumps(run: Callable[[str], object], make: Callable[[int], str], size: int) -> bool:
    large = seconds(run, make(size))
    return large > QUICK_S and large > MOST_GROWTH * seconds(run, make(size // 4))


def slow(
    pattern: "re.Pattern[str]", methods: frozenset[str] = frozenset(), most: int = SIZES[1]
) -> str | None:
    """The text, shortened, on which a pattern is slow; None if there seems to be none."""
    found = patterns.Found("", pattern, methods)
    made = []
    for number, make in enumerate(patterns.texts(pattern)):
        for size in (20, 26, 32, 512):  # small ones first: some patterns take twice as long for each letter
            text, began = make(size), time.perf_counter()
            found.run(text)
            taken = time.perf_counter() - began
            if taken > QUICK_S * 5 and all(seconds(found.run, text) > QUICK_S * 5 for _ in range(5)):
                return repr(make(24))
        made.append((taken, number, make))
    for _, _, make in sorted(made, reverse=True)[:4]:
        if grows_too_fast(found.run, make, most):
            return repr(make(24))
    return None


@pytest.mark.parametrize(
    ("pattern", "methods"),
    [
        (r"[a-z_]*xsk1[02-9]{40,}", {"search"}),
        (r"\d+\s*[.):\-]", {"sub"}),
        (r"[.!?]+(?=\s|$)", {"split"}),
        (r"\*+[a-z]+", {"sub"}),
        (r"\d{1,3}(?: \d{3})+ (?:dollars|euros)", {"finditer"}),
        (r"<\s*/?\s*a\b", {"search"}),
        (r"<(script|style)\b.*?</\1>", {"sub"}),
        (r"\A\s*```\n(.*?)\n?[ \t]*```\s*\Z", {"match"}),
        (r"(?:a|aa)+b", {"fullmatch"}),
        (r"\s+$", {"sub"}),
    ],
)
def test_a_pattern_that_looks_at_a_text_twice_is_found(pattern: str, methods: set[str]) -> None:
    assert slow(re.compile(pattern, re.DOTALL), frozenset(methods)) is not None


@pytest.mark.parametrize(
    "pattern", [r"(?<![a-z])[a-z]++\d", r"\b\w{1,40}@", r"a{1,9}b", r"(?<!\d)\d++(?:\.\d++)?s"]
)
def test_a_linear_pattern_is_not(pattern: str) -> None:
    assert slow(re.compile(pattern)) is None


def table() -> Iterator[patterns.Found]:
    """The rules for failures are words of a table, compiled when a provider's text is read."""
    texts = [
        (f"failures.RULES: {rule.kind}", text)
        for rule in rules.RULES
        for text in (rule.text, rule.known)
        if text
    ]
    texts += [(f"failures.ABILITIES: {name}", text) for name, text in rules.ABILITIES.items()]
    texts += [("failures.LACKS", rules.LACKS), ("failures.NO_SUCH_ABILITY", rules.NO_SUCH_ABILITY)]
    texts += [(f"failures.WINDOWS: {name}", text) for name, text in rules.WINDOWS]
    for place, text in texts:
        yield patterns.Found(place, re.compile(text, re.IGNORECASE), frozenset({"search"}))


@pytest.mark.parametrize("most", UP_TO)
@pytest.mark.parametrize("package", [*patterns.PACKAGES, "table"])
def test_every_pattern_takes_time_in_proportion_to_its_text(package: str, most: int) -> None:
    found = table() if package == "table" else patterns.find(package)
    slow_ones = {
        one.place: text
        for one in found
        if isinstance(one, patterns.Found) and (text := slow(one.pattern, one.methods, most)) is not None
    }
    assert slow_ones == {}


def test_every_pattern_is_known_or_made_of_our_own_words() -> None:
    found = [one for package in patterns.PACKAGES for one in patterns.find(package)]
    assert len(found) > 100
    assert {str(one) for one in found if isinstance(one, patterns.Unknown)} == set(BUILT)


HOSTILE = (
    "a", "_", "5K", "1 ", "1 111", "1.", "*", "* ", "**a", "_a", "`", "`a", "[", "[[a-b", "](", "[a](", "<", "<a ",
    "> ", "&", "&#", "\\", "0x5c", "- ", "1. ", "#", "a-1 ", "@", "a@", "a.", "?.", " \n", "\n", "\n\n", "\t", "$1,",
    "abandon ", "一", "\u0301", "\u200b", "ß", "{", "|", "a|b\n", "~", "!", "![", "(", "http://", "www.", "'", '"',
    "1 Jan 2019 ",
)  # fmt: skip
NO_WORDS = slots.Words({}, {}, {}, ("Today",), str, lambda named: "")


def _visible(text: str) -> None:
    visible = Visible("deepseek-r1")
    for start in range(0, len(text), 64):
        list(visible.feed(text[start : start + 64]))
    list(visible.finish())


def _call(text: str) -> None:
    calls = ToolCalls()
    for start in range(0, len(text), 512):
        piece = {"index": 0, "function": {"name": text[:8], "arguments": text[start : start + 512]}}
        calls.feed([piece])
    calls.calls()
    offered_name(text, {"f"})


READERS: dict[str, Callable[[str], object]] = {
    "secret_guard.find": secret_guard.find,
    "slots.fill": lambda text: slots.fill(text, NO_WORDS),
    "links.only": links.only(["https://example.com/"]),
    "drafts.settled": drafts.settled,
    "render.to_html": lambda text: render.to_html(text, links=()),
    "logs.redact": logs.redact,
    "failures.classify": lambda text: rules.classify(status=400, body=text),
    "adapters.visible": _visible,
    "adapters.events": lambda text: EventParser().feed(text.encode("utf-8", "replace")),
    "adapters.calls": _call,
    "gates.no_refusal": gates.no_refusal(),
    "gates.json_schema": gates.json_schema({}),
    **{
        f"gates.{lang}.{name}": gate
        for lang in ("en", "ru", "es")
        for name, gate in report_gates.report(
            report_gates.given(
                lang=lang,
                system="Tell a story.",
                user="{finding:1} A\n{case:1} C, 2024\nForm:\n## One\n\n## Two\n\n- **Today:** {fix:1}\n\n## Three",
            )
        ).items()
    },
}


@pytest.mark.parametrize("most", UP_TO)
@pytest.mark.parametrize("name", READERS)
def test_what_reads_strangers_texts_takes_time_in_proportion_to_them(name: str, most: int) -> None:
    read = READERS[name]

    def maker(unit: str) -> Callable[[int], str]:
        return lambda size: (unit * (size // len(unit) + 1))[:size]

    made = [(seconds(read, maker(unit)(4096)), unit) for unit in HOSTILE]
    worst = sorted(made, reverse=True)[:4]
    assert [unit for _, unit in worst if grows_too_fast(read, maker(unit), most)] == []
