"""Which texts of the bank have no translation: what staff edited, until translators follow."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from audit.models import Incident, Option, Question

TEXTS: dict[type, tuple[str, ...]] = {
    Question: ("text", "hint", "why"),
    Option: ("label", "title", "action", "harm", "fix_steps"),
    Incident: ("name", "what_happened", "lesson", "note"),
}


def untranslated(row: Question | Option | Incident) -> dict[str, list[str]]:
    """Language to the names of the fields whose text is English there. English itself is the original."""
    found: dict[str, list[str]] = {}
    for lang, _name in settings.LANGUAGES:
        if lang == settings.LANGUAGE_CODE:
            continue
        with translation.override(lang):
            fields = [
                name
                for name in TEXTS[type(row)]
                if any(gettext(text) == text for text in _texts(getattr(row, name)))
            ]
        if fields:
            found[lang] = fields
    return found


def _texts(value: Any) -> Iterator[str]:
    yield from (text for text in (value if isinstance(value, list) else [value]) if text)
