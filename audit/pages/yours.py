"""What visitors do with their own result: try fixes, play cases against it, print, export and share it.

All of it is read from the result; only `share` and `unshare` write, and they take POST alone.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from audit import formats
from audit.bank import findings
from audit.confidential import private
from audit.pages.private import scan_or_404
from audit.presentation import exports, plan, yours
from audit.presentation import replay as replay_view
from audit.presentation.gauge import gauge
from audit.report import jobs
from audit.scans import shares
from audit.scoring import formula


@require_safe
def fixes(request: HttpRequest, token: str) -> HttpResponse:
    """The score with the findings of `?done=` fixed. Stores nothing: the address is all there is."""
    scan = scan_or_404(token)
    facts = findings.details(scan)
    trial = yours.trial(scan=scan, details=facts, done=request.GET.getlist("done"))
    return private(render(request, "audit/fixes.html", {"trial": trial, "token": token}))


@require_safe
def replay(request: HttpRequest, token: str) -> HttpResponse:
    """The case of `?case=` against the answers; without one, a case that fits, if there are any."""
    scan = scan_or_404(token)
    slug = request.GET.get("case", "")
    stage = replay_view.stage(scan=scan, slug=slug)
    if slug and stage is None:
        raise Http404
    return private(render(request, "audit/replay.html", {"stage": stage, "token": token}))


@require_safe
def plain_print(request: HttpRequest, token: str) -> HttpResponse:
    """The fixes as a sheet that does not say what they protect."""
    scan = scan_or_404(token)
    context = {"items": yours.plain_sheet(findings.details(scan)), "token": token}
    return private(render(request, "audit/print.html", context))


@require_safe
def plan_ics(request: HttpRequest, token: str) -> HttpResponse:
    """The first steps, a check-up and a drill as a calendar file that says nothing of what they are for."""
    scan = scan_or_404(token)
    facts = findings.details(scan)
    entries = plan.calendar(facts, order=yours.fix_order(scan, facts), today=timezone.localdate())
    text = plan.ics(entries, seed=scan.public_id, now=timezone.now())
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    return _download(response, f"checklist-{scan.created_at:%Y-%m-%d}.ics")


@require_safe
def export_markdown(request: HttpRequest, token: str) -> HttpResponse:
    scan = scan_or_404(token)
    text = exports.markdown(scan, findings.details(scan), jobs.current(scan))
    response = HttpResponse(text, content_type="text/markdown; charset=utf-8")
    return _download(response, exports.filename(scan, "md"))


@require_safe
def export_json(request: HttpRequest, token: str) -> HttpResponse:
    scan = scan_or_404(token)
    data = exports.data(scan, findings.details(scan), jobs.current(scan))
    response = JsonResponse(data, json_dumps_params={"ensure_ascii": False, "indent": 1})
    return _download(response, exports.filename(scan, "json"))


def _download(response: HttpResponse, name: str) -> HttpResponse:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return private(response)


# -- the card --------------------------------------------------------------------------------------
@csrf_exempt
@require_POST
def share(request: HttpRequest, token: str) -> HttpResponse:
    """Makes the public card of the score."""
    shares.share(scan_or_404(token))
    return _back_to_sharing(token)


@csrf_exempt
@require_POST
def unshare(request: HttpRequest, token: str) -> HttpResponse:
    """Takes the card back."""
    shares.unshare(scan_or_404(token))
    return _back_to_sharing(token)


def _back_to_sharing(token: str) -> HttpResponse:
    address = reverse("audit:result", kwargs={"token": token})
    return private(HttpResponseRedirect(f"{address}#share", status=303))


@require_safe
def card(request: HttpRequest, token: str) -> HttpResponse:
    """Score, band and date, for whoever has the card's address. Its token opens nothing else."""
    scan = shares.shared_scan(token)
    if scan is None:
        raise Http404
    band = formula.band(scan.score)
    context = {
        "scan": scan,
        "band": band,
        "band_word": formats.BAND_WORDS[band],
        "gauge": gauge(score=scan.score, raw_score=scan.score),
        "image": f"{settings.SITE_URL}{static(f'audit/cards/{band}.png')}",
    }
    response = render(request, "audit/card.html", context)
    response["Cache-Control"] = "no-store"  # taken back means gone
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
