"""Clients by their key, cached in this process, so that authentication needs no query.

Nothing is believed for long: `access.admit`, which each call passes before anything of it is written or sent, compares
the client with its row, and raises Changed when that is another one by now. So a revocation counts at once.
"""

import hashlib
from collections import OrderedDict
from functools import partial
from typing import Any

from django.utils import timezone

from llm.models import Client
from llm.storage import sql
from llm.storage.transactions import lasting

MOST = 1_000  # clients that are kept
COLUMNS = [str(field.column) for field in Client._meta.concrete_fields if field.name != "last_used_at"]
_ROW_SQL = f"SELECT {', '.join(COLUMNS)} FROM {Client._meta.db_table} WHERE key_id = %s"  # noqa: S608  # our own names

_kept: "OrderedDict[bytes, Client]" = OrderedDict()  # by the hash of the key


def find(key: str) -> Client | None:
    """The client of a key that was read before; None when it was not, or has expired."""
    client = _kept.get(_name(key))
    return None if client is None or (client.expires_at and client.expires_at <= timezone.now()) else client


def keep(key: str, client: Client, row: Any) -> Client:
    """Remembers a client that was just read. row: its row from before, so that no change falls between the two."""
    client.read_as = row
    _kept[_name(key)] = client
    while len(_kept) > MOST:
        _kept.popitem(last=False)
    return client


def drop(key: str) -> None:
    _kept.pop(_name(key), None)


def has_changed(client: Client) -> bool:
    """Whether a client that was found here is not what its row says now."""
    if client.read_as is None:
        return False
    return bool(client.read_as != lasting((Client, client.key_id), partial(row, client.key_id)))


def row(key_id: str) -> Any:
    """What the database says of the client with this part of its key; None where there is none."""
    return sql.run(_ROW_SQL, [key_id]).fetchone()


def _name(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
