"""After an upgrade: the presets of this release against what is configured; a diff that nothing applies by itself."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from llm.configuration import file as config
from llm.configuration import presets
from llm.foresight import catalogue, newer_presets
from llm.models import CatalogueChange, Limit, Model, Provider

pytestmark = pytest.mark.django_db
BEFORE = presets.BEFORE / "0.1.0.toml"


@pytest.fixture(params=["unreleased", "released"])
def installed(request, monkeypatch):
    """As the first release left it; what is shipped now may be a release already."""
    if request.param == "released":
        releases = [*presets.shipped_before(), presets.shipped()]
        monkeypatch.setattr(presets, "shipped_before", lambda: releases)
    Provider.objects.all().delete()
    config.load_file(str(BEFORE))


def found():
    newer_presets.compare()
    ours = newer_presets.OURS
    return {(one.provider, one.subject.removesuffix(ours)): one for one in catalogue.open_changes()}


def test_what_nobody_edited_is_in_the_diff_and_changes_only_when_applied(installed):
    change = found()["gemini", "gemini-3.5-flash-lite"]
    assert change.kind == "changed"
    assert "rpd 20" in change.was
    assert "500" in change.becomes
    model = Model.objects.get(provider__slug="gemini", name="gemini-3.5-flash-lite")
    assert model.rpd == 20
    catalogue.apply(change, by="anna")
    model.refresh_from_db()
    assert (model.rpd, model.method) == (500, "reported")
    assert ("gemini", "gemini-3.5-flash-lite") not in found()


def test_a_field_that_staff_edited_stays_theirs(installed):
    Model.objects.filter(name="gemini-3.5-flash-lite").update(rpd=333)
    change = found().get(("gemini", "gemini-3.5-flash-lite"))
    assert change is None or "rpd" not in change.patch


def test_a_pool_that_is_new_is_in_the_diff_and_the_limits_that_it_replaces_go(installed):
    changes = found()
    (pool,) = (
        one for (slug, name), one in changes.items() if slug == "openrouter" and "requests a day" in name
    )
    assert pool.kind == "new"
    catalogue.apply(pool, by="anna")
    limit = Limit.objects.get(provider__slug="openrouter", per="day")
    assert (limit.scope, limit.amount, limit.patterns) == ("account", 50, ["*:free", "openrouter/free"])
    catalogue.apply(changes["openrouter", "openrouter/free"], by="anna")
    assert Model.objects.get(name="openrouter/free").rpd is None


def test_everything_applied_is_what_this_release_ships(installed):
    for _ in range(2):
        for change in found().values():
            catalogue.apply(change, by="anna")
    assert found() == {}
    now = {entry.values["slug"]: entry for entry in presets.shipped()}
    for provider in Provider.objects.filter(slug__in=now):
        shipped = {model.values["name"]: model.values.get("rpd") for model in now[provider.slug].models}
        here = dict(provider.models.filter(enabled=True).values_list("name", "rpd"))
        assert here == {name: rpd for name, rpd in shipped.items() if name in here}


def test_a_model_that_staff_deleted_does_not_come_back(installed):
    Model.objects.filter(name="qwen/qwen3.8-27b").delete()
    assert ("groq", "qwen/qwen3.8-27b") not in found()


def test_a_new_installation_has_nothing_to_review():
    Provider.objects.all().delete()
    presets.install()
    assert found() == {}


def test_what_was_dismissed_is_not_proposed_again(installed):
    catalogue.dismiss(found()["gemini", "gemini-3.5-flash-lite"], by="anna")
    assert ("gemini", "gemini-3.5-flash-lite") not in found()


def test_providers_diff_shows_it_and_applies_nothing(installed):
    out = StringIO()
    call_command("providers", "diff", stdout=out)
    assert "gemini-3.5-flash-lite (presets)" in out.getvalue()
    assert Model.objects.get(provider__slug="gemini", name="gemini-3.5-flash-lite").rpd == 20
    assert set(CatalogueChange.objects.values_list("state", flat=True)) == {"open"}
    assert CatalogueChange.objects.first().seen >= date(2026, 11, 1)


def test_each_release_has_left_its_presets_behind():
    releases = {path.stem for path in (Path(__file__).parent / "releases").glob("*.sql")}
    assert releases <= {path.stem for path in presets.BEFORE.glob("*.toml")}
