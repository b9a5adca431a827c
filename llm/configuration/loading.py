"""Writes what a providers file says into the configuration, all of it or nothing."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.utils import timezone

from llm import hosts, secrets
from llm.configuration import schema
from llm.configuration.errors import ConfigError
from llm.configuration.schema import Entry, File, ProviderEntry
from llm.models import Alias, Credential, Limit, Model, Pause, Provider
from llm.storage.transactions import write_transaction

Row = TypeVar("Row", Provider, Model, Credential, Limit, Alias)
LAST = 1_000_000  # where a new row waits until its place among the others is known


@dataclass
class Summary:
    """What a load did, by names: created, changed (with the fields), and how many stayed as they were."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"created {name}" for name in self.created] + [f"changed {name}" for name in self.changed]
        lines += [f"note: {note}" for note in self.notes]
        total = f"{len(self.created)} created, {len(self.changed)} changed, {self.unchanged} unchanged"
        return "\n".join([*lines, total])


def apply(data: Mapping[str, Any]) -> Summary:
    """Loads a parsed providers file. Only the fields it names change; state and ledger never do.

    Raises ConfigError with every mistake, and then nothing has changed.
    """
    file = schema.read(data)
    with write_transaction():
        loading = _Loading(file)
        if errors := loading.errors():
            raise ConfigError(schema.mask(errors, data))
        return loading.write()


class _Loading:
    """One load, within its transaction."""

    def __init__(self, file: File) -> None:
        self.entries = entries = file.providers
        self.alias_entries = file.aliases
        self.summary = Summary()
        self.rows = {row.slug: row for row in Provider.objects.all()}
        labels = [key.values["label"] for entry in entries for key in entry.keys]
        keys = Credential.objects.filter(label__in=labels).select_related("provider")
        self.owner = {key.label: key.provider.slug for key in keys}
        self.aliases = {row.name: row for row in Alias.objects.all()} if file.aliases else {}

    # -- what only the database can tell -------------------------------------------------------------

    def errors(self) -> list[str]:
        found: list[str] = []
        for entry in self.entries:
            found += self._provider_errors(entry)
            for key in entry.keys:
                owner = self.owner.get(key.values["label"], entry.values["slug"])
                if owner != entry.values["slug"]:
                    found.append(f'{key.place}: label "{key.values["label"]}" belongs to provider "{owner}"')
                found += self._sealing_errors(key)
            for model in entry.models:
                found += self._model_errors(entry, model)
        return [*found, *self._alias_errors()]

    def _model_errors(self, entry: ProviderEntry, model: Entry) -> Iterable[str]:
        row = self.rows.get(entry.values["slug"])
        known = Model.objects.filter(provider=row, name=model.values["name"]).first() if row else None
        values = {name: getattr(known or Model(), name) for name in schema.OF_A_KIND} | model.values
        for name, reason in schema.model_contradictions(values):
            yield f"{model.place}: {name} {reason}"

    def _alias_errors(self) -> Iterable[str]:
        names = self.aliases.keys() | {entry.values["name"] for entry in self.alias_entries}
        for entry in self.alias_entries:
            if entry.values["to"] in names:
                yield f'{entry.place}: to "{entry.values["to"]}" is an alias itself'

    def _provider_errors(self, entry: ProviderEntry) -> Iterable[str]:
        row = self.rows.get(entry.values["slug"]) or Provider()
        names = ("kind", "keyless", "base_url", "project", "locations")
        merged = {name: entry.values.get(name, getattr(row, name)) for name in names}
        if not merged["kind"]:
            yield f"{entry.place}: kind is missing"
            return
        if (
            merged["kind"] != Provider.Kind.VERTEX
        ):  # what the row had as Vertex is dropped, so only the file counts
            merged |= {name: entry.values.get(name, "") for name in schema.VERTEX_ONLY}
        elif "project" not in entry.values and not row.pk:
            yield f'{entry.place}: project is missing ("" takes the one of the service account)'
        for name, reason in schema.contradictions(merged):
            yield f"{entry.place}: {name} {reason}"

    def _sealing_errors(self, key: Entry) -> Iterable[str]:
        try:
            secrets.seal(key.values.get("secret", ""))
        except secrets.SecretError as error:
            yield f"{key.place}: secret cannot be stored: {error}"

    # -- writing -------------------------------------------------------------------------------------

    def write(self) -> Summary:
        for entry in self.entries:
            slug = entry.values["slug"]
            row = self.rows.get(slug) or Provider(name=slug)
            if row.locations and entry.values.get("kind", row.kind) != Provider.Kind.VERTEX:
                entry.values |= {"project": "", "locations": []}  # it was Vertex before
            is_new = row.pk is None
            self.rows[slug] = self._save(row, entry.values, f'provider "{slug}"')
            if is_new or "base_url" in entry.values:
                self._vouch(self.rows[slug])
        _order(
            Provider.objects.order_by("position", "id"),
            [self.rows[e.values["slug"]].pk for e in self.entries],
        )
        for entry in self.entries:
            self._children(entry)
        for alias in self.alias_entries:
            row_of = self.aliases.get(alias.values["name"]) or Alias()
            self._save(row_of, alias.values, f'alias "{alias.values["name"]}"')
        return self.summary

    def _children(self, entry: ProviderEntry) -> None:
        provider = self.rows[entry.values["slug"]]
        models = {row.name: row for row in provider.models.all()}
        keys = {row.label: row for row in provider.credentials.all()}
        saved_models = [
            self._save(
                models.get(model.values["name"]) or Model(provider=provider),
                model.values,
                f'model "{model.values["name"]}" of "{provider.slug}"',
            )
            for model in entry.models
        ]
        saved_keys = []
        for key in entry.keys:
            row = keys.get(key.values["label"]) or Credential(provider=provider)
            named = "secret" in key.values and (
                "base_url" in entry.values or _differs(row, "secret", key.values["secret"])
            )
            values = key.values | ({"entered_for": self._home(provider)} if named else {})
            saved_keys.append(self._save(row, values, f'key "{key.values["label"]}" of "{provider.slug}"'))
        self._limits(provider, entry.limits)
        self._note_keys_elsewhere(provider)
        _order(provider.models.order_by("position", "id"), [row.pk for row in saved_models])
        _order(provider.credentials.order_by("position", "id"), [row.pk for row in saved_keys])

    def _limits(self, provider: Provider, entries: list[Entry]) -> None:
        """A limit is the same one when all but its amount and its evidence are."""
        known = {schema.limit_identity(row.__dict__): row for row in provider.limits.all()}
        names = list(provider.models.values_list("name", flat=True)) if entries else []
        saved = []
        for entry in entries:
            row = known.get(schema.limit_identity(entry.values)) or Limit(provider=provider)
            shown = Limit(
                **{name: entry.values[name] for name in ("scope", "patterns", "per", "unit", "amount")}
            )
            called = f'limit "{shown}" of "{provider.slug}"'
            saved.append(self._save(row, entry.values, called))
            for pattern in entry.values["patterns"]:
                if not any(fnmatchcase(name, pattern) for name in names):
                    self.summary.notes.append(f"{called}: no model matches {pattern}")
        _order(provider.limits.order_by("position", "id"), [row.pk for row in saved])

    # -- hosts: a file is written by whoever runs the machine, so what it says of them holds --------------

    def _vouch(self, row: Provider) -> None:
        """The file says where a provider is: it may be a private host, and keys by reference go along."""
        Provider.objects.filter(pk=row.pk).update(vouched_origin=row.origin)
        row.vouched_origin = row.origin
        moved = row.credentials.exclude(entered_for=row.origin)
        references = [key.pk for key in moved if secrets.is_reference(key.secret)]
        moved.filter(pk__in=references).update(entered_for=row.origin, updated_at=timezone.now())

    @staticmethod
    def _home(row: Provider) -> str:
        """Where a file's keys may go: where a file put the provider, or the kind's own address.

        Never where the admin put it: whoever loads the file may not know of that.
        """
        return row.vouched_origin or hosts.origin(row.kind, "")

    def _note_keys_elsewhere(self, provider: Provider) -> None:
        for key in provider.credentials.select_related("provider"):
            if key.is_elsewhere:
                self.summary.notes.append(
                    f'key "{key.label}" of "{provider.slug}" was entered for {key.entered_for} and is not sent to '
                    f"{provider.origin}: enter it again"
                )

    def _save(self, row: Row, values: Mapping[str, Any], called: str) -> Row:
        changed: list[str] = [name for name, value in values.items() if _differs(row, name, value)]
        if row.pk and "secret" in changed:
            self._warn_of_pause(row, called)
        for name in changed:
            setattr(row, name, secrets.seal(values[name]) if name == "secret" else values[name])
        if row.pk is None:
            if not isinstance(row, Alias):
                row.position = LAST
            row.save()
            self.summary.created.append(called)
            if isinstance(row, Credential) and not row.secret:
                self.summary.notes.append(f"{called} has no secret yet")
        elif changed:
            row.save(update_fields=[*changed, "updated_at"])
            self.summary.changed.append(f"{called}: {', '.join(changed)}")
        else:
            self.summary.unchanged += 1
        return row

    def _warn_of_pause(self, row: Row, called: str) -> None:
        """State is not ours to change, but staff who replace a refused key should not wonder."""
        if (
            isinstance(row, Credential)
            and Pause.objects.filter(credential=row.label, closed_at=None).exists()
        ):
            self.summary.notes.append(
                f"{called} is still paused for what its old key did; the admin can close that"
            )


def _differs(row: Row, name: str, value: Any) -> bool:
    """Whether a field has to change. Encryption never gives the same twice, so keys are compared opened."""
    if name == "secret" and isinstance(row, Credential):
        if secrets.is_reference(value) or secrets.is_reference(row.secret):
            return bool(row.secret != value)
        try:
            return bool(secrets.reveal(row.secret) != value)
        except secrets.SecretError:
            return True
    if name == "params":  # 1, 1.0 and true are equal in Python, but not on the wire
        return json.dumps(getattr(row, name), sort_keys=True) != json.dumps(value, sort_keys=True)
    return bool(getattr(row, name) != value)


def _order(rows: QuerySet[Any], named: list[int]) -> None:
    """Puts the named rows into the given order on the places that they hold; others keep theirs."""
    places: dict[int, int] = dict(rows.values_list("pk", "position"))
    new = [pk for pk in named if pk in places]
    turn = iter(new)
    members = set(new)
    for position, pk in enumerate([next(turn) if pk in members else pk for pk in places]):
        if places[pk] != position:
            _move(rows, pk, position)


def _move(rows: QuerySet[Any], pk: int, position: int) -> None:
    row = rows.get(pk=pk)
    row.position = position
    row.save(update_fields=["position", "updated_at"])
