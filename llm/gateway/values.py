"""Reads single values of a request's body, whatever its protocol. Each raises ApiError (400) with the value's place."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any

from llm.gateway.errors import ApiError

Body = Mapping[str, Any]
MOST_MESSAGES, MOST_TOOLS, MOST_STOPS = 2000, 128, 4
MOST_TOKENS = 1_000_000
FUNCTION = re.compile(r"[a-zA-Z0-9_-]{1,64}")
IMAGE_URLS = ("data:image/", "https://", "http://")
MOST_IGNORED, NAME = 30, re.compile(r"[\w.\[\]-]{1,60}", re.ASCII)


def wrong(message: str, param: str | None, code: str | None = None) -> ApiError:
    """What to raise: 400."""
    return ApiError(400, message, param=param, code=code)


def unsupported(message: str, param: str) -> ApiError:
    """What to raise for what the protocol knows and the gateway does not do."""
    return wrong(message, param, "unsupported_parameter")


def number(body: Body, name: str, *, least: float, most: float, whole: bool = False) -> Any:
    """A finite number within bounds; None where there is none."""
    value = body.get(name)
    if value is None:
        return None
    fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not fits or (isinstance(value, float) and not math.isfinite(value)) or not least <= value <= most:
        kind = "an integer" if whole else "a number"
        raise wrong(f"'{name}' must be {kind} from {least} to {most}.", name)
    return value


def within(least: float, most: float, *, whole: bool = False) -> Callable[[Body, str], Any]:
    """`number` with its bounds, as a reader of a body's field."""
    return lambda body, name: number(body, name, least=least, most=most, whole=whole)


def boolean(body: Body, name: str) -> bool | None:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise wrong(f"'{name}' must be true or false.", name)
    return value


def text(body: Body, name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong(f"'{name}' must be a string.", name)
    return value


def choice(body: Body, name: str, *values: str) -> str | None:
    """One of these values; None where there is none."""
    value = body.get(name)
    if value is not None and value not in values:
        raise wrong(f"'{name}' must be {' or '.join(values)}.", name)
    return value


def mapping(body: Body, name: str, place: str = "") -> Mapping[str, Any]:
    """An object; empty where there is none."""
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise wrong(f"'{place or name}' must be an object.", place or name)
    return value or {}


def objects(value: object, place: str, *, most: int) -> list[Mapping[str, Any]]:
    """A list of objects; empty where there is none."""
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise wrong(f"'{place}' must be a list, of {most} at most.", place)
    for index, each in enumerate(value):
        if not isinstance(each, dict):
            raise wrong(f"'{place}[{index}]' must be an object.", f"{place}[{index}]")
    return value


def stops(body: Body, name: str) -> list[str] | None:
    """Texts that end the answer: one, or a list."""
    value = body.get(name)
    found = [value] if isinstance(value, str) else value
    if found is None:
        return None
    if (
        not isinstance(found, list)
        or len(found) > MOST_STOPS
        or not all(isinstance(stop, str) and stop for stop in found)
    ):
        raise wrong(f"'{name}' must be a string, or up to {MOST_STOPS} of them.", name)
    return found or None


# -- tools -----------------------------------------------------------------------------------------------


def function(told: Mapping[str, Any], place: str, *, schema: str = "parameters") -> dict[str, Any]:
    """A function that is offered, as a tool of chat completions. schema: the field with its parameters."""
    name, description, parameters = told.get("name"), told.get("description"), told.get(schema)
    if not isinstance(name, str) or not FUNCTION.fullmatch(name):
        raise wrong("A function needs a name of letters, digits, _ and -.", f"{place}.name")
    if not isinstance(parameters or {}, dict):
        raise wrong("A function's parameters are a JSON schema.", f"{place}.{schema}")
    if not isinstance(description or "", str):
        raise wrong("A function's description is text.", f"{place}.description")
    found: dict[str, Any] = {"name": name}
    if description:
        found["description"] = description
    if parameters is not None:
        found["parameters"] = parameters
    if isinstance(told.get("strict"), bool):
        found["strict"] = told["strict"]
    return {"type": "function", "function": found}


def called(name: str) -> dict[str, Any]:
    """The choice of one function."""
    return {"type": "function", "function": {"name": name}}


def only(tools: list[dict[str, Any]], names: Iterable[str]) -> list[dict[str, Any]]:
    """The tools with these names."""
    wanted = set(names)
    return [tool for tool in tools if tool["function"]["name"] in wanted]


def with_tools(params: dict[str, Any], place: str = "tool_choice") -> dict[str, Any]:
    """The parameters without what speaks of tools where none is offered. Raises ApiError where one is asked for."""
    if params.get("tools"):
        return params
    if params.get("tool_choice") not in (None, "none", "auto"):
        raise wrong(f"'{place}' is only allowed when 'tools' are specified.", place)
    left_out = ("tools", "tool_choice", "parallel_tool_calls")
    return {name: value for name, value in params.items() if name not in left_out}


# -- formats ---------------------------------------------------------------------------------------------


def json_schema(told: Mapping[str, Any], place: str) -> dict[str, Any]:
    """A schema that the answer must fit, as `response_format` of chat completions."""
    if not isinstance(told.get("schema") or {}, dict):
        raise wrong(f"'{place}.schema' must be an object.", f"{place}.schema")
    names = ("name", "schema", "strict", "description")
    found = {name: told[name] for name in names if told.get(name) is not None}
    return {"type": "json_schema", "json_schema": {"name": "answer", **found}}


def image(url: object, place: str, detail: object = None) -> dict[str, Any]:
    """A picture, as a part of a message of chat completions."""
    if not isinstance(url, str) or not url.startswith(IMAGE_URLS):
        raise wrong("An image needs a url: data:image/… or https://…", place)
    wish = {"detail": detail} if detail in ("low", "high", "auto") else {}
    return {"type": "image_url", "image_url": {"url": url, **wish}}


def content(parts: list[dict[str, Any]]) -> Any:
    """A message's parts as its content: one text, which every provider understands, where all are texts."""
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def unread(body: Body, read: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Names of what a body's objects hold and nobody reads, such as `text.verbosity`. read: by field, what is read."""
    if read.keys().isdisjoint(body):
        return []
    return [
        f"{name}.{inner}"
        for name, known in read.items()
        if isinstance(told := body.get(name), dict)
        for inner, value in told.items()
        if inner not in known and value not in (None, [], {}, False)
    ]


def ignored(body: Body, read: Set[str], *more: str) -> tuple[str, ...]:
    """Names of what a body holds and nobody reads; more: what was found deeper inside."""
    if not more and body.keys() <= read:
        return ()
    names = [name for name, value in body.items() if name not in read and value not in (None, [], {}, False)]
    return tuple(dict.fromkeys(name for name in (*names, *more) if NAME.fullmatch(name)))[:MOST_IGNORED]
