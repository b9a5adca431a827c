"""The table of `providers`: plain text in columns, no colours, fit for a pipe."""

from collections.abc import Iterator, Sequence

from llm.ledger.wording import tier_word
from llm.status import providers as standing
from llm.status.providers import KeyStatus, ProviderStatus

HEADER = ("TIER", "PROVIDER", "KEY", "ACCOUNT", "FINGERPRINT", "STATE")
MODELS = "models: "


def table(found: Sequence[ProviderStatus]) -> str:
    """All providers with their keys, models and what is paused, one key a line."""
    rows = [HEADER, *(row for one in found for row in _rows(one))]
    widths = [max(len(row[column]) for row in rows if len(row) > 1) for column in range(len(HEADER) - 1)]
    return "\n".join(_line(row, widths) for row in rows)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as plain text, one a line."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    if len(row) == 1:  # a note below its provider, as wide as it likes
        return " " * (widths[0] + 2) + row[0]
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()


def _rows(one: ProviderStatus) -> Iterator[tuple[str, ...]]:
    tier, slug = tier_word(one.provider.tier), one.provider.slug
    if not one.keys:
        keyless = "(keyless)" if one.provider.keyless else "-"
        yield tier, slug, keyless, "-", "-", _state(one)
    for key in one.keys:
        yield tier, slug, key.label, key.account, key.fingerprint or "-", _key_state(one, key)
    for remark in one.remarks:
        yield (remark,)
    yield (MODELS + (", ".join(one.models) or "none"),)


def _state(one: ProviderStatus) -> str:
    hint = standing.hint(one)
    return f"{one.word}: {hint}" if hint else one.word


def _key_state(one: ProviderStatus, key: KeyStatus) -> str:
    if one.word == standing.OFF:
        return one.word
    if key.problem:
        return f"{standing.NO_KEY}: {key.problem}"
    if one.word == standing.NO_MODEL:
        return one.word
    paused = one.word == standing.PAUSED and not key.remarks
    return "; ".join(key.remarks) or (standing.PAUSED if paused else standing.READY)
