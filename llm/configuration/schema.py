"""What a providers file may say: its fields, and its reading into plain entries with every mistake named.

Nothing here knows the database; `loading` does.
"""

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llm import secrets
from llm.configuration import fields
from llm.configuration.errors import ConfigError, FieldError
from llm.models import Limit, Model, Provider
from llm.models.columns import Method

PRICE = fields.or_nothing(fields.decimal(digits=12, places=6))
USD = fields.or_nothing(fields.decimal(digits=14, places=6))
LIMIT = fields.or_nothing(fields.whole(1))
UNITS = fields.or_nothing(fields.decimal(digits=14, places=4))
SECONDS = fields.number(least=0.1, most=fields.MOST_SECONDS)


@dataclass(frozen=True)
class Field:
    """One field of a table: its name in the file, in the database, and who reads its value."""

    name: str
    read: fields.Reader
    column: str = ""

    @property
    def attribute(self) -> str:
        return self.column or self.name


def _table(*entries: Field) -> dict[str, Field]:
    return {entry.name: entry for entry in entries}


EVIDENCE = (
    Field("source", fields.text_or_empty(300)),
    Field("seen", fields.or_nothing(fields.day)),
    Field("method", fields.one_of_or_empty(Method.values)),
)
PROVIDER = _table(
    Field("slug", fields.name(40)),
    Field("kind", fields.one_of(Provider.Kind.values)),
    Field("name", fields.text(80)),
    Field("base_url", fields.base_url),
    Field("tier", fields.decimal(digits=4, places=1)),
    Field("enabled", fields.boolean),
    Field("free", fields.boolean),
    Field("keyless", fields.boolean),
    Field("first_byte_s", SECONDS),
    Field("timeout_s", SECONDS),
    Field("daily_budget_usd", USD),
    Field("credit_usd", USD),
    Field("credit_until", fields.or_nothing(fields.day)),
    Field("demote_after_h", fields.number(least=0, most=fields.MOST_HOURS)),
    Field("day_resets", fields.one_of(Provider.DayReset.values), "day_reset"),
    Field("project", fields.text_or_empty(80)),
    Field("locations", fields.locations),
    Field("trains_on_prompts", fields.or_nothing(fields.boolean)),
    Field("commercial_use", fields.or_nothing(fields.boolean)),
    Field("personal_data", fields.or_nothing(fields.boolean)),
    Field("barred_regions", fields.regions),
    Field("dialect", fields.dialect),
    *EVIDENCE,
)
MODEL = _table(
    Field("id", fields.model_id, "name"),
    Field("enabled", fields.boolean),
    Field("kind", fields.one_of(Model.Kind.values)),
    Field("dimensions", LIMIT),
    Field("family", fields.text_or_empty(120)),
    Field("context", LIMIT),
    Field("max_output", LIMIT),
    Field("params", fields.params),
    Field("reasoning_reserve", fields.whole(0)),
    *(Field(ability, fields.boolean) for ability in ("tools", "json_schema", "images", "prefill")),
    Field("price_in", PRICE),
    Field("price_out", PRICE),
    *(Field(limit, LIMIT) for limit in ("rpm", "rpd", "tpm", "tpd")),
    Field("units_in", UNITS),
    Field("units_out", UNITS),
    Field("shutdown_on", fields.or_nothing(fields.day)),
    Field("replacement", fields.text_or_empty(120)),
    *EVIDENCE,
)
KEY = _table(
    Field("label", fields.name(60)),
    Field("enabled", fields.boolean),
    Field("secret", fields.secret),
    Field("account", fields.text_or_empty(120)),
)
LIMITS = _table(
    Field("scope", fields.one_of(Limit.Scope.values)),
    Field("models", fields.patterns, "patterns"),
    Field("per", fields.one_of(Limit.Per.values)),
    *(Field(unit, fields.whole(1)) for unit in Limit.Unit.values),
    Field("units_in", UNITS),
    Field("units_out", UNITS),
    Field("enabled", fields.boolean),
    *EVIDENCE,
)
ALIAS = _table(Field("name", fields.alias), Field("to", fields.model_id_of(161)))
VERTEX_ONLY = ("project", "locations")


def contradictions(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) where a provider's kind, keyless, base_url, project and locations do not agree."""
    if values["kind"] == Provider.Kind.VERTEX:
        if not values["locations"]:
            yield "locations", 'is missing, such as ["global", "eu", "us"]'
        if values["keyless"]:
            yield "keyless", "must be false, since vertex needs a service account"
        return
    for name in VERTEX_ONLY:
        if values[name]:
            yield name, "is for vertex only"
    if "{location}" in values["base_url"]:
        yield "base_url", "may hold {location} for vertex only"


OF_A_KIND = ("kind", "dimensions", "family", "context", "max_output")


def model_contradictions(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) where a model's kind, sizes and family do not agree."""
    if values["kind"] == Model.Kind.EMBEDDING:
        if not values["dimensions"]:
            yield "dimensions", "is missing: an embedding model says how many numbers its vectors have"
        if not values["family"]:
            yield "family", "is missing: vectors are comparable within one family only"
    else:
        for name in ("dimensions", "family"):
            if values[name]:
                yield name, 'is for kind = "embedding" only'
    if values["context"] and values["max_output"] and values["max_output"] > values["context"]:
        yield "max_output", f"must not be above context ({values['context']})"


def limit_contradictions(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) where a limit's window and unit do not agree."""
    if values["unit"] == Limit.Unit.CONCURRENT:
        if values["per"]:
            yield "per", "is not for concurrent: so many may run at a time"
    elif not values["per"]:
        yield "per", f"is missing: one of {', '.join(Limit.Per.values)}"
    if values["unit"] != Limit.Unit.UNITS:
        for name in ("units_in", "units_out"):
            if values.get(name) is not None:
                yield name, "is for units only"


def limit_identity(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells two limits of a provider apart: all but how much it is, and how that is known."""
    return values["scope"], tuple(sorted(values["patterns"])), values["per"], values["unit"]


@dataclass
class Entry:
    """One table of the file: where it stands, and its good values by their names in the database."""

    place: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class File:
    """What a providers file says."""

    providers: list["ProviderEntry"]
    aliases: list[Entry]


@dataclass
class ProviderEntry(Entry):
    models: list[Entry] = field(default_factory=list)
    keys: list[Entry] = field(default_factory=list)
    limits: list[Entry] = field(default_factory=list)


def parse(text: str) -> dict[str, Any]:
    """The TOML of a providers file. Raises ConfigError with the line of a syntax error."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"this is not TOML: {error}"]) from None
    except RecursionError:
        raise ConfigError(["this is not TOML: nested too deeply"]) from None


def read(data: Mapping[str, Any]) -> File:
    """The entries of a parsed file. Raises ConfigError with all mistakes that show without the database."""
    reading = _Reading()
    found = reading.file(data)
    if reading.errors:
        raise ConfigError(mask(reading.errors, data))
    return found


def mask(errors: list[str], data: Mapping[str, Any]) -> list[str]:
    """The errors with every key of the file blotted out, wherever a mistake may have put it."""
    keys = sorted(set(_keys(data)), key=len, reverse=True)
    for key in keys:
        errors = [error.replace(key, "***") for error in errors]
    return errors


def _keys(value: Any, *, within_secret: bool = False) -> list[str]:
    if isinstance(value, Mapping):
        return [key for name, item in value.items() for key in _keys(item, within_secret=name == "secret")]
    if isinstance(value, list):
        return [key for item in value for key in _keys(item, within_secret=within_secret)]
    is_key = within_secret and isinstance(value, str) and not secrets.is_reference(value)
    return [value] if is_key and len(value) >= 6 else []


class _Reading:
    """Collects every mistake of one file."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def file(self, data: Mapping[str, Any]) -> File:
        self._unknown("", data, ["provider", "alias"])
        tables = self._tables(data, "provider", "", header="[[provider]]")
        entries = [self._provider(table, number) for number, table in enumerate(tables, 1)]
        self._twice("slug", entries)
        self._twice("label", [key for entry in entries for key in entry.keys])
        return File(entries, self._aliases(data))

    def _aliases(self, data: Mapping[str, Any]) -> list[Entry]:
        entries = []
        for number, table in enumerate(self._tables(data, "alias", "", header="[[alias]]"), 1):
            entry = Entry(f"alias {number}")
            self._fill(entry, table, ALIAS, required="name")
            if "to" not in table:
                self.errors.append(f"{entry.place}: to is missing")
            entries.append(entry)
        self._twice("name", entries)
        return entries

    def _provider(self, table: Mapping[str, Any], number: int) -> ProviderEntry:
        slug = table.get("slug")
        known = isinstance(slug, str) and len(slug) <= 40 and fields.NAME.fullmatch(slug)
        entry = ProviderEntry(f'provider {number} ("{slug}")' if known else f"provider {number}")
        self._fill(entry, table, PROVIDER, required="slug", tables=("model", "key", "limit"))
        for kind, schema, required in (("model", MODEL, "id"), ("key", KEY, "label")):
            inner = self._tables(table, kind, f"{entry.place}: ", header=f"[[provider.{kind}]]")
            for position, row in enumerate(inner, 1):
                child = Entry(f"{entry.place}, {kind} {position}")
                self._fill(child, row, schema, required=required)
                (entry.models if kind == "model" else entry.keys).append(child)
        self._twice("id", entry.models, column="name")
        self._limits(entry, table)
        return entry

    def _limits(self, entry: ProviderEntry, table: Mapping[str, Any]) -> None:
        seen: dict[tuple[Any, ...], str] = {}
        inner = self._tables(table, "limit", f"{entry.place}: ", header="[[provider.limit]]")
        for position, row in enumerate(inner, 1):
            child = Entry(f"{entry.place}, limit {position}")
            before = len(self.errors)
            self._fill(child, row, LIMITS, required="scope")
            if len(self.errors) == before:
                units = [unit for unit in Limit.Unit.values if unit in child.values]
                if len(units) != 1:
                    self.errors.append(f"{child.place}: must have one of {', '.join(Limit.Unit.values)}")
                    continue
                child.values |= {"unit": units[0], "amount": child.values.pop(units[0])}
                child.values.setdefault("patterns", [])
                child.values.setdefault("per", "")
                for name, reason in limit_contradictions(child.values):
                    self.errors.append(f"{child.place}: {name} {reason}")
                same = limit_identity(child.values)
                if same in seen:
                    self.errors.append(f"{child.place}: says the same as {seen[same]}")
                seen[same] = f"limit {position}"
            entry.limits.append(child)

    def _fill(
        self,
        entry: Entry,
        table: Mapping[str, Any],
        schema: Mapping[str, Field],
        *,
        required: str,
        tables: tuple[str, ...] = (),
    ) -> None:
        self._unknown(entry.place, table, [*schema, *tables])
        if required not in table:
            self.errors.append(f"{entry.place}: {required} is missing")
        for name, value in table.items():
            if name not in schema:
                continue
            try:
                entry.values[schema[name].attribute] = schema[name].read(value)
            except FieldError as error:
                self.errors.append(f"{entry.place}: {name} {error}")

    def _tables(
        self, table: Mapping[str, Any], name: str, place: str, *, header: str
    ) -> list[Mapping[str, Any]]:
        found = table.get(name, [])
        if isinstance(found, list) and all(isinstance(item, Mapping) for item in found):
            return found
        self.errors.append(f"{place}{name} must be written as {header}")
        return []

    def _unknown(self, place: str, table: Mapping[str, Any], known: list[str]) -> None:
        for name in table:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
                hint = f'; did you mean "{near[0]}"?' if near else f" (known: {', '.join(known)})"
                prefix = f"{place}: " if place else ""
                self.errors.append(f'{prefix}unknown field "{fields.shown(name)[1:-1]}"{hint}')

    def _twice(self, name: str, entries: Sequence[Entry], *, column: str = "") -> None:
        seen: set[Any] = set()
        for entry in entries:
            value = entry.values.get(column or name)
            if value is not None and value in seen:
                self.errors.append(f'{entry.place}: {name} "{value}" is used twice')
            seen.add(value)
