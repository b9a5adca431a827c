"""Settings that every call reads: looked up once, and never stale."""

import pytest
from django.test import override_settings

from llm.conf import DEFAULTS, conf


def test_a_setting_that_a_project_has_not_is_what_we_say(settings):
    del settings.LLM_GATEWAY_PREFIX
    assert DEFAULTS["LLM_GATEWAY_PREFIX"] == conf.LLM_GATEWAY_PREFIX


def test_an_overridden_setting_is_heard_and_so_is_its_end():
    before = conf.LLM_GATEWAY_DEADLINE_S
    with override_settings(LLM_GATEWAY_DEADLINE_S=7):
        assert conf.LLM_GATEWAY_DEADLINE_S == 7
    assert before == conf.LLM_GATEWAY_DEADLINE_S


def test_a_setting_that_is_nowhere_is_an_error():
    with pytest.raises(AttributeError):
        conf.LLM_NO_SUCH  # noqa: B018
