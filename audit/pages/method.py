"""How the score is made, for people and as JSON."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit import formats
from audit.presentation import method as contents
from audit.scoring import formula, sensitivity


@require_safe
def method(request: HttpRequest) -> HttpResponse:
    listed = contents.questions()
    context = {
        "questions": listed,
        "caps": contents.caps(listed),
        "example": contents.example(listed),
        "firmness": contents.firmness(),
        "versions": contents.VERSIONS,
        "bands": [(least, name, formats.BAND_WORDS[name]) for least, name in formula.BANDS],
        "share": round(100 * sensitivity.SHARE),
        "draws": sensitivity.DRAWS,
    }
    return render(request, "audit/method.html", context)


@require_safe
def bank_json(request: HttpRequest) -> HttpResponse:
    """The question bank in the page's language; `?version=` for an earlier one, 404 for one that never was."""
    bank = contents.bank_as_json(
        contents.questions(), request.GET.get("version") or contents.VERSIONS[0].bank
    )
    if bank is None:
        raise Http404
    return JsonResponse(bank, json_dumps_params={"ensure_ascii": False, "indent": 1})
