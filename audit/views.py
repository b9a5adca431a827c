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
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, gettext, ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit import catalogue, forms, presentation, scans, throttle, writer
from audit.models import Scan
from llm import stats


@require_safe
def front_door(request: HttpRequest) -> HttpResponse:
    """`/` leads to the home page in the language that the browser asks for."""
    response = redirect("audit:landing")
    patch_vary_headers(response, ["Accept-Language"])
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Results are not listed here: a robot that may not fetch them would never see their noindex."""
    return HttpResponse("User-agent: *\nDisallow: /admin/\nDisallow: /api/\n", content_type="text/plain")


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    sample = presentation.gauge(score=49, raw_score=86)
    return render(request, "audit/landing.html", {"sample": sample, "sample_after": 100, **_about_data()})


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
    E_THROTTLE
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
