"""Wrong settings are refused at start, each with a hint."""

import pytest
from django.core.checks import run_checks


def ids(**options):
    return {message.id: message for message in run_checks(**options)}


@pytest.mark.parametrize(
    ("name", "value", "id"),
    [
        ("ENCRYPTION_KEYS", ["too-short"], "guardlabs.E001"),
        ("ENCRYPTION_KEYS", [], "guardlabs.W001"),
        ("SCAN_RATE", "many", "audit.E001"),
        ("TRUSTED_PROXIES", ["proxy.local"], "guardlabs.E002"),
        ("LLM_DAILY_BUDGET_USD", "a lot", "guardlabs.E003"),
        ("LLM_CACHE", "maybe", "guardlabs.E004"),
    ],
)
def test_a_wrong_setting_is_named_with_a_hint(settings, name, value, id):
    setattr(settings, name, value)
    assert ids()[id].hint


def test_the_shipped_settings_are_right():
    assert not [id for id in ids() if id.startswith("guardlabs.")]
