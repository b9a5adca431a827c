"""Realistic refusals of many services beyond the recorded ones: each means exactly the kind that we "
"expect."""

import json

import pytest

from llm.chain import ChainExhausted, complete, stream
from llm.failures.kinds import Kind, Scope
from llm.failures.rules import classify
from llm.simulator import behaviours as b
from tests.chain_setup import make_provider, make_vertex

KEY, PROVIDER, BLOCKED = Kind.RATE_LIMITED_KEY, Kind.RATE_LIMITED_PROVIDER, Kind.BLOCKED_PROVIDER
INVALID, CREDITS, GONE, LARGE = (
    Kind.KEY_INVALID, Kind.CREDITS_DEPLETED, Kind.MODEL_GONE, Kind.REQUEST_TOO_LARGE,
)  # fmt: skip
REJECTED, DOWN, CONTENT, EMPTY = (
    Kind.REQUEST_REJECTED, Kind.PROVIDER_DOWN, Kind.CONTENT_BLOCKED, Kind.EMPTY_OUTPUT,
)  # fmt: skip


# -- bodies as services word them --------------------------------------------------------------------------


def err(message, code=None, type=None, **more):
    """OpenAI's shape, which most services share."""
    return {"error": {"message": message, "type": type, "param": None, "code": code, **more}}


def google(code, message, status, *details, array=False):
    body = {"error": {"code": code, "message": message, "status": status, "details": list(details)}}
    return [body] if array else body


def reason(name, domain="googleapis.com"):
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": name, "domain": domain}


def quota(quota_id, value="20"):
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/x",
        "quotaId": quota_id,
        "quotaValue": value,
    }
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}


def retry_in(delay):
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def anthropic(type, message):
    return {"type": "error", "error": {"type": type, "message": message}, "request_id": "req_011CSHoEeqs5"}


def page(title, *words):
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>{' '.join(words)}</body></html>"


def problem(number, name, status=403, **more):
    """Cloudflare's own error as JSON, as sent to clients that accept it."""
    return {
        "type": f"https://developers.cloudflare.com/support/cloudflare-1xxx-errors/error-{number}/",
        "title": f"Error {number}: {name}", "status": status, "detail": "See the page of this error.",
        "error_code": number, "error_name": name.lower().replace(" ", "_"), "ray_id": "9a1b2c3d4e5f",
        "cloudflare_error": True, "retryable": False, **more,
    }  # fmt: skip


def workers_ai(code, message):
    return {"errors": [{"message": message, "code": code}], "success": False, "result": {}, "messages": []}


CF_PAGE = "used Cloudflare to restrict access"
HTML = {"content-type": "text/html; charset=UTF-8"}

# (id, kind, status, body, headers?)
CASES = [
    # OpenAI
    ("openai-rpm", KEY, 429, err("Rate limit reached for gpt-4o-mini in organization org-AbC123 on requests "
     "per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. Visit "
     "https://platform.openai.com/account/rate-limits to learn more. You can increase your rate limit by "
     "adding a payment method to your account at https://platform.openai.com/account/billing.",
     "rate_limit_exceeded", "requests")),
    ("openai-rpd", KEY, 429, err("Rate limit reached for gpt-5 in organization org-x on requests per day "
     "(RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.", "rate_limit_exceeded",
     "requests")),
    ("openai-engine-overloaded", PROVIDER, 429, err("The engine is currently overloaded, please try again "
     "later",
     None, "server_error")),
    ("openai-billing-inactive", CREDITS, 429, err("Your account is not active, please check your billing "
     "details on our website.", "billing_not_active", "billing_not_active")),
    ("openai-hard-limit", CREDITS, 400, err("Billing hard limit has been reached.",
     "billing_hard_limit_reached")),
    ("openai-bad-key", INVALID, 401, err("Incorrect API key provided: sk-abcd***wxyz. You can find your API "
     "key at https://platform.openai.com/account/api-keys.", "invalid_api_key", "invalid_request_error")),
    ("openai-no-key", INVALID, 401, err("You didn't provide an API key. You need to provide your API key in "
     "an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).", None,
     "invalid_request_error")),
    ("openai-no-member", INVALID, 401, err("You must be a member of an organization to use the API.", None)),
    ("openai-no-such-org", INVALID, 401, err("No such organization: org-xyz.", "invalid_organization")),
    ("openai-deactivated", INVALID, 401, err("Your OpenAI account has been deactivated, please check your "
     "email.",
     "account_deactivated")),
    ("openai-ip-allow-list", BLOCKED, 401, err("Your IP address is not authorized for this project.",
     "ip_not_authorized")),
    ("openai-country", BLOCKED, 403, err("Country, region, or territory not supported",
     "unsupported_country_region_territory", "request_forbidden")),
    ("openai-no-model", GONE, 404, err("The model `gpt-4-32k` does not exist or you do not have access to "
     "it.",
     "model_not_found", "invalid_request_error")),
    ("openai-project-model", GONE, 403, err("Project `proj_abc` does not have access to model `gpt-5.2`",
     "model_not_found")),
    ("openai-verify-organisation", GONE, 404, err("Your organization must be verified to use the model `o3`. "
     "Please go to https://platform.openai.com/settings/organization/general.", "model_not_found")),
    ("openai-context", LARGE, 400, err("This model's maximum context length is 8192 tokens. However, your "
     "messages resulted in 9001 tokens. Please reduce the length of the messages.",
     "context_length_exceeded")),
    ("openai-long-string", LARGE, 400, err("Invalid 'messages[0].content': string too long. Expected a "
     "string with maximum length 10485760, but got a string with length 11534336 instead.",
     "string_above_max_length")),
    ("openai-tokens-over-tpm", LARGE, 429, err("Request too large for gpt-4 in organization org-x on tokens "
     "per min (TPM): Limit 10000, Requested 12034. The input or output tokens must be reduced in order to "
     "run successfully.",
     "rate_limit_exceeded", "tokens")),
    ("openai-safety-system", CONTENT, 400, err("Your request was rejected as a result of our safety system. "
     "Your prompt may contain text that is not allowed by our safety system.", "content_policy_violation")),
    ("openai-invalid-prompt", CONTENT, 400, err("Invalid prompt: your prompt was flagged as potentially "
     "violating our usage policy. Please try again with a different prompt.", "invalid_prompt")),
    ("openai-max-tokens-name", REJECTED, 400, err("Unsupported parameter: 'max_tokens' is not supported with "
     "this model. Use 'max_completion_tokens' instead.", "unsupported_parameter", "invalid_request_error")),
    ("openai-temperature", REJECTED, 400, err("Unsupported value: 'temperature' does not support 0.3 with "
     "this model. Only the default (1) value is supported.", "unsupported_value", "invalid_request_error")),
    ("openai-json-word", REJECTED, 400, err("'messages' must contain the word 'json' in some form, to use "
     "'response_format' of type 'json_object'.", None, "invalid_request_error")),
    ("openai-500", DOWN, 500, err("The server had an error while processing your request. Sorry about "
     "that!", None,
     "server_error")),
    ("openai-503", DOWN, 503, err("That model is currently overloaded with other requests. You can retry "
     "your request.", None, "server_error")),
    ("openai-slow-down", DOWN, 503, err("Slow Down", "slow_down", "service_unavailable_error")),
    ("openai-payment-hint", KEY, 429, err("Rate limit reached for requests. Please add a payment method to "
     "your account to increase your rate limit. Visit https://platform.openai.com/account/billing to add a "
     "payment method.",
     "rate_limit_exceeded", "requests")),
    ("openai-effort", REJECTED, 400, err("'minimal' is not a valid value for 'reasoning_effort' with this "
     "model.",
     "invalid_value", "invalid_request_error")),
    # Azure
    ("azure-tpm", KEY, 429, err("Requests to the ChatCompletions_Create Operation under Azure OpenAI API "
     "version 2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry "
     "after 26 seconds. Please go here: https://aka.ms/oai/quotaincrease if you would like to further "
     "increase the default rate limit.", "429")),
    ("azure-no-capacity", PROVIDER, 429, err("The system is currently experiencing high demand and cannot "
     "process your request.", "NoCapacity")),
    ("azure-key", INVALID, 401, err("Access denied due to invalid subscription key or wrong API endpoint. "
     "Make sure to provide a valid key for an active subscription and use a correct regional API endpoint "
     "for your resource.",
     "401")),
    ("azure-role", INVALID, 401, err("The principal `0a1b` lacks the required data action "
     "`Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action` to perform `POST "
     "/openai/deployments/x`.",
     "PermissionDenied")),
    ("azure-firewall", BLOCKED, 403, err("Access denied due to Virtual Network/Firewall rules.",
     "AccessDenied")),
    ("azure-deployment", GONE, 404, err("The API deployment for this resource does not exist. If you created "
     "the deployment within the last 5 minutes, please wait a moment and try again.", "DeploymentNotFound")),
    ("azure-filter", CONTENT, 400, err("The response was filtered due to the prompt triggering Azure "
     "OpenAI's content management policy. Please modify your prompt and retry.", "content_filter", status=400,
     innererror={"code": "ResponsibleAIPolicyViolation",
     "content_filter_result": {"hate": {"filtered": True}}})),
    ("azure-deprecated", GONE, 410, err("The model version has been deprecated.", "ModelDeprecated")),
    ("azure-timeout", DOWN, 408, err("The operation was timeout.", "Timeout")),
    ("azure-internal", DOWN, 500, err("The server had an error processing your request.",
     "InternalServerError")),
    # Anthropic and what speaks like it
    ("anthropic-rate", KEY, 429, anthropic("rate_limit_error", "This request would exceed your "
     "organization's rate limit of 40,000 input tokens per minute. For details, refer to: "
     "https://docs.claude.com/en/api/rate-limits.")),
    ("anthropic-overloaded", DOWN, 529, anthropic("overloaded_error", "Overloaded")),
    ("anthropic-credit", CREDITS, 400, anthropic("invalid_request_error", "Your credit balance is too low to "
     "access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.")),
    ("anthropic-usage-limits", CREDITS, 400, anthropic("invalid_request_error", "You have reached your "
     "specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.")),
    ("anthropic-key", INVALID, 401, anthropic("authentication_error", "invalid x-api-key")),
    ("anthropic-permission", INVALID, 403, anthropic("permission_error", "Your API key does not have "
     "permission to use the specified resource.")),
    ("anthropic-disabled", INVALID, 400, anthropic("invalid_request_error", "This organization has been "
     "disabled.")),
    ("anthropic-region", BLOCKED, 403, {"error": {"type": "forbidden", "message": "Request not allowed"}}),
    ("anthropic-model", GONE, 404, anthropic("not_found_error", "model: claude-2.1")),
    ("anthropic-prompt", LARGE, 400, anthropic("invalid_request_error", "prompt is too long: 208310 tokens > "
     "200000 maximum")),
    ("anthropic-413", LARGE, 413, anthropic("request_too_large", "Request exceeds the maximum size")),
    ("anthropic-output-blocked", CONTENT, 400, anthropic("invalid_request_error", "Output blocked by content "
     "filtering policy")),
    ("anthropic-500", DOWN, 500, anthropic("api_error", "Internal server error")),
    ("anthropic-temperature", REJECTED, 400, anthropic("invalid_request_error", "`temperature` is deprecated "
     "for this model.")),
    # Mistral
    ("mistral-401", INVALID, 401, {"message": "Unauthorized", "request_id": "b5c1"}),
    ("mistral-inactive", CREDITS, 401, {"message": "Inactive subscription or usage limit reached"}),
    ("mistral-requests", KEY, 429, {"message": "Requests rate limit exceeded"}),
    ("mistral-3505", PROVIDER, 429, {"object": "error", "message": "Service tier capacity exceeded for this "
     "model.",
     "type": "service_tier_capacity_exceeded", "param": None, "code": "3505"}),
    ("mistral-model", GONE, 400, {"object": "error", "message": "Invalid model: mistral-tiny-2312",
     "type": "invalid_model", "param": None, "code": "1500"}),
    ("mistral-context", LARGE, 400, {"object": "error", "message": "Prompt contains 40000 tokens and 0 draft "
     "tokens, too large for model with 32768 maximum context length", "type": "invalid_request_prompt",
     "code": "3051"}),
    ("mistral-422", REJECTED, 422, {"object": "error", "message": {"detail": [{"type": "extra_forbidden",
     "loc": ["body", "foo"], "msg": "Extra inputs are not permitted", "input": 1}]},
     "type": "invalid_request_error"}),
    ("mistral-backend", DOWN, 503, {"object": "error", "message": "Service unavailable.",
     "type": "unreachable_backend", "param": None, "code": "1100"}),
    # Together
    ("together-model-rate", KEY, 429, err("You have reached the rate limit specific to this model "
     "openai/gpt-oss-120b. The maximum rate limit for this model is 0.6 queries and 60000 tokens per minute. "
     "This limit differs from the general rate limits published at Together AI rate limits documentation.",
     None, "model_rate_limit")),
    ("together-key", INVALID, 401, err("Invalid API key provided. You can find your API key at "
     "https://api.together.ai/settings/api-keys.", "invalid_api_key", "invalid_request_error")),
    ("together-model", GONE, 404, err("Unable to access model meta-llama/Llama-2-70b-chat-hf. Please visit "
     "https://api.together.ai/models to view the list of supported models.", "model_not_available")),
    ("together-dedicated", GONE, 400, err("Unable to access non-serverless model Qwen/QwQ-32B. Please visit "
     "https://api.together.ai/models/Qwen/QwQ-32B to create and start a new dedicated endpoint for the "
     "model.",
     "model_not_available", "invalid_request_error")),
    ("together-tokens", LARGE, 422, err("Input validation error: `inputs` tokens + `max_new_tokens` must be "
     "<= 8193. Given: 7000 `inputs` tokens and 2048 `max_new_tokens`", None, "invalid_request_error")),
    ("together-tokens-403", LARGE, 403, err("Input token count + `max_tokens` parameter must be less than "
     "the context length of the model being queried.", None, "invalid_request_error")),
    ("together-503", DOWN, 503, err("The server is overloaded or not ready yet.", None,
     "service_unavailable")),
    # Fireworks
    ("fireworks-412", CREDITS, 412, err("Account acme is suspended, possibly due to reaching the monthly "
     "spending limit or failure to pay past invoices. Please go to https://fireworks.ai/account/billing for "
     "more information.",
     "PRECONDITION_FAILED", "invalid_request_error")),
    ("fireworks-model", GONE, 404, err("Model not found, inaccessible, and/or not deployed", "NOT_FOUND")),
    ("fireworks-key", INVALID, 401, err("The API key you provided is invalid.", "UNAUTHORIZED", "error")),
    ("fireworks-overload", PROVIDER, 429, err("Server overloaded, please try again later",
     "RESOURCE_EXHAUSTED")),
    ("fireworks-deadline", DOWN, 504, err("Request didn't generate first token before the given deadline",
     "DEADLINE_EXCEEDED")),
    # Cerebras
    ("cerebras-rpd", KEY, 429, {"message": "Requests per day limit exceeded - too many requests sent.",
     "type": "too_many_requests_error", "param": "quota", "code": "request_quota_exceeded"}),
    ("cerebras-model", GONE, 404, {"message": "Model llama3.1-70b does not exist or you do not have access "
     "to it.",
     "type": "not_found_error", "param": "model", "code": "model_not_found"}),
    ("cerebras-key", INVALID, 401, {"message": "Wrong API Key", "type": "invalid_request_error",
     "param": "api_key",
     "code": "wrong_api_key"}),
    ("cerebras-402", CREDITS, 402, {"message": "Payment required to access this resource. Visit your billing "
     "tab.",
     "type": "payment_required_error", "param": "quota", "code": "payment_required"}),
    ("cerebras-context", LARGE, 400, {"message": "Please reduce the length of the messages or completion. "
     "Current length is 9000 while limit is 8192", "type": "invalid_request_error",
     "code": "context_length_exceeded"}),
    ("cerebras-parameter", REJECTED, 422, {"message": "parameter 'frequency_penalty' is not supported for "
     "this model",
     "type": "invalid_request_error", "param": "frequency_penalty", "code": "wrong_api_format"}),
    # NVIDIA
    ("nvidia-credits", CREDITS, 402, {"status": 402, "title": "Payment Required",
     "detail": "Account 'x': Cloud credits expired - Please contact NVIDIA representatives"}),
    ("nvidia-403", INVALID, 403, {"status": 403, "title": "Forbidden", "detail": "Authorization failed"}),
    ("nvidia-function", GONE, 404, {"status": 404, "title": "Not Found", "detail": "Function "
     "'9b96341b-9791-4db9': Not found for account 'nvabc'"}),
    ("nvidia-500", DOWN, 500, {"type": "about:blank", "status": 500, "title": "Internal Server Error",
     "detail": "Inference connection error. Caused by: connection refused"}),
    ("nvidia-422", REJECTED, 422, {"detail": [{"type": "missing", "loc": ["body", "messages"],
     "msg": "Field required"}]}),
    # Cloudflare's numbers, and other edges
    *[(f"cf-{n}-plain", BLOCKED, 403, f"error code: {n}", {"content-type": "text/plain; charset=UTF-8",
       "server": "cloudflare"}) for n in (1006, 1007, 1008, 1009, 1020)],
    ("cf-1009-page", BLOCKED, 403, page(f"Access denied | api.example.com {CF_PAGE}", "Error 1009 Ray ID: 7f "
     "&bull; Access denied. The owner of this website (api.example.com) has banned the country or region "
     "your IP address is in (RU) from accessing this website."), HTML),
    ("cf-1006-page", BLOCKED, 403, page(f"Access denied | api.example.com {CF_PAGE}", "<h1>Error "
     "<span>1006</span></h1> The owner of this website has banned your IP address (203.0.113.7)."), HTML),
    ("cf-1020-json", BLOCKED, 403, problem(1020, "Access denied"),
     {"content-type": "application/problem+json"}),
    ("cf-1009-json", BLOCKED, 403, problem(1009, "Country banned"),
     {"content-type": "application/problem+json"}),
    ("cf-1008-json", BLOCKED, 403, problem(1008, "IP banned")),
    ("cf-1015-plain", PROVIDER, 429, "error code: 1015", {"server": "cloudflare"}),
    ("cf-1015-page", PROVIDER, 429, page(f"Access denied | api.example.com {CF_PAGE}", "Error 1015 You are "
     "being rate limited. The owner of this website has banned you temporarily from accessing this website."),
     HTML | {"retry-after": "60"}),
    *[(f"cf-{n}-plain", DOWN, n, f"error code: {n}", {"server": "cloudflare"}) for n in (520, 521, 522, 523,
     524)],
    ("cf-525-page", DOWN, 525, page("api.example.com | 525: SSL handshake failed", "Cloudflare is unable to "
     "establish an SSL connection to the origin server."), HTML),
    ("cf-526-page", DOWN, 526, page("api.example.com | 526: Invalid SSL certificate"), HTML),
    ("cf-527", DOWN, 527, "error code: 527"),
    ("cf-530-1033", DOWN, 530, page("Cloudflare Tunnel error | api.example.com", "Error 1033 Cloudflare is "
     "currently unable to resolve it."), HTML),
    ("cf-530-1016", DOWN, 530, "error code: 1016"),
    ("cf-challenge-header", BLOCKED, 403, page("Just a moment..."), HTML | {"cf-mitigated": "challenge"}),
    ("cf-under-attack", BLOCKED, 503, page("Just a moment...", "Checking your browser before accessing "
     "api.example.com. DDoS protection by Cloudflare"), HTML),
    ("cf-captcha", BLOCKED, 403, page("Attention Required! | Cloudflare", "Please complete the security "
     "check to access api.example.com"), HTML),
    ("aws-waf-captcha", BLOCKED, 405, page("Human Verification"), HTML | {"x-amzn-waf-action": "captcha"}),
    ("aws-waf-challenge", BLOCKED, 202, "", {"x-amzn-waf-action": "challenge", "content-type": "text/html"}),
    ("cloudfront-403", BLOCKED, 403, page("ERROR: The request could not be satisfied", "403 ERROR The "
     "request could not be satisfied. Request blocked. We can't connect to the server for this app or "
     "website at this time. Generated by cloudfront (CloudFront)"), HTML | {"x-cache": "Error from "
     "cloudfront"}),
    ("cloudfront-country", BLOCKED, 403, page("ERROR: The request could not be satisfied", "The Amazon "
     "CloudFront distribution is configured to block access from your country."), HTML),
    ("cloudfront-503", DOWN, 503, page("ERROR: The request could not be satisfied", "503 ERROR The request "
     "could not be satisfied. The Lambda function associated with the CloudFront distribution was throttled. "
     "We can't connect to the server for this app or website at this time. There might be too much "
     "traffic."), HTML),
    ("cloudfront-504", DOWN, 504, page("ERROR: The request could not be satisfied", "CloudFront attempted to "
     "establish a connection with the origin, but either the attempt failed or the origin closed the "
     "connection."), HTML),
    ("akamai-403", BLOCKED, 403, "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access "
     "Denied</H1>\n You don't have permission to access \"http&#58;&#47;&#47;api&#46;example&#46;com&#47;\" "
     "on this server.<P>\nReference&#32;&#35;18&#46;6d7c1402&#46;1730000000\n</BODY></HTML>",
     HTML | {"server": "AkamaiGHost"}),
    ("akamai-503", DOWN, 503, page("Service Unavailable", "Service Unavailable - DNS failure. The server is "
     "temporarily unable to service your request. Please try again later. Reference #11.45c"),
     HTML | {"server": "AkamaiGHost"}),
    ("imperva", BLOCKED, 403, page("", "<iframe src='/_Incapsula_Resource?SWUDNSAI=31'>Request unsuccessful. "
     "Incapsula incident ID: 877-1</iframe>"), HTML),
    ("sucuri", BLOCKED, 403, page("Sucuri WebSite Firewall - Access Denied", "Block reason: Access from your "
     "Country was disabled by the administrator."), HTML),
    ("vercel-checkpoint", BLOCKED, 429, page("Vercel Security Checkpoint", "We're verifying your browser"),
     HTML | {"x-vercel-mitigated": "challenge"}),
    ("ddos-guard", BLOCKED, 403, page("DDoS-Guard", "Checking your browser before accessing"), HTML),
    ("google-frontend-403", BLOCKED, 403, page("Error 403 (Forbidden)!!1", "Your client does not have "
     "permission to get URL <code>/v1beta/models</code> from this server. That's all we know."), HTML),
    ("google-frontend-502", DOWN, 502, page("Error 502 (Server Error)!!1", "The server encountered a "
     "temporary error and could not complete your request. Please try again in 30 seconds. That's all we "
     "know."), HTML),
    ("nginx-401", INVALID, 401, page("401 Authorization Required", "<center>nginx</center>"), HTML),
    ("nginx-413", LARGE, 413, page("413 Request Entity Too Large", "<center>nginx</center>"), HTML),
    ("nginx-504", DOWN, 504, page("504 Gateway Time-out", "<center>nginx</center>"), HTML),
    ("legal-451", BLOCKED, 451, {"detail": "Unavailable For Legal Reasons"}),
    # Hugging Face and its TGI
    ("hf-hourly", KEY, 429, {"error": "Rate limit reached. You reached free usage limit (reset hourly). "
     "Please subscribe to a plan at https://huggingface.co/pricing to use the API at this rate"}),
    ("hf-exceeded-credits", CREDITS, 402, {"error": "You have exceeded your monthly included credits for "
     "Inference Providers. Subscribe to PRO to get 20x more monthly included credits."}),
    ("hf-no-model", GONE, 404, {"error": "Model foo/bar does not exist"}),
    ("hf-no-model-2", GONE, 400, err("The requested model 'foo/bar' does not exist.", "model_not_found")),
    ("hf-deprecated", GONE, 410, {"error": "The requested model is deprecated and no longer supported by "
     "provider hf-inference."}),
    ("hf-gated", GONE, 403, {"error": "Access to model meta-llama/Llama-3.1-8B-Instruct is restricted and "
     "you are not in the authorized list. Visit https://huggingface.co/meta-llama/Llama-3.1-8B-Instruct to "
     "ask for access."}),
    ("hf-token-expired", INVALID, 401, {"error": 'User Access Token "ci" is expired'}),
    ("hf-busy", DOWN, 503, {"error": "Model too busy, unable to get response in less than 60 second(s)"}),
    ("hf-500", DOWN, 500, {"error": "Internal Server Error - We're working hard to fix this as soon as "
     "possible!"}),
    ("tgi-temperature", REJECTED, 422, {"error": "Input validation error: `temperature` must be strictly "
     "positive",
     "error_type": "validation"}),
    ("tgi-tokens", LARGE, 422, {"error": "Input validation error: `inputs` must have less than 4095 tokens. "
     "Given: 5021",
     "error_type": "validation"}),
    ("tgi-424", DOWN, 424, {"error": "Request failed during generation: Server error: CUDA out of memory",
     "error_type": "generation"}),
    ("tgi-overloaded", PROVIDER, 429, {"error": "Model is overloaded", "error_type": "overloaded"}),
    # OpenRouter
    ("openrouter-negative", CREDITS, 402, err("Your account has a negative credit balance. Please add "
     "credits to continue, also for free models.", 402)),
    ("openrouter-key-limit", CREDITS, 403, err("Key limit exceeded (total limit). Manage it using "
     "https://openrouter.ai/settings/keys", 403)),
    ("openrouter-moderation", CONTENT, 403, err("openai/gpt-4 requires moderation on OpenAI. Your input was "
     "flagged for 'harassment'. No credits were charged.", 403, metadata={"reasons": ["harassment"],
     "flagged_input": "…",
     "provider_name": "OpenAI", "model_slug": "openai/gpt-4"})),
    ("openrouter-408", DOWN, 408, err("Your request timed out", 408)),
    ("openrouter-502", DOWN, 502, err("Your chosen model is down or we received an invalid response from "
     "it", 502)),
    ("openrouter-503", DOWN, 503, err("There is no available model provider that meets your routing "
     "requirements", 503)),
    ("openrouter-privacy", GONE, 404, err("No endpoints found matching your data policy (Free model "
     "publication). Configure: https://openrouter.ai/settings/privacy", 404)),
    ("openrouter-no-provider", GONE, 404, err("No allowed providers are available for the selected model.",
     404)),
    ("openrouter-model-id", GONE, 400, err("google/gemma-9 is not a valid model ID", 400)),
    ("openrouter-reasoning", REJECTED, 400, err("Reasoning is mandatory for this endpoint and cannot be "
     "disabled.", 400)),
    ("openrouter-no-auth", INVALID, 401, err("No auth credentials found", 401)),
    ("openrouter-pool", PROVIDER, 429, err("Provider returned error", 429,
     metadata={"provider_name": "Chutes",
     "raw": "deepseek/deepseek-v4:free is temporarily rate-limited upstream. Please retry shortly"})),
    ("openrouter-reset-ms", KEY, 429, err("Rate limit exceeded: free-models-per-day-high-balance. ", 429,
     metadata={
     "headers": {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0",
     "X-RateLimit-Reset": "1795564800000"}})),
    # DeepSeek
    ("deepseek-422", REJECTED, 422, err("Failed to deserialize the JSON body into the target type: "
     "messages[0]: missing field `role` at line 1 column 40", "invalid_request_error")),
    ("deepseek-range", REJECTED, 400, err("Invalid max_tokens value, the valid range of max_tokens is [1, "
     "8192]",
     "invalid_request_error")),
    ("deepseek-thinking", REJECTED, 400, err("The `reasoning_content` in the thinking mode must be passed "
     "back to the API.", "invalid_request_error")),
    ("deepseek-context", LARGE, 400, err("This model's maximum context length is 131072 tokens. However, you "
     "requested 140000 tokens (136000 in the messages, 4000 in the completion).", "invalid_request_error")),
    ("deepseek-no-model", GONE, 400, err("Model Not Exist", "invalid_request_error",
     "invalid_request_error")),
    ("deepseek-governor", INVALID, 401, err("Authentication Fails (governor)", "invalid_request_error",
     "authentication_error")),
    ("deepseek-rate", KEY, 429, err("You are sending requests too quickly. Please pace your requests "
     "reasonably.", None,
     "rate_limit_reached_error")),
    # Z.ai
    ("zai-1001", INVALID, 401, err("Authentication parameter not received in Header, unable to "
     "authenticate", "1001")),
    ("zai-1003", INVALID, 401, err("Authentication Token has expired, please regenerate or obtain again",
     "1003")),
    ("zai-1112", INVALID, 401, err("Your account has been locked, please contact customer service to "
     "unlock", "1112")),
    ("zai-1210", REJECTED, 400, err("Incorrect API call parameters, please check the documentation", "1210")),
    ("zai-1211", GONE, 400, err("Unknown Model, please check the model code.", "1211")),
    ("zai-1261", LARGE, 400, err("Prompt exceeds max length", "1261")),
    ("zai-1301", CONTENT, 400, err("System detected potentially unsafe or sensitive content in input or "
     "generation.",
     "1301")),
    ("zai-1302", KEY, 429, err("High concurrency usage of this API, please reduce concurrency or contact "
     "customer service to increase limits", "1302")),
    ("zai-1303", KEY, 429, err("High frequency usage of this API, please reduce frequency or contact "
     "customer service to increase limits", "1303")),
    ("zai-1304", KEY, 429, err("Daily call limit for this API reached. For more requests, please contact "
     "customer service", "1304")),
    ("zai-1305", PROVIDER, 429, err("The model is currently visited by too many users, please try again "
     "later.", "1305")),
    ("zai-1308", KEY, 429, err("Usage limit reached for 5 hour. Your limit will reset at 2026-11-23 "
     "18:00:00", "1308")),
    ("zai-1234", DOWN, 500, err("Network error, error id: 2026112312, please contact customer service",
     "1234")),
    # Google AI Studio and Vertex AI
    ("gemini-per-day", KEY, 429, google(429, "You exceeded your current quota, please check your plan and "
     "billing details.", "RESOURCE_EXHAUSTED", quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
     retry_in("38s"))),
    ("gemini-tokens", KEY, 429, google(429, "You exceeded your current quota, please check your plan and "
     "billing details. Please retry in 12.5s.", "RESOURCE_EXHAUSTED",
     quota("GenerateContentInputTokensPerModelPerMinute-FreeTier"),
     array=True)),
    ("gemini-prepaid", CREDITS, 429, google(429, "Your prepayment credits are depleted. Please go to AI "
     "Studio at https://ai.studio/projects to manage your project and billing.", "RESOURCE_EXHAUSTED")),
    ("gemini-spending-cap", CREDITS, 429, google(429, "Your project has exceeded its monthly spending cap. "
     "Please go to AI Studio to manage it.", "RESOURCE_EXHAUSTED")),
    ("google-403-rate", KEY, 403, {"error": {"code": 403, "message": "User Rate Limit Exceeded", "errors": [
     {"domain": "usageLimits", "reason": "userRateLimitExceeded", "message": "User Rate Limit Exceeded"}]}}),
    ("gemini-expired", INVALID, 400, google(400, "API key expired. Please renew the API key.",
     "INVALID_ARGUMENT",
     reason("API_KEY_INVALID"))),
    ("gemini-invalid-array", INVALID, 400, google(400, "API key not valid. Please pass a valid API key.",
     "INVALID_ARGUMENT", array=True)),
    ("gemini-leaked", INVALID, 403, google(403, "Your API key was reported as leaked. Please use another API "
     "key.",
     "PERMISSION_DENIED")),
    ("gemini-disabled", INVALID, 403, google(403, "Generative Language API has not been used in project 123 "
     "before or it is disabled. Enable it by visiting https://console.developers.google.com/ then retry.",
     "PERMISSION_DENIED",
     reason("SERVICE_DISABLED"))),
    ("gemini-key-service", INVALID, 403, google(403, "Requests to this API generativelanguage.googleapis.com "
     "method google.ai.generativelanguage.v1beta.GenerativeService.GenerateContent are blocked.",
     "PERMISSION_DENIED",
     reason("API_KEY_SERVICE_BLOCKED"))),
    ("gemini-key-referrer", INVALID, 403, google(403, "Requests from referer <empty> are blocked.",
     "PERMISSION_DENIED",
     reason("API_KEY_HTTP_REFERRER_BLOCKED"))),
    ("gemini-project-denied", INVALID, 403, google(403, "Your project has been denied access. Please contact "
     "support.",
     "PERMISSION_DENIED")),
    ("gemini-not-found", GONE, 404, google(404, "models/gemini-1.5-flash is not found for API version "
     "v1beta, or is not supported for generateContent. Call ListModels to see the list of available "
     "models.", "NOT_FOUND")),
    ("gemini-long", LARGE, 400, google(400, "The input token count (1200000) exceeds the maximum number of "
     "tokens allowed (1048576).", "INVALID_ARGUMENT")),
    ("gemini-argument", REJECTED, 400, google(400, "Request contains an invalid argument.",
     "INVALID_ARGUMENT")),
    ("gemini-system-role", REJECTED, 400, google(400, "Developer instruction is not enabled for "
     "models/gemma-3-27b-it",
     "INVALID_ARGUMENT")),
    ("gemini-thinking-level", REJECTED, 400, google(400, "Thinking level is not supported for this model.",
     "INVALID_ARGUMENT")),
    ("gemini-demand", DOWN, 503, google(503, "This model is currently experiencing high demand. Spikes in "
     "demand are usually temporary. Please try again later.", "UNAVAILABLE")),
    ("gemini-500", DOWN, 500, google(500, "An internal error has occurred. Please retry.", "INTERNAL")),
    ("gemini-499", DOWN, 499, google(499, "The operation was cancelled.", "CANCELLED")),
    ("vertex-token-expired", INVALID, 401, google(401, "Request had invalid authentication credentials. "
     "Expected OAuth 2 access token, login cookie or other valid authentication credential.",
     "UNAUTHENTICATED",
     reason("ACCESS_TOKEN_EXPIRED"))),
    ("vertex-consumer", INVALID, 403, google(403, "Permission denied on resource project example-proj.",
     "PERMISSION_DENIED", reason("CONSUMER_INVALID"))),
    ("vertex-perimeter", INVALID, 403, google(403, "Request is prohibited by organization's policy. "
     "vpcServiceControlsUniqueIdentifier: abc", "PERMISSION_DENIED", reason("SECURITY_POLICY_VIOLATED"))),
    ("vertex-billing", CREDITS, 403, google(403, "The billing account for the owning project is disabled in "
     "state absent", "PERMISSION_DENIED", array=True)),
    ("vertex-base-model", KEY, 429, google(429, "Quota exceeded for "
     "aiplatform.googleapis.com/online_prediction_requests_per_base_model with base model: "
     "gemini-experimental. Please submit a quota increase request.",
     "RESOURCE_EXHAUSTED")),
    ("vertex-no-access", GONE, 404, google(404, "Publisher Model "
     "`projects/p/locations/eu/publishers/google/models/gemini-2.5-pro` was not found or your project does "
     "not have access to it.", "NOT_FOUND", array=True)),
    ("vertex-not-allowed", GONE, 400, google(400, "Project `123456` is not allowed to use Publisher Model "
     "`projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro`", "FAILED_PRECONDITION")),
    ("vertex-model-policy", GONE, 400, google(400, "Organization Policy constraint "
     "`constraints/vertexai.allowedModels` violated for `projects/p` attempting to use a disallowed Gen AI "
     "model gemini-3.8-flash.", "FAILED_PRECONDITION")),
    ("vertex-long", LARGE, 400, google(400, "Unable to submit request because the input token count is "
     "1048577 but model only supports up to 1048576. Reduce the input token count and try again.",
     "INVALID_ARGUMENT")),
    ("vertex-no-text", REJECTED, 400, google(400, "Unable to submit request because it must have a text "
     "parameter.",
     "INVALID_ARGUMENT")),
    ("vertex-visibility", DOWN, 503, google(503, "Visibility check was unavailable. Please retry the request "
     "and contact support if the problem persists", "UNAVAILABLE")),
    # Servers at home
    ("vllm-context", LARGE, 400, {"object": "error", "message": "This model's maximum context length is 4096 "
     "tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in the completion).",
     "type": "BadRequestError",
     "param": None, "code": 400}),
    ("vllm-max-tokens", LARGE, 400, err("'max_tokens' or 'max_completion_tokens' is too large: 4096. This "
     "model's maximum context length is 4096 tokens and your request has 200 input tokens", 400,
     "BadRequestError")),
    ("vllm-model", GONE, 404, {"object": "error", "message": "The model `foo` does not exist.",
     "type": "NotFoundError",
     "param": None, "code": 404}),
    ("vllm-401", INVALID, 401, {"error": "Unauthorized"}),
    ("vllm-field", REJECTED, 400, {"object": "error", "message": "[{'type': 'missing', 'loc': ('body', "
     "'model'), 'msg': 'Field required'}]", "type": "BadRequestError", "param": None, "code": 400}),
    ("vllm-engine", DOWN, 500, {"object": "error", "message": "EngineCore encountered an issue. See stack "
     "trace (above) for the root cause.", "type": "InternalServerError", "code": 500}),
    ("ollama-model", GONE, 404, err('model "llama3.3" not found, try pulling it first', None, "api_error")),
    ("ollama-memory", DOWN, 500, err("model requires more system memory (5.5 GiB) than is available (3.9 "
     "GiB)")),
    ("ollama-runner", DOWN, 500, err("llama runner process has terminated: signal: killed", None,
     "api_error")),
    ("ollama-busy", DOWN, 503, {"error": "server busy, please try again.  maximum pending requests "
     "exceeded"}),
    ("ollama-tools", REJECTED, 400, err("registry.ollama.ai/library/gemma:2b does not support tools", None,
     "api_error")),
    ("ollama-hourly", KEY, 429, {"error": "you've reached your hourly usage limit, please upgrade to "
     "continue"}),
    ("llamacpp-loading", DOWN, 503, err("Loading model", 503, "unavailable_error")),
    ("llamacpp-context", LARGE, 400, err("the request exceeds the available context size. try increasing the "
     "context size or enable context shift", 400, "exceed_context_size_error", n_prompt_tokens=5000,
     n_ctx=4096)),
    ("llamacpp-key", INVALID, 401, err("Invalid API Key", 401, "authentication_error")),
    ("lmstudio-context", LARGE, 400, {"error": "Trying to keep the first 5000 tokens when context the "
     "overflows. However, the model is loaded with context length of only 4096 tokens."}),
    # Groq, beyond the recorded
    ("groq-spend", CREDITS, 400, err("Your organization has reached its spend limit.", "blocked_api_access")),
    ("groq-expired-key", INVALID, 401, err("Expired API Key", "expired_api_key", "invalid_request_error")),
    ("groq-blocked-by-org", GONE, 403, err("The model `qwen/qwen3.8-27b` is blocked at the organization "
     "level. Please have the org admin enable it.", "model_permission_blocked_org", "permissions_error")),
    ("groq-reasoning-format", REJECTED, 400, err("`reasoning_format` is not supported with this model", None,
     "invalid_request_error")),
    ("groq-property", REJECTED, 400, err("property 'reasoning_budget' is unsupported", None,
     "invalid_request_error")),
    ("groq-tool-use", REJECTED, 400, err("Failed to call a function. Please adjust your prompt. See "
     "'failed_generation' for more details.", "tool_use_failed", failed_generation="the model does not "
     "exist")),
    # Others that speak OpenAI
    ("xai-no-credits", CREDITS, 403, {"code": "The caller does not have permission to execute the specified "
     "operation",
     "error": "Your newly created team doesn't have any credits yet. You can purchase credits on "
     "https://console.x.ai."}),
    ("xai-key", INVALID, 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key "
     "provided: xa***aa. You can obtain an API key from https://console.x.ai."}),
    ("xai-rate", KEY, 429, {"code": "Some resource has been exhausted", "error": "Too many requests for team "
     "12 and model grok-4. Your team's rate limit is 60 requests per minute."}),
    ("xai-guidelines", CONTENT, 403, {"code": "The caller does not have permission to execute the specified "
     "operation",
     "error": "Content violates usage guidelines. Team: x, API key ID: y, Model: grok-4, Failed check: "
     "SAFETY_CHECK_BIO"}),
    ("xai-deprecated", GONE, 404, {"code": "Some requested entity was not found", "error": "The model "
     "grok-beta was deprecated on 2025-09-15 and is no longer accessible via the API."}),
    ("moonshot-rpm", KEY, 429, err("Your account org-1<ak-2> request reached organization max RPM: 3, please "
     "try again after 1 seconds", None, "rate_limit_reached_error")),
    ("moonshot-quota", CREDITS, 429, err("Your account org-1<ak-2> is suspended due to insufficient balance, "
     "please recharge your account or check your plan and billing details", None,
     "exceeded_current_quota_error")),
    ("moonshot-overload", PROVIDER, 429, err("The engine is currently overloaded, please try again later",
     None,
     "engine_overloaded_error")),
    ("moonshot-risk", CONTENT, 400, err("The request was rejected because it was considered high risk", None,
     "content_filter")),
    ("dashscope-inspection", CONTENT, 400, err("Input data may contain inappropriate content.",
     "data_inspection_failed")),
    ("dashscope-arrears", CREDITS, 400, err("Access denied, please make sure your account is in good "
     "standing.",
     "Arrearage")),
    ("dashscope-throttling", KEY, 429, err("Requests rate limit exceeded, please try again later.",
     "Throttling.RateQuota")),
    ("novita-balance", CREDITS, 403, {"code": 403, "reason": "NOT_ENOUGH_BALANCE", "message": "not enough "
     "balance"}),
    ("novita-model", GONE, 404, {"code": 404, "reason": "MODEL_NOT_FOUND", "message": "model not found"}),
    ("siliconflow-balance", CREDITS, 403, {"code": 30001, "message": "Sorry, your account balance is "
     "insufficient"}),
    ("siliconflow-disabled", GONE, 403, {"code": 30003, "message": "Model disabled.", "data": None}),
    ("siliconflow-model", GONE, 400, {"code": 20012, "message": "Model does not exist. Please check it "
     "carefully."}),
    ("siliconflow-tpm", KEY, 429, {"message": "Request was rejected due to rate limiting. If you want more, "
     "please contact contact@siliconflow.cn. Details:TPM limit reached.", "data": None}),
    ("deepinfra-busy", PROVIDER, 429, {"detail": {"error": "Model busy, retry later"}}),
    ("deepinfra-auth", INVALID, 401, {"detail": {"error": "User is not authenticated"}}),
    ("chutes-capacity", PROVIDER, 429, {"detail": "Infrastructure is at maximum capacity, try again later"}),
    ("chutes-balance", CREDITS, 402, {"detail": "Quota exceeded and account balance is $0.0, please pay with "
     "fiat"}),
    ("chutes-instances", DOWN, 503, {"detail": "No instances available (yet) for chute_id='x'"}),
    ("github-day", KEY, 429, err("Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait "
     "56000 seconds before retrying.", "RateLimitReached")),
    ("github-tokens", LARGE, 413, err("Request body too large for gpt-4o model. Max size: 8000 tokens.",
     "tokens_limit_reached")),
    ("github-no-access", GONE, 403, err("No access to model: o1", "no_access")),
    ("workers-ai-auth", INVALID, 403, {"errors": [{"code": 10000, "message": "Authentication error"}],
     "success": False}),
    ("workers-ai-model", GONE, 400, workers_ai(5007, "AiError: No such model @cf/x/y or task")),
    ("workers-ai-access", GONE, 403, workers_ai(5018, "AiError: This account is not allowed to access this "
     "model.")),
    ("workers-ai-agreement", GONE, 403, workers_ai(5016, "AiError: Model Agreement: Prior to using this "
     "model, you must submit the prompt 'agree'.")),
    ("workers-ai-context", LARGE, 400, workers_ai(5021, "AiError: The estimated number of input and maximum "
     "output tokens (9000) exceeded this model context window limit (8192).")),
    ("bedrock-throttling", KEY, 429, {"message": "Too many tokens, please wait before trying again."},
     {"x-amzn-errortype": "ThrottlingException"}),
    ("bedrock-token", INVALID, 403, {"message": "The security token included in the request is invalid."},
     {"x-amzn-errortype": "UnrecognizedClientException"}),
    ("bedrock-model", GONE, 403, {"message": "You don't have access to the model with the specified model "
     "ID."},
     {"x-amzn-errortype": "AccessDeniedException"}),
    ("litellm-budget", CREDITS, 400, err("Budget has been exceeded! Current cost: 5.1, Max budget: 5.0",
     "400",
     "budget_exceeded")),
    ("litellm-token", INVALID, 401, err("Authentication Error, Invalid proxy server token passed. Unable to "
     "find token in cache or `LiteLLM_VerificationTokenTable`", "401", "token_not_found_in_db")),
    ("litellm-model", GONE, 401, err("key not allowed to access model. This key can only access "
     "models=['x']. Tried to access y", "401", "key_model_access_denied")),
    ("litellm-rpm", KEY, 429, err("LiteLLM Rate Limit Handler for rate limit type = key. Crossed TPM / RPM / "
     "Max Parallel Request Limit. current rpm: 10, rpm limit: 10", "429")),
    ("perplexity-model", GONE, 400, err("Invalid model 'llama-3.1-sonar-small'. Permitted models can be "
     "found in the documentation", 400, "invalid_model")),
    ("kong-rate", KEY, 429, {"message": "API rate limit exceeded"}),
    ("kong-key", INVALID, 401, {"message": "No API key found in request"}),
    ("plain-429", KEY, 429, "Too Many Requests"),
    ("plain-500", DOWN, 500, "Internal Server Error"),
    ("no-body-401", INVALID, 401, ""),
    ("no-body-404", GONE, 404, ""),
    ("no-body-402", CREDITS, 402, ""),
    ("no-body-400", REJECTED, 400, ""),
    ("no-content-204", DOWN, 204, ""),
]  # fmt: skip

# No HTTP answer, but an exception: its text as the client libraries word it.
EXCEPTIONS = [
    ("refused", DOWN, "ConnectError: [Errno 111] Connection refused"),
    ("disconnected", DOWN, "RemoteProtocolError: Server disconnected without sending a response."),
    ("incomplete", DOWN, "RemoteProtocolError: peer closed connection without sending complete message body "
     "(incomplete chunked read)"),
    ("certificate", DOWN, "ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
     "certificate has expired (_ssl.c:1006)"),
    ("name", DOWN, "ConnectError: [Errno -3] Temporary failure in name resolution"),
    ("unreachable", DOWN, "ConnectError: [Errno 101] Network is unreachable"),
    ("token-endpoint-away", DOWN, "TransportError: HTTPSConnectionPool(host='oauth2.googleapis.com', "
     "port=443): Max retries exceeded with url: /token"),
    ("token-endpoint-500", DOWN, "('internal_failure: Internal error encountered.', {'error': "
     "'internal_failure'})"),
    ("clock", INVALID, "invalid_grant: Invalid JWT: Token must be a short-lived token (60 minutes) and in a "
     "reasonable timeframe. Check your iat and exp values in the JWT claim."),
    ("account-deleted", INVALID, "invalid_grant: Invalid grant: account not found"),
    ("client-unauthorised", INVALID, "unauthorized_client: Client is unauthorized to retrieve access tokens "
     "using this method, or client not authorized for any of the scopes requested."),
    ("client-deleted", INVALID, "deleted_client: The OAuth client was deleted."),
    ("client-disabled", INVALID, "invalid_client: The OAuth client was disabled."),
    ("reauthenticate", INVALID, "Reauthentication is needed. Please run `gcloud auth application-default "
     "login` to reauthenticate."),
]  # fmt: skip

# A 200 that is none: (id, kind, body), told by the adapter, not by `classify` alone.


def said(message, finish="stop", **more):
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, **more}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


def candidate(reason, *parts):
    content = {"role": "model", "parts": list(parts)} if parts else {"role": "model"}
    return {"candidates": [{"content": content, "finishReason": reason, "index": 0}]}


ANSWERS = [
    ("error-402", CREDITS, err("Insufficient credits", 402)),
    ("error-429-free", KEY, err("Rate limit exceeded: free-models-per-min. ", 429)),
    ("error-429-pool", PROVIDER, err("Provider returned error", 429, metadata={"provider_name": "Chutes"})),
    ("error-403-flagged", CONTENT, err("Input was flagged by moderation", 403)),
    ("error-string", DOWN, {"error": "upstream connect error or disconnect/reset before headers"}),
    ("error-in-choice", DOWN, said({"content": ""}, "error", error={"code": 502, "message": "Upstream "
     "died"})),
    ("null", DOWN, "null"),
    ("word", DOWN, '"ok"'),
    ("nothing-inside", DOWN, {}),
    ("half", DOWN, '{"id":"c1","object":"chat.completion","choices":[{"index":0,"mess'),
    ("maintenance", DOWN, page("Maintenance", "We will be back soon.")),
    ("blank", EMPTY, said({"content": " \n\n "})),
    ("thinking-part", EMPTY, said({"content": [{"type": "thinking", "thinking": [{"type": "text",
     "text": "Hm"}]}]})),
    ("reasoning-content", EMPTY, said({"content": None, "reasoning_content": "Let me see"}, "length")),
    ("think-tag", EMPTY, said({"content": "<think>I should list all of"}, "length")),
    ("refusal", CONTENT, said({"content": None, "refusal": "I can't help with that."})),
    ("filtered-half-way", CONTENT, said({"content": "First,"}, "content_filter")),
]  # fmt: skip
CANDIDATES = [
    ("recitation", CONTENT, candidate("RECITATION", {"text": "To be or not"})),
    ("blocklist", CONTENT, candidate("BLOCKLIST")),
    ("personal-data", CONTENT, candidate("SPII")),
    ("prompt-blocked", CONTENT, {"promptFeedback": {"blockReason": "OTHER"},
     "usageMetadata": {"promptTokenCount": 9}}),
    ("thoughts-only", EMPTY, candidate("MAX_TOKENS", {"text": "Let me think", "thought": True})),
    ("no-reason", DOWN, {"candidates": [{"content": {"role": "model", "parts": [{"text": "The first"}]}}]}),
    ("malformed-call", EMPTY, candidate("MALFORMED_FUNCTION_CALL")),
]  # fmt: skip


def text_of(body):
    return body if isinstance(body, str) else json.dumps(body)


def params(cases):
    return [pytest.param(*case[1:], id=case[0]) for case in cases]


@pytest.mark.parametrize(("kind", "status", "body", "headers"), params([(*c, {})[:5] for c in CASES]))
def test_a_refusal_means_one_kind(kind, status, body, headers):
    failure = classify(status=status, headers=headers, body=text_of(body))
    assert failure.kind == kind, failure.detail


@pytest.mark.parametrize(("kind", "text"), params(EXCEPTIONS))
def test_no_answer_at_all_means_one_kind(kind, text):
    assert classify(exception=text).kind == kind


SCOPES = [
    ("cloudflare-1015", Scope.PROVIDER, 429, "error code: 1015"),
    ("free-models-a-day", Scope.ACCOUNT, 429, err("Rate limit exceeded: free-models-per-day. ", 429)),
    ("concurrency", Scope.ACCOUNT, 429, err("Your current concurrency exceeds your concurrency limit of "
     "39.")),
    ("tokens-a-minute", Scope.DEPLOYMENT, 429, err("Rate limit reached on tokens per minute (TPM): Limit "
     "8000")),
    ("upstream-pool", Scope.MODEL, 429, err("Provider returned error", 429,
     metadata={"provider_name": "Chutes"})),
    ("block", Scope.PROVIDER, 403, "error code: 1010"),
    ("bad-key", Scope.CREDENTIAL, 401, err("Invalid API Key", "invalid_api_key")),
    ("no-money", Scope.ACCOUNT, 402, err("Insufficient Balance")),
    ("model-gone", Scope.DEPLOYMENT, 404, err("The model `x` does not exist", "model_not_found")),
    ("model-loading", Scope.MODEL, 503, {"error": "Model x is currently loading", "estimated_time": 20.0}),
    ("model-loading-llamacpp", Scope.MODEL, 503, err("Loading model", 503, "unavailable_error")),
    ("down", Scope.LOCATION, 503, ""),
    ("too-large", Scope.CALL, 413, ""),
    ("rejected", Scope.CALL, 400, ""),
    ("content", Scope.CALL, 400, err("Content Exists Risk")),
]  # fmt: skip


@pytest.mark.parametrize(("scope", "status", "body"), params(SCOPES))
def test_a_failure_speaks_of_the_narrowest_scope_that_explains_it(scope, status, body):
    assert classify(status=status, body=text_of(body)).scope == scope


def only_outcome(streamed):
    with pytest.raises(ChainExhausted) as caught:
        list(stream(user="hi", deadline_s=4)) if streamed else complete(user="hi", deadline_s=4)
    return caught.value.attempts[0]["outcome"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_waiting")
class TestAnswersThatAreNone:
    @pytest.mark.parametrize(("kind", "body"), params(ANSWERS))
    def test_a_200_of_the_openai_wire(self, sim, kind, body):
        make_provider(sim, "other", models=["m"], keys={"k": ""}, free=True)
        sim.script("key-of-k", b.http(200, text_of(body)))
        assert only_outcome(False) == kind

    @pytest.mark.parametrize(("kind", "body"), params(CANDIDATES))
    def test_a_200_of_vertex(self, sim, tmp_path, kind, body):
        make_vertex(sim, tmp_path, locations=["global"])
        sim.script("vertex", b.http(200, body))
        assert only_outcome(False) == kind


@pytest.mark.exhaustive
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(
    ("kind", "status", "body", "headers"), params([(*c, {})[:5] for c in CASES if c[2] >= 300])
)
def test_the_same_through_the_sdk(sim, kind, status, body, headers, streamed):
    make_provider(sim, "other", models=["m"], keys={"k": ""}, free=True)
    sim.script("key-of-k", b.http(status, text_of(body), headers))
    assert only_outcome(streamed) == kind


def test_no_two_cases_have_one_name():
    for cases in (CASES, EXCEPTIONS, ANSWERS, CANDIDATES):
        names = [case[0] for case in cases]
        assert len(names) == len(set(names))
    assert len(CASES) + len(EXCEPTIONS) + len(ANSWERS) + len(CANDIDATES) >= 120
