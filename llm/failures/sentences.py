"""Words and sentences of providers by which a failure is known: regular expressions for the rules."""

GONE = (
    r"decommissioned|deprecated|retired|end.of.life|sunset|discontinued|no longer (available|supported|served)"
    r"|(does not|doesn't|not) exist|not[ _]found|not supported by any|is not (a valid|available|supported)"
    r"|invalid model|unknown model|unsupported model|requires terms|no endpoints found|no such"
    r"|not allowed to (use|access)"
    r"|disallowed|agreement|not been agreed|accept (the|its) (terms|licen[cs]e)"
)
TOO_LARGE = (
    r"context (length|window|size|limit)|maximum context|too (large|long) for|prompt is too long|input is too long"
    r"|reduce (the|your) (length|message|prompt|input)|(input|prompt) tokens? (count )?.{0,40}exceed"
    r"|exceeds? the (maximum|model'?s) .{0,30}tokens|too many (input )?tokens|request too large|payload too large"
    r"|tokens .{0,30}must be (<=|less than)|range of input length|must have less than \d+ tokens|prompt exceeds"
)
CONTENT = (
    r"content.{0,12}(risk|polic|filter|moderat|management)|moderation|flagged|prompt injection|guardrail"
    r"|responsible ai|safety (system|filter|setting|reason|polic)|inappropriate|sensitive (content|information|words)"
    r"|harmful content|prohibited (content|use)"
    r"|violat[a-z]{1,10} .{0,40}(usage|content|acceptable.use) (polic|guideline)"
)
MONEY = (
    r"(insufficient|not enough) (account )?(balance|credit|fund|quota)|(credit|account|wallet) balance"
    r"|negative balance|out of (funds|money)"
    r"|(out of|no|more|add|purchase|depleted|exceeded your (monthly )?included|exhausted|remaining) .{0,20}credits?"
    r"|credits? (limit|exhausted|depleted|required)|payment (method|required)|recharge|top.?up|billing"
    r"|(spend[a-z]{0,8}|key|budget|monthly|usage) limit (exceeded|reached)|(spend[a-z]{0,8}|budget) (limit|cap)"
    r"|/ ?month|per month|monthly|prepaid|trial (has )?(ended|expired)|good standing|budget has been exceeded"
    r"|reached your (specified|monthly) .{0,20}usage limits?"
    r"|(余额|额度|点数)(不足|已用尽|已用完|耗尽)|欠费|недостаточно средств|saldo insuficiente|solde insuffisant"
    r"|残高(が)?不足|잔액.{0,4}부족|insufficient[ _]\w{0,12}[ _]?(quota|balance|credit|fund)s?"
)
BLOCKED = (
    r"check your network settings|(country|region|territory|location|jurisdiction).{0,60}"
    r"(not (currently )?(supported|available|allowed|permitted|accepted|served)|unsupported|restricted|blocked)"
    r"|(not (supported|available)|unavailable|unsupported|blocked|access) (in|from|for) (your|this|the) "
    r"(country|region|location|territory|ip)|\b(vpn|proxy|tor) (is|are|traffic|or|detected)"
    r"|(your )?ip( address)? .{0,40}(blocked|banned|denied|not allowed|blacklisted|block)"
    r"|\bblock\w{0,8} .{0,20}ip address"
)
CHALLENGE = (
    r"just a moment|attention required|enable javascript and cookies|checking your browser|ddos protection|captcha"
    r"|verify you are (a )?human"
)
EDGE = (
    r"just a moment|attention required|you have been blocked|enable javascript and cookies|checking your browser"
    r"|verify you are (a )?human|access denied .{0,80}(cloudflare|browser|reference|edgesuite)"
    r"|banned your access|request (was )?blocked|incapsula|imperva|akamai|the request could not be satisfied"
    r"|web application firewall|ddos protection|captcha|security (service|check|solution)"
)
SHARED = (
    r"upstream|overload|over capacity|capacity|high (traffic|demand|load)|too busy|is busy|model busy|queue"
    r"|resource exhausted|engine is|shared|dynamic|other (users|customers)"
)
KEY = (
    r"(api|access|auth[a-z]{0,15})[ _-]?(key|token).{0,40}"
    r"(not valid|invalid|expired|revoked|incorrect|missing|leaked|disabled)"
    r"|(invalid|incorrect|expired|revoked|missing|malformed|unknown|no).{0,20}"
    r"(api|access|auth[a-z]{0,15})[ _-]?(key|token)"
    r"|invalid (credential|token|username|jwt)|(organi[sz]ation|account|project|user|consumer|tenant)\b.{0,60}"
    r"(restricted|suspended|disabled|deactivated|banned|terminated|blocked|closed)|invalid_grant|unauthori[sz]ed"
    r"|authentication fail|reauthenticat|permission .{0,80}denied|sufficient permissions"
)

THROTTLED = (
    r"\b[rt]p[ms]\b|per[ -]min(ute)?\b"
    r"|(requests?|tokens?|calls?|queries|messages) ?(limit )?(per|/|a|each) ?(\d{1,5} ?)?"
    r"(s|seconds?|sec|min|minutes?|h|hours?|d|days?)\b"
    r"|/ ?min(ute)?\b|每分钟|в минуту|por minuto"
)
ONE_MODEL = (
    r"^\S{1,80}[/:-]\S{1,80} is (currently |temporarily )?(over capacity|overloaded|unavailable|busy)"
    r"|\b(currently|still|is) loading\b|^loading model|\bmodel\b.{0,60}(overload|capacity|too busy|is busy|unavailable|"
    r"not ready|high demand|no (healthy|available))|no (available |healthy )?(channels?|capacity|instances?|"
    r"deployments?|workers?|upstreams?|backends?|endpoints?) .{0,40}\b(for|of|serving) (the )?model"
)
CREDIT_CODES = (
    "insufficient_quota insufficient_user_quota pre_consume_token_quota_failed insufficient_balance "
    "insufficient_credits insufficient_funds not_enough_balance balance_not_enough quota_not_enough "
    "billing_disabled billing_not_active billing_hard_limit_reached blocked_api_access credit_limit "
    "credit_limit_exceeded credits_exhausted credit_exhausted out_of_credits arrearage payment_required "
    "payment_method_required 1113 prepay_required exceeded_current_quota_error"
)
RELAYED = r"provider returned|upstream"
FREE_TIER_ONLY = (
    r"free[ -](tier|quota|usage) .{0,40}(only|exhausted|used up|ended|consumed)"
    r"|(only|exhausted|used up) .{0,30}free[ -](tier|quota)\b"
)
FOR_PAYING_USERS = (
    r"\bmodels?\b.{0,60}\b(paid|paying|pro|plus|premium|enterprise|subscri(ption|bers?)|plans?)\b"
    r"|\b(upgrade|subscribe|paid|premium) .{0,60}\bmodels?\b"
)
ABOUT_THE_REQUEST = (
    "invalid_function_parameters invalid_value invalid_type unsupported_parameter unsupported_value unknown_parameter "
    "missing_required_parameter invalid_json json_validate_failed json_invalid tool_use_failed extra_forbidden missing "
    "integer_below_min_value integer_above_max_value decimal_below_min_value decimal_above_max_value invalid_schema "
    "invalid_json_schema invalid_tool_schema wrong_api_format value_error type_error string_type list_type dict_type "
    "literal_error enum invalid_base64 invalid_image_url array_above_max_length empty_array"
)
# Whole sentences of providers: with a tool's property `location` in the request, "User location is not supported for
# the API use" is still Google's own word.
BLOCKED_SENTENCES = (
    r"check your network settings|user location is not supported|country, region,? or territory not supported"
    r"|not available in your (country|region)"
)
MONEY_SENTENCES = (
    r"insufficient (account )?(balance|credits|funds)\b|credit balance is too low|balance is insufficient"
    r"|exceeded your monthly included credits|billing (hard )?limit has been reached|has reached its spend limit"
    r"|doesn't have any credits|payment method is required|reached your specified api usage limits"
)
CONTENT_SENTENCES = (
    r"content exists risk|content management policy|rejected as a result of our safety system"
    r"|potentially violating our usage policy|violates usage guidelines|content filtering policy"
    r"|prompt injection patterns detected|may contain inappropriate content|flagged by moderation"
)
GONE_SENTENCES = (
    r"supported api model names|model (does )?not exist|has been decommissioned|no such model|unknown model\b"
    r"|is not a valid model id"
)
KEY_SENTENCES = (
    r"api[ -]key (is )?(not valid|invalid|expired)|(invalid|incorrect|expired) api[ -]key"
    r"|organi[sz]ation has been (disabled|restricted)"
)
