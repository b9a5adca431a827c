"""What the chain's codes mean, in words for people: how an attempt ended, why something was passed over."""

from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from llm.failures.kinds import Kind

WORDS: dict[str, Promise] = {
    "ok": gettext_lazy("answered"),
    "running": gettext_lazy("running"),
    "cancelled": gettext_lazy("the caller left"),
    "abandoned": gettext_lazy("the worker died"),
    "exhausted": gettext_lazy("every provider failed"),
    Kind.RATE_LIMITED_KEY: gettext_lazy("quota used up"),
    Kind.RATE_LIMITED_PROVIDER: gettext_lazy("too many requests of all users"),
    Kind.BLOCKED_PROVIDER: gettext_lazy("blocks us"),
    Kind.KEY_INVALID: gettext_lazy("the key no longer works"),
    Kind.CREDITS_DEPLETED: gettext_lazy("out of credit"),
    Kind.MODEL_GONE: gettext_lazy("the model is gone"),
    Kind.REQUEST_TOO_LARGE: gettext_lazy("request too large"),
    Kind.REQUEST_REJECTED: gettext_lazy("request refused"),
    Kind.PROVIDER_DOWN: gettext_lazy("server error or no answer"),
    Kind.CONTENT_BLOCKED: gettext_lazy("blocked by its content policy"),
    Kind.EMPTY_OUTPUT: gettext_lazy("empty answer"),
    Kind.REJECTED_OUTPUT: gettext_lazy("text failed the checks"),
    Kind.CUT_SHORT: gettext_lazy("ended by our own limit"),
    "paused_by_staff": gettext_lazy("paused by staff"),
    "quota": gettext_lazy("today’s quota is used up"),
    "budget": gettext_lazy("the budget is spent"),
    "spare": pgettext_lazy("key", "spare"),
    "no key": gettext_lazy("no key"),
    "no model": gettext_lazy("no model"),
    "price unknown": gettext_lazy("price unknown"),
    "free only": gettext_lazy("costs money, and the call may cost nothing"),
    "over max_usd": gettext_lazy("dearer than the call may be"),
    "daily budget spent": gettext_lazy("the provider’s daily budget is spent"),
    "daily budget of the site spent": gettext_lazy("the site’s daily budget is spent"),
    "daily budget of the client spent": gettext_lazy("the client’s daily budget is spent"),
    "trial credit is spent": gettext_lazy("the trial credit is spent"),
    "terms: no commercial use": gettext_lazy("its terms: no commercial use"),
    "terms: users of that region are barred": gettext_lazy("its terms: users of that region are barred"),
    "terms: bars users of some regions": gettext_lazy("its terms: users of some regions are barred"),
    "terms: trains on prompts": gettext_lazy("its terms: it trains on prompts"),
    "terms: may train on prompts": gettext_lazy("its terms: it may train on prompts"),
    "terms: no personal data": gettext_lazy("its terms: no personal data"),
    "trial credit has ended": gettext_lazy("the trial credit has ended"),
}


def why(code: str) -> str:
    """A code in words; the code itself where it has none."""
    return str(WORDS.get(code, code))


def span(length: timedelta) -> str:
    """A length of time in words, rounded up: `40 s`, `8 min`, `3 h`, `2 days`."""
    seconds = max(length.total_seconds(), 0)
    for size, text, least in (
        (86_400, _("%(n)d d"), 172_800),
        (3_600, _("%(n)d h"), 7_200),
        (60, _("%(n)d min"), 100),
    ):
        if seconds >= least:
            return text % {"n": -(-seconds // size)}
    return _("%(n)d s") % {"n": -(-seconds // 1)}
