"""A model that uses the caller's tools as an agent expects it: calls one, reads its result, and answers."""

from collections.abc import Mapping
from typing import Any

from llm.simulator.exchange import Exchange
from llm.simulator.play_odd import play_tool_calls
from llm.simulator.report import instance
from llm.simulator.wire import Ask


def play_tool_user(x: Exchange, calls: Mapping[str, Mapping[str, Any]], text: str) -> None:
    """Repeats a tool's result; else calls the one that must be called, or the first of `calls` that is offered."""
    tools = _tools(x.ask)
    if (result := _result(x.ask)) is not None:
        x.tell(x.answer(None if x.ask.wants_json else text.replace("{result}", result)))
    elif (forced := _forced(x.ask, tools)) is not None:
        play_tool_calls(x, [(forced, calls.get(forced) or instance(tools[forced]))], "usual", None)
    elif (offered := next((name for name in calls if name in tools), None)) is not None:
        play_tool_calls(x, [(offered, calls[offered])], "usual", None)
    else:
        x.tell(x.answer())


def _tools(ask: Ask) -> dict[str, Mapping[str, Any]]:
    """The functions that are offered, by name, with the schema of their arguments; in either wire format."""
    found = {}
    for tool in ask.body.get("tools") or ():
        for told in tool.get("functionDeclarations") or [tool.get("function") or {}]:
            found[str(told.get("name"))] = told.get("parameters") or told.get("parametersJsonSchema") or {}
    return found


def _forced(ask: Ask, tools: Mapping[str, Any]) -> str | None:
    """The function that has to be called; of several the last, with which agents hand in their answer."""
    choice = ask.body.get("tool_choice")
    if isinstance(choice, dict):
        return str(choice["function"]["name"])
    config = (ask.body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    if config.get("mode") == "ANY":
        return str((config.get("allowedFunctionNames") or list(tools))[-1])
    return list(tools)[-1] if choice == "required" else None


def _result(ask: Ask) -> str | None:
    """What the tool has said that was called in the last turn; None when none was."""
    if messages := ask.body.get("messages"):
        last = messages[-1]
        return _words(last.get("content")) if last.get("role") == "tool" else None
    parts = ((ask.body.get("contents") or [{}])[-1]).get("parts") or [{}]
    told = parts[-1].get("functionResponse")
    return None if told is None else str(told.get("response"))


def _words(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content)
    return str(content or "")
