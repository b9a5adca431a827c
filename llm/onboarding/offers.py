"""Where each provider that ships with the product gives out keys, and what a free one is worth a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from llm.configuration import snapshot
from llm.configuration.limits import MODEL
from llm.foresight.worth import REPORT
from llm.foresight.worth import worth as served
from llm.models import Model, Provider
from llm.status import providers as standing
from llm.status.providers import ProviderStatus

KEY_PAGES = {
    "groq": "https://console.groq.com/keys",
    "openrouter": "https://openrouter.ai/settings/keys",
    "huggingface": "https://huggingface.co/settings/tokens",
    "gemini": "https://aistudio.google.com/apikey",
    "cloudflare": "https://dash.cloudflare.com/profile/api-tokens",
    "mistral": "https://console.mistral.ai/api-keys",
    "nvidia": "https://build.nvidia.com/settings/api-keys",
    "zai": "https://z.ai/manage-apikey/apikey-list",
    "cerebras": "https://cloud.cerebras.ai/",
    "deepseek": "https://platform.deepseek.com/api_keys",
    "ollama-cloud": "https://ollama.com/settings/keys",
    "llm7": "https://token.llm7.io/",
    "cohere": "https://dashboard.cohere.com/api-keys",
    "vertex": "https://console.cloud.google.com/iam-admin/serviceaccounts",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One provider that wants a key. `keys`: how many it has; `worth`: its free limits in words, or that it costs."""

    provider: Provider
    address: str
    worth: str
    keys: int
    word: str


def offers() -> list[Offer]:
    """Providers in the order of the chain, free ones first; those that need no key are left out."""
    found = [_offer(one) for one in standing.provider_statuses() if not one.provider.keyless]
    return sorted(found, key=lambda each: (not each.provider.free, not each.provider.enabled))


def _offer(one: ProviderStatus) -> Offer:
    row = one.provider
    keys = sum(key.enabled and not key.problem for key in one.keys)
    return Offer(row, KEY_PAGES.get(row.slug, ""), worth(row), keys, one.word)


def worth(row: Provider) -> str:
    """What one free account gives a day, over all models; or what a paid one may spend."""
    if not row.free:
        if row.daily_budget_usd is None:
            return _("paid, no daily budget")
        return _("paid, at most $%(usd)s a day") % {"usd": number_format(row.daily_budget_usd, 2)}
    models = [model for model in row.models.all() if model.enabled]
    shared = [
        limit for limit in row.limits.all() if limit.enabled and limit.per == "day" and limit.scope != MODEL
    ]
    in_requests, in_tokens = (
        sum(limit.amount for limit in shared if limit.unit == unit) for unit in ("requests", "tokens")
    )
    parts = []
    if requests := in_requests + sum(model.rpd or 0 for model in models):
        text = ngettext("%(n)s request a day", "%(n)s requests a day", requests)
        parts.append(text % {"n": _whole(requests)})
    if tokens := in_tokens + sum(model.tpd or 0 for model in models):
        parts.append(ngettext("%(n)s token a day", "%(n)s tokens a day", tokens) % {"n": _whole(tokens)})
    return ", ".join(parts) or _reports(row) or _("free; how much, its answers tell")


def _reports(row: Provider) -> str:
    """What limits of other windows and units come to: of one account, in reports."""
    reports = served(snapshot.with_one_account(row), {}, sizes=(REPORT,)).a_day[0]
    if not reports:
        return ""
    text = ngettext("about %(n)s report a day", "about %(n)s reports a day", reports)
    return text % {"n": _whole(reports)}


def limits_in_words(model: Model | Any) -> str:
    """`30 requests a minute, 8,000 tokens a minute`; empty where none is known."""
    texts: Iterable[tuple[int | None, str]] = (
        (model.rpm, _("%(n)s requests a minute")),
        (model.rpd, _("%(n)s requests a day")),
        (model.tpm, _("%(n)s tokens a minute")),
        (model.tpd, _("%(n)s tokens a day")),
    )
    return ", ".join(text % {"n": _whole(limit)} for limit, text in texts if limit)


def _whole(number: int) -> str:
    return number_format(number, 0, force_grouping=True)
