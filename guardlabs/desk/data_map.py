"""What is stored where, for how long, and who sees it: of every table, from settings, models and permissions.

A model that is not named in STORED has no place on the page, and a test fails.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from guardlabs.desk.blocks import Cell, Section, Table, plain
from llm.models import Provider

Text = str | Promise


def _retention() -> str:
    days = settings.RETENTION_DAYS
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


def _after_the_end() -> str:
    return _("as long as the law wants invoices; words until %(time)s after the end") % {"time": _retention()}


def _with_the_order() -> str:
    return _("with its order; wording until %(time)s") % {"time": _retention()}


def _until_staff() -> str:
    return _("until staff delete it")


def _for_good() -> str:
    return _("for good: numbers without wording")


def _session() -> str:
    hours = settings.SESSION_COOKIE_AGE // 3600
    return ngettext("%(hours)d hour", "%(hours)d hours", hours) % {"hours": hours}


@dataclass(frozen=True, slots=True)
class Stored:
    """Tables alike. `about`: whom they say something about."""

    models: tuple[str, ...]
    what: Text
    about: Text
    kept: Callable[[], str]


NOBODY, VISITORS = gettext_lazy("nobody"), gettext_lazy("visitors, who are not named")
CUSTOMERS, STAFF, CLIENTS = (
    gettext_lazy("customers"),
    gettext_lazy("staff"),
    gettext_lazy("whoever the client’s product writes about"),
)
STORED = (
    Stored(("audit.Scan",), gettext_lazy("codes of 12 answers, score, notes of staff"), VISITORS, _retention),
    Stored(("audit.Report",), gettext_lazy("reports"), VISITORS, _retention),
    Stored(("audit.Order",), gettext_lazy("e-mail address, time zone, message, report"), CUSTOMERS, _after_the_end),
    Stored(("audit.OrderEvent",), gettext_lazy("who did what, when"), CUSTOMERS, _for_good),
    Stored(("audit.Mail",), gettext_lazy("address, our letters with their links"), CUSTOMERS, _with_the_order),
    Stored(
        ("audit.Payment", "audit.Refund", "audit.Dispute", "audit.Counter"),
        gettext_lazy("payments, refunds, disputes and the numbers of invoices"), CUSTOMERS, _for_good,
    ),
    Stored(("audit.StripeEvent",), gettext_lazy("ids and amounts of payments; no payload"), CUSTOMERS, _for_good),
    Stored(
        ("audit.Question", "audit.Option", "audit.Incident"),
        gettext_lazy("the question bank and the case library"), NOBODY, _until_staff,
    ),
    Stored(
        ("llm.Call",),
        gettext_lazy("what models were asked and answered: answer codes of scans, whatever clients send"),
        CLIENTS, _retention,
    ),
    Stored(("llm.CachedReply", "llm.StoredResponse"), gettext_lazy("kept answers of models"), CLIENTS, _retention),
    Stored(("llm.Attempt",), gettext_lazy("who was tried, how it ended, tokens and cost"), NOBODY, _retention),
    Stored(("llm.Notice", "llm.Pause"), gettext_lazy("what providers told us"), NOBODY, _retention),
    Stored(
        ("llm.Credential", "llm.Client"),
        gettext_lazy("keys: of providers encrypted, of clients as a hash; shown to nobody"), NOBODY, _until_staff,
    ),
    Stored(
        (
            "llm.Provider", "llm.Model", "llm.Limit", "llm.Alias", "llm.Quota", "llm.Meter", "llm.Rehearsal",
            "llm.CatalogueChange", "llm.PastSpending",
        ),
        gettext_lazy("configuration and what was learned of quotas"), NOBODY, _until_staff,
    ),
    Stored(("llm.Rollup",), gettext_lazy("sums by hour and day"), NOBODY, _for_good),
    Stored(("auth.User", "auth.Group"), gettext_lazy("names, e-mail addresses, hashed passwords"), STAFF, _until_staff),
    Stored(
        ("otp_totp.TOTPDevice", "otp_static.StaticDevice", "otp_static.StaticToken"),
        gettext_lazy("second factors"), STAFF, _until_staff,
    ),
    Stored(("admin.LogEntry",), gettext_lazy("what staff changed"), STAFF, _until_staff),
    Stored(("sessions.Session",), gettext_lazy("who is logged in to the admin"), STAFF, _session),
)  # fmt: skip
UNSAID = {"auth.Permission", "contenttypes.ContentType"}  # Django's own lists of names


def sections() -> list[Section]:
    """The page: tables of the database, then what is elsewhere."""
    head = (_("Stored"), _("About"), _("Kept"), _("Seen by"), _("Tables"))
    roles = _roles()
    rows = [
        [
            *plain((str(each.what), str(each.about), each.kept(), _seers(each.models, roles))),
            Cell(", ".join(apps.get_model(label)._meta.db_table for label in each.models)),
        ]
        for each in STORED
    ]
    place = _("In the database (%(kind)s)") % {"kind": connection.vendor}
    return [
        Section(id="stored", title=place, tables=[Table(head, rows, words=True)], wide=True),
        Section(id="elsewhere", title=_("Elsewhere"), tables=[_elsewhere()], wide=True),
    ]


def _roles() -> dict[str, set[str]]:
    """Each group and the labels of the models that it may view."""
    found: dict[str, set[str]] = {}
    for name, app, code in Group.objects.order_by("name").values_list(
        "name", "permissions__content_type__app_label", "permissions__codename"
    ):
        action, _sep, model = (code or "").partition("_")
        found.setdefault(name, set())
        if action in {"view", "change"}:
            found[name].add(f"{app}.{model}")
    return found


def _seers(labels: Iterable[str], roles: dict[str, set[str]]) -> str:
    wanted = {label.lower() for label in labels}
    return ", ".join([_("superusers"), *(name for name, may in roles.items() if wanted & may)])


def _elsewhere() -> Table:
    cache = settings.CACHES["default"]["BACKEND"].rpartition(".")[2]
    yes, no = _("on"), _("off")
    providers = ", ".join(Provider.objects.filter(enabled=True).values_list("name", flat=True)) or "–"
    rows = [
        (
            _("Counters of scans by IP address, log-in limits"),
            _("at most a day"),
            _("the cache (%(kind)s)") % {"kind": cache},
        ),
        (
            _("Log lines: no address, token, answer or e-mail"),
            _("as your log does"),
            f"stderr ({settings.LOG_FORMAT})",
        ),
        (_("Answer codes, and what clients of the gateway send"), _("by their terms"), providers),
        (
            _("E-mail address, order code and amount, if paid by card"),
            _("by its terms"),
            f"Stripe: {yes if settings.STRIPE_SECRET_KEY else no}",
        ),
        (
            _("Errors: where in the code; no variables, bodies or addresses"),
            _("by its terms"),
            f"Sentry: {yes if settings.SENTRY_DSN else no}",
        ),
        (
            _("Letters to customers and staff"),
            _("by the mail server’s rules"),
            getattr(settings, "EMAIL_HOST", "")
            if "smtp" in settings.EMAIL_BACKEND
            else settings.EMAIL_BACKEND,
        ),
        (_("Backups"), _("as you keep them: what is deleted here is still there"), _("where you put them")),
    ]
    return Table((_("What"), _("Kept"), _("Where")), [plain(row) for row in rows], words=True)


def unnamed() -> set[str]:
    """Labels of models that the page does not speak of."""
    named = {label for each in STORED for label in each.models} | UNSAID
    return {model._meta.label for model in apps.get_models() if not model._meta.proxy} - named


def context() -> dict[str, Any]:
    return {"sections": sections(), "title": _("What is stored where")}
