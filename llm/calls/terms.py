"""What a call's data is, and which providers' terms (or ours) forbid to send it there. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm.configuration.snapshot import ModelConf, ProviderConf
from llm.models import Client

TOOLS, IMAGES, PREFILL, TOOL_CHOICE = "tools", "images", "prefill", "tool_choice"


@dataclass(frozen=True, slots=True)
class DataPolicy:
    """What is asked about and for whom. `regions`: where the users are; empty is anywhere."""

    data_class: str = Client.DataClass.PUBLIC
    commercial: bool = True
    regions: frozenset[str] = frozenset()


def forbidden(provider: ProviderConf, use: DataPolicy) -> str:
    """Why nothing of this use may go to a provider; empty when it may. What is not known is not allowed."""
    if use.commercial and provider.commercial_use is False:
        return "terms: no commercial use"
    if provider.barred_regions:
        if any(region in provider.barred_regions for region in use.regions):
            return "terms: users of that region are barred"
        if not use.regions:
            return "terms: bars users of some regions"
    if use.data_class != Client.DataClass.PUBLIC and provider.trains_on_prompts is not False:
        return "terms: trains on prompts" if provider.trains_on_prompts else "terms: may train on prompts"
    if use.data_class == Client.DataClass.PERSONAL and not provider.personal_data:
        return "terms: no personal data"
    return ""


def needs(messages: Sequence[Mapping[str, Any]], params: Mapping[str, Any]) -> frozenset[str]:
    """What a model must be able to take for this call."""
    found, tools = set(), bool(params.get("tools"))
    for message in messages:
        tools = tools or bool(message.get("tool_calls")) or message.get("role") == "tool"
        if isinstance(message.get("content"), list) and image_parts(message):
            found.add(IMAGES)
    if tools:
        found.add(TOOLS)
        if params.get("tool_choice") not in (None, "none", "auto"):  # "auto" is what all do
            found.add(TOOL_CHOICE)
    return frozenset(found)


def lacking(model: ModelConf, needed: frozenset[str]) -> str:
    """What of that this model does not take, as a reason; empty when it takes all."""
    for need in sorted(needed):
        if not getattr(model, need, True):  # what is no field of a model is only ever learned
            return without(need)
    return ""


def without(need: str) -> str:
    """How a model that does not take something is told of, in skips and pauses."""
    return f"takes no {need.replace('_', ' ')}"


def image_parts(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts of a message that are not text."""
    content = message.get("content")
    if not isinstance(content, list):
        return []
    return [part for part in content if isinstance(part, Mapping) and part.get("type", "text") != "text"]


def without_images(messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The messages as the ledger keeps them: an image leaves its type behind."""
    return [
        {**message, "content": [
            {"type": part["type"]} if part in images else part for part in message["content"]
        ]}
        if (images := image_parts(message))
        else message
        for message in messages
    ]  # fmt: skip
