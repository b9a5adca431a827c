"""What a provider only repeats is no evidence: not what stands in quotation marks, not what the request contains."""

import json

import pytest

from llm.calls.terms import needs
from llm.failures import evidence
from llm.failures.evidence import Asked
from llm.failures.kinds import Kind, Owner, Scope
from llm.failures.rules import classify, in_view_of

REJECTED = Kind.REQUEST_REJECTED


def tool(name, properties=None, **schema):
    parameters = {"type": "object", "properties": properties or {}, **schema}
    return {"type": "function", "function": {"name": name, "description": "", "parameters": parameters}}


TOOLS = [
    tool("get_token", {"access_token": {"type": "string"}, "billing_cycle": {"enum": ["monthly", "yearly"]}}),
    tool("delete_model", {"country": {"type": "string"}, "accountStatus": {"enum": ["suspended", "active"]}}),
    tool(
        "moderation",
        {"apiKey": {"type": "string"}, "location": {"type": "string"}, "proxy": {"type": "string"}},
    ),
]
PROMPT = (
    "My account was suspended because the balance is insufficient and they want a payment method. "
    "The model does not exist any more, says the guardrail, and my region is not supported."
)


def judged(status, body, *, prompt=PROMPT, tools=TOOLS, model="m", headers=None, **params):
    messages = [{"role": "user", "content": prompt}]
    params = {**({"tools": tools} if tools else {}), **params}
    failure = classify(
        status=status, headers=headers, body=body if isinstance(body, str) else json.dumps(body)
    )
    asked = Asked(model=model, messages=messages, params=params, needs=needs(messages, params))
    return in_view_of(failure, asked)


def err(message, **more):
    return {
        "error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **more}
    }


# -- what is quoted ------------------------------------------------------------------------------------------

QUOTED = [
    "Invalid schema for function 'get_token': 'access_token' is missing in 'required'",
    "Property 'billing_cycle' must not be 'monthly'",
    'Unknown enum value "payment required"',
    "Tool `delete_model` does not exist in your request",
    "Поле «billing» не является строкой",
    "Der Wert „Guthaben aufgebraucht, billing“ ist ungültig",
    "参数「余额不足」无效",
    "Valeur non valable : “no credits left”",
    "El campo ‘api key invalid’ no existe",
    'Invalid value: \\"your organization has been restricted\\"',
    'tools[0]: property "proxy is blocked" rejected',
    "Could not parse 'Your IP address is blocked' as an argument",
    'Bad JSON near "model not found"',
    'Unexpected value: "prompt was flagged by moderation"',
    "Could not read `Function id x: DEGRADED function cannot be invoked`",
]


@pytest.mark.parametrize("message", QUOTED)
@pytest.mark.parametrize("status", [400, 422])
def test_what_is_quoted_is_not_the_providers_word(status, message):
    failure = classify(status=status, body=json.dumps(err(message)))
    assert (failure.kind, failure.owner) == (REJECTED, Owner.CALLER), failure.kind


# -- what the request contains -------------------------------------------------------------------------------

REPEATED = [
    "Invalid schema for function get_token: access_token is missing in required",
    "access token is an invalid property name",
    "Invalid property: accessToken missing",
    "billing_cycle: monthly is not one of the permitted values",
    "tools.0.parameters.properties.billing_cycle is unsupported",
    "property country is not supported in this schema",
    "country: not available",
    "tool delete_model not found among the messages",
    "location is not supported for enum values",
    "api_key: missing description",
    "apiKey must not be invalid",
    "moderation is not a function that can be forced",
    "proxy is detected twice",
    "accountStatus: suspended is no integer",
    "account_status suspended",
    "Cannot parse the message: my account was suspended because the balance is insufficient",
    "Unexpected text: payment method. The model does not exist any more, says the guardrail",
    "Unexpected text: my region is not supported",
]


@pytest.mark.parametrize("message", REPEATED)
@pytest.mark.parametrize("status", [400, 422])
def test_what_the_request_contains_is_not_the_providers_word(status, message):
    assert judged(status, err(message)).kind == REJECTED


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("Write a poem about moderation", "Unexpected token moderation at position 14"),
        ("recharge my phone", "Unexpected token recharge"),
        ("What is a captcha?", "Unexpected word: captcha"),
        ("guardrail", "unknown role guardrail"),
        ("Explain: your api key is invalid", "Failed to parse content: your api key is invalid"),
        ("Explique: el saldo insuficiente", "No se pudo leer: saldo insuficiente"),
        ("Что значит недостаточно средств?", "Не удалось разобрать: недостаточно средств"),
        ("余额不足是什么意思", "无法解析:余额不足"),
        ("Translate: User location is not supported", "Unexpected: User location is not supported"),
        ("tokens per minute (TPM): Limit 5", "Unexpected: tokens per minute (TPM): Limit 5"),
    ],
)
def test_a_word_of_the_prompt_is_no_evidence(prompt, message):
    assert judged(400, err(message), prompt=prompt, tools=None).kind == REJECTED


def test_parameters_and_their_values_are_the_requests_words():
    failure = judged(
        400, err("Unrecognized request argument: billing_plan, value prepaid"), billing_plan="prepaid"
    )
    assert failure.kind == REJECTED
    schema = {
        "type": "json_schema",
        "json_schema": {"name": "credits", "schema": tool("x", {"insufficient_credits": {}})},
    }
    assert (
        judged(400, err("credits: insufficient_credits has no type"), response_format=schema).kind == REJECTED
    )


def test_a_code_that_repeats_a_name_of_the_request_is_no_evidence_where_it_points_at_it():
    for param, kind in (("tools[0].function.parameters", REJECTED), (None, Kind.CREDITS_DEPLETED)):
        body = err("Invalid value", code="insufficient_quota", param=param)
        assert judged(400, body, tools=[tool("f", {"insufficient_quota": {}})]).kind == kind


@pytest.mark.parametrize(
    "body",
    [
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "tools", 0, "billing"], "msg": "Extra inputs",
                     "input": {"code": "invalid_api_key", "message": "Insufficient balance"}}]},
        err("Invalid value", param="tools[0].function.parameters.properties.country", code="invalid_value"),
        err("Not supported: monthly billing of the account", param="response_format.schema"),
        {"error": {"code": 400, "message": "Invalid JSON payload received.", "status": "INVALID_ARGUMENT",
                   "details": [{"fieldViolations": [{"field": "tools[0].billing", "description": "no billing"}]}]}},
        {"error": {"message": "Provider returned error", "code": 400,
                   "metadata": {"provider_name": "X", "raw": {"error": {"code": "insufficient_quota"}}}}},
        {"error": {"message": "Bad request", "code": 400,
                   "metadata": {"flagged_input": "Your account is suspended", "upstream_error": {"code": "1113"}}}},
        {"error": {"message": "Bad request", "details": {"request_body": {"messages": [{"content": "no credits"}]},
                                                         "original_error": {"message": "Invalid API key"}}}},
        {"message": 'litellm.BadRequestError: {"error":{"message":"Your credit balance is too low"}}'},
    ],
)  # fmt: skip
def test_nested_echoes_are_no_evidence(body):
    assert judged(400, body, tools=None, prompt="hi").kind == REJECTED


def test_a_400_about_state_that_must_come_back_is_about_the_request():
    text = (
        "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
        "correctly, and missing thought_signature may lead to degraded model performance."
    )
    failure = judged(400, {"error": {"code": 400, "message": text, "status": "INVALID_ARGUMENT"}})
    assert (failure.kind, failure.scope) == (REJECTED, Scope.CALL)


# -- what is the provider's own word all the same ------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, err("User location is not supported for the API use."), Kind.BLOCKED_PROVIDER),
        (400, err("Your credit balance is too low to access the Anthropic API."), Kind.CREDITS_DEPLETED),
        (400, err("The supported API model names are deepseek-v4-pro or deepseek-v4-flash, but you passed x."),
         Kind.MODEL_GONE),
        (400, err("API key not valid. Please pass a valid API key."), Kind.KEY_INVALID),
        (400, err("Content Exists Risk"), Kind.CONTENT_BLOCKED),
        (400, {"detail": "Function id 'abc-123': DEGRADED function cannot be invoked"}, Kind.PROVIDER_DOWN),
        (401, err("billing_cycle"), Kind.KEY_INVALID),
        (402, err("monthly"), Kind.CREDITS_DEPLETED),
        (429, err("access_token"), Kind.RATE_LIMITED_KEY),
        (400, err("x", code="organization_restricted"), Kind.KEY_INVALID),
        (403, err("country", code="unsupported_country_region_territory"), Kind.BLOCKED_PROVIDER),
    ],
)  # fmt: skip
def test_status_codes_and_known_sentences_stand(status, body, kind):
    prompt = "Which country has a location with a model, an API, credit, balance and content?"
    assert judged(status, body, prompt=prompt).kind == kind


SUBSCRIPTIONS = [
    tool(
        "cancel_subscription",
        {
            "billing_cycle": {"enum": ["monthly", "annual"]}, "access_token": {"type": "string"}, "credits": {},
            "organization": {"type": "string"}, "country": {"type": "string"},
        },
    ),
    tool("delete_model", {"reason": {"enum": ["deprecated", "billing", "suspended account"]}}),
    tool("check_proxy", {"ip_address": {"type": "string"}, "quota_exceeded": {"type": "boolean"}}),
]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        err("In context=('properties', 'billing_cycle'), 'enum' is not permitted.", param="tools[0].function"),
        {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "* GenerateContentRequest.tools[0]."
                   "function_declarations[0].parameters.properties[billing_cycle].enum: only allowed for STRING type"}},
        err("Tool delete_model not found in provided tools"),
        err("Tool choice delete_model does not exist"),
        {"type": "error", "error": {"type": "invalid_request_error",
                                    "message": "tools.0.custom.input_schema.properties.access_token: invalid"}},
        {"message": "tool delete_model: parameter reason: enum value suspended account is not a string"},
        err("quota_exceeded: boolean is not supported in this schema"),
        err("organization: this property has been disabled by the validator"),
        err("credits limit: maximum is missing"),
        err("Das Feld access_token fehlt: access_token ist invalid"),
        err("工具 delete_model 的参数 billing_cycle 无效"),
        err("关键字“余额不足”不允许出现在工具描述中"),
        err("ツール『残高不足』は無効です"),
        err("Параметр «insufficient balance» не распознан"),
        err("Unknown parameter: billing. Did you mean 'metadata'?", code="unknown_parameter", param="billing"),
        err("The request contains billing_cycle which is unsupported for models of this family"),
        {"error": {"message": "Bad Request", "details": {"upstream": {"error": {"code": "insufficient_quota"}}}}},
        {"error": {"message": "Bad Request", "metadata": {"response": {"error": {"code": "invalid_api_key"}}}}},
        {"error": {"message": "Bad Request", "debug": {"error": {"code": "invalid_api_key"}}}},
        {"error": {"message": "Error code: 400 - {'error': {'message': \"Your account has been suspended\"}}"}},
    ],
)  # fmt: skip
def test_refusals_of_tools_in_the_words_of_many_services_are_about_the_request(body):
    assert judged(400, body, prompt="cancel it please", tools=SUBSCRIPTIONS).kind == REJECTED


@pytest.mark.parametrize(
    "message",
    [
        "cancel_subscription.credits: recharge",
        "Bad value for 'billing_cycle': top up is no member of the enum",
        "check_proxy: VPN detected is not a description",
        "tools[1] (delete_model): model disabled",
        "arguments of cancel_subscription: organization is suspended",
        "deleteModel: no such tool, flagged as content policy",
    ],
)
@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_that_repeats_a_name_of_the_callers_own_is_about_the_request(status, message):
    assert judged(status, err(message), prompt="hi", tools=SUBSCRIPTIONS).kind == REJECTED


def test_a_context_that_is_too_long_stays_so_when_a_tool_is_named():
    message = "The definition of cancel_subscription makes the prompt too long for the context window"
    assert judged(400, err(message), prompt="hi", tools=SUBSCRIPTIONS).kind == Kind.REQUEST_TOO_LARGE


# -- money, windows, models ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind", "scope"),
    [
        (403, {"error": {"code": "insufficient_user_quota", "message": "用户额度不足, 剩余额度: $0.01"}},
         Kind.CREDITS_DEPLETED, Scope.ACCOUNT),
        (403, err("insufficient_user_quota"), Kind.CREDITS_DEPLETED, Scope.ACCOUNT),
        (403, err("token quota is not enough, 余额不足"), Kind.CREDITS_DEPLETED, Scope.ACCOUNT),
        (403, err("Недостаточно средств на счёте"), Kind.CREDITS_DEPLETED, Scope.ACCOUNT),
        (429, err("Requests per minute (RPM) reached, try again in 20s", code="insufficient_quota"),
         Kind.RATE_LIMITED_KEY, Scope.DEPLOYMENT),
        (429, err("Rate limit: 3 requests per 1 minute", code="insufficient_quota"),
         Kind.RATE_LIMITED_KEY, Scope.DEPLOYMENT),
        (403, err("TPM limit exceeded, retry in 12s", code="insufficient_quota"),
         Kind.RATE_LIMITED_KEY, Scope.DEPLOYMENT),
        (403, err("该令牌额度已用尽"), Kind.CREDITS_DEPLETED, Scope.ACCOUNT),
        (503, err("当前分组 default 下对于模型 m1 无可用渠道"), Kind.PROVIDER_DOWN, Scope.MODEL),
        (429, err("60 requests/min exceeded", code="credit_limit"), Kind.RATE_LIMITED_KEY, Scope.DEPLOYMENT),
        (403, {"code": "AllocationQuota.FreeTierOnly", "message": "The free tier of the model has been exhausted. "
               "Please disable the \"use free tier only\" mode."}, Kind.CREDITS_DEPLETED, Scope.DEPLOYMENT),
        (403, err("Free quota has been used up. Please enable pay-as-you-go.", code="quota_exhausted"),
         Kind.CREDITS_DEPLETED, Scope.DEPLOYMENT),
        (403, err("free quota of this model has been exhausted"), Kind.CREDITS_DEPLETED, Scope.DEPLOYMENT),
        (403, err("This model is only available on paid plans"), Kind.CREDITS_DEPLETED, Scope.DEPLOYMENT),
        (403, err("Upgrade to Pro to use this model"), Kind.CREDITS_DEPLETED, Scope.DEPLOYMENT),
        (403, err("Your account has run out of funds."), Kind.CREDITS_DEPLETED, Scope.ACCOUNT),
        (403, err("This model is reserved for invited testers"), Kind.MODEL_GONE, Scope.DEPLOYMENT),
        (403, err("Model has not been agreed: submit the prompt 'agree' first"),
         Kind.MODEL_GONE, Scope.DEPLOYMENT),
        (403, err("Quota exceeded for this project"), Kind.RATE_LIMITED_KEY, Scope.ACCOUNT),
        (403, err("Requests from your region are not permitted"), Kind.BLOCKED_PROVIDER, Scope.PROVIDER),
        (429, err("You have exceeded 100 requests per hour", code="insufficient_quota"),
         Kind.RATE_LIMITED_KEY, Scope.DEPLOYMENT),
        (429, err("max 2 requests/s", code="insufficient_quota"), Kind.RATE_LIMITED_KEY, Scope.DEPLOYMENT),
        (429, err("Daily request limit (200 requests per day) reached", code="insufficient_quota"),
         Kind.RATE_LIMITED_KEY, Scope.DEPLOYMENT),
        (403, err("This model is no longer available on the free tier only plan"),
         Kind.CREDITS_DEPLETED, Scope.DEPLOYMENT),
        (503, err("No available channel for model m1 under group default"), Kind.PROVIDER_DOWN, Scope.MODEL),
        (503, err("no healthy upstream for model m1"), Kind.PROVIDER_DOWN, Scope.MODEL),
        (503, err("m1 is currently over capacity"), Kind.PROVIDER_DOWN, Scope.MODEL),
        (500, err("lab/m1 crashed"), Kind.PROVIDER_DOWN, Scope.MODEL),
        (502, err("upstream for m1-large is away"), Kind.PROVIDER_DOWN, Scope.LOCATION),
        (503, err("The service is overloaded"), Kind.PROVIDER_DOWN, Scope.LOCATION),
        (401, {"error": {"message": "Provider returned error", "code": 401, "metadata": {
            "provider_name": "X", "raw": "invalid api key"}}}, Kind.PROVIDER_DOWN, Scope.MODEL),
    ],
)  # fmt: skip
def test_a_failure_has_the_narrowest_meaning_that_is_stated(status, body, kind, scope):
    failure = judged(status, body, prompt="hi", tools=None, model="lab/m1")
    assert (failure.kind, failure.scope) == (kind, scope), failure.detail


# -- abilities -----------------------------------------------------------------------------------------------

LACKING = [
    (404, "No endpoints found that support tool use. To learn more: https://openrouter.ai/docs"),
    (404, "No endpoints found that support the provided 'tool_choice' value."),
    (400, "registry.ollama.ai/library/gemma:7b does not support tools"),
    (400, "`tool calling` is not supported with this model"),
    (400, "This model doesn't support function calling."),
    (422, "tools are not enabled for this model"),
]


@pytest.mark.parametrize(("status", "message"), LACKING)
def test_a_missing_ability_is_the_models_and_concerns_calls_that_need_it(status, message):
    failure = judged(status, err(message, code=status))
    assert (failure.kind, failure.lacks, failure.scope) == (REJECTED, "tools", Scope.CALL)


def test_images_are_an_ability_too():
    messages = [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aa"}}]}
    ]
    asked = Asked(model="m", messages=messages, params={}, needs=needs(messages, {}))
    body = json.dumps(err("No endpoints found that support image input", code=404))
    failure = in_view_of(classify(status=404, body=body), asked)
    assert (failure.kind, failure.lacks) == (REJECTED, "images")


def test_a_model_that_is_gone_is_gone_also_for_calls_with_tools():
    assert (
        judged(404, err("The model `m` does not exist or you do not have access to it.")).kind
        == Kind.MODEL_GONE
    )
    assert judged(404, err("No endpoints found for lab/m:free.")).kind == Kind.MODEL_GONE


# -- the words themselves ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a 'b c' d", "a … d"), ("don't touch the provider's word", "don't touch the provider's word"),
        ("a \\\"b\\\" c", "a … c"), ("`a` and `b`", "… and …"), ("it's 'x'", "it's …"), ("", ""),
    ],
)  # fmt: skip
def test_quotation_marks_of_every_kind_are_taken_out(text, left):
    assert " ".join(evidence.unquoted(text).split()) == left


def test_reading_a_large_request_takes_time_in_proportion_to_it():
    asked = Asked(
        model="m", messages=[{"role": "user", "content": "word " * 200_000}], params={}, needs=frozenset()
    )
    assert asked.without("a word of its own") == "a word of its own"
    assert evidence.unquoted("'" * 50_000 + '"' * 50_000 + "«" * 50_000)
