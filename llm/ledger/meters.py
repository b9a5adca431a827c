"""The rows that counters are kept in: read once until somebody else writes, and written once at a transaction's end.

A row is named by three names: of a provider's counters these are (provider, account, model).
"""

import random
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, Protocol

from llm.models import Meter
from llm.storage import sql
from llm.storage.transactions import Shared, current_database, shared

_TABLE = Meter._meta.db_table
_SELECT = f"SELECT account, model, version, state FROM {_TABLE} WHERE provider = %s"  # noqa: S608  # our own name

Names = tuple[str, str]  # account, model
Found = dict[Names, Any]
Load = Callable[[str, Found], Any]
# What was found of a provider, by the account and the model that were asked for; None is any.
Looks = dict[str | None, dict[str | None, Found]]


class State(Protocol):
    """What a row holds."""

    def dump(self) -> str: ...


class _Kept(NamedTuple):
    """A row's version and state. The version is of this state and of no other: a rollback leaves none behind."""

    version: int
    state: State


class _Lates(dict[tuple[str, str, str], State]):
    """The rows that one transaction has left to its end, by their names. Not changed once it is made."""

    __slots__ = ()

    def __call__(self) -> None:
        rows = []
        for names, state in self.items():
            _known[names] = kept = _Kept(random.getrandbits(62), state)
            rows.append([*names, kept.version, state.dump()])
        sql.run_together(_write(1), _write, rows)


_known: dict[tuple[str, str, str], _Kept] = {}  # rows as this process last read or wrote them
_NONE = _Lates()


def select(provider: str, account: str | None, model: str | None, load: Load) -> Found:
    """A provider's rows: at least those of the account and the model that are named, and those without. Read only.

    load: makes a state of its text and of what was found before it, in the order of names
    """
    unit = shared()
    if unit is None:
        return _select(provider, account, model, load)
    looks = _looks(unit, provider)
    for each, every in ((account, model), (account, None), (None, None)):
        if each in looks and every in looks[each]:
            return looks[each][every]
    found = looks.setdefault(account, {})[model] = _select(provider, account, model, load)
    for (of, *names), state in _left(unit).items():
        if of == provider and _is_of(names[0], account) and _is_of(names[1], model):
            found[names[0], names[1]] = state
    return found


def write(provider: str, names: Names, state: State) -> None:
    """Keeps a row: at the end of a chain transaction, else at once."""
    account, model = names
    key = provider, account, model
    unit = shared()
    if unit is None:
        _Lates({key: state})()
        return
    unit.late[_Lates] = _Lates({**_left(unit), key: state})
    looks = _looks(unit, provider)
    for each in (None, account) if account else looks:
        if each in looks:
            for every, found in looks[each].items():
                if _is_of(model, every):
                    found[names] = state


def _is_of(name: str, asked: str | None) -> bool:
    return asked is None or name in ("", asked)


def _looks(unit: Shared, provider: str) -> Looks:
    return unit.lasting.setdefault((Meter, provider), {})  # type: ignore[no-any-return]


def _left(unit: Shared) -> _Lates:
    return unit.late.get(_Lates, _NONE)  # type: ignore[return-value]


def forget(provider: str | None = None) -> None:
    """Drops the rows of a provider, or all of them."""
    rows = Meter.objects.all() if provider is None else Meter.objects.filter(provider=provider)
    rows.delete()  # what is late is written before: see `Shared`


def _select(provider: str, account: str | None, model: str | None, load: Load) -> Found:
    statement, values = _SELECT, [provider]
    for column, value in (("account", account), ("model", model)):
        if value is not None:
            statement, values = f"{statement} AND {column} IN ('', %s)", [*values, value]
    statement += " ORDER BY account, model"
    if shared() is not None and current_database().vendor != "sqlite":
        statement += " FOR UPDATE"
    found: Found = {}
    for *names, version, state in sql.run(statement, values).fetchall():
        key = provider, names[0], names[1]
        kept = _known.get(key)
        if kept is None or kept.version != version:
            kept = _known[key] = _Kept(version, load(state, found))
        found[names[0], names[1]] = kept.state
    return found


@cache
def _write(count: int) -> str:
    """Writes so many rows."""
    rows = ", ".join(["(%s, %s, %s, %s, %s)"] * count)
    return (
        f"INSERT INTO {_TABLE} (provider, account, model, version, state) VALUES {rows}"  # noqa: S608  # our own name
        " ON CONFLICT (provider, account, model) DO UPDATE SET version = excluded.version, state = excluded.state"
    )
