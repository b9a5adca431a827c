"""The public pages. Views read a request and pick a page; what is on it is worked out in presentation.py.

No view here touches the session, so no page sets a cookie. That is also why the forms carry no CSRF
token: the token is a promise bound to a cookie. There is nothing to forge either. A scan belongs to
nobody, and what can be done to a result needs its secret address, which another site does not know.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from audit import catalogue, details, forms, presentation, sample, scans, throttle, writer
from audit.models import Scan
from audit.render import to_html
from audit.report_view import ReportView, present
from llm import stats


@require_safe
def front_door(request: HttpRequest) -> HttpResponse:
    """`/` leads to the home page in the language that the browser asks for."""
    response = redirect("audit:landing")
    patch_vary_headers(response, ["Accept-Language"])
    return response


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon without reading the page."""
    return redirect(static("audit/favicon.svg"))


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    about_data = _about_data()
    scored = sample.assessment()
    context = {
        "sample": presentation.gauge(score=scored.score, raw_score=scored.raw_score),
        "sample_minutes": scored.findings[0].minutes,
        "sample_after": sample.score_after_first_fix(),
        "sample_report": sample.report(),
        **about_data,
    }
    return render(request, "audit/landing.html", context)


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "audit/privacy.html", _about_data())


@require_safe
def deleted(request: HttpRequest) -> HttpResponse:
    return render(request, "audit/deleted.html")


# -- the questions ---------------------------------------------------------------------------------
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def scan(request: HttpRequest) -> HttpResponse:
    """The form; sent complete, it makes a scan and leads to its result. Answers survive every error."""
    questionnaire = catalogue.questionnaire()
    if request.method != "POST":
        return _form(request, questionnaire=questionnaire, sent=forms.Sent())
    sent = forms.read(request.POST, questions=[question.id for question in questionnaire])
    try:
        answers = scans.validate(answers=sent.answers, lang=get_language())
    except scans.InvalidScan as invalid:
        count = len(invalid.errors)
        problem = ngettext("%(count)d answer is missing", "%(count)d answers are missing", count)
        return _form(
            request,
            questionnaire=questionnaire,
            sent=sent,
            errors=invalid.errors,
            problem=problem % {"count": count},
            status=400,
        )
    if wait := throttle.scan_wait_s(request):
        problem = ngettext(
            "Too many scans came from this network. Please send the form again in %(count)d minute.",
            "Too many scans came from this network. Please send the form again in %(count)d minutes.",
            minutes := -(-wait // 60),
        )
        problem %= {"count": minutes}
        response = _form(request, questionnaire=questionnaire, sent=sent, problem=problem, status=429)
        response["Retry-After"] = str(wait)
        return response
    made = scans.create_scan(answers=answers, lang=get_language(), ai=sent.ai)
    return redirect("audit:result", token=scans.scan_token(made))


def _form(
    request: HttpRequest,
    *,
    questionnaire: tuple[catalogue.QuestionText, ...],
    sent: forms.Sent,
    errors: dict[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "fields": presentation.fields(
            questionnaire=questionnaire,
            categories=catalogue.category_labels(),
            sent=sent,
            errors=errors or {},
        ),
        "sent": sent,
        "errors": errors,
        "problem": problem,
        **_about_data(),
    }
    return render(request, "audit/scan.html", context, status=status)


def _about_data() -> dict[str, Any]:
    """What the pages say about data: who may see answer codes now, and how long they stay."""
    return {"providers": stats.reachable_providers(), "retention_days": settings.RETENTION_DAYS}


# -- a result: private to whoever has its address --------------------------------------------------
@require_safe
def result(request: HttpRequest, token: str) -> HttpResponse:
    """The score and every finding at once. Nothing here starts a report."""
    scan = _scan(token)
    context = {
        "result": presentation.result(
            details=details.details(scan),
            answers=scan.answers,
            bank=catalogue.scoring_bank(),
            questions=catalogue.questions_by_id(),
            categories=catalogue.category_labels(),
        ),
        "scan": scan,
        "token": token,
        "deleted_by": scan.created_at + timedelta(days=settings.RETENTION_DAYS),
        "report": _report(scan),
    }
    return _private(render(request, "audit/result.html", context))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, token: str) -> HttpResponse:
    """The report's present state; POST starts it first. `?fragment=1` gives the part that report.js shows."""
    scan = _scan(token)
    fragment = "fragment" in request.GET
    if request.method == "POST":
        writer.start_report(scan)
        if not fragment:
            address = reverse("audit:result", kwargs={"token": token})
            return _private(HttpResponseRedirect(f"{address}#report", status=303))
    template = "audit/_report.html" if fragment else "audit/report.html"
    context = {"report": _report(scan), "scan": scan, "token": token, "fragment": fragment}
    return _private(render(request, template, context))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, token: str) -> HttpResponse:
    """Asks once, then deletes on POST."""
    scan = _scan(token)
    if request.method == "POST":
        scans.delete_scan(scan)
        return _private(HttpResponseRedirect(reverse("audit:deleted"), status=303))
    return _private(render(request, "audit/delete.html", {"token": token}))


def _scan(token: str) -> Scan:
    scan = scans.get_scan(token)
    if scan is None:
        raise Http404
    return scan


def _report(scan: Scan) -> ReportView:
    report = writer.current(scan)
    return present(report, ai=scan.ai, stalled=writer.is_stalled(report), to_html=to_html)


def _private(response: HttpResponse) -> HttpResponse:
    """For every answer under /r/: no cache keeps it, no index lists it, no link carries its address away."""
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
