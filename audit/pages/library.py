"""The case library and a page for each case. GET only: a filter is an address that can be shared."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.models import Incident
from audit.presentation import library, losses


@require_safe
def incidents(request: HttpRequest) -> HttpResponse:
    """All cases, or those of `?kind=` and `?year=`. Unknown values show all."""
    found = library.entries()
    shelf = library.shelf(found, kind=request.GET.get("kind", ""), year=request.GET.get("year", ""))
    context = {
        "shelf": shelf,
        "chart": losses.chart(shelf.entries),
        "filtered": shelf.filtered,
    }
    return render(request, "audit/incidents.html", context)


@require_safe
def cases_json(request: HttpRequest) -> HttpResponse:
    """Slug, day of adding and weak answers of every case: the same for everybody, so that a browser can find out by
    itself what is new for its reader, without telling us who asks."""
    rows = Incident.objects.filter(active=True).order_by("slug").values("slug", "added", "weaknesses")
    cases = [{**row, "added": row["added"].isoformat()} for row in rows]
    response = JsonResponse({"cases": cases})
    response["Cache-Control"] = "public, max-age=3600"
    return response


@require_safe
def incident(request: HttpRequest, slug: str) -> HttpResponse:
    """One case; 404 for one that was withdrawn."""
    found = library.entry(slug)
    if found is None:
        raise Http404
    return render(request, "audit/incident.html", {"entry": found, "hits": library.hits(found)})
