"""Scans and reports as staff see them: a list to find one, a page to judge it, and what can be done about it."""

from collections.abc import Callable
from typing import Any

from csp.decorators import csp_replace, csp_update
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from audit.admin.filters import FILTERS, TierFilter
from audit.admin.scan_page import ScanPage, as_read, version
from audit.formats import BAND_WORDS
from audit.models import Report, Scan
from audit.report import jobs
from audit.scans import review, tokens
from audit.scans import service as scans
from audit.scoring import formula
from llm.admin_base import ReadOnlyAdmin
from llm.stats import tier_word

SANDBOX = {
    **{f"{name}-src": ["'none'"] for name in ("default", "script", "img", "connect")},
    "style-src": ["'self'"],
    "font-src": ["'self'"],
    "frame-ancestors": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "sandbox": [True],
}


@admin.register(Scan)
class ScanAdmin(ReadOnlyAdmin):
    list_display = (
        "reference", "created_at", "lang", "score", "band", "tier_shown", "provider", "flagged", "is_reviewed", "shown",
    )  # fmt: skip
    list_filter = (*FILTERS, "created_at")
    lookups = ("ai",)
    search_fields = ("reference",)
    search_help_text = _("Reference of a scan, such as 7KQ2-M9XD")
    actions = ("mark_reviewed",)

    # -- the list ------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scan]:
        return super().get_queryset(request).defer("answers", "result", "note")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Scan], search_term: str
    ) -> tuple[QuerySet[Scan], bool]:
        if not search_term.strip():
            return queryset, False
        typed = tokens.typed_reference(search_term)
        if len(typed) == tokens.REFERENCE_CHARS + 1:
            return queryset.filter(reference=typed), False
        return queryset.filter(reference__startswith=typed) if typed else queryset.none(), False

    @admin.display(description=_("band"), ordering="score")
    def band(self, scan: Scan) -> str:
        return str(BAND_WORDS[formula.band(scan.score)])

    @admin.display(description=_("tier"), ordering="tier")
    def tier_shown(self, scan: Scan) -> str:
        return tier_word(scan.tier, "–")

    @admin.display(description=_("reviewed"), boolean=True)
    def is_reviewed(self, scan: Scan) -> bool:
        return scan.reviewed_at is not None

    @admin.display(description=_("shown"), boolean=True)
    def shown(self, scan: Scan) -> bool:
        return scan.hidden_at is None

    # -- who may -------------------------------------------------------------------------------------

    def has_review_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("audit.review_scan"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("audit.delete_scan"))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        shown, counts, _needed, kept = super().get_deleted_objects(objs, request)
        return shown, counts, set(), kept  # a scan's reports go with it

    def delete_model(self, request: HttpRequest, obj: Scan) -> None:
        scans.delete_scan(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Scan]) -> None:
        for scan in queryset:
            scans.delete_scan(scan)

    @admin.action(description=_("Mark as reviewed"), permissions=["review"])
    def mark_reviewed(self, request: HttpRequest, chosen: QuerySet[Scan]) -> None:
        count = 0
        for scan in chosen.filter(reviewed_at=None):
            review.set_reviewed(scan, by=request.user.get_username())
            self.log_change(request, scan, "Marked as reviewed.")
            count += 1
        text = ngettext("%(count)d scan was marked.", "%(count)d scans were marked.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    # -- one scan ------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/do/", view(require_POST(self.act)), name="audit_scan_act"),
            path("<int:pk>/report/<int:report>/", view(self.framed), name="audit_scan_report"),
            *super().get_urls(),
        ]

    @method_decorator(csp_update({"frame-src": ["'self'"]}))
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Everything about a scan on one page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        scan = self.get_object(request, object_id)
        if scan is None:
            raise Http404
        if request.method != "GET":
            raise PermissionDenied  # nothing of it is edited; what staff do goes to `act`
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Scan %(reference)s") % {"reference": scan.reference},
            "scan": scan,
            "page": ScanPage(scan),
            "may_review": self.has_review_permission(request),
            "may_delete": self.has_delete_permission(request),
            "may_see_calls": request.user.has_perm("llm.view_call"),
            "link": reverse("audit:result", kwargs={"token": scans.scan_token(scan)}),
        }
        return TemplateResponse(request, "admin/audit/scan/page.html", context)

    @method_decorator(xframe_options_sameorigin)
    @method_decorator(csp_replace(SANDBOX))
    def framed(self, request: HttpRequest, pk: int, report: int) -> HttpResponse:
        """A version of the report as the visitor sees it, in a frame that may do nothing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(Report.objects.select_related("scan"), pk=report, scan=pk)
        with translation.override(row.scan.lang):
            view = version(row)
            html, _said = as_read(view.html, ScanPage(row.scan).details)
            response = TemplateResponse(
                request, "admin/audit/scan/framed.html", {"report": view, "html": html}
            ).render()
        response["Cache-Control"] = "private, no-store"
        return response

    def act(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One button of the page."""
        if not self.has_review_permission(request):
            raise PermissionDenied
        action = ACTIONS.get(request.POST.get("do", ""))
        if action is None:
            raise Http404
        scan = get_object_or_404(Scan, pk=pk)
        logged, told = action(scan, request)
        self.log_change(request, scan, logged)
        self.message_user(request, told, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:audit_scan_change", args=[pk]))


def _reviewed(scan: Scan, request: HttpRequest) -> tuple[str, str]:
    review.set_reviewed(scan, by=request.user.get_username())
    return "Marked as reviewed.", gettext("Marked as reviewed.")


def _unreviewed(scan: Scan, request: HttpRequest) -> tuple[str, str]:
    review.set_reviewed(scan, by=None)
    return "Marked as not reviewed.", gettext("Marked as not reviewed.")


def _note(scan: Scan, request: HttpRequest) -> tuple[str, str]:
    review.set_note(scan, text=request.POST.get("note", ""))
    return "Changed the note.", gettext("The note is saved.")


def _regenerate(scan: Scan, request: HttpRequest) -> tuple[str, str]:
    jobs.start_new_version(scan)
    return "Asked for a new version.", gettext("A new version is being written; the earlier ones stay.")


def _template(scan: Scan, request: HttpRequest) -> tuple[str, str]:
    jobs.put_together_version(scan)
    return "Put a template version in place.", gettext(
        "The template is shown now; the earlier versions stay."
    )


def _hide(scan: Scan, request: HttpRequest) -> tuple[str, str]:
    review.set_hidden(scan, hidden=True)
    return "Hid the scan.", gettext("The visitor's link opens nothing any more.")


def _show(scan: Scan, request: HttpRequest) -> tuple[str, str]:
    review.set_hidden(scan, hidden=False)
    return "Showed the scan again.", gettext("The visitor's link works again.")


ACTIONS: dict[str, Callable[[Scan, HttpRequest], tuple[str, str]]] = {
    "reviewed": _reviewed,
    "unreviewed": _unreviewed,
    "note": _note,
    "regenerate": _regenerate,
    "template": _template,
    "hide": _hide,
    "show": _show,
}


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "scan", "created_at", "finished_at", "status", "tier", "provider", "model", "cost_usd", "prompt_version",
    )  # fmt: skip
    list_filter = ("status", TierFilter, "finished_at")
    list_select_related = ("scan",)
    ordering = ("-finished_at", "-id")
    fields = readonly_fields = (
        "scan", "status", "tier", "provider", "model", "cost_usd", "prompt_version", "flags", "call", "created_at",
        "claimed_at", "finished_at", "text",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        found: QuerySet[Report] = super().get_queryset(request)
        match = request.resolver_match
        if match and match.url_name == "audit_report_changelist":
            return found.defer("markdown", "draft", "receipt", "progress", "scan__answers", "scan__result")
        return found

    @admin.display(description=_("text"))
    def text(self, row: Report) -> str:
        return version(row).html or "–"
