"""Views of a finished report: check its receipt, or have a model rewrite one that the template wrote."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from audit.confidential import private
from audit.orders import secret_guard
from audit.pages.private import scan_or_404
from audit.presentation import receipts as receipt_view
from audit.report import upgrade
from llm.chain import receipts


@require_safe
def receipt(request: HttpRequest) -> HttpResponse:
    """Whether a receipt is genuine, and what it says. `?receipt=`: as it was copied or linked."""
    pasted = request.GET.get("receipt", "").strip()
    found = receipts.verify(pasted)
    if found is None and secret_guard.look(pasted):
        pasted = ""  # what is no receipt is shown again, but no secret is, nor do links carry it on
        request.GET, request.META["QUERY_STRING"] = QueryDict(), ""
    context = {
        "pasted": pasted[: receipts.MOST_CHARS],
        "receipt": receipt_view.view(found) if found else None,
    }
    response = render(request, "audit/receipt.html", context)
    if pasted:
        response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@csrf_exempt
@require_POST
def new_version(request: HttpRequest, token: str) -> HttpResponse:
    """Has a model write the report that we had to put together; the present one stays until it is there.

    `rewrite`: puts it together again in the language of the page instead, and asks nobody.
    """
    scan = scan_or_404(token)
    if "rewrite" in request.POST:
        upgrade.rewrite(scan, lang=get_language() or settings.LANGUAGE_CODE)
    else:
        upgrade.start(scan)
    address = reverse("audit:result", kwargs={"token": token})
    return private(HttpResponseRedirect(f"{address}#report", status=303))
