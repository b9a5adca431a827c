"""Writes the configuration as a providers file that loads again, and never a secret with it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from llm import secrets
from llm.configuration import schema
from llm.configuration.schema import Field
from llm.models import Alias, Credential, Limit, Model, Provider

HEADER = """\
# Providers file: `python manage.py providers load FILE.toml` loads it again.
# Keys that are stored here are not in it; loading keeps those of the database.
"""


def export() -> str:
    """TOML text of all providers, models and keys, in the order they are tried, and of all aliases."""
    rows = Provider.objects.prefetch_related("models", "credentials", "limits").order_by(
        "tier", "position", "id"
    )
    lines = [line for row in rows for line in _provider(row)]
    for alias in Alias.objects.all():
        lines += ["[[alias]]", *_fields(alias, schema.ALIAS, set())]
    return "\n".join([HEADER, *lines])


def _provider(row: Provider) -> Iterator[str]:
    hidden = _empty(row) | (set() if row.kind == Provider.Kind.VERTEX else set(schema.VERTEX_ONLY))
    yield "[[provider]]"
    yield from _fields(row, schema.PROVIDER, hidden)
    for model in sorted(row.models.all(), key=_place):
        yield "[[provider.model]]"
        yield from _fields(model, schema.MODEL, _empty(model))
    for limit in sorted(row.limits.all(), key=_place):
        yield "[[provider.limit]]"
        others = set(Limit.Unit.values) - {limit.unit}
        silent = (
            ("models", limit.patterns),
            ("per", limit.per),
            ("source", limit.source),
            ("method", limit.method),
        )
        empty = {name for name, value in silent if not value}
        yield from _fields(limit, schema.LIMITS, others | empty, amounts={limit.unit: limit.amount})
    for key in sorted(row.credentials.all(), key=_place):
        yield "[[provider.key]]"
        yield from _fields(key, schema.KEY, {"secret"}, last=_secret(key))


def _empty(row: Provider | Model) -> set[str]:
    """Fields that are left out where they say nothing, so that a file stays readable."""
    return {name for name in ("family", "source", "method") if getattr(row, name, None) == ""}


def _place(row: Model | Credential | Limit) -> tuple[int, int]:
    return row.position, row.pk


def _secret(key: Credential) -> str:
    if not key.secret:
        return "# secret: none"
    if secrets.is_reference(key.secret):
        return f"secret = {toml(key.secret)}"
    try:
        return f"# secret: stored, fingerprint {secrets.fingerprint(secrets.reveal(key.secret))}"
    except secrets.SecretError:
        return "# secret: stored, cannot be read with today's ENCRYPTION_KEYS"


def _fields(
    row: Provider | Model | Credential | Limit | Alias,
    table: Mapping[str, Field],
    hidden: set[str],
    last: str = "",
    amounts: Mapping[str, int] = MappingProxyType({}),
) -> Iterator[str]:
    for name, field in table.items():
        if name in hidden:
            continue
        value = amounts[name] if name in amounts else getattr(row, field.attribute)
        if value is not None:
            yield f"{name} = {_spelled(name, value)}"
    if last:
        yield last
    yield ""


def _spelled(name: str, value: Any) -> str:
    """As staff would write it: a tier and seconds as plain numbers."""
    if name == "tier":
        return _plain(value)
    return toml(int(value) if isinstance(value, float) and value.is_integer() else value)


def toml(value: Any) -> str:
    """A value as TOML spells it. Amounts become text, so that they stay exact; null has no spelling."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Decimal):
        return f'"{_plain(value)}"'
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        pairs = [f"{_key(name)} = {toml(item)}" for name, item in value.items() if item is not None]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f"[{', '.join(toml(item) for item in value if item is not None)}]"
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped as well.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else toml(name)
