"""What the configuration says of models beside their limits: kind, sizes, evidence; and aliases."""

from datetime import date

import pytest

from llm.configuration import file as config
from llm.configuration import snapshot
from llm.models import Alias, Model, Provider

pytestmark = pytest.mark.django_db

FILE = """
[[provider]]
slug = "far"
kind = "openai"
base_url = "https://far.example/v1"
source = "https://far.example/terms"
seen = 2026-11-28
method = "documented"

[[provider.model]]
id = "writer"
context = 131072
max_output = 16384
source = "https://far.example/models"
seen = 2026-11-27
method = "probed"

[[provider.model]]
id = "vectors"
kind = "embedding"
dimensions = 1024
family = "vectors-v3"
context = 8192

[[alias]]
name = "gpt-4o-mini"
to = "auto"

[[alias]]
name = "text-embedding-3-small"
to = "far/vectors"
"""


def errors_of(text):
    with pytest.raises(config.ConfigError) as caught:
        config.load(text)
    return caught.value.errors


def test_kind_sizes_and_evidence_arrive_in_the_database():
    config.load(FILE)
    far = Provider.objects.get(slug="far")
    assert (far.source, far.seen, far.method) == (
        "https://far.example/terms",
        date(2026, 11, 28),
        "documented",
    )
    writer, vectors = far.models.all()
    assert (writer.kind, writer.context, writer.max_output, writer.method) == (
        "chat",
        131072,
        16384,
        "probed",
    )
    assert (vectors.kind, vectors.dimensions, vectors.family) == ("embedding", 1024, "vectors-v3")


def test_an_embedding_model_is_apart_from_those_that_write():
    config.load(FILE)
    (far,) = snapshot.providers()
    assert [model.name for model in far.models] == ["writer"]
    assert [(model.name, model.dimensions, model.family) for model in far.embeddings] == [
        ("vectors", 1024, "vectors-v3")
    ]
    assert (far.models[0].context, far.models[0].max_output) == (131072, 16384)


def test_aliases_are_in_the_snapshot_and_follow_a_change():
    config.load(FILE)
    assert snapshot.read().aliases == {"gpt-4o-mini": "auto", "text-embedding-3-small": "far/vectors"}
    Alias.objects.get(name="gpt-4o-mini").delete()
    assert snapshot.read().aliases == {"text-embedding-3-small": "far/vectors"}


def test_an_export_loads_again():
    config.load(FILE)
    first = config.export()
    Provider.objects.all().delete()
    Alias.objects.all().delete()
    config.load(first)
    assert config.export() == first


def test_loading_again_changes_nothing():
    config.load(FILE)
    summary = config.load(FILE)
    assert (summary.created, summary.changed) == ([], [])


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('[[alias]]\nname = "a"', "alias 1: to is missing"),
        ('[[alias]]\nto = "auto"', "alias 1: name is missing"),
        ('[[alias]]\nname = "auto"\nto = "free"', "alias 1: name must not be auto"),
        ('[[alias]]\nname = "a b"\nto = "free"', "alias 1: name must not hold spaces"),
        ('[[alias]]\nname = "a"\nto = "b"\n[[alias]]\nname = "b"\nto = "auto"', 'alias 1: to "b" is an alias itself'),
        ('[[alias]]\nname = "a"\nto = "a"', 'alias 1: to "a" is an alias itself'),
        ('[[alias]]\nname = "a"\nto = "x"\n[[alias]]\nname = "a"\nto = "y"', 'alias 2: name "a" is used twice'),
        ('alias = "a"', "alias must be written as [[alias]]"),
    ],
)  # fmt: skip
def test_a_bad_alias_is_refused_with_its_place(rows, reason):
    assert any(reason in error for error in errors_of(rows))
    assert not Alias.objects.exists()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ('kind = "embedding"\nfamily = "f"', "dimensions is missing"),
        ('kind = "embedding"\ndimensions = 8', "family is missing"),
        ("dimensions = 8", 'dimensions is for kind = "embedding" only'),
        ('kind = "speech"', "kind must be one of chat, embedding"),
        ("context = 100\nmax_output = 200", "max_output must not be above context (100)"),
        ("context = 0", "context must be a whole number above 0"),
        ('method = "guessed"', "method must be one of documented, header, refusal, probed, reported"),
        ('seen = "yesterday"', "seen must be a day"),
    ],
)
def test_a_bad_model_is_refused_with_its_place(fields, reason):
    text = f'[[provider]]\nslug = "far"\nkind = "openai"\n[[provider.model]]\nid = "m"\n{fields}'
    assert any(f'provider 1 ("far"), model 1: {reason}' in error for error in errors_of(text))
    assert not Model.objects.exists()


def test_what_a_later_file_says_is_judged_with_what_is_there():
    config.load(FILE)
    later = '[[provider]]\nslug = "far"\n[[provider.model]]\nid = "vectors"\ndimensions = ""'
    assert any("dimensions is missing" in error for error in errors_of(later))
