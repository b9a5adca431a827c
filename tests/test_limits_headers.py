"""A provider's own account of a quota, from headers in every notation and from error texts."""

import pytest

from llm.limits.headers import Observed, observed
from llm.simulator.behaviours import payloads

GROQ = {
    "x-ratelimit-limit-requests": "1000",
    "x-ratelimit-limit-tokens": "8000",
    "x-ratelimit-remaining-requests": "990",
    "x-ratelimit-remaining-tokens": "7500",
    "x-ratelimit-reset-requests": "14m24s",
    "x-ratelimit-reset-tokens": "3.75s",
}


def by_field(headers, text="", kind=""):
    return {o.field: (o.limit, o.used, o.reset_s) for o in observed(headers, text, kind=kind)}


def test_groq_counts_requests_by_the_day_and_tokens_by_the_minute():
    assert by_field(GROQ, kind="groq") == {"rpd": (1000, 10, 864), "tpm": (8000, 500, 3.75)}


def test_groq_counts_requests_by_the_day_also_when_the_reset_is_near():
    near = GROQ | {"x-ratelimit-reset-requests": "1m26.4s"}
    assert by_field(near, kind="groq")["rpd"] == (1000, 10, pytest.approx(86.4))
    soon = GROQ | {"x-ratelimit-reset-requests": "59s"}
    assert "rpm" not in by_field(soon, kind="groq")


def test_elsewhere_the_reset_tells_the_window_of_requests():
    openai = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-tokens": "6ms",
    }
    assert by_field(openai) == {"rpm": (60, 1, 1), "tpm": (150_000, 16, pytest.approx(0.006))}
    assert by_field(openai | {"x-ratelimit-reset-requests": "8m38.4s"})["rpd"] == (
        60,
        1,
        pytest.approx(518.4),
    )


def test_a_window_in_the_name_is_believed():
    cerebras = {
        "x-ratelimit-limit-requests-day": "14400",
        "x-ratelimit-remaining-requests-day": "14390",
        "x-ratelimit-reset-requests-day": "33011.38",
        "x-ratelimit-limit-tokens-minute": "60000",
        "x-ratelimit-remaining-tokens-minute": "59950",
        "x-ratelimit-reset-tokens-minute": "11.38",
    }
    assert by_field(cerebras) == {"rpd": (14_400, 10, 33_011.38), "tpm": (60_000, 50, 11.38)}
    assert by_field({"x-ratelimit-limit-tokens-day": "1000000"}) == {"tpd": (1_000_000, None, None)}
    assert by_field({"x-ratelimit-limit-requests-minute": "5"}) == {"rpm": (5, None, None)}


def test_names_are_read_in_any_case():
    assert by_field({name.title(): value for name, value in GROQ.items()}, kind="groq")["tpm"][0] == 8000


def test_a_limit_without_its_rest_is_still_a_limit():
    assert by_field({"x-ratelimit-limit-tokens": "8000"}) == {"tpm": (8000, None, None)}


@pytest.mark.parametrize("limit", ["", "unlimited", "-1", "8000.5", "8e3", "0x10", " 8000 tokens", "None"])
def test_a_limit_that_is_no_number_is_none(limit):
    assert observed({"x-ratelimit-limit-tokens": limit}) == []


@pytest.mark.parametrize("limit", ["9223372036854775807", "4294967295", "10000000000"])
def test_a_limit_beyond_what_the_database_holds_means_without_limit(limit):
    assert observed({"x-ratelimit-limit-tokens": limit}) == []


@pytest.mark.parametrize("rest", ["", "many", "-3", "1.5"])
def test_a_rest_that_is_no_number_is_unknown(rest):
    headers = {"x-ratelimit-limit-tokens": "8000", "x-ratelimit-remaining-tokens": rest}
    assert by_field(headers) == {"tpm": (8000, None, None)}


def test_headers_of_other_things_are_left_alone():
    others = {"x-ratelimit-limit": "50", "x-ratelimit-limit-audio-seconds": "7200", "x-ratelimit-reset-tokens": "3s",
              "ratelimit-limit": "100", "content-length": "12"}  # fmt: skip
    assert observed(others) == []


@pytest.mark.parametrize(
    ("text", "field", "limit", "used"),
    [
        ("on tokens per minute (TPM): Limit 8000, Used 7900, Requested 500.", "tpm", 8000, 7900),
        ("on tokens per day (TPD): Limit 200000, Used 199000, Requested 2000.", "tpd", 200_000, 199_000),
        ("on requests per minute (RPM): Limit 30, Used 30, Requested 1.", "rpm", 30, 30),
        ("on requests per day (RPD): Limit 1000, Used 1000, Requested 1.", "rpd", 1000, 1000),
        ("on tokens per day (TPD): Limit 200000. Please try again", "tpd", 200_000, None),
        ("on tokens per minute (TPM): Limit 8000, Requested 32979, please reduce", "tpm", 8000, None),
    ],
)
def test_an_error_text_names_the_limit(text, field, limit, used):
    assert observed({}, f"Rate limit reached for model `m` {text}") == [
        Observed(field, limit, used, None, method="refusal")
    ]


@pytest.mark.parametrize("text", ["", "Rate limit exceeded", "60 requests per minute", "Limit 30"])
def test_a_text_without_figures_names_none(text):
    assert observed({}, text) == []


def test_headers_and_text_are_both_read():
    text = "on tokens per day (TPD): Limit 200000, Used 199000"
    assert set(by_field(GROQ, text, "groq")) == {"rpd", "tpm", "tpd"}


def test_the_recorded_refusals_of_groq_name_their_limits():
    recorded = payloads()["groq-429-tpm-1"]
    assert by_field(recorded["headers"], recorded["body"], "groq")["tpm"][0] == 12_000


def test_hours_and_tokens_in_and_out_are_read_where_a_provider_states_them():
    stated = {
        "x-ratelimit-limit-requests-hour": "200",
        "x-ratelimit-remaining-requests-hour": "150",
        "x-ratelimit-reset-requests-hour": "1800",
        "x-ratelimit-limit-input-tokens-minute": "7000",
        "x-ratelimit-limit-output-tokens": "4000",
        "x-ratelimit-remaining-output-tokens": "3000",
    }
    assert by_field(stated) == {
        "rph": (200, 50, 1800), "itpm": (7000, None, None), "otpm": (4000, 1000, None)
    }  # fmt: skip


def test_anthropics_own_names_are_read():
    stated = {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-input-tokens-limit": "30000",
        "anthropic-ratelimit-output-tokens-limit": "8000",
    }
    assert by_field(stated) == {
        "rpm": (50, 1, None), "itpm": (30_000, None, None), "otpm": (8000, None, None)
    }  # fmt: skip


def test_a_refusal_names_tokens_of_input_and_requests_of_the_hour():
    text = "Rate limit reached on input tokens per minute (ITPM): Limit 7000, Used 6990, Requested 900."
    assert by_field({}, text) == {"itpm": (7000, 6990, None)}
    assert by_field({}, "requests per hour (RPH): Limit 100") == {"rph": (100, None, None)}


def test_a_window_that_we_have_no_name_for_is_passed_over():
    assert (
        by_field({"x-ratelimit-limit-tokens-hour": "5000", "x-ratelimit-limit-input-tokens-day": "5"}) == {}
    )
