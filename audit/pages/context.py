"""What every page knows about the site. Never touches the database, the cache or the session."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import ResolverMatch, reverse
from django.utils.translation import get_language, get_language_info, override


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternate:
    """The page in one of the site's languages, named in that language."""

    code: str
    name: str
    path: str
    current: bool

    @property
    def url(self) -> str:
        return f"{settings.SITE_URL}{self.path}"


def site(request: HttpRequest) -> dict[str, Any]:
    """The context processor: see `page`."""
    return page(getattr(request, "resolver_match", None))


def page(match: ResolverMatch | None) -> dict[str, Any]:
    """`alternates`: this page in every language, or the home page where no public page was matched;
    `canonical`: the page's full address, None for an error page.
    """
    own = match if match is not None and match.app_names == ["audit"] else None
    current = get_language() or settings.LANGUAGE_CODE
    alternates = []
    for code, _name in settings.LANGUAGES:
        with override(code):
            path = reverse(own.view_name, kwargs=own.kwargs) if own else reverse("audit:landing")
        name = get_language_info(code)["name_local"]
        alternates.append(
            Alternate(code=code, name=name[:1].upper() + name[1:], path=path, current=code == current)
        )
    return {
        "site_url": settings.SITE_URL,
        "alternates": alternates,
        "canonical": next((each.url for each in alternates if each.current), None) if own else None,
    }
