"""The diff between our configuration and what providers say today: written by the check, applied by staff.

Each change carries the lines of a providers file that make it so; applying it loads them, with the day as its evidence.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from llm.configuration import file
from llm.configuration.exporting import toml
from llm.configuration.snapshot import ProviderConf
from llm.limits.learned import FIELDS, stated
from llm.models import CatalogueChange, Model, Provider, Quota
from llm.storage.transactions import write_transaction

MOST_NEW = 20  # of one provider: a router lists hundreds
Kind = CatalogueChange.Kind


def propose(
    slug: str,
    kind: str,
    subject: str,
    patch: str,
    *,
    was: object = "",
    becomes: object = "",
    detail: str = "",
) -> CatalogueChange | None:
    """Writes a change down for staff to review; None where they have dismissed the very same one."""
    same = CatalogueChange.objects.filter(provider=slug, kind=kind, subject=subject[:160])
    if same.filter(state=CatalogueChange.State.DISMISSED, patch=patch).exists():
        return None
    row, _ = same.update_or_create(
        state=CatalogueChange.State.OPEN,
        defaults={
            "provider": slug, "kind": kind, "subject": subject[:160], "was": str(was)[:120],
            "becomes": str(becomes)[:120], "detail": detail[:300], "patch": patch, "seen": timezone.now().date(),
        },
    )  # fmt: skip
    return row


def settle(slug: str, kind: str, subject: str) -> None:
    """What was proposed of it is so no longer."""
    CatalogueChange.objects.filter(
        provider=slug, kind=kind, subject=subject[:160], state=CatalogueChange.State.OPEN
    ).delete()


def model_lines(slug: str, model: str, values: Mapping[str, Any], *, method: str) -> str:
    """Lines of a providers file that set these fields of a model."""
    evidence = {"seen": timezone.now().date(), "method": method}
    fields = "\n".join(f"{name} = {toml(value)}" for name, value in {**values, **evidence}.items())
    return f"[[provider]]\nslug = {toml(slug)}\n[[provider.model]]\nid = {toml(model)}\n{fields}\n"


def paid_lines(slug: str) -> str:
    """Lines that say that a provider costs money: without prices nothing is sent to it any more."""
    return f'[[provider]]\nslug = {toml(slug)}\nfree = false\nseen = {timezone.now().date()}\nmethod = "probed"\n'


def compare_limits(provider: ProviderConf, since: datetime) -> list[CatalogueChange]:
    """Limits that the provider has stated since then, and that we have configured otherwise."""
    found = []
    for row in Quota.objects.filter(provider=provider.slug, by_staff=False):
        model = next((one for one in provider.models if one.name == row.model), None)
        for name in FIELDS if model else ():
            ours, theirs = getattr(model, name, None), getattr(row, name)
            at, method = stated(row, name)
            if ours is None or theirs is None or ours == theirs or at < since:
                continue
            patch = model_lines(provider.slug, row.model, {name: theirs}, method=method)
            subject = f"{row.model} {name}"
            if change := propose(provider.slug, Kind.CHANGED, subject, patch, was=ours, becomes=theirs):
                found.append(change)
    return found


def compare_models(
    provider: ProviderConf, listed: Iterable[str], free: Iterable[str]
) -> list[CatalogueChange]:
    """Free models that a provider lists and we do not know, at most a few."""
    known = set(Model.objects.filter(provider__slug=provider.slug).values_list("name", flat=True))
    new = sorted(set(free) & set(listed) - known)[:MOST_NEW]
    found = []
    for name in new:
        patch = model_lines(provider.slug, name, {"enabled": True}, method="probed")
        if change := propose(provider.slug, Kind.NEW, name, patch, detail="listed as free"):
            found.append(change)
    return found


def open_changes(slug: str | None = None) -> list[CatalogueChange]:
    rows = CatalogueChange.objects.filter(state=CatalogueChange.State.OPEN).order_by("provider", "id")
    return list(rows if slug is None else rows.filter(provider=slug))


def apply(change: CatalogueChange, *, by: str) -> file.Summary:
    """Loads what a change says. Raises LookupError when it is decided already, ConfigError when it no longer fits."""
    with write_transaction():
        row = CatalogueChange.objects.select_for_update().get(pk=change.pk)
        if row.state != CatalogueChange.State.OPEN:
            raise LookupError(f"change {row.pk} is {row.state} already")
        if not Provider.objects.filter(slug=row.provider).exists():
            raise LookupError(f'there is no provider "{row.provider}" any more')
        summary = file.load(row.patch)
        _decide(row, CatalogueChange.State.APPLIED, by)
    return summary


def dismiss(change: CatalogueChange, *, by: str) -> None:
    """Keeps the configuration as it is; the same change is not proposed again."""
    _decide(change, CatalogueChange.State.DISMISSED, by)


def _decide(row: CatalogueChange, state: str, by: str) -> None:
    row.state, row.decided_by, row.decided_at = state, by[:80], timezone.now()
    row.save(update_fields=["state", "decided_by", "decided_at"])
