"""What a simulated model says: the form of a report with a story in it, one sentence, or JSON."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from llm.simulator.stories import LONE, STORY
from llm.simulator.tokens import count_tokens
from llm.simulator.wire import Ask

SHORT = "Simulated answer: the provider simulator received {count} tokens, and no model was asked."
SLOT = re.compile(r"\{[a-z]+(?::\d+)?\}")  # {fix:2}
FORM = re.compile(r"^Form:\n(?P<form>.+)", re.MULTILINE | re.DOTALL)  # the report with a place for its story
LANGUAGE = re.compile(r"\bLanguage: (\w+)")


def compose(ask: Ask) -> str:
    """The text of a good answer to this request; always the same for the same request."""
    if ask.wants_json:
        return json.dumps(instance(ask.schema or {}), ensure_ascii=False)
    return write(ask.prompt)


@lru_cache(maxsize=1024)
def write(prompt: str) -> str:
    """To a prompt (all its messages) with facts and a form: the form, filled in the language that it names, else in
    English; to any other one sentence. Both say what they are."""
    facts = prompt.partition("<facts>\n")[2].partition("\n</facts>")[0]  # also where a later turn asks again
    form = FORM.search(facts)
    if form is None:
        return SHORT.format(count=count_tokens(prompt))
    given = set(SLOT.findall(facts))
    named = LANGUAGE.search(prompt)
    told = STORY if "{finding:1}" in given else LONE
    sentences = told.get(named[1] if named else "en", told["en"])
    story = " ".join(each for each in sentences if given.issuperset(SLOT.findall(each)))
    return form["form"].replace("‹story›", story).rstrip() + "\n"


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
        return {"simulated": True, "text": SHORT.format(count=0)}
    names = schema.get("required") or list(properties)
    return {name: instance(properties.get(name) or {"type": "string"}, root) for name in names}
