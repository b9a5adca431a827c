"""/v1/embeddings: the same ledger, quotas and budgets; failover within one family, and never between two."""

import base64
import struct
from decimal import Decimal

import openai
import pytest

from llm.models import Alias, Attempt, Call, Model
from llm.simulator import behaviours as b
from tests.chain_setup import make_provider
from tests.gateway_client import Gateway, make_client
from tests.sdk_clients import openai_sdk

pytestmark = pytest.mark.django_db
E5 = {"name": "e5", "kind": "embedding", "family": "e5-large", "dimensions": 32}
OTHER = {"name": "bge", "kind": "embedding", "family": "bge-m3", "dimensions": 32}


def provider(sim, slug, *models, **fields):
    return make_provider(sim, slug, models=models, keys={slug: ""}, **({"free": True} | fields))


@pytest.fixture
def chain(sim):
    provider(sim, "one", E5, tier=1)
    provider(sim, "two", {**E5, "name": "intfloat/e5"}, tier=2)
    provider(sim, "other", OTHER, tier=3)
    return sim


@pytest.fixture
def api(db):
    return openai_sdk()


def test_texts_become_vectors_in_their_order(chain, api):
    answer = api.embeddings.create(model="e5", input=["a", "b"])  # the SDK asks for base64 and unpacks it
    assert [each.index for each in answer.data] == [0, 1]
    assert all(len(each.embedding) == 32 for each in answer.data)
    assert answer.data[0].embedding != answer.data[1].embedding
    assert answer.model == "one/e5"
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 0
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.tokens_out, attempt.tokens_in) == ("ok", 0, answer.usage.prompt_tokens)
    assert Call.objects.get().client == "shop"


def test_floats_and_base64_are_the_same_numbers(chain):
    gateway = Gateway(make_client()[1])
    floats, packed = (
        gateway.post_to("/v1/embeddings", {"input": "a", "encoding_format": kind}).json()["data"][0][
            "embedding"
        ]
        for kind in ("float", "base64")
    )
    assert list(struct.unpack("<32f", base64.b64decode(packed))) == pytest.approx(floats)


def test_the_same_texts_again_are_vectors_again_where_replies_are_kept(chain, api, settings):
    settings.LLM_CACHE = "on"
    first, second = (api.embeddings.create(model="e5", input=["a", "b"]) for _ in range(2))
    assert [each.embedding for each in second.data] == [each.embedding for each in first.data]


def test_a_number_that_has_no_room_in_32_bits_is_no_vector(sim, api):
    provider(sim, "one", {**E5, "dimensions": 2}, tier=1)
    sim.script("key-of-one", b.http(200, {"data": [{"index": 0, "embedding": [1e300, 0.5]}]}))
    with pytest.raises(openai.InternalServerError) as failed:
        api.embeddings.create(model="e5", input="a")
    assert failed.value.status_code == 503
    assert Attempt.objects.first().outcome == "provider_down"


def test_the_next_provider_of_the_family_takes_over(chain, api):
    before = api.embeddings.create(model="e5-large", input="a").data[0].embedding
    chain.script("key-of-one", b.http(503))
    answer = api.embeddings.create(model="e5-large", input="a")
    assert answer.model == "two/intfloat/e5"
    assert answer.data[0].embedding == before


@pytest.mark.parametrize("model", ["auto", "e5-large"])
def test_another_family_never_does(chain, api, model):
    chain.script("key-of-one", b.http(503))
    chain.script("key-of-two", b.http(503))
    with pytest.raises(openai.InternalServerError):
        api.embeddings.create(model=model, input="a")
    assert "other" not in {request.provider for request in chain.requests}


def test_vectors_of_another_length_are_no_answer(sim, api):
    provider(sim, "wrong", {**E5, "dimensions": 16}, tier=1)
    provider(sim, "right", E5, tier=2)
    row = Model.objects.get(provider__slug="wrong")
    row.dimensions = 32
    row.name = "e5"
    row.params = {"dimensions": 16}
    row.save()
    answer = api.embeddings.create(model="e5-large", input="a")
    assert answer.model == "right/e5"
    assert [a.outcome for a in Attempt.objects.order_by("id")] == ["rejected_output", "ok"]


def test_shorter_vectors_are_asked_for(chain, api):
    answer = api.embeddings.create(model="e5", input="a", dimensions=8)
    assert len(answer.data[0].embedding) == 8
    assert chain.requests[-1].body["dimensions"] == 8
    with pytest.raises(openai.BadRequestError) as refused:
        api.embeddings.create(model="e5", input="a", dimensions=64)
    assert refused.value.param == "dimensions"


def test_an_alias_stands_for_a_family(chain, api):
    Alias.objects.create(name="text-embedding-3-small", to="bge-m3")
    assert api.embeddings.create(model="text-embedding-3-small", input="a").model == "other/bge"


def test_a_chat_model_embeds_nothing(sim, api):
    provider(sim, "chat", "m")
    for model in ("chat/m", "m", "auto"):
        with pytest.raises(openai.NotFoundError):
            api.embeddings.create(model=model, input="a")


def test_budgets_and_quotas_hold(sim):
    provider(sim, "paid", {**E5, "price_in": Decimal("0.10"), "price_out": Decimal(0)}, free=False)
    gateway = Gateway(make_client(max_usd=Decimal(0))[1])
    refused = gateway.post_to("/v1/embeddings", {"input": "a", "model": "paid/e5"})
    assert refused.status_code == 503
    paying = openai_sdk(name="paying")
    paying.embeddings.create(model="paid/e5", input="word " * 10_000)
    assert Attempt.objects.latest("id").cost_usd > 0
    row = Model.objects.get()
    row.rpd = 1
    row.save()
    with pytest.raises(openai.RateLimitError):
        paying.embeddings.create(model="paid/e5", input="a")


@pytest.mark.parametrize(
    ("body", "param"),
    [({}, "input"), ({"input": []}, "input"), ({"input": ""}, "input[0]"), ({"input": [1, 2]}, "input[0]"),
     ({"input": ["a", ""]}, "input[1]"), ({"input": "a", "stream": True}, "stream"),
     ({"input": "a", "dimensions": 0}, "dimensions"), ({"input": "a", "encoding_format": "int8"}, "encoding_format")],
)  # fmt: skip
def test_a_wrong_value_is_named(chain, body, param):
    response = Gateway(make_client()[1]).post_to("/v1/embeddings", body)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
