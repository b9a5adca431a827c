"""Fixtures that many tests share."""

import pytest
from django.core.cache import cache

from llm import state


@pytest.fixture(autouse=True)
def _clean_cache():
    cache.clear()
    state.forget()
