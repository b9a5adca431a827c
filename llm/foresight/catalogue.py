"""The diff between our configuration and what providers say today: written by the check, applied by staff.

Each change carries the lines of a providers file that make it so; applying it loads them, with the day as its evidence.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from llm import windows
from llm.configuration import file
from llm.configuration.exporting import toml
from llm.configuration.limits import MODEL, SHORT, Limit
from llm.configuration.snapshot import ModelConf, ProviderConf
from llm.limits.learned import FIELDS, NO_LIMIT, stated
from llm.models import CatalogueChange, Model, Provider, Quota
from llm.storage.transactions import write_transaction

MOST_NEW = 20  # of one provider: a router lists hundreds
ADDS_NOTHING = 10  # times what another window allows in the same time
OWN_FIELDS = ("rpm", "rpd", "tpm", "tpd")  # of a model; its other limits are rows of the provider's
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


def limit_lines(slug: str, model: ModelConf, name: str, amount: int, *, method: str) -> str:
    """Lines of a providers file that set a limit where it is configured: at the model, or one that models share."""
    now, (unit, per) = model.configured(name), SHORT[name]
    if name in OWN_FIELDS and (now is None or now.is_own):
        return model_lines(slug, model.name, {name: amount}, method=method)
    whose = {
        "scope": now.scope if now else MODEL,
        "models": list(now.models) if now else [model.name],
        "per": per,
    }
    fields = {**whose, unit: amount, "seen": timezone.now().date(), "method": method}
    lines = "\n".join(f"{field} = {toml(value)}" for field, value in fields.items() if value != [])
    return f"[[provider]]\nslug = {toml(slug)}\n[[provider.limit]]\n{lines}\n"


def compare_limits(provider: ProviderConf, since: datetime) -> list[CatalogueChange]:
    """Limits that the provider has stated since then, and that we have configured otherwise: lower or higher ones.

    Where accounts are told different ones, the lowest: what is configured is of each account.
    """
    rows = list(Quota.objects.filter(provider=provider.slug, by_staff=False))
    found = []
    for model in provider.models:
        for name in FIELDS:
            told = [
                (amount, stated(row, name)[1])
                for row in rows
                if row.model == model.name
                and (amount := getattr(row, name)) is not None
                and stated(row, name)[0] >= since
            ]
            if told and (change := _compare_limit(provider, model, name, *min(told))):
                found.append(change)
    return found


def _compare_limit(
    provider: ProviderConf, model: ModelConf, name: str, amount: int, method: str
) -> CatalogueChange | None:
    ours, subject = model.configured(name), f"{model.name} {name}"
    if ours is None:
        others = _other_windows(model, name, amount)
        if not others:
            return None
        was = ", ".join(f"{limit.amount} {limit.name}" for limit in others)
    elif ours.amount == amount or amount >= ours.amount * NO_LIMIT:
        settle(provider.slug, Kind.CHANGED, subject)
        return None
    else:
        was = str(ours.amount)
    patch = limit_lines(provider.slug, model, name, amount, method=method)
    return propose(provider.slug, Kind.CHANGED, subject, patch, was=was, becomes=amount)


def _other_windows(model: ModelConf, name: str, amount: int) -> list[Limit]:
    """What we have configured of this unit by other windows, if a limit of so much adds anything to it."""
    unit, per = SHORT[name]
    others = [limit for limit in model.limits if limit.unit == unit and limit.per]
    rates = [limit.amount / windows.LENGTH[limit.per].total_seconds() for limit in others]
    adds = rates and amount / windows.LENGTH[per].total_seconds() < min(rates) * ADDS_NOTHING
    return others if adds else []


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
