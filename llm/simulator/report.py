"""What a simulated model says: a security report in the language asked for, or a short answer, or JSON."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from llm.simulator.report_texts import CASES, MARK, SECTIONS, SHORT
from llm.simulator.slot_texts import LONE, STORY
from llm.simulator.tokens import count_tokens
from llm.simulator.wire import Ask

LONG_PROMPT = 600  # characters from which a prompt is taken to ask for a report
MOST_CASES = 4
INCIDENT = re.compile(r"\[[a-z0-9][a-z0-9-]*-(?:19|20)\d\d\]")  # [bybit-2025]
SLOT = re.compile(r"\{[a-z]+(?::\d+)?\}")  # {fix:2}
FORM = re.compile(r"^Form:\n(?P<form>.+)", re.MULTILINE | re.DOTALL)  # the report with a place for its story
HEADING = re.compile(r"[\"“«]#{1,4} ([^\"”»\n]{1,80})[\"”»]")  # "## What to do first"
MARKER = re.compile(
    r"\b(?:language|lang|idioma|язык)\s*[:=]\s*[\"'`]?"
    r"(?:(?P<ru>ru|russian|русский)|(?P<es>es|spanish|español)|(?P<en>en|english|английский))\b",
    re.IGNORECASE,
)
NAMED = re.compile(
    r"\b(?:(?P<ru>in Russian|по-русски|на русском)|(?P<es>in Spanish|en español)|(?P<en>in English))\b",
    re.IGNORECASE,
)
CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
SPANISH = re.compile(
    r"\b(?:el|la|los|las|un|una|que|qué|de|en|es|y|para|por|con|tu|mi|cómo|está|escribe|informe|hola)\b|[ñ¿¡]",
    re.IGNORECASE,
)


def compose(ask: Ask) -> str:
    """The text of a good answer to this request; always the same for the same request."""
    if ask.wants_json:
        return json.dumps(instance(ask.schema or {}), ensure_ascii=False)
    return write(ask.prompt, ask.user)


@lru_cache(maxsize=1024)
def write(prompt: str, user: str) -> str:
    """A report of 900 to 2,500 characters when one is asked for, else one sentence. Both say what they are.

    prompt: all messages; user: the last one of the user.
    """
    language = language_of(prompt, user)
    if len(prompt) < LONG_PROMPT and not MARKER.search(prompt):
        return SHORT[language].format(count=count_tokens(prompt))
    facts = prompt.partition("<facts>\n")[2].partition("\n</facts>")[0]  # also where a later turn asks again
    if form := FORM.search(facts):
        return _filled(language, form["form"], set(SLOT.findall(facts)))
    sections = _sections(language, HEADING.findall(prompt))
    sections[min(1, len(sections) - 1)][1].append(_cases(language, prompt))
    parts = [part for heading, texts in sections for part in (f"## {heading}", *texts) if part]
    return "\n\n".join([MARK[language], *parts]) + "\n"


def _filled(language: str, form: str, given: set[str]) -> str:
    """The form of the prompt with a story in its place, of the sentences whose slots were given."""
    told = STORY if "{finding:1}" in given else LONE
    story = " ".join(each for each in told[language] if given.issuperset(SLOT.findall(each)))
    return form.replace("‹story›", story).rstrip() + "\n"


def _sections(language: str, wanted: list[str]) -> list[tuple[str, list[str]]]:
    """Headings and texts: those that the prompt names, each with words in it, or our own."""
    own = [(heading, [text.rstrip()]) for heading, text in SECTIONS[language]]
    if not wanted:
        return own
    texts = [text for _, each in own for text in each]
    last = len(wanted) - 1
    filled = [(heading, [texts[min(place, len(texts) - 1)]]) for place, heading in enumerate(wanted)]
    filled[last][1].extend(texts[len(wanted) :])
    return filled


def _cases(language: str, prompt: str) -> str:
    """A sentence for each incident that the prompt gives an id for; empty without any."""
    found = list(dict.fromkeys(INCIDENT.findall(prompt)))[:MOST_CASES]
    heading, sentences = CASES[language]
    lines = [f"- {sentence.format(id=slug)}" for slug, sentence in zip(found, sentences, strict=False)]
    return "\n".join([heading, "", *lines]) if lines else ""


def language_of(prompt: str, user: str) -> str:
    """en, ru or es: as a marker ("Language: ru", "in Russian") says, else as the user's words suggest."""
    for pattern in (MARKER, NAMED):
        if match := pattern.search(prompt):
            return match.lastgroup or "en"
    if len(CYRILLIC.findall(user)) * 4 > len(user):
        return "ru"
    words = len(user.split())
    return "es" if len(SPANISH.findall(user)) * 5 >= max(words, 1) else "en"


def instance(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """The smallest value that a JSON schema (or Gemini's dialect of it) allows; an object without one."""
    root = root if root is not None else schema
    if "$ref" in schema:
        target: Any = root
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target[part]
        return instance(target, root)
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    if options := schema.get("enum"):
        return options[0]
    for several in ("anyOf", "oneOf", "allOf"):
        if options := schema.get(several):
            return instance(options[0], root)
    kind = schema.get("type", "object" if "properties" in schema or schema is root else "string")
    kind = str(kind[0] if isinstance(kind, list) else kind).lower()
    if kind == "object":
        return _object(schema, root)
    if kind == "array":
        return [instance(schema.get("items") or {"type": "string"}, root)] * max(1, schema.get("minItems", 1))
    if kind == "string":
        return "simulated".ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength", 200)]
    if kind in {"integer", "number"}:
        return schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    return {"boolean": True}.get(kind)


def _object(schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    properties: Mapping[str, Any] = schema.get("properties") or {}
    if not properties and schema is root:
        return {"simulated": True, "text": SHORT["en"].format(count=0)}
    names = schema.get("required") or list(properties)
    return {name: instance(properties.get(name) or {"type": "string"}, root) for name in names}
