"""Providers that ship with the product, and the keys that the environment names for them.

`install` runs at every start and only creates what is missing:

- at the first start, aliases for the models that programs ask for by default;
- a provider of `presets.toml`, with its models, when there is none of that slug. An existing provider is
  never touched again, so edits stay and a deleted model does not come back. (The provider itself would:
  switch it off instead, as the admin says.)
- what a preset still lacks: the Google Cloud project, the account in Cloudflare's address.
- a credential for each key in the environment that no credential has yet. It stores a reference such as
  `env:GROQ_API_KEY_1`, never the key.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from llm import hosts, secrets
from llm.configuration import credentials, schema
from llm.configuration.loading import Summary, apply
from llm.models import Alias, Credential, Provider
from llm.storage.transactions import write_transaction

FILE = Path(__file__).with_name("presets.toml")
BEFORE = Path(__file__).with_name("shipped")  # the presets of each release before this one
ACCOUNT = "/ACCOUNT_ID/"  # stands in an address until the environment names the account


@dataclass(frozen=True)
class Variables:
    """Where a preset's keys come from. `key` stands for KEY, KEYS (comma-separated) and KEY_1, KEY_2 …"""

    key: str = ""
    file: str = ""  # holds the path of a service account's JSON
    project: str = ""
    account: str = ""  # part of the address

    @property
    def hint(self) -> str:
        return " and ".join(filter(None, (self.key, self.file, self.project, self.account)))


ENVIRONMENT = {
    "groq": Variables("GROQ_API_KEY"),
    "openrouter": Variables("OPENROUTER_API_KEY"),
    "huggingface": Variables("HF_TOKEN"),
    "gemini": Variables("GEMINI_API_KEY"),
    "cloudflare": Variables("CLOUDFLARE_API_TOKEN", account="CLOUDFLARE_ACCOUNT_ID"),
    "mistral": Variables("MISTRAL_API_KEY"),
    "nvidia": Variables("NVIDIA_API_KEY"),
    "zai": Variables("ZAI_API_KEY"),
    "cerebras": Variables("CEREBRAS_API_KEY"),
    "ollama-cloud": Variables("OLLAMA_API_KEY"),
    "llm7": Variables("LLM7_API_KEY"),
    "cohere": Variables("COHERE_API_KEY"),
    "deepseek": Variables("DEEPSEEK_API_KEY"),
    "vertex": Variables(file="GOOGLE_APPLICATION_CREDENTIALS", project="GOOGLE_CLOUD_PROJECT"),
}


@dataclass(frozen=True)
class Found:
    """A key in the environment: the reference that leads to it, and itself (to tell keys apart)."""

    reference: str
    key: str


@cache
def _file() -> dict[str, Any]:
    return schema.parse(FILE.read_text("utf-8"))


@cache
def _shipped() -> dict[str, dict[str, Any]]:
    return {table["slug"]: table for table in _file()["provider"]}


def shipped() -> list[schema.ProviderEntry]:
    """The presets of this release."""
    return schema.read(_file()).providers


def shipped_before() -> list[list[schema.ProviderEntry]]:
    """Those of each release before it."""
    files = sorted(BEFORE.glob("*.toml"))
    return [schema.read(schema.parse(path.read_text("utf-8"))).providers for path in files]


def is_preset(slug: str) -> bool:
    """Whether a provider ships with the product, and so would come back at the next start."""
    return slug in _shipped()


def key_hint(slug: str) -> str:
    """The environment variable that gives a preset its key; empty for other providers."""
    return ENVIRONMENT[slug].hint if slug in ENVIRONMENT else ""


def _home(provider: Provider) -> str:
    """Where a preset's keys may go: where a providers file put it, else where it ships; never where the admin did."""
    shipped = _shipped()[provider.slug]
    return provider.vouched_origin or hosts.origin(shipped["kind"], shipped.get("base_url", ""))


def would_return(row: Credential) -> bool:
    """Whether a deleted credential would come back at the next start, since its variable is still set."""
    variables = ENVIRONMENT.get(row.provider.slug)
    return variables is not None and any(row.secret == found.reference for found in _found(variables))


def install() -> Summary:
    """Creates missing presets, and credentials for the keys in the environment. Safe at every start."""
    with write_transaction():
        present = set(Provider.objects.values_list("slug", flat=True))
        missing = [table for slug, table in _shipped().items() if slug not in present]
        first = not (present or Alias.objects.exists())
        summary = apply({"provider": missing, "alias": _file()["alias"] if first else []})
        for provider in Provider.objects.filter(slug__in=ENVIRONMENT):
            variables = ENVIRONMENT[provider.slug]
            _Keys(provider, variables, summary).install(_found(variables))
            _project(provider, _variable(variables.project), summary)
            _address(provider, _variable(variables.account), summary)
    return summary


def settle(provider: Provider, *, project: str = "", account: str = "") -> None:
    """What a preset may lack beside its key: a Google Cloud project, the account in Cloudflare's address."""
    _project(provider, project, Summary())
    _address(provider, account, Summary())


def _variable(name: str) -> str:
    return os.environ.get(name, "").strip() if name else ""


def _project(provider: Provider, project: str, summary: Summary) -> None:
    """An empty project is filled in; one that is there is staff's."""
    if not project or provider.kind != Provider.Kind.VERTEX or provider.project == project:
        return
    if provider.project:
        summary.notes.append(f'"{provider.slug}" keeps its project; the environment names another')
        return
    provider.project = project[:80]
    provider.save(update_fields=["project", "updated_at"])
    summary.changed.append(f'provider "{provider.slug}": project')


def _address(provider: Provider, account: str, summary: Summary) -> None:
    """Fills in the account that an address wants."""
    if not account or ACCOUNT not in provider.base_url:
        return
    provider.base_url = provider.base_url.replace(ACCOUNT, f"/{quote(account, safe='')}/")
    provider.save(update_fields=["base_url", "updated_at"])
    summary.changed.append(f'provider "{provider.slug}": base_url')


# -- keys of the environment -----------------------------------------------------------------------


def _found(variables: Variables) -> list[Found]:
    """The keys that are set, in order; the same key twice counts once."""
    unique: dict[str, Found] = {}
    for found in _all_found(variables):
        unique.setdefault(found.key, found)
    return list(unique.values())


def _all_found(variables: Variables) -> Iterator[Found]:
    if variables.file:
        if path := _variable(variables.file):
            yield _in_file(path)
        return
    numbered = sorted(
        (int(match[1]), match[0].removesuffix("_FILE"))
        for name in os.environ
        if (match := re.fullmatch(re.escape(variables.key) + r"_([0-9]{1,4})(?:_FILE)?", name))
    )
    for name in (f"{variables.key}S", variables.key, *(name for _, name in numbered)):
        if path := _variable(f"{name}_FILE"):  # of a container's secrets; one key
            yield _in_file(path)
        parts = [part.strip() for part in _variable(name).split(",") if part.strip()]
        listed = len(parts) > 1 or name.endswith("S")
        for index, part in enumerate(parts, 1):
            yield Found(f"env:{name}[{index}]" if listed else f"env:{name}", part)


def _in_file(path: str) -> Found:
    reference = f"file:{Path(path).expanduser().absolute()}"
    return Found(reference, _read(reference) or reference)


class _Keys:
    """The credentials of one preset, brought up to the environment."""

    def __init__(self, provider: Provider, variables: Variables, summary: Summary) -> None:
        self.provider = provider
        self.variables = variables
        self.summary = summary
        self.rows = list(provider.credentials.order_by("position", "id"))

    def install(self, found: list[Found]) -> None:
        references = {one.reference for one in found}
        self._drop_doubles({one.key for one in found}, references)
        held = {_key_of(row) for row in self.rows} | {row.secret for row in self.rows}
        new = [one for one in found if one.key not in held and one.reference not in held]
        stale = [
            row
            for row in self.rows
            if self._is_ours(row) and not _key_of(row) and row.secret not in references
        ]
        for one in new:
            if stale:  # its variable is gone: the row takes the next key, and no empty row is left behind
                self._refer(stale.pop(0), one)
            else:
                self._create(one, alone=not self.rows and len(new) == 1)
        if len(self.rows) > 1:
            self._number_the_first()

    def _is_ours(self, row: Credential) -> bool:
        """Whether a row was made here, as far as can be told: our label, our kind of reference."""
        if not re.fullmatch(re.escape(self.provider.slug) + r"[0-9]*", row.label):
            return False
        if self.variables.file:
            return row.secret.startswith("file:")
        return re.match(rf"env:{re.escape(self.variables.key)}(S|_[0-9]+)?(\[|$)", row.secret) is not None

    def _drop_doubles(self, keys: set[str], references: set[str]) -> None:
        """Deletes rows of ours whose key the environment by now names elsewhere, too."""
        held_well = {_key_of(row) for row in self.rows if row.secret in references}
        for row in list(self.rows):
            double = row.secret not in references and _key_of(row) in keys & held_well
            if double and self._is_ours(row) and row.enabled and not row.account:
                row.delete()
                self.rows.remove(row)

    def _refer(self, row: Credential, found: Found) -> None:
        row.secret, row.entered_for = found.reference, _home(self.provider)
        row.save(update_fields=["secret", "entered_for", "updated_at"])
        self.summary.changed.append(f'key "{row.label}" of "{self.provider.slug}": secret')

    def _create(self, found: Found, *, alone: bool) -> None:
        slug = self.provider.slug
        taken = set(Credential.objects.filter(label__startswith=slug).values_list("label", flat=True))
        label = slug if alone and slug not in taken else self._next_label(taken)
        position = max((row.position for row in self.rows), default=-1) + 1
        row = Credential(
            provider=self.provider, label=label, secret=found.reference, position=position,
            entered_for=_home(self.provider),
        )  # fmt: skip
        row.save()
        self.rows.append(row)
        self.summary.created.append(f'key "{label}" of "{slug}"')

    def _next_label(self, taken: set[str]) -> str:
        # "groq" is about to become "groq1", so that number is taken.
        first = 2 if any(row.label == self.provider.slug and self._is_ours(row) for row in self.rows) else 1
        return next(label for n in range(first, 10_000) if (label := f"{self.provider.slug}{n}") not in taken)

    def _number_the_first(self) -> None:
        """What was the only key, "groq", is "groq1" among several, with all that is known of it."""
        slug = self.provider.slug
        row = next((row for row in self.rows if row.label == slug and self._is_ours(row)), None)
        if row is None or Credential.objects.filter(label=f"{slug}1").exists():
            return
        credentials.rename(row, f"{slug}1")
        self.summary.changed.append(f'key "{row.label}" of "{slug}": label')


def _key_of(row: Credential) -> str:
    return _read(row.secret)


def _read(secret: str) -> str:
    """The key that a secret leads to, wherever it may be sent; empty when it cannot be read."""
    try:
        return secrets.reveal(secret)
    except secrets.SecretError:
        return ""
