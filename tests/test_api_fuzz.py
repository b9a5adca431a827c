"""The APIs asked what no example thought of: no answer is a 5xx of our own making, and all fit their description."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from guardlabs.wsgi import application
from tests.chain_setup import make_groq
from tests.factories import load_bank
from tests.gateway_client import make_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore")]


MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)  # what fits the description, and what does not
HONEST = {"no_provider_available", "invalid_output", "empty_output"}  # no fault of ours


def operations(path):
    schema = schemathesis.openapi.from_wsgi(path, application)
    schema.config.generation.update(modes=list(MODES))
    return [found.ok() for found in schema.get_all_operations()]


def fuzz(operation, examples, **headers):
    """Asks one operation many times. Raises for a 5xx that is ours."""

    def ask(case):
        response = case.call(headers=headers)
        if response.status_code >= 500:
            code = (response.json().get("error") or {}).get("code")
            assert code in HONEST, (case.as_curl_command(), response.text)

    bounded = settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
    )  # fmt: skip
    for mode in MODES:
        try:
            bounded(given(case=operation.as_strategy(generation_mode=mode))(ask))()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE  # it takes nothing that could be wrong


@pytest.mark.parametrize("examples", [4, pytest.param(400, marks=pytest.mark.exhaustive)])
def test_nothing_asked_of_the_gateway_breaks_it(sim, examples):
    make_groq(sim, keys=1)
    _, key = make_client()
    for operation in operations("/v1/openapi.json"):
        fuzz(operation, examples, Authorization=f"Bearer {key}")


@pytest.mark.parametrize("examples", [4, pytest.param(400, marks=pytest.mark.exhaustive)])
def test_nothing_asked_of_the_api_breaks_it(examples):
    load_bank()
    for operation in operations("/api/openapi.json"):
        fuzz(operation, examples)
