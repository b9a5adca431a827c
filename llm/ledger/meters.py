"""The rows that counters are kept in: read once a transaction, and written once at its end.

A row is named by three names: of a provider's counters these are (provider, account, model).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import connection

from llm.models import Meter
from llm.storage import sql
from llm.storage.transactions import shared

_TABLE = Meter._meta.db_table
_SELECT = f"SELECT account, model, version, state FROM {_TABLE} WHERE provider = %s"  # noqa: S608  # our own name
_WRITE = (
    f"INSERT INTO {_TABLE} (provider, account, model, version, state) VALUES (%s, %s, %s, %s, %s)"  # noqa: S608
    " ON CONFLICT (provider, account, model) DO UPDATE SET version = excluded.version, state = excluded.state"
)

Names = tuple[str, str]  # account, model
Found = dict[Names, Any]
Load = Callable[[str, Found], Any]
_known: dict[tuple[str, str, str], tuple[int, Any]] = {}  # rows as this process last read or wrote them


class State(Protocol):
    """What a row holds."""

    def dump(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Late:
    """A row that is not written yet. The version is of this state and of no other: a rollback leaves none behind."""

    provider: str
    names: Names
    version: int
    state: State

    def __call__(self) -> None:
        sql.run(_WRITE, [self.provider, *self.names, self.version, self.state.dump()])


@dataclass(frozen=True, slots=True)
class _Look:
    """What was asked for; None is any."""

    provider: str
    account: str | None
    model: str | None

    def covers(self, provider: str, names: Names) -> bool:
        return (
            self.provider == provider
            and (self.account is None or names[0] in ("", self.account))
            and (self.model is None or names[1] in ("", self.model))
        )


def select(provider: str, account: str | None, model: str | None, load: Load) -> Found:
    """A provider's rows: at least those of the account and the model that are named, and those without. Read only.

    load: makes a state of its text and of what was found before it, in the order of names
    """
    unit, look = shared(), _Look(provider, account, model)
    if unit is None:
        return _select(look, load)
    for wider in (look, _Look(provider, account, None), _Look(provider, None, None)):
        if wider in unit.read:
            return unit.read[wider]  # type: ignore[no-any-return]
    found = unit.read[look] = _select(look, load)
    for late in unit.late.values():
        if isinstance(late, _Late) and look.covers(late.provider, late.names):
            found[late.names] = late.state
    return found


def write(provider: str, names: Names, state: State) -> None:
    """Keeps a row: at the end of a chain transaction, else at once."""
    late = _Late(provider, names, random.getrandbits(62), state)
    _known[provider, *names] = late.version, state
    unit = shared()
    if unit is None:
        late()
        return
    unit.late[Meter, provider, names] = late
    for look, found in unit.read.items():
        if isinstance(look, _Look) and look.covers(provider, names):
            found[names] = state


def forget(provider: str | None = None) -> None:
    """Drops the rows of a provider, or all of them."""
    rows = Meter.objects.all() if provider is None else Meter.objects.filter(provider=provider)
    rows.delete()  # what is late is written before: see `Shared`


def _select(look: _Look, load: Load) -> Found:
    statement, values = _SELECT, [look.provider]
    for column, value in (("account", look.account), ("model", look.model)):
        if value is not None:
            statement, values = f"{statement} AND {column} IN ('', %s)", [*values, value]
    statement += " ORDER BY account, model"
    if shared() is not None and connection.vendor != "sqlite":
        statement += " FOR UPDATE"
    found: Found = {}
    for account, model, version, state in sql.run(statement, values).fetchall():
        key = look.provider, account, model
        kept = _known.get(key)
        if kept is None or kept[0] != version:
            kept = _known[key] = version, load(state, found)
        found[account, model] = kept[1]
    return found
