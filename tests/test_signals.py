"""Reading what a provider said: waits in every notation, organisations, no keys, and never an exception."""

import json
import math
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llm.adapters.openai import error_in_body
from llm.failures.kinds import Failure, Kind, Scope
from llm.failures.rules import classify
from llm.failures.signals import Signals, redact, seconds
from llm.limits.headers import observed

NOW = 1_795_435_200.0  # 2026-11-23 12:00:00 UTC


def message(text):
    return json.dumps({"error": {"message": text}})


def wait_of(body="", headers=None, status=429):
    return Signals(status=status, headers=headers, body=body).retry_after_s(NOW)


# -- one value ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7.66s", 7.66), ("2m59.56s", 179.56), ("12h", 43_200), ("644ms", 0.644), ("1.984999999s", 1.984999999),
        ("1h2m3.5s", 3723.5), ("1m30s", 90), ("500us", 0.0005), ("500µs", 0.0005), ("20ns", 2e-8), ("1d2h", 93_600),
        ("30", 30), ("0", 0), ("12.5", 12.5), (" 30 ", 30), (30, 30), (0.25, 0.25), (0, 0), ("0s", 0),
        ("38s", 38), ("39.837422316s", 39.837422316), ("1M30S", 90),
    ],
)  # fmt: skip
def test_a_duration_is_read_in_every_notation(value, expected):
    assert seconds(value) == pytest.approx(expected)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        "",
        "soon",
        "-5",
        -5,
        "7 apples",
        "s",
        "12 parsecs",
        [],
        {},
        "1h or so",
        "nan",
        math.nan,
    ],
)
def test_what_is_no_duration_is_none(value):
    assert seconds(value) is None


# -- prose -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Please try again in 7m12s", 432),
        ("Please try again in 7m12.5s. Need more tokens? Upgrade today.", 432.5),
        ("Please try again in 20s. Visit https://example.com to learn more.", 20),
        ("Please try again in 1h2m3.456s.", 3723.456),
        ("Please try again in 644ms.", 0.644),
        ("Please retry in 39.837422316s.", 39.837422316),
        ("Please retry after 26 seconds.", 26),
        ("retry after 30 seconds", 30),
        ("Rate limited. Retry after 1 minute.", 60),
        ("please try again after 1 seconds", 1),
        ("Please wait 2 hours", 7200),
        ("Please wait 56000 seconds before retrying.", 56_000),
        ("You have to wait for 1 hour.", 3600),
        ("wait at least 10 seconds", 10),
        ("Try again in about 3 minutes", 180),
        ("Try again in approximately 20 minutes", 1200),
        ("Try again in 1m 30s", 90),
        ("Try again in: 12h", 43_200),
        ("Retry-After: 30 sec", 30),
        ("Retry in 500 milliseconds", 0.5),
        ("The rate limit resets in 45 mins", 2700),
        ("Your quota will reset after 13h39m41s.", 49_181),
        ("Your quota resets in 1 day 2 hours", 93_600),
        ("The model is available again in 10 minutes", 600),
        ("You can retry your request after 1.5 hours", 5400),
        ("limit reached, try again in 2 days", 172_800),
    ],
)
def test_prose_names_a_wait_in_many_wordings(text, expected):
    assert wait_of(message(text)) == pytest.approx(expected)
    assert wait_of(text) == pytest.approx(expected)  # the same without JSON around it


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Try again in 5 minutes and 30 seconds", 330),
        pytest.param("Try again in 2 hours, 5 minutes", 7500),
        pytest.param("Please try again in 1,200 seconds", 1200),
    ],
)
def test_prose_with_commas_and_ands(text, expected):
    assert wait_of(message(text)) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    [
        "Too Many Requests", "Limit 30, Used 30, Requested 1", "Please try again later", "60 requests per minute",
        "The maximum audio length is 30 minutes", "Limit of 50 per 86400s", "try again with a shorter prompt",
    ],
)  # fmt: skip
def test_numbers_that_are_no_wait_are_left_alone(text):
    assert wait_of(message(text)) is None


# -- headers and fields ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "30"}, 30),
        ({"Retry-After": "2.5"}, 2.5),
        ({"RETRY-AFTER": "7m12s"}, 432),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "Mon, 23 Nov 2026 12:05:00 GMT"}, 300),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, None),  # it is over
        (
            {"retry-after": "Mon, 23 Nov 2026 12:05:00 GMT", "date": "Mon, 23 Nov 2026 12:04:00 GMT"},
            60,
        ),  # their clock
        ({"retry-after": "soon"}, None),
        ({"retry-after": "5, 70"}, 70),  # it came twice
        ({"retry-after": "70,5"}, 70),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "50"}, 50),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "50"}, 50),
        (
            {
                "anthropic-ratelimit-tokens-remaining": "0",
                "anthropic-ratelimit-tokens-reset": "2026-11-23T12:01:00Z",
            },
            60,
        ),
        ({"ratelimit": '"api";r=0;t=55'}, 55),
        ({"ratelimit": "limit=100, remaining=0, reset=50"}, 50),
        ({"ratelimit": '"api";r=7;t=55'}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-1"}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers, expected):
    assert wait_of(headers=headers) == expected


@pytest.mark.parametrize(
    ("reset", "expected"),
    [
        ("7.66s", 7.66),
        ("2m59.56s", 179.56),
        ("12h", 43_200),
        ("644ms", 0.644),
        ("30", 30),  # Cerebras: plain seconds
        (f"{NOW + 90:.0f}", 90),  # a Unix time
        (f"{(NOW + 90) * 1000:.0f}", 90),  # OpenRouter: in milliseconds
        (f"{NOW - 90:.0f}", None),
    ],
)
def test_the_reset_of_a_limit_that_is_used_up_is_a_wait(reset, expected):
    headers = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": reset}
    assert wait_of(headers=headers) == (expected and pytest.approx(expected))


def test_the_reset_of_a_limit_that_is_not_used_up_is_ignored():
    headers = {
        "retry-after": "2",
        "x-ratelimit-remaining-requests": "14369",
        "x-ratelimit-reset-requests": "2m59.56s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "7.66s",
    }
    assert wait_of(headers=headers) == 7.66
    assert wait_of(headers={"x-ratelimit-reset-requests": "2m59.56s"}) is None  # nobody says what remains


def test_headers_that_a_gateway_repeats_in_its_body_count():
    error = {"message": "x", "metadata": {"headers": {
        "X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int((NOW + 600) * 1000)),
    }}}  # fmt: skip
    assert wait_of(json.dumps({"error": error})) == pytest.approx(600)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "38s"}]}, 38),
        ({"availability": {"retryable": True, "retry_after": 12}}, 12),
        ({"retry_after_seconds": 5.5}, 5.5),
        ({"retry_after": None}, None),
        ({"retry_after": True}, None),
    ],
)
def test_fields_of_the_body_name_a_wait(error, expected):
    assert wait_of(json.dumps({"error": error})) == expected


def test_a_loading_model_says_how_long():
    assert wait_of('{"error":"Model x is currently loading","estimated_time":20.0}', status=503) == 20


def test_what_another_service_said_to_the_provider_is_not_for_us():
    error = {
        "message": "Provider returned error",
        "metadata": {"raw": "try again in 600s", "provider_name": "X"},
    }
    assert wait_of(json.dumps({"error": error})) is None


def test_the_longest_wait_that_is_named_wins():
    body = message("Rate limit reached on tokens per day (TPD). Please try again in 12m46s.")
    headers = {"retry-after": "5", "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "7.66s"}
    assert wait_of(body, headers) == 766
    assert wait_of(message("try again in 5s, or in the worst case try again in 2 minutes"), headers) == 120


# -- organisations, keys -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "organisation"),
    [
        (
            "Rate limit reached for model `m` in organization `org_01abcDEF` service tier `on_demand`",
            "org_01abcDEF",
        ),
        ("Rate limit reached for gpt-5 in organization org-AbC123 on tokens per min", "org-AbC123"),
        ("in organisation 'org_9' on requests", "org_9"),
        ("Your organization must be verified", ""),
        ("Organization has been restricted", ""),
    ],
)
def test_the_organisation_is_found_where_it_is_named(text, organisation):
    assert classify(status=429, body=message(text)).organisation == organisation


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-abcdef1234567890", "sk-or-v1-0123456789abcdef", "gsk_AbCdEf0123456789", "hf_AbCdEf0123456789",
        "nvapi-AbCdEf-0123456789", "AIzaSyA1234567890abcdefg", "AQ.Ab8RN6Lx_abcdef", "ya29.a0AfH6SMBx-yz",
        "sk-ant-api03-abcdef_123456",
    ],
)  # fmt: skip
def test_what_looks_like_a_key_never_gets_into_a_detail(key):
    for text in (f"Incorrect API key provided: {key}.", f"Bearer {key} is invalid", f"key={key}"):
        detail = classify(status=401, body=message(text)).detail
        assert key not in detail
        assert key[5:] not in detail
        assert "***" in detail
    assert key not in classify(exception=f"ConnectError: {key}").detail


def test_an_ordinary_text_is_not_redacted():
    text = "Model risk-assessor: the task-force asks for disk-space, see sk-learn"
    assert redact(text) == text


# -- how a body is read ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"error":{"message":"one"}}', "one"),
        ('[{"error":{"message":"one"}}]', "one"),
        ('{"error":"one"}', "one"),
        ('{"detail":"one"}', "one"),
        ('{"message":"one"}', "one"),
        ('{"title":"one","status":429}', "one"),
        ('{"errors":[{"message":"one"}]}', "one"),
        ('"one"', "one"),
        ("one", "one"),
        ("<html><head><style>p{}</style></head><body><script>x()</script><p>one</p></body></html>", "one"),
        ("", ""),
        ("[]", ""),
    ],
)
def test_prose_is_found_in_every_shape_of_body(body, text):
    assert Signals(status=400, body=body).text == text


def test_codes_are_found_in_every_place():
    error = {
        "code": "Rate_Limit", "type": "tokens", "status": "RESOURCE_EXHAUSTED",
        "details": [{"reason": "KEY_INVALID"}, {"violations": [{"quotaId": "PerDay"}]}],
        "metadata": {"raw": '{"code":"hidden"}', "previous_errors": [{"code": "old"}], "provider_name": "Chutes"},
    }  # fmt: skip
    codes = Signals(status=429, body=json.dumps({"error": error})).codes
    assert codes == {"rate_limit", "tokens", "resource_exhausted", "key_invalid", "perday", "upstream"}


def test_an_error_inside_a_200_brings_its_own_status():
    assert Signals(status=200, body='{"error":{"code":429}}').error_status == 429
    assert Signals(status=200, body='{"error":{"code":"503"}}').error_status == 503
    assert Signals(status=200, body='{"error":{"code":1113}}').error_status == 200
    assert Signals(status=400, body='{"error":{"code":429}}').error_status == 400


# -- nothing raises ----------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["error", "message", "code", "type", "status", "reason", "detail", "details", "retry_after", "retryDelay",
     "estimated_time", "metadata", "headers", "X-RateLimit-Reset", "x-ratelimit-remaining", "quotaId", "choices",
     "provider_name", "raw", "param"],
)  # fmt: skip
WORDS = st.sampled_from(
    ["try again in 7m12s", "error code: 1010", "limit: 0", "organization org_1", "billing", "9" * 400, "9" * 5000, "-1",
     "1e999", "²", "٣", "\x00", "\ud800", "NaN", "Infinity", "<html>", "<", "Mon, 01 Jan 99999999999 00:00:00 GMT",
     "model not found", "Wed, 31 Feb 2026 25:61:61 +9999"],
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from([10**400, -(10**400), 2**63, 429, 503]), st.floats(),
    st.text(max_size=30), WORDS,
)  # fmt: skip
JSONS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)
BODIES = st.one_of(
    JSONS.map(json.dumps),
    JSONS.map(lambda value: json.dumps(value)[:-2]),
    st.text(max_size=300),
    st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")),
    WORDS,
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["retry-after", "Retry-After-Ms", "date", "content-type", "x-ratelimit-limit-tokens", "cf-mitigated",
         "x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-remaining", "x-ratelimit-reset"],
    ) | st.text(max_size=10),
    WORDS | st.text(max_size=20) | st.floats().map(str) | st.integers().map(str),
    max_size=5,
)  # fmt: skip
STATUSES = st.none() | st.integers(100, 599) | st.sampled_from([0, -1, 999, 429, 200, 10**6])


@settings(max_examples=400, deadline=None, derandomize=True)
@given(status=STATUSES, headers=HEADERS, body=BODIES, exception=st.text(max_size=50) | WORDS)
@example(status=429, headers={}, body='{"error":{"retry_after":%s}}' % ("9" * 400), exception="")
@example(status=200, headers={}, body='{"error":{"code":"%s"}}' % ("9" * 5000), exception="")
@example(status=429, headers={"retry-after": "9" * 400}, body="", exception="")
@example(
    status=429,
    headers={"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"},
    body="",
    exception="",
)
def test_anything_at_all_is_exactly_one_kind_of_failure(status, headers, body, exception):
    failure = classify(status=status, headers=headers, body=body, exception=exception, now=NOW)
    assert isinstance(failure, Failure)
    assert failure.kind in Kind
    assert failure.scope in Scope
    assert len(failure.detail) <= 300
    assert failure.retry_after_s is None or 0 < failure.retry_after_s < math.inf
    again = classify(status=status, headers=headers, body=body, exception=exception, now=NOW)
    assert (again.kind, again.retry_after_s) == (failure.kind, failure.retry_after_s)


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"error":' * 100_000, '{"error":' * 900 + "1" + "}" * 900, '"' * 9999]
)
def test_a_body_that_is_nested_too_deeply_is_a_failure_like_any_other(body):
    assert classify(status=500, body=body).kind == Kind.PROVIDER_DOWN


@pytest.mark.parametrize("body", ["<" * 40_000, "<script>" * 6_000], ids=["brackets", "scripts"])
def test_a_strange_body_takes_no_time(body):
    began = time.process_time()
    classify(status=500, body=body)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("value", ["²", "9" * 5000])
def test_a_number_that_is_none_is_no_exception(value):
    error_in_body({"error": {"code": value}})
    headers = {"x-ratelimit-limit-tokens": value, "x-ratelimit-remaining-tokens": value}
    assert observed(headers) == []
