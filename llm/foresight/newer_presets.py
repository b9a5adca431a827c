"""The presets of this release against what is configured: what staff left as it was, and we ship otherwise now.

A row or a field counts as left alone when its value is one that some release has shipped. What is found becomes a
change to review, as what a check finds; nothing is applied by itself.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model as Row

from llm.configuration import presets, schema
from llm.configuration.exporting import toml
from llm.configuration.schema import Entry, Field, ProviderEntry
from llm.foresight import catalogue
from llm.models import CatalogueChange, Limit, Model, Provider

EVIDENCE = {field.attribute for field in schema.EVIDENCE}
OURS = " (presets)"  # at the end of a subject: not found by a check
Kind = CatalogueChange.Kind


@dataclass(frozen=True, slots=True)
class _Table:
    """One kind of row: its header in a providers file, its fields, and what tells two of them apart."""

    header: str
    fields: Mapping[str, Field]
    row: type[Row]
    names: tuple[str, ...]
    key: Callable[[Mapping[str, Any]], Any]
    called: Callable[[Mapping[str, Any]], str]


MODELS = _Table(
    "[[provider.model]]", schema.MODEL, Model, ("name",), lambda v: v["name"], lambda v: v["name"]
)
LIMITS = _Table(
    "[[provider.limit]]", schema.LIMITS, Limit, ("scope", "patterns", "per", "unit"), schema.limit_identity,
    lambda v: f"{v['unit']} a {v['per'] or 'time'} of the {v['scope']}, {' '.join(v['patterns']) or 'all models'}",
)  # fmt: skip
PROVIDER = _Table("", schema.PROVIDER, Provider, ("slug",), lambda v: v["slug"], lambda v: "terms")


def compare() -> list[CatalogueChange]:
    """Writes down what this release ships otherwise, and drops what is so no longer. For each start, and each check."""
    now = {entry.values["slug"]: entry for entry in presets.shipped()}
    before = [{entry.values["slug"]: entry for entry in entries} for entries in presets.shipped_before()]
    found = []
    for provider in Provider.objects.filter(slug__in=now).prefetch_related("models", "limits"):
        earlier = [entries[provider.slug] for entries in before if provider.slug in entries]
        found += [change for change in _provider(provider, now[provider.slug], earlier) if change]
    kept = [change.pk for change in found]
    outdated = CatalogueChange.objects.filter(state=CatalogueChange.State.OPEN, subject__endswith=OURS)
    outdated.exclude(pk__in=kept).delete()
    return found


def _provider(
    provider: Provider, now: ProviderEntry, earlier: list[ProviderEntry]
) -> Iterator[CatalogueChange | None]:
    rows = {PROVIDER.key(provider.__dict__): provider}
    yield from _rows(provider.slug, PROVIDER, rows, [now], [[entry] for entry in earlier])
    models = {MODELS.key(row.__dict__): row for row in provider.models.all()}
    yield from _rows(provider.slug, MODELS, models, now.models, [entry.models for entry in earlier])
    limits = {LIMITS.key(row.__dict__): row for row in provider.limits.all()}
    yield from _rows(provider.slug, LIMITS, limits, now.limits, [entry.limits for entry in earlier])


def _rows(
    slug: str,
    table: _Table,
    rows: Mapping[Any, Any],
    now: Iterable[Entry],
    earlier: Sequence[Iterable[Entry]],
) -> Iterator[CatalogueChange | None]:
    shipped = {table.key(entry.values): entry.values for entry in now}
    history: dict[Any, list[Mapping[str, Any]]] = {}
    for entries in earlier:
        for entry in entries:
            history.setdefault(table.key(entry.values), []).append(entry.values)
    for key, values in shipped.items():
        subject = table.called(values) + OURS
        if key not in rows:
            if not earlier or len(history.get(key, ())) < len(
                earlier
            ):  # what every release had, staff have deleted
                lines = _lines(slug, table, values, values)
                yield catalogue.propose(
                    slug, Kind.NEW, subject, lines, detail="in the presets of this release"
                )
            continue
        row = rows[key]
        changed = dict(_changed(table, row, values, history.get(key, [])))
        if changed.keys() - EVIDENCE:
            was = ", ".join(
                f"{name} {_shown(getattr(row, name))}" for name in changed if name not in EVIDENCE
            )
            becomes = ", ".join(_shown(value) for name, value in changed.items() if name not in EVIDENCE)
            lines = _lines(slug, table, values, changed)
            yield catalogue.propose(slug, Kind.CHANGED, subject, lines, was=was[:120], becomes=becomes[:120])
    for key in history.keys() - shipped.keys():
        row = rows.get(key)
        if row is not None and row.enabled:
            lines = _lines(slug, table, row.__dict__, {"enabled": False})
            subject = table.called(row.__dict__) + OURS
            yield catalogue.propose(slug, Kind.GONE, subject, lines, detail="not in the presets any more")


def _changed(
    table: _Table, row: Any, values: Mapping[str, Any], earlier: list[Mapping[str, Any]]
) -> Iterator[tuple[str, Any]]:
    """(column, the value of this release) of what nobody has edited."""
    columns = values.keys() | {name for one in earlier for name in one}
    defaults = {field.name: field.get_default() for field in table.row._meta.concrete_fields}
    for name in sorted(columns - set(table.names)):
        default = defaults[name]
        ours, theirs = values.get(name, default), getattr(row, name)
        if ours != theirs and any(one.get(name, default) == theirs for one in earlier):
            yield name, ours


def _lines(slug: str, table: _Table, values: Mapping[str, Any], changed: Mapping[str, Any]) -> str:
    """Lines of a providers file that set these columns of a row."""
    names = {name: values[name] for name in table.names} | dict(changed)
    if table is LIMITS:
        names[values["unit"]] = changed.get("amount", values["amount"])
    lines = [
        f"{field.name} = {toml('' if names[field.attribute] is None else names[field.attribute])}"
        for field in table.fields.values()
        if field.attribute in names and not (table is LIMITS and names[field.attribute] in ("", []))
    ]
    head = [] if table is PROVIDER else [f"slug = {toml(slug)}", table.header]
    return "\n".join(["[[provider]]", *head, *lines]) + "\n"


def _shown(value: Any) -> str:
    return "none" if value in (None, "") else str(value)


__all__ = ["OURS", "compare"]
