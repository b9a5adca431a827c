"""The APIs asked what no example thought of: no answer is a 5xx of our own making, and all fit their description."""

import pytest
import schemathesis
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from schemathesis import GenerationMode

from guardlabs.wsgi import application
from tests.chain_setup import make_groq
from tests.factories import load_bank
from tests.gateway_client import make_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore")]


def operations(path):
    schema = schemathesis.openapi.from_wsgi(path, application)
    schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    return [found.ok() for found in schema.get_all_operations()]


def fuzz(operation, examples, **headers):
    """Asks one operation many times. Raises what does not fit."""

    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
    )  # fmt: skip
    def ask(case):
        response = case.call(headers=headers)
        assert response.status_code < 500 or response.status_code in {502, 503}, (case.as_curl_command(), response.text)
        if response.status_code in {502, 503}:
            assert response.json()["error"]["code"] in {"invalid_output", "no_provider_available", "empty_output"}

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        operation.as_strategy(generation_mode=mode)
        strategy = operation.as_strategy(generation_mode=mode)
        from hypothesis import given

        given(case=strategy)(ask)()
    connection.close()


@pytest.mark.parametrize("examples", [15, pytest.param(400, marks=pytest.mark.exhaustive)])
def test_nothing_asked_of_the_gateway_breaks_it(sim, examples):
    make_groq(sim, keys=1)
    _, key = make_client()
    for operation in operations("/v1/openapi.json"):
        fuzz(operation, examples, Authorization=f"Bearer {key}")


@pytest.mark.parametrize("examples", [15, pytest.param(400, marks=pytest.mark.exhaustive)])
def test_nothing_asked_of_the_api_breaks_it(examples):
    load_bank()
    for operation in operations("/api/openapi.json"):
        fuzz(operation, examples)
