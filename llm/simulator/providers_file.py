"""The providers file that points at a simulator: today's models, limits and prices of the real services."""

import json
import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm.simulator.oauth import ServiceAccounts

if TYPE_CHECKING:
    from llm.simulator.simulator import Simulator

PROJECT = "simulated"
FREE = {"price_in": "0", "price_out": "0"}
GPT_OSS = {"params": {"reasoning_effort": "low", "include_reasoning": False}, "reasoning_reserve": 500}
GROQ_LIMITS = {"rpm": 30, "rpd": 1000, "tpm": 8000, "tpd": 200_000}
HIDDEN = {"params": {"reasoning": {"effort": "low", "exclude": True}}, "reasoning_reserve": 1000}
OPENROUTER_LIMITS = {"rpm": 20, "rpd": 50}
GEMINI = {"params": {"thinking_config": {"thinking_level": "MINIMAL"}}, "reasoning_reserve": 2700}

# One entry a provider: its fields in the file, models and keys in order, and ours: "base" is its path at the
# simulator, "one_quota" says that its models spend one quota together.
OURS = {"base", "models", "keys", "one_quota"}
PROVIDERS: list[dict[str, Any]] = [
    {
        "slug": "groq", "kind": "groq", "name": "Groq (simulated)", "base": "groq", "tier": 1, "free": True,
        "models": [
            {"id": "openai/gpt-oss-120b", **GPT_OSS, **FREE, **GROQ_LIMITS},
            {"id": "openai/gpt-oss-20b", **GPT_OSS, **FREE, **GROQ_LIMITS},
            {"id": "qwen/qwen3.8-27b", "params": {"reasoning_effort": "none"}, **FREE, **GROQ_LIMITS},
        ],
        "keys": [
            {"label": f"groq{n}", "secret": f"gsk_simulated_{n}", "account": f"org-{letter}"}
            for n, letter in enumerate("abcde", 1)
        ],
    },
    {
        "slug": "openrouter", "kind": "openai", "name": "OpenRouter (simulated)", "base": "openrouter/v1",
        "tier": 1.5, "free": True, "one_quota": True,
        "models": [
            {"id": "google/gemma-4-31b-it:free", "reasoning_reserve": 500, **FREE, **OPENROUTER_LIMITS},
            {"id": "nvidia/nemotron-3-super-120b-a12b:free", **HIDDEN, **FREE, **OPENROUTER_LIMITS},
            {"id": "openrouter/free", **HIDDEN, **FREE, **OPENROUTER_LIMITS},
        ],
        "keys": [{"label": "openrouter", "secret": "sk-or-simulated"}],
    },
    {
        "slug": "huggingface", "kind": "openai", "name": "Hugging Face (simulated)", "base": "huggingface/v1",
        "tier": 1.5, "free": True,
        "models": [
            {"id": "openai/gpt-oss-120b:cheapest", "params": {"reasoning_effort": "low"},
             "reasoning_reserve": 500, **FREE},
            {"id": "google/gemma-4-31B-it", "reasoning_reserve": 500, **FREE},
            {"id": "Qwen/Qwen3.8-27B", "reasoning_reserve": 2000, **FREE},
        ],
        "keys": [{"label": "huggingface", "secret": "hf_simulated"}],
    },
    {
        "slug": "deepseek", "kind": "openai", "name": "DeepSeek (simulated)", "base": "deepseek/v1",
        "tier": 2, "free": False, "daily_budget_usd": "1.00",
        "models": [
            {"id": "deepseek-flash", "params": {"thinking": {"type": "disabled"}},
             "price_in": "0.15", "price_out": "0.60"},
            {"id": "deepseek-v4-pro", "params": {"thinking": {"type": "disabled"}},
             "price_in": "0.66", "price_out": "1.98"},
        ],
        "keys": [{"label": "deepseek", "secret": "sk-simulated"}],
    },
    {
        "slug": "vertex", "kind": "vertex", "name": "Vertex AI (simulated)", "base": "vertex/{location}",
        "tier": 3, "free": False, "daily_budget_usd": "1.00",
        "project": PROJECT, "locations": ["global", "eu", "us"],
        "models": [
            {"id": "gemini-3.5-flash-lite", **GEMINI, "price_in": "0.30", "price_out": "2.50"},
            {"id": "gemini-3.8-flash", **GEMINI, "price_in": "0.75", "price_out": "3.75"},
            {"id": "gemini-3.1-flash-lite", **GEMINI, "price_in": "0.25", "price_out": "1.50"},
        ],
        "keys": [{"label": "vertex"}],  # its secret is a file
    },
]  # fmt: skip


def providers_toml(url: str, trusted: ServiceAccounts, directory: Path) -> str:
    """The file's text for a simulator at `url`, which need not run yet.

    Writes the service account into `directory` (mode 600), or reuses it, and adds it to those `trusted`.
    """
    account_file = _service_account(url, trusted, directory, "vertex")
    lines = ["# Providers that are simulated: every answer says so, and nothing leaves this machine."]
    for provider in PROVIDERS:
        fields = {name: value for name, value in provider.items() if name not in OURS}
        fields["base_url"] = f"{url}/{provider['base']}"
        lines += ["", "[[provider]]", *_fields(fields)]
        for model in provider["models"]:
            lines += ["", "[[provider.model]]", *_fields(model)]
        for key in provider["keys"]:
            lines += ["", "[[provider.key]]", *_fields({"secret": f"file:{account_file}", **key})]
    return "\n".join(lines) + "\n"


def accounts() -> dict[str, str]:
    """The account of each credential in the file."""
    keys = [key for provider in PROVIDERS for key in provider["keys"]]
    return {key.get("secret", key["label"]): key.get("account", key["label"]) for key in keys}


def enforce(sim: "Simulator") -> None:
    """Makes the simulator keep the limits that the file states."""
    for provider in PROVIDERS:
        for key, model in product(provider["keys"], provider["models"]):
            if limits := {name: model[name] for name in GROQ_LIMITS if name in model}:
                account = key.get("account", key["label"])
                sim.limit(account, None if provider.get("one_quota") else model["id"], **limits)


def models_of(slug: str) -> list[str]:
    """Today's models of a provider, as far as the file names them."""
    return [model["id"] for each in PROVIDERS if each["slug"] == slug for model in each["models"]]


def _service_account(url: str, trusted: ServiceAccounts, directory: Path, label: str) -> Path:
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"service-account-{label}.json"
    token_uri = f"{url}/token"
    try:
        account = json.loads(path.read_text(encoding="utf-8"))
        if account["token_uri"] == token_uri:
            trusted.trust(account, label)  # what an earlier run wrote, and may be loaded already
            return path
    except (OSError, ValueError, KeyError):
        pass
    account = trusted.create(project=PROJECT, label=label, token_uri=token_uri)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(account, file, indent=2)
    return path


def _fields(fields: dict[str, Any]) -> Iterator[str]:
    return (f"{name} = {_value(value)}" for name, value in fields.items())


def _value(value: object) -> str:
    """A value in TOML; its strings, numbers and booleans are written as JSON's are."""
    if isinstance(value, dict):
        return "{ " + ", ".join(_fields(value)) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
