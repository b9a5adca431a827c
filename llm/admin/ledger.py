"""The ledger, read-only: every call with what was asked and answered, and every attempt."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from llm.admin_base.lookups import where
from llm.admin_base.reading import LedgerAdmin, ReadOnly, pre
from llm.failures.kinds import Kind
from llm.ledger.wording import tier_word, usd_word
from llm.models import Attempt, Call, Provider
from llm.status import words

ENDS = ("ok", *Kind, "cancelled", "abandoned", "running")


class OutcomeFilter(admin.SimpleListFilter):
    """The kinds by heart: asking a table of millions which there are takes long."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(end), words.why(end)) for end in ENDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> QuerySet[Attempt]:
        return queryset.filter(outcome=self.value()) if self.value() else queryset


class ProviderFilter(admin.SimpleListFilter):
    title = _("provider")
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Provider.objects.values_list("slug", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Attempt]) -> QuerySet[Attempt]:
        return queryset.filter(provider=self.value()) if self.value() else queryset


class TierFilter(admin.SimpleListFilter):
    title = _("tier")
    parameter_name = "tier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        tiers = Provider.objects.order_by("tier").values_list("tier", flat=True).distinct()
        return [(word := tier_word(tier), word) for tier in tiers]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Call]) -> QuerySet[Call]:
        return where(queryset, "tier", self.value())


def _marked(outcome: str, text: str) -> SafeString:
    """An outcome with a mark that does not depend on colour."""
    tone, mark = {"ok": ("ready", "●"), "running": ("spare", "◐")}.get(outcome, ("stopped", "○"))
    return format_html(
        '<span class="dot {}" aria-hidden="true">{}</span> <span class="outcome">{}</span>', tone, mark, text
    )


def _two(first: str, second: str) -> SafeString:
    return format_html('{}<span class="quiet">{}</span>', first, second)


def _ms(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "–"
    return gettext("%(n)s s") % {"n": number_format(milliseconds / 1000, 1)}


def _tokens(row: Call | Attempt) -> str:
    return " → ".join(number_format(n, 0, force_grouping=True) for n in (row.tokens_in, row.tokens_out))


def _usd(amount: Decimal | None) -> str:
    """A column of amounts: unknown is not zero."""
    return "?" if amount is None else usd_word(amount, 6)


class AttemptColumns:
    """What a row says of an attempt, wherever it is shown."""

    @admin.display(description=_("outcome"), ordering="outcome")
    def how(self, row: Attempt) -> SafeString:
        status = "" if row.status in (None, 200) else f" {row.status}"
        return _marked(row.outcome, f"{words.why(row.outcome)}{status}")

    @admin.display(description=_("credential"), ordering="credential")
    def who(self, row: Attempt) -> SafeString:
        place = f":{row.location}" if row.location else ""
        return _two(f"{row.credential}{place}", row.model)

    @admin.display(description=_("time"), ordering="latency_ms")
    def taken(self, row: Attempt) -> str:
        return _ms(row.latency_ms)

    @admin.display(description=_("tokens"))
    def tokens(self, row: Attempt) -> str:
        return _tokens(row)

    @admin.display(description=_("cost"), ordering="cost_usd")
    def cost(self, row: Attempt) -> str:
        return _usd(row.cost_usd)


class AttemptInline(AttemptColumns, ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Attempt
    template = "admin/llm/attempts.html"
    extra = 0
    ordering = ("id",)
    fields = readonly_fields = ("who", "how", "taken", "tokens", "cost", "detail")


@admin.register(Call)
class CallAdmin(LedgerAdmin):
    inlines = (AttemptInline,)
    list_display = (
        "id",
        "started_at",
        "how",
        "who",
        "cost",
        "taken",
        "attempt_count",
        "tokens",
        "purpose",
        "client",
    )
    list_filter = ("outcome", TierFilter, "cached", "started_at")
    search_fields = ("=id",)
    search_help_text = _("Number of a call")
    ordering = ("-started_at", "-id")
    export_fields = (
        "id", "started_at", "finished_at", "purpose", "lang", "outcome", "provider", "model", "tier", "cached",
        "attempt_count", "tokens_in", "tokens_out", "cost_usd", "saved_usd", "latency_ms",
    )  # fmt: skip
    sums = {
        "rows": Count("id"),
        "tokens_in": Sum("tokens_in"),
        "tokens_out": Sum("tokens_out"),
        "cost": Sum("cost_usd"),
        "unpriced": Count("id", filter=Q(cost_usd=None)),
        "saved": Sum("saved_usd"),
    }
    fields = (
        "purpose", "client", "lang", "outcome", ("started_at", "finished_at"), ("deadline_s", "latency_ms"),
        ("provider", "model", "tier", "cached"), ("tokens_in", "tokens_out"), ("cost", "saved"), "asked", "answered",
    )  # fmt: skip

    class Media:
        css = {"all": ("llm/admin.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        return super().get_queryset(request).defer("messages", "text")  # long, and not in the list

    @admin.display(description=_("outcome"), ordering="outcome")
    def how(self, row: Call) -> SafeString:
        nobody = row.outcome == Call.Outcome.EXHAUSTED and not row.attempt_count
        return _marked(row.outcome, gettext("nobody could be asked") if nobody else row.get_outcome_display())

    @admin.display(description=_("answered by"), ordering="provider")
    def who(self, row: Call) -> SafeString | str:
        return _two(row.provider, row.model) if row.provider else "–"

    @admin.display(description=_("time"), ordering="latency_ms")
    def taken(self, row: Call) -> str:
        return _ms(row.latency_ms)

    @admin.display(description=_("tokens"))
    def tokens(self, row: Call) -> str:
        return _tokens(row)

    @admin.display(description=_("cost"), ordering="cost_usd")
    def cost(self, row: Call) -> str:
        return _usd(row.cost_usd)

    @admin.display(description=_("saved"))
    def saved(self, row: Call) -> str:
        return _usd(row.saved_usd)

    @admin.display(description=_("asked"))
    def asked(self, row: Call) -> SafeString:
        messages = row.messages if isinstance(row.messages, list) else []
        parts = [message if isinstance(message, dict) else {} for message in messages]
        return format_html_join(
            "", "<strong>{}</strong>{}", ((m.get("role", ""), pre(str(m.get("content", "")))) for m in parts)
        )

    @admin.display(description=pgettext_lazy("reply of a model", "answered"))
    def answered(self, row: Call) -> SafeString | str:
        return pre(row.text) if row.text else "–"


@admin.register(Attempt)
class AttemptAdmin(AttemptColumns, LedgerAdmin):
    list_display = ("started_at", "how", "who", "cost", "taken", "tokens", "call_link", "detail")
    list_filter = (OutcomeFilter, ProviderFilter, "free", "started_at")
    lookups = ("credential", "account", "model")
    ordering = ("-started_at", "-id")
    export_fields = (
        "id", "call_id", "started_at", "finished_at", "provider", "credential", "account", "model", "location",
        "tier", "free", "outcome", "status", "retry_after_s", "latency_ms", "first_token_ms", "tokens_in",
        "tokens_out", "cost_usd", "detail",
    )  # fmt: skip
    sums = {
        "rows": Count("id"),
        "tokens_in": Sum("tokens_in"),
        "tokens_out": Sum("tokens_out"),
        "cost": Sum("cost_usd"),
        "unpriced": Count("id", filter=Q(cost_usd=None)),
    }
    fields = (
        "call_link", ("provider", "credential", "account"), ("model", "location", "tier", "free"),
        ("started_at", "finished_at", "latency_ms", "first_token_ms"), ("outcome", "status", "retry_after_s"),
        "detail", ("reserved_tokens", "reserved_usd", "tokens_in", "tokens_out"),
        ("price_in", "price_out", "price_source", "cost"),
    )  # fmt: skip

    @admin.display(description=_("call"))
    def call_link(self, row: Attempt) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:llm_call_change", args=[row.call_id]), row.call_id
        )
