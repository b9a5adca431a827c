"""The public pages. Views read a request and pick a page; what is on it is worked out in presentation.py.

No view here touches the session, so no page sets a cookie. That is also why the forms carry no CSRF
token: the token is a promise bound to a cookie. There is nothing to forge either. A scan belongs to
nobody, and what can be done to a result needs its secret address, which another site does not know.
"""

import asyncio
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from audit import formats, throttle
from audit.bank import catalogue
from audit.bank import findings as details
from audit.bank import questions as bank
from audit.confidential import private
from audit.models import Report, Scan
from audit.orders import terms
from audit.pages import live, sample
from audit.pages.context import alternates
from audit.pages.private import are_you_sure, scan_or_404
from audit.presentation import library, plan, yours
from audit.presentation import replay as replay_view
from audit.presentation import scan as presentation
from audit.presentation.gauge import gauge
from audit.presentation.report import ReportView, present
from audit.report import jobs, upgrade
from audit.report.text.render import to_html
from audit.scans import form, shares
from audit.scans import service as scans
from audit.scoring import formula
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
        "sample": gauge(score=scored.score, raw_score=scored.raw_score),
        "sample_minutes": scored.findings[0].minutes,
        "sample_after": sample.score_after_first_fix(),
        "sample_report": sample.report(),
        "recent": library.recent(),
        "offer": _offer(),
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
        return _form(request, questionnaire=questionnaire, sent=form.Sent())
    sent = form.read(request.POST, questions=[question.id for question in questionnaire])
    if form.SWITCH in request.POST:  # another language was chosen on the way: the same form in its words
        return _form(request, questionnaire=questionnaire, sent=sent)
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
    made = scans.create_scan(
        answers=answers,
        lang=get_language(),
        ai=sent.ai is not False,
        previous=scans.get_scan(sent.previous),
        tried=sent.tested,
    )
    return redirect("audit:result", token=scans.scan_token(made))


def _form(
    request: HttpRequest,
    *,
    questionnaire: tuple[catalogue.QuestionText, ...],
    sent: form.Sent,
    errors: dict[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    fields = presentation.fields(
        questionnaire=questionnaire,
        categories=catalogue.category_labels(),
        sent=sent,
        errors=errors or {},
    )
    context = {
        "base": "base_private.html" if sent.previous else "base_public.html",
        "fields": fields,
        "rail": presentation.stages(fields),
        "steps": len(fields) + 1,
        "bank_version": bank.BANK_VERSION,
        "switches": alternates("audit:scan"),
        "switch_form": "scan",
        "sent": sent,
        "errors": errors,
        "problem": problem,
        **_about_data(),
    }
    response = render(request, "audit/scan.html", context, status=status)
    return private(response) if sent.previous else response


def _offer() -> dict[str, Any]:
    """The manual audit in two figures: its price, and the days from payment to report."""
    return {"price": formats.price(settings.AUDIT_PRICE_USD), "days": terms.PROMISE_DAYS}


def _about_data() -> dict[str, Any]:
    """What the pages say about data: who may see answer codes now, and how long they stay."""
    return {"providers": stats.reachable_providers(), "retention_days": settings.RETENTION_DAYS}


# -- a result: private to whoever has its address --------------------------------------------------
@require_safe
def result(request: HttpRequest, token: str) -> HttpResponse:
    """The score and every finding at once. Nothing here starts a report."""
    scan = scan_or_404(token)
    facts = details.details(scan)
    context = {
        "result": presentation.result(
            details=facts,
            answers=scan.answers,
            bank=catalogue.scoring_bank(),
            questions=catalogue.questions_by_id(),
            categories=catalogue.category_labels(),
        ),
        "scan": scan,
        "token": token,
        "deleted_by": scans.kept_until(scan),
        "last_time": yours.last_time(scan),
        "aged": yours.aged(scan),
        "may_rewrite": scan.lang != get_language() and upgrade.may_rewrite(scan),
        "next_check": plan.next_check(scan.created_at),
        "plan": plan.plan(facts, order=yours.fix_order(scan, facts)),
        "codes": [f"{question}.{value}" for question, value in scan.answers.items()],
        "offer": _offer(),
        "card_image": static(f"audit/cards/{formula.band(scan.score)}.png"),
        "tally": replay_view.tally(scan),
        "case": yours.telling_case(facts),
        "share_token": shares.share_token(scan),
        "report": _report(scan),
    }
    return private(render(request, "audit/result.html", context))


@require_safe
def again(request: HttpRequest, token: str) -> HttpResponse:
    """The form with the answers of this result filled in; sent, it makes a new result that knows this one."""
    scan = scan_or_404(token)
    sent = form.Sent(answers=scan.answers, ai=scan.ai, previous=token, tested=scan.tested)
    return _form(request, questionnaire=catalogue.questionnaire(), sent=sent)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, token: str) -> HttpResponse:
    """The report's present state; POST starts it first. `?fragment=1` gives the part that report.js shows."""
    scan = scan_or_404(token)
    fragment = "fragment" in request.GET
    if request.method == "POST":
        jobs.start_report(scan)
        if not fragment:
            address = reverse("audit:result", kwargs={"token": token})
            return private(HttpResponseRedirect(f"{address}#report", status=303))
    template = "audit/_report.html" if fragment else "audit/report.html"
    context = {"report": _report(scan), "scan": scan, "token": token, "fragment": fragment}
    return private(render(request, template, context))


@require_GET
def events(request: HttpRequest, token: str) -> Any:
    """The same part of the page again and again as it changes, as server-sent events: see live.py.

    On an event loop something to await for the answer.
    """
    return _events(request, token) if on_loop() else private(live.answer_in_thread(**_viewer(request, token)))


async def _events(request: HttpRequest, token: str) -> HttpResponseBase:
    viewer = await sync_to_async(_viewer)(request, token)
    return private(await live.answer(address=request.path, **viewer))


def _viewer(request: HttpRequest, token: str) -> dict[str, Any]:
    scan, lang, links = scan_or_404(token), get_language(), catalogue.source_urls()

    def draw(row: Report) -> str:
        with override(lang):
            context = {"report": _present(row, scan, links), "scan": scan, "token": token, "fragment": True}
            return render_to_string("audit/_report.html", context, request)

    return {"scan": scan, "last_id": request.headers.get("Last-Event-ID", ""), "draw": draw}


def on_loop() -> bool:
    """Whether this thread runs an event loop, on which nothing may block."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, token: str) -> HttpResponse:
    """Asks once, then deletes on POST."""
    scan = scan_or_404(token)
    if request.method == "POST":
        scans.delete_scan(scan)
        return private(HttpResponseRedirect(reverse("audit:deleted"), status=303))
    return are_you_sure(
        request,
        question=_("Delete this result?"),
        consequence=_(
            "The answers, the score and the report disappear at once, and the link stops working. Nobody can bring "
            "them back, and neither can we."
        ),
        confirm=_("Delete for good"),
        keep=_("Keep it"),
        back=reverse("audit:result", kwargs={"token": token}),
    )


def _report(scan: Scan) -> ReportView:
    return _present(jobs.current(scan), scan)


def _present(row: Report, scan: Scan, links: frozenset[str] | None = None) -> ReportView:
    return present(
        row, ai=scan.ai, stalled=jobs.is_stalled(row), to_html=partial(to_html, links=links, below=2)
    )
