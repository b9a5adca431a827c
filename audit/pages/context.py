"""What every page knows about the site. Never touches the database, the cache or the session."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.urls import ResolverMatch, reverse
from django.utils.translation import get_language, get_language_info, override

from llm.chain import receipts

KEPT = ("kind", "year", "case", "done", "back")
CODE = re.compile(r"[a-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternate:
    """The page in one of the site's languages, named in that language."""

    code: str
    name: str
    path: str
    current: bool
    query: str = ""

    @property
    def url(self) -> str:
        """The address of the page itself, for search engines: without what was asked of it."""
        return f"{settings.SITE_URL}{self.path}"

    @property
    def link(self) -> str:
        """Where the visitor goes on in this language: the same page with the same query."""
        return f"{self.path}?{self.query}" if self.query else self.path


def site(request: HttpRequest) -> dict[str, Any]:
    """The context processor: see `page`."""
    return page(getattr(request, "resolver_match", None), query=kept_query(request.GET))


def kept_query(asked: QueryDict) -> str:
    """What of a query goes along to another language: our own short codes, and a receipt that is genuine.

    Anything else may be what somebody pasted by mistake, and is not written into the page again.
    """
    kept = QueryDict(mutable=True)
    for name in KEPT:
        kept.setlist(name, [value for value in asked.getlist(name) if CODE.fullmatch(value)])
    receipt = asked.get("receipt", "").strip()
    if receipt and receipts.verify(receipt):
        kept["receipt"] = receipt
    return kept.urlencode()


def alternates(
    name: str, kwargs: Mapping[str, Any] | None = None, *, query: str = ""
) -> tuple[Alternate, ...]:
    """A page in every language of the site, by the name of its URL."""
    current = get_language() or settings.LANGUAGE_CODE
    found = []
    for code, _name in settings.LANGUAGES:
        with override(code):
            path = reverse(name, kwargs=dict(kwargs or {}))
        label = get_language_info(code)["name_local"]
        found.append(
            Alternate(
                code=code,
                name=label[:1].upper() + label[1:],
                path=path,
                current=code == current,
                query=query,
            )
        )
    return tuple(found)


def page(match: ResolverMatch | None, *, query: str = "") -> dict[str, Any]:
    """`alternates`: this page in every language, or the home page where no public page was matched;
    `canonical`: the page's full address, None for an error page. `query` goes along to the other languages.
    """
    own = match if match is not None and match.app_names == ["audit"] else None
    found = alternates(own.view_name, own.kwargs, query=query) if own else alternates("audit:landing")
    return {
        "site_url": settings.SITE_URL,
        "alternates": found,
        "canonical": next((each.url for each in found if each.current), None) if own else None,
    }
