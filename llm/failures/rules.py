"""What went wrong, and what follows from it: one table from a provider's answer to one failure kind.

Order of evidence: structured codes, then status, then headers, then prose. The first rule that
matches wins, so a more specific rule stands above a more general one.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from llm.failures import waits
from llm.failures.abilities import ABILITIES, LACKS, NEVER_TAKES, NO_SUCH_ABILITY
from llm.failures.evidence import Asked
from llm.failures.kinds import SCOPE_OF_KIND, Failure, Kind, Owner, Scope
from llm.failures.sentences import (
    ABOUT_THE_REQUEST,
    BLOCKED,
    BLOCKED_SENTENCES,
    CHALLENGE,
    CONTENT,
    CONTENT_SENTENCES,
    CREDIT_CODES,
    EDGE,
    FOR_PAYING_USERS,
    FREE_TIER_ONLY,
    GONE,
    GONE_SENTENCES,
    KEY,
    KEY_SENTENCES,
    MONEY,
    MONEY_SENTENCES,
    ONE_MODEL,
    RELAYED,
    SHARED,
    THROTTLED,
    TOO_LARGE,
)
from llm.failures.signals import Signals

__all__ = ["SCOPE_OF_KIND", "Failure", "Kind", "Owner", "Rule", "Scope", "classify"]


@dataclass(frozen=True)
class Rule:
    """One line of the table. A condition that is left out always holds; `text` and `known` are regular expressions.

    `text` are words that hint, looked for in what is surely the provider's own; `known` are sentences of providers.
    """

    kind: Kind
    codes: str = ""  # words; a code matches when it equals one of them, or begins with one that ends in *
    status: str = ""  # words such as "403 5xx"
    header: str = ""  # "name" or "name=part of the value"
    text: str = ""
    known: str = ""
    place: bool = False  # the refusal points at a part of the request
    cites: bool = False  # it repeats a name of the caller's own making
    html: bool | None = None
    scope: Scope | None = None

    def matches(self, signals: Signals) -> bool:
        return (
            (not self.status or _status_matches(self.status, signals.error_status))
            and (self.html is None or self.html == signals.is_html)
            and (not self.codes or _code_matches(self.codes, signals.codes))
            and (not self.header or _header_matches(self.header, signals.header))
            and (not self.place or signals.has_place)
            and (not self.cites or signals.cites)
            and (not self.text or signals.says(self.text))
            and (not self.known or signals.says(self.known, known=True))
        )


def _status_matches(words: str, status: int | None) -> bool:
    return any(word in {str(status), f"{str(status)[:1]}xx"} for word in words.split())


def _code_matches(words: str, codes: frozenset[str]) -> bool:
    for word in words.split():
        if word in codes or (word.endswith("*") and any(code.startswith(word[:-1]) for code in codes)):
            return True
    return False


def _header_matches(condition: str, header: dict[str, str]) -> bool:
    name, _, part = condition.partition("=")
    return name in header and part in header[name].lower()


RULES = (
    # The network's edge speaks before the service does: Cloudflare's numbers, challenges, firewalls.
    Rule(Kind.RATE_LIMITED_PROVIDER, codes="1015 rate_limited_by_edge", scope=Scope.PROVIDER),
    Rule(Kind.RATE_LIMITED_PROVIDER, text=r"\berror( code)?:? 1015\b", scope=Scope.PROVIDER),
    Rule(Kind.BLOCKED_PROVIDER, codes="1006 1007 1008 1009 1010 1012 1020 browser_signature_banned", status="403"),
    Rule(Kind.BLOCKED_PROVIDER, text=r"\berror( code)?:? (1006|1007|1008|1009|1010|1012|1020)\b"),
    Rule(Kind.BLOCKED_PROVIDER, header="cf-mitigated=challenge"),
    Rule(Kind.BLOCKED_PROVIDER, header="x-amzn-waf-action"),
    Rule(Kind.BLOCKED_PROVIDER, header="x-vercel-mitigated=challenge"),
    Rule(Kind.RATE_LIMITED_PROVIDER, status="429", html=True, scope=Scope.PROVIDER),
    Rule(Kind.BLOCKED_PROVIDER, status="401 403 405 406", html=True, text=EDGE),
    Rule(Kind.BLOCKED_PROVIDER, status="503", html=True, text=CHALLENGE),
    Rule(Kind.BLOCKED_PROVIDER, status="403 451", html=True),
    Rule(Kind.BLOCKED_PROVIDER, status="451"),
    # Structured codes.
    Rule(Kind.CREDITS_DEPLETED, status="403 429", codes="allocationquota.freetieronly* free_tier_only freetieronly",
         scope=Scope.DEPLOYMENT),
    Rule(Kind.MODEL_GONE, status="400 403 404 410 422", codes="model_decommissioned model_not_found "
         "model_not_supported model_not_available model_deprecated model_retired unknown_model invalid_model "
         "model_terms_required model_permission_blocked* model_not_exist modelnotfound deploymentnotfound"),
    Rule(Kind.BLOCKED_PROVIDER, codes="unsupported_country_region_territory unsupported_country ip_blocked "
         "ip_not_authorized ip_address_blocked location_unsupported"),
    # A stated window is over when it is over, whatever the code beside it says of credit.
    Rule(Kind.RATE_LIMITED_KEY, status="402 403 429", codes=CREDIT_CODES, text=THROTTLED),
    Rule(Kind.CREDITS_DEPLETED, codes=CREDIT_CODES),
    Rule(Kind.KEY_INVALID, status="400 401 403 404 429", codes="invalid_api_key api_key_invalid api_key_expired "
         "organization_restricted organization_deactivated account_deactivated account_suspended access_terminated "
         "consumer_suspended consumer_invalid service_disabled iam_permission_denied api_key_service_blocked "
         "api_key_leaked invalid_grant invalid_client unauthorized_client authentication_error invalid_authentication "
         "access_token_expired access_token_scope_insufficient account_state_invalid unauthenticated token_expired"),
    Rule(Kind.RATE_LIMITED_KEY, status="2xx 400 403 422", codes="rate_limit_exceeded rate_limited rate_limit_error "
         "too_many_requests ratelimitexceeded"),
    Rule(Kind.REQUEST_TOO_LARGE, codes="context_length_exceeded request_too_large payload_too_large "
         "tokens_limit_reached string_above_max_length 1261 context_window_exceeded max_tokens_exceeded"),
    Rule(Kind.CONTENT_BLOCKED, codes="content_filter content_filtered content_policy_violation content_blocked "
         "data_inspection_failed responsibleaipolicyviolation prohibited_content safety moderation_blocked "
         "moderation flagged sensitive prompt_blocked 1301", status="2xx 400 403 422"),
    # 429: whose quota is it? Google's throttle and OpenAI's empty wallet share one sentence word for word,
    # so Google's own quota names come first.
    Rule(Kind.MODEL_GONE, status="429", text=r"limit: 0\b|limit[\"' :]+0 requests"),
    Rule(Kind.REQUEST_TOO_LARGE, status="429", text=r"^request too large"),
    Rule(Kind.RATE_LIMITED_KEY, status="429", codes="generaterequestsper* generatecontent* *perproject*"),
    Rule(Kind.RATE_LIMITED_KEY, status="429", codes="openrouter_free_tier_daily", scope=Scope.ACCOUNT),
    Rule(Kind.RATE_LIMITED_KEY, status="429", text=r"free-models-per-|free model requests", scope=Scope.ACCOUNT),
    Rule(Kind.RATE_LIMITED_KEY, status="429", text=r"concurren", scope=Scope.ACCOUNT),
    Rule(Kind.RATE_LIMITED_KEY, status="429", text=r"daily (free )?(allocation|quota|limit)|neurons",
         scope=Scope.ACCOUNT),
    Rule(Kind.RATE_LIMITED_PROVIDER, status="429", codes="upstream upstream_provider_shared_pool queue_exceeded "
         "engine_overloaded overloaded_error capacity_exceeded service_tier_capacity_exceeded 3505 3040 1305 "
         "model_overloaded server_overloaded"),
    Rule(Kind.RATE_LIMITED_KEY, status="429", text=r"\((tp|rp)[md]\)|per (minute|min|day|hour|second)\b.{0,60}limit"
         r"|quota exceeded (for|on|in)|limit .{0,30}/ ?(min|day|hour|sec)"),
    Rule(Kind.RATE_LIMITED_KEY, status="429", codes="resource_exhausted", text=r"exceeded your current quota"),
    Rule(Kind.RATE_LIMITED_KEY, status="429", text=r"rate limit (is )?(reached|exceeded)|limit reached for \d+ ?hour"),
    Rule(Kind.CREDITS_DEPLETED, status="429", text=rf"exceeded your current quota|{MONEY}"),
    Rule(Kind.RATE_LIMITED_PROVIDER, status="429", text=SHARED),
    Rule(Kind.KEY_INVALID, status="429", text=r"account .{0,30}(suspended|banned|disabled)"),
    Rule(Kind.RATE_LIMITED_KEY, status="429"),
    # Other statuses that speak for themselves.
    Rule(Kind.PROVIDER_DOWN, status="402", codes="upstream", text=RELAYED, scope=Scope.MODEL),
    Rule(Kind.CREDITS_DEPLETED, status="402", text=FREE_TIER_ONLY, scope=Scope.DEPLOYMENT),
    Rule(Kind.CREDITS_DEPLETED, status="402"),
    Rule(Kind.REQUEST_TOO_LARGE, status="413"),
    Rule(Kind.MODEL_GONE, status="410"),
    Rule(Kind.REQUEST_TOO_LARGE, status="500", text=TOO_LARGE),
    Rule(Kind.PROVIDER_DOWN, status="5xx", codes="model_capacity_exhausted model_overloaded model_not_ready "
         "model_unavailable", scope=Scope.MODEL),
    Rule(Kind.PROVIDER_DOWN, status="5xx", text=ONE_MODEL, scope=Scope.MODEL),
    Rule(Kind.PROVIDER_DOWN, status="5xx 3xx 408 409 424 425 498 499"),
    # 4xx that need their prose read.
    Rule(Kind.RATE_LIMITED_KEY, status="403", text=r"rate ?limit exceeded|daily ?limit exceeded|secondary rate limit"),
    # "free tier only": this model costs money now, which says nothing of the others.
    Rule(Kind.CREDITS_DEPLETED, status="402 403", text=FREE_TIER_ONLY, scope=Scope.DEPLOYMENT),
    Rule(Kind.CREDITS_DEPLETED, status="403", text=FOR_PAYING_USERS, scope=Scope.DEPLOYMENT),
    Rule(Kind.BLOCKED_PROVIDER, status="400 401 403", known=BLOCKED_SENTENCES),
    Rule(Kind.CONTENT_BLOCKED, status="400 403 422", known=CONTENT_SENTENCES),
    Rule(Kind.CREDITS_DEPLETED, status="400 401 403 412", known=MONEY_SENTENCES),
    Rule(Kind.KEY_INVALID, status="400", known=KEY_SENTENCES),
    Rule(Kind.MODEL_GONE, status="400 404", known=GONE_SENTENCES),
    # What points at a part of the request, or has a name for what is wrong with it, is about the request.
    Rule(Kind.REQUEST_TOO_LARGE, status="400 422", codes=ABOUT_THE_REQUEST, text=TOO_LARGE),
    Rule(Kind.REQUEST_REJECTED, status="400 422", codes=ABOUT_THE_REQUEST),
    Rule(Kind.REQUEST_REJECTED, status="400 422", place=True),
    Rule(Kind.REQUEST_TOO_LARGE, status="400 422", cites=True, text=TOO_LARGE),
    Rule(Kind.REQUEST_REJECTED, status="400 422", cites=True),
    Rule(Kind.BLOCKED_PROVIDER, status="400 401 403", text=BLOCKED),
    Rule(Kind.CONTENT_BLOCKED, status="400 403 422", text=CONTENT),
    # A relay that names whose answer it passes on: another's key, or credit, is not ours.
    Rule(Kind.PROVIDER_DOWN, status="401 403", codes="upstream", text=RELAYED, scope=Scope.MODEL),
    Rule(Kind.CREDITS_DEPLETED, status="400 401 403 412", text=MONEY),
    # Of a parameter, not of the model: "… is not supported with this model".
    Rule(Kind.REQUEST_REJECTED, status="400 422",
         text=r"(not (supported|available|enabled|allowed)|unsupported|deprecated)"
         r" (with|for|by|on|in) (this|the selected) model|not a valid (value|parameter|option)"),
    Rule(Kind.REQUEST_TOO_LARGE, status="403", text=r"token.{0,60}context (length|window)"),
    Rule(Kind.MODEL_GONE, status="400 401 403 404 422",
         text=rf"\bmodels?\b.{{0,160}}({GONE})|({GONE}).{{0,80}}\bmodels?\b|supported (api )?model names"
              r"|\bmodels? (is |has been )?disabled"),
    Rule(Kind.MODEL_GONE, status="403",
         text=r"(no|not|n't|without|have) .{0,30}access (to .{0,30})?model|model .{0,60}access|access to .{0,10}model"),
    Rule(Kind.KEY_INVALID, status="401"),
    Rule(Kind.KEY_INVALID, status="400 403 404", text=KEY),
    Rule(Kind.BLOCKED_PROVIDER, status="403",
         text=rf"{EDGE}|access denied|forbidden by|not allowed from|^request not allowed"),
    Rule(Kind.MODEL_GONE, status="403", text=r"\bmodels?\b"),
    Rule(Kind.RATE_LIMITED_KEY, status="403", scope=Scope.ACCOUNT,
         text=r"\bquota\b.{0,30}(exceeded|exhausted|reached|used up)|exceed.{0,20}\bquota\b"),
    Rule(Kind.KEY_INVALID, status="403"),
    Rule(Kind.MODEL_GONE, status="404"),
    Rule(Kind.REQUEST_TOO_LARGE, status="400 422", text=TOO_LARGE),
    Rule(Kind.PROVIDER_DOWN, status="400", known=r"degraded function cannot be invoked"),
    Rule(Kind.PROVIDER_DOWN, status="400", text=r"temporarily unavailable|try again later|overloaded"),
    Rule(Kind.REQUEST_REJECTED, status="4xx"),
    # No HTTP answer, or a 200 that is none.
    Rule(Kind.KEY_INVALID,
         text=r"invalid_grant|invalid jwt|(invalid|deleted|unauthorized)_client|reauthenticat|account not found"),
    Rule(Kind.PROVIDER_DOWN),
)  # fmt: skip

WINDOWS = (
    ("month", r"month"),
    ("day", r"\b(tpd|rpd)\b|per.?day|daily|/ ?day|free-models-per-day"),
    ("minute", r"\b(tpm|rpm)\b|per.?min|/ ?min"),
    ("concurrency", r"concurren"),
)


def classify(
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    body: str = "",
    exception: str = "",
    now: float | None = None,
) -> Failure:
    """The one failure that a provider's answer means.

    `status` is None when there was no HTTP answer, and then `exception` says what there was instead.
    `now` is a Unix time, for resets that are given as a moment.
    """
    return _judge(Signals(status=status, headers=headers, body=body, exception=exception), now=now)


def in_view_of(failure: Failure, asked: Asked) -> Failure:
    """The same failure, judged with what was asked at hand: what a provider only repeats is no evidence.

    A failure that no provider's words stand behind stays as it is.
    """
    if failure.signals is None:
        return failure
    return _judge(replace(failure.signals, asked=asked), now=None)


def _judge(signals: Signals, *, now: float | None) -> Failure:
    rule = next(rule for rule in RULES if rule.matches(signals))
    kind, scope, lacks = rule.kind, rule.scope, ""
    if kind in {Kind.MODEL_GONE, Kind.REQUEST_REJECTED} and (lacks := _lacking(signals)):
        kind, scope = Kind.REQUEST_REJECTED, None
    if (
        kind is Kind.PROVIDER_DOWN
        and scope is None
        and (signals.error_status or 0) >= 500
        and signals.names_model()
    ):
        scope = Scope.MODEL
    window_of = " ".join((signals.own_words, *signals.codes))
    window = next((name for name, pattern in WINDOWS if re.search(pattern, window_of, re.I)), None)
    named = signals.waits(time.time() if now is None else now)
    return Failure(
        kind,
        signals.detail() or f"HTTP {signals.status}",
        scope=scope,
        status=signals.status,
        retry_after_s=waits.meant_s(named, kind, window),
        window=window,
        organisation=signals.organisation,
        headers=signals.header,
        lacks=lacks,
        lasting=bool(lacks) and _is_lasting(signals, lacks),
        signals=signals,
    )


def _is_lasting(signals: Signals, lacks: str) -> bool:
    """Whether the model takes this from nobody; else it is what this one request makes of it."""
    said = re.search(NEVER_TAKES, signals.text, re.I)
    if said is None or signals.asked is None or signals.has_place or signals.asked.contains(said[0]):
        return False
    only_the_choice = lacks == "tools" and re.search(ABILITIES["tool_choice"], signals.text, re.I)
    return lacks in ABILITIES and not only_the_choice


def _lacking(signals: Signals) -> str:
    """What the model cannot take of what this very request needs; empty when it is something else."""
    if signals.error_status not in {400, 404, 405, 422}:
        return ""
    text = signals.text
    if signals.asked and re.search(LACKS, text, re.I):
        for ability in sorted(signals.asked.needs):
            if (words := ABILITIES.get(ability)) and re.search(words, text, re.I):
                return ability
    return "parameters" if re.search(NO_SUCH_ABILITY, text, re.I) else ""
