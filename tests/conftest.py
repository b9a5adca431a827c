"""Fixtures that many tests share."""

import pytest
from django.conf import settings
from django.core.cache import cache

from guardlabs.catalogues import compile_catalogues
from llm import state, tokens


def pytest_configure():
    compile_catalogues(settings.LOCALE_PATHS[0])


@pytest.fixture(autouse=True)
def _clean_cache():
    cache.clear()
    state.forget()
    tokens.forget()


@pytest.fixture
def sim():
    """The provider simulator, fresh."""
    from llm.simulator import Simulator

    with Simulator() as simulator:
        yield simulator
