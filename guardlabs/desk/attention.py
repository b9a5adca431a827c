"""What needs a person, most urgent first. A new source is a function and a line in SOURCES."""

from collections.abc import Callable, Iterator

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from audit.models import Scan
from audit.orders import overview
from audit.orders.money import upkeep
from guardlabs.desk.blocks import Cell, Item, Section, listing, whole
from guardlabs.desk.figures import Figures
from llm.clients.usage import used_up
from llm.failures.kinds import Kind
from llm.foresight import retirement
from llm.models import CatalogueChange, Pause

# What does not mend itself, and what to say of it.
TROUBLES = {
    Kind.KEY_INVALID: gettext_noop("%(who)s: the key no longer works"),
    Kind.CREDITS_DEPLETED: gettext_noop("%(who)s: out of credit"),
    Kind.MODEL_GONE: gettext_noop("%(who)s: the model is gone"),
    Kind.BLOCKED_PROVIDER: gettext_noop("%(who)s: blocks us"),
}
MOST_COUNTED = 1000


def broken(figures: Figures) -> Iterator[Item]:
    """Failed keys, spent credits, models gone, providers that block us: as long as the chain keeps away from them."""
    if not figures.may("llm.view_pause"):
        return
    rows = list(Pause.objects.filter(closed_at=None, kind__in=TROUBLES))
    for kind, text in TROUBLES.items():
        for row in rows:
            if row.kind == kind:
                names = (row.credential or row.account or row.provider, row.model, row.location)
                who = " ".join(filter(None, names))
                yield Item(
                    _(text) % {"who": who}, reverse("admin:llm_pause_change", args=[row.pk]), row.detail
                )


def credits_spent(figures: Figures) -> Iterator[Item]:
    """Trial credits that our own count says are used up."""
    if not figures.may("llm.view_provider", "llm.view_attempt"):
        return
    for one in figures.usage.spending:
        if one.credit is not None and one.credit_used is not None and one.credit_used >= one.credit:
            text = _("%(who)s: the trial credit is spent") % {"who": one.provider}
            yield Item(text, reverse("admin:llm_chain"))


def flagged(figures: Figures) -> Iterator[Item]:
    """Reports that the gates let through with a doubt, and nobody has looked at."""
    if not figures.may("audit.view_scan"):
        return
    waiting = Scan.objects.filter(flagged=True, reviewed_at=None).order_by()[:MOST_COUNTED].count()
    if waiting:
        text = ngettext("%(count)s flagged report", "%(count)s flagged reports", waiting)
        yield Item(text % {"count": whole(waiting)}, listing("audit_scan", flagged="yes", reviewed="no"))


def overdue(figures: Figures) -> Iterator[Item]:
    """Orders that wait for staff for longer than was promised."""
    if not figures.may("audit.view_order"):
        return
    if waiting := overview.overdue(figures.now).order_by()[:MOST_COUNTED].count():
        text = ngettext("%(count)s overdue order", "%(count)s overdue orders", waiting)
        yield Item(text % {"count": whole(waiting)}, listing("audit_order", overdue=1))


def stripe_key(figures: Figures) -> Iterator[Item]:
    """Stripe refuses our key: no card order can be paid or refunded."""
    if not figures.may("audit.view_order"):
        return
    if (order := upkeep.refused()) is not None:
        address = reverse("admin:audit_order_change", args=[order.pk])
        yield Item(_("Stripe refuses our key: nobody can pay by card"), address)


def changes(figures: Figures) -> Iterator[Item]:
    """What a check, or the presets of this release, have otherwise than configured."""
    if not figures.may("llm.view_cataloguechange"):
        return
    if waiting := CatalogueChange.objects.filter(state=CatalogueChange.State.OPEN).count():
        text = ngettext(
            "%(count)s change of a provider to apply or dismiss",
            "%(count)s changes of providers to apply or dismiss",
            waiting,
        )
        yield Item(text % {"count": whole(waiting)}, listing("llm_cataloguechange", state__exact="open"))


def retiring(figures: Figures) -> Iterator[Item]:
    """Models in use that their provider ends within a month, or has ended."""
    if not figures.may("llm.view_retirement"):
        return
    for ending in retirement.calendar(figures.now.date()):
        if ending.days <= max(retirement.WARN_DAYS):
            names = {"who": f"{ending.model.provider} {ending.model.name}", "day": date_format(ending.ends)}
            text = _("%(who)s: its provider ends it on %(day)s") % names
            replaced = _("Replacement: %(name)s") % {"name": ending.model.replacement}
            detail = replaced if ending.model.replacement else _("Name a replacement.")
            yield Item(text, reverse("admin:llm_retirement_changelist"), detail)


def spent_clients(figures: Figures) -> Iterator[Item]:
    """Clients that have used up what they may spend or ask in a day."""
    if not figures.may("llm.view_client"):
        return
    texts = {
        "calls": _("%(who)s has used up its calls of the day: it is refused until midnight UTC"),
        "budget": _(
            "%(who)s has spent its budget of the day: only what is free answers it until midnight UTC"
        ),
    }
    for client, what in used_up(figures.now):
        yield Item(texts[what] % {"who": client.name}, reverse("admin:llm_client_usage", args=[client.pk]))


SOURCES: tuple[Callable[[Figures], Iterator[Item]], ...] = (
    stripe_key,
    broken,
    credits_spent,
    retiring,
    spent_clients,
    overdue,
    flagged,
    changes,
)


def attention(figures: Figures) -> Section:
    """The queue, for whoever may see anything of it."""
    items = [item for source in SOURCES for item in source(figures)]
    chain = figures.may("llm.view_provider")
    return Section(
        id="attention",
        title=_("Needs attention"),
        items=items,
        empty=_("Nothing else."),
        wide=True,
        link=Cell(_("The chain as it stands"), reverse("admin:llm_chain")) if chain else None,
    )
