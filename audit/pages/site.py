"""What machines and people who look for trouble read first: robots.txt, the sitemap, security.txt; and first aid."""

from datetime import timedelta
from email.utils import parseaddr
from xml.etree import ElementTree

from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.views.decorators.http import require_safe

from audit import formats
from audit.bank import emergency
from audit.bank import questions as bank
from audit.models import Incident
from audit.scoring import formula

PUBLIC_PAGES = ("landing", "scan", "incidents", "method", "about", "approvals", "hacked", "terms", "privacy")
SECURITY_TXT_DAYS = 180  # RFC 9116 wants less than a year; half of one shows that somebody still looks
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML = "http://www.w3.org/1999/xhtml"


@require_safe
def hacked(request: HttpRequest) -> HttpResponse:
    """First aid. Needs no database: it must open when little else does."""
    near, far = emergency.desks(get_language() or settings.LANGUAGE_CODE)
    context = {"situations": emergency.SITUATIONS, "near": near, "far": far}
    return render(request, "audit/hacked.html", context)


@require_safe
def approvals(request: HttpRequest) -> HttpResponse:
    """How to look up approvals and delegations, without giving anybody an address. Needs no database."""
    return render(request, "audit/approvals.html")


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Who stands behind the site, from the settings; and what changed last."""
    _name, contact = parseaddr(settings.DEFAULT_FROM_EMAIL)
    newest = Incident.objects.filter(active=True).aggregate(day=Max("added"))["day"]
    found = {
        "seller": settings.SELLER_NAME,
        "address": settings.SELLER_ADDRESS,
        "contact": contact,
        "source": settings.SOURCE_URL,
        "price": formats.price(settings.AUDIT_PRICE_USD),
        "bank": bank.BANK_VERSION,
        "scoring": formula.SCORING_VERSION,
        "cases_changed": formats.day(newest.isoformat()) if newest else "–",
    }
    return render(request, "audit/about.html", {"about": found})


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Results are not listed here: a robot that may not fetch them would never see their noindex."""
    lines = [
        "User-agent: *",
        "Disallow: /admin/",
        "Disallow: /api/",
        "",
        f"Sitemap: {_address('sitemap')}",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type="text/plain")


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116: whom to tell about a hole in this site. The site's sender address: people answer to it anyway,
    while ADMINS may be somebody's private ones.
    """
    _name, contact = parseaddr(settings.DEFAULT_FROM_EMAIL)
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: mailto:{contact}",
        f"Expires: {(midnight + timedelta(days=SECURITY_TXT_DAYS)).strftime('%Y-%m-%dT%H:%M:%SZ')}",
        f"Preferred-Languages: {', '.join(code for code, _name in settings.LANGUAGES)}",
        f"Canonical: {_address('security-txt')}",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every public page in every language, each with its translations. One query."""
    pages: list[tuple[str, dict[str, str]]] = [(name, {}) for name in PUBLIC_PAGES]
    slugs = Incident.objects.filter(active=True).values_list("slug", flat=True)
    pages += [("incident", {"slug": slug}) for slug in slugs]
    ElementTree.register_namespace("", SITEMAP)
    ElementTree.register_namespace("xhtml", XHTML)
    root = ElementTree.Element(f"{{{SITEMAP}}}urlset")
    for name, kwargs in pages:
        addresses = _in_every_language(name, kwargs)
        for address in addresses.values():
            url = ElementTree.SubElement(root, f"{{{SITEMAP}}}url")
            ElementTree.SubElement(url, f"{{{SITEMAP}}}loc").text = address
            default = ("x-default", addresses[settings.LANGUAGE_CODE])
            for lang, other in (*addresses.items(), default):
                link = {"rel": "alternate", "hreflang": lang, "href": other}
                ElementTree.SubElement(url, f"{{{XHTML}}}link", link)
    body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return HttpResponse(body, content_type="application/xml")


def _in_every_language(name: str, kwargs: dict[str, str]) -> dict[str, str]:
    """Language to the page's full address."""
    addresses = {}
    for lang, _name in settings.LANGUAGES:
        with override(lang):
            addresses[lang] = _address(f"audit:{name}", kwargs)
    return addresses


def _address(name: str, kwargs: dict[str, str] | None = None) -> str:
    return f"{settings.SITE_URL}{reverse(name, kwargs=kwargs)}"
