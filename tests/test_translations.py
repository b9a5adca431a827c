"""Every language but English: each text of the code is translated, and none of its placeholders is lost."""

import ast
import io
import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import gettext, override
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
CALLS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w*\}|</?\w+[^>]*>|https?://[^\s,;]+")

Key = tuple[str, str | None]


def _calls(method: str, source: str) -> set[Key]:
    """The texts of a source by their singular, each with its context."""
    found = extract(method, io.BytesIO(source.encode()), keywords=CALLS, options={"encoding": "utf-8"})
    return {
        (text if isinstance(text, str) else text[0], context) for _line, text, _comments, context in found
    }


def _modules() -> list[Path]:
    return [path for app in ("audit", "guardlabs", "llm", "staff") for path in (ROOT / app).rglob("*.py")]


@pytest.fixture(scope="module")
def in_the_code() -> set[Key]:
    texts: set[Key] = set()
    for path in _modules():
        texts |= _calls("python", path.read_text())
    for folder in [*settings.TEMPLATES[0]["DIRS"], *ROOT.glob("*/templates")]:
        for path in Path(folder).rglob("*.*"):
            # What Django makes of a template for xgettext is close enough to JavaScript.
            texts |= _calls("javascript", templatize(path.read_text()))
    return texts


@pytest.fixture(params=LANGUAGES)
def catalogue(request) -> Catalog:
    with (Path(settings.LOCALE_PATHS[0]) / request.param / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=request.param)


def _forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def test_each_text_of_the_code_is_there_and_nothing_else(catalogue: Catalog, in_the_code: set[Key]) -> None:
    there = {(_forms(message.id)[0], message.context) for message in catalogue if message.id}
    assert there - in_the_code == set(), "no longer in the code"
    assert in_the_code - there == set(), "not translated yet: make messages"


def test_no_text_hides_in_an_f_string() -> None:
    hidden = []
    for path in _modules():
        strings = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr)]
        inside = [node for string in strings for node in ast.walk(string) if isinstance(node, ast.Call)]
        hidden += [f"{path}:{call.lineno}" for call in inside if getattr(call.func, "id", None) in CALLS]
    assert hidden == [], "makemessages does not look into f-strings"


def test_nothing_is_empty_fuzzy_or_left_over(catalogue: Catalog) -> None:
    assert [message.id for message in catalogue if not all(_forms(message.string))] == []
    assert [message.id for message in catalogue if message.fuzzy] == []
    assert not catalogue.obsolete


def test_plurals_have_as_many_forms_as_the_language(catalogue: Catalog) -> None:
    plurals = [message for message in catalogue if message.pluralizable]
    assert plurals
    assert [message.id for message in plurals if len(message.string) != catalogue.num_plurals] == []


def test_placeholders_tags_and_addresses_survive(catalogue: Catalog) -> None:
    lost = []
    for message in catalogue:
        wanted = [Counter(PLACEHOLDER.findall(text)) for text in _forms(message.id)]
        for place, text in enumerate(_forms(message.string) if message.id else []):
            found = Counter(PLACEHOLDER.findall(text))
            # "One answer": the form for one need not repeat the number.
            fewer = message.pluralizable and place == 0 and found <= wanted[-1]
            lost += [text] if found not in wanted and not fewer else []
    assert lost == []


def test_no_stray_spaces(catalogue: Catalog) -> None:
    texts = [text for message in catalogue if message.id for text in _forms(message.string)]
    assert [text for text in texts if text != text.strip() or re.search(r"\s\s", text)] == []


@pytest.mark.parametrize(
    ("language", "text"), [("ru", "Наследники без доступа"), ("es", "Herederos sin acceso")]
)
def test_a_text_comes_out_in_each_language(language: str, text: str) -> None:
    with override(language):
        assert gettext("Heirs without access") == text
