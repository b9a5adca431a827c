"""The admin of the chain: what staff can edit, what they can only read, and that no key is ever shown."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from llm import secrets
from llm.admin_base import CappedPaginator
from llm.configuration import file as config
from llm.configuration import presets
from llm.models import Attempt, Call, Credential, Model, Notice, Pause, Provider, Quota

pytestmark = pytest.mark.django_db
KEY = "gsk_topsecretkeyvalue_9876"
SETUP = f"""
[[provider]]
slug = "mine"
kind = "openai"
name = "Mine"
base_url = "http://127.0.0.1:1/v1"
[[provider.model]]
id = "model-a"
[[provider.key]]
label = "mine1"
secret = "{KEY}"
[[provider.key]]
label = "mine2"
secret = "env:MINE_KEY"
"""


@pytest.fixture(autouse=True)
def _no_collected_files(settings):
    settings.WHITENOISE_AUTOREFRESH = True  # static files are looked up, not collected


@pytest.fixture
def staff(client):
    client.force_login(get_user_model().objects.create_superuser("anna", password="x"))
    return client


@pytest.fixture
def mine():
    config.load(SETUP)
    return Provider.objects.get(slug="mine")


def page(client, name, *args, **query):
    response = client.get(reverse(f"admin:llm_{name}", args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def provider_form(row, **changes):
    """What a browser would post for a provider's page as it is now, with some changes."""
    models, keys = (
        list(row.models.order_by("position", "id")),
        list(row.credentials.order_by("position", "id")),
    )
    data = {
        "name": row.name, "kind": row.kind, "tier": row.tier, "position": row.position, "base_url": row.base_url,
        "first_byte_s": row.first_byte_s, "timeout_s": row.timeout_s, "demote_after_h": row.demote_after_h,
        "day_reset": row.day_reset, "project": row.project, "locations": ", ".join(row.locations), "enabled": "on",
        "models-TOTAL_FORMS": len(models), "models-INITIAL_FORMS": len(models),
        "credentials-TOTAL_FORMS": len(keys), "credentials-INITIAL_FORMS": len(keys),
        "limits-TOTAL_FORMS": 0, "limits-INITIAL_FORMS": 0,
    }  # fmt: skip
    for n, model in enumerate(models):
        data |= {
            f"models-{n}-{name}": value
            for name, value in {
                "id": model.pk, "provider": row.pk, "name": model.name, "position": model.position, "enabled": "on",
                "reasoning_reserve": model.reasoning_reserve, "params": "{}", "kind": model.kind,
            }.items()
        }  # fmt: skip
    for n, key in enumerate(keys):
        data |= {
            f"credentials-{n}-{name}": value
            for name, value in {
                "id": key.pk, "provider": row.pk, "label": key.label, "account": key.account,
                "position": key.position, "enabled": "on", "new_key": "",
            }.items()
        }  # fmt: skip
    return data | changes


def save(client, row, **changes):
    return client.post(reverse("admin:llm_provider_change", args=[row.pk]), provider_form(row, **changes))


def call(**fields):
    return Call.objects.create(**({"started_at": timezone.now(), "deadline_s": 45} | fields))


def attempt(of, **fields):
    values = {
        "provider": "mine", "credential": "mine1", "account": "mine1", "model": "model-a", "tier": Decimal(1),
        "free": True, "started_at": timezone.now(), "outcome": "ok",
    }  # fmt: skip
    return Attempt.objects.create(call=of, **(values | fields))


def pause(**fields):
    return Pause.objects.create(
        **({"provider": "mine", "kind": "provider_down", "source": "guess", "since": timezone.now()} | fields)
    )


# -- every page opens ------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["provider", "credential", "pause", "quota", "notice", "call", "attempt"])
def test_every_page_opens_and_keeps_the_content_policy(staff, mine, model):
    rows = {
        "provider": mine,
        "credential": mine.credentials.first(),
        "pause": pause(),
        "quota": Quota.objects.create(provider="mine", account="a", model="m"),
        "notice": Notice.objects.create(at=timezone.now(), kind="key_invalid", subject="s"),
        "call": call(messages=[{"role": "user", "content": "hi"}], text="hello"),
    }
    rows["attempt"] = attempt(rows["call"])
    for html in (page(staff, f"{model}_changelist"), page(staff, f"{model}_change", rows[model].pk)):
        assert not re.search(
            r"<script(?![^>]*\b(src|type=.?(application/json|text/template))\b)[^>]*>\s*\S", html
        )
        assert "<style" not in html
        assert not re.search(r"\son\w+=", html)
        assert not re.search(r"\sstyle=", html)


@pytest.mark.parametrize("model", ["pause", "quota", "notice", "call", "attempt"])
def test_state_and_ledger_cannot_be_written(staff, mine, model):
    assert staff.get(reverse(f"admin:llm_{model}_add")).status_code == 403
    row = {"pause": pause, "call": call}.get(model)
    if row is not None:
        one = row()
        assert staff.post(reverse(f"admin:llm_{model}_change", args=[one.pk]), {"x": 1}).status_code == 403
        assert (
            staff.post(reverse(f"admin:llm_{model}_delete", args=[one.pk]), {"post": "yes"}).status_code
            == 403
        )


def test_learned_limits_are_staffs_to_correct(client):
    """With the right that the group ops has, and no other."""
    person = get_user_model().objects.create_user("otto", password="x", is_staff=True)
    person.user_permissions.set(
        Permission.objects.filter(codename__in=["view_quota", "change_quota", "delete_quota"])
    )
    client.force_login(person)
    row = Quota.objects.create(
        provider="mine", account="a", model="m", tpm=100, stated={"tpm": "2026-11-01T00:00Z"}
    )
    where = reverse("admin:llm_quota_change", args=[row.pk])
    assert (
        client.post(where, {"tpm": "8000", "rpm": "", "rpd": "", "tpd": "", "account": "b"}).status_code
        == 302
    )
    row.refresh_from_db()
    assert (row.tpm, row.rpm, row.account, row.by_staff) == (8000, None, "a", True)
    assert LogEntry.objects.get().user == person
    for wrong in ("-1", "x", "9" * 30):
        assert client.post(where, {"tpm": wrong}).status_code == 200  # the form says what is wrong
    row.refresh_from_db()
    assert row.tpm == 8000
    assert client.post(reverse("admin:llm_quota_delete", args=[row.pk]), {"post": "yes"}).status_code == 302
    assert not Quota.objects.exists()


# -- providers -------------------------------------------------------------------------------------


def test_the_list_shows_tier_keys_and_state(staff, mine, monkeypatch):
    monkeypatch.setenv("MINE_KEY", "k")
    pause(kind="blocked_provider", until=timezone.now() + timedelta(hours=3))
    html = page(staff, "provider_changelist")
    assert "Mine" in html
    assert '<td class="field-key_count">2</td>' in html
    assert "paused<br>blocked_provider until " in html


def test_a_provider_without_a_key_names_its_variable(staff, monkeypatch):
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    config.load('[[provider]]\nslug = "groq"\nkind = "groq"\n[[provider.model]]\nid = "m"')
    assert "no key: set GROQ_API_KEY" in page(staff, "provider_changelist")


def test_without_any_working_key_the_page_says_how_to_add_a_free_one(staff, mine):
    html = page(staff, "provider_changelist")
    assert "GROQ_API_KEY" not in html
    mine.credentials.all().delete()
    for html in (
        page(staff, "provider_changelist"),
        page(staff, "credential_changelist"),
        page(staff, "provider_change", mine.pk),
    ):
        assert "console.groq.com/keys" in html
        assert "GROQ_API_KEY" in html
        assert "Five keys of one organisation add nothing" in html


def test_tiers_can_be_ordered_in_the_list(staff, mine):
    data = {
        "form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": mine.pk, "form-0-tier": "2.5",
        "form-0-position": 4, "_save": "Save",
    }  # fmt: skip
    staff.post(reverse("admin:llm_provider_changelist"), data)
    mine.refresh_from_db()
    assert (mine.tier, mine.position, mine.enabled) == (Decimal("2.5"), 4, False)


def test_a_provider_is_edited_with_its_models(staff, mine):
    response = save(staff, mine, timeout_s="7", **{"models-0-rpm": "30", "models-0-params": '{"top_k": 5}'})
    assert response.status_code == 302, response.content.decode()
    mine.refresh_from_db()
    model = mine.models.get()
    assert (mine.timeout_s, mine.slug, model.rpm, model.params) == (7, "mine", 30, {"top_k": 5})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"base_url": "ftp://x"}, "begins with http:// or https://"),
        ({"base_url": "https://user:pw@example.org"}, "holds no user, password"),
        ({"base_url": "https://{location}.example.org"}, "Only an address of Vertex AI may hold {location}"),
        ({"locations": "eu, us"}, "Only for Vertex AI: leave it empty"),
        ({"kind": "vertex"}, "needs at least one location"),
        ({"kind": "vertex", "locations": "E U"}, "Names of locations, with commas between"),
        ({"models-0-params": '{"stream": true}'}, "must not set stream"),
        ({"models-0-params": "[1]"}, "must be a table"),
        ({"models-0-params": "{"}, "Enter a valid JSON"),
        ({"models-0-rpm": "-5"}, "greater than or equal to 0"),
        ({"credentials-0-new_key": "two words"}, "is one word of Latin letters"),
    ],
)
def test_the_form_refuses_what_the_providers_file_refuses(staff, mine, changes, error):
    response = save(staff, mine, **changes)
    assert response.status_code == 200
    assert error in response.content.decode().replace("&quot;", '"').replace("&#x27;", "'")


@pytest.mark.parametrize(
    "url", ["http://ollama:11434/v1", "http://127.0.0.1:11434/v1", "https://[::1]/v1", ""]
)
def test_addresses_of_local_servers_are_fine(staff, mine, url):
    assert save(staff, mine, base_url=url).status_code == 302
    mine.refresh_from_db()
    assert mine.base_url == url


def test_vertex_takes_locations_and_a_placeholder(staff, mine):
    changes = {
        "kind": "vertex",
        "locations": "global, eu ,us",
        "base_url": "https://{location}-ai.example.org",
    }
    assert save(staff, mine, **changes).status_code == 302
    mine.refresh_from_db()
    assert mine.locations == ["global", "eu", "us"]
    assert 'value="global, eu, us"' in page(staff, "provider_change", mine.pk)


def test_an_empty_table_of_parameters_is_fine(staff, mine):
    assert save(staff, mine, **{"models-0-params": ""}).status_code == 302
    assert Model.objects.get().params == {}


def test_a_shipped_provider_cannot_be_deleted_but_switched_off(staff):
    presets.install()
    row = Provider.objects.get(slug="groq")
    assert "switch it off instead" in page(staff, "provider_change", row.pk)
    assert staff.post(reverse("admin:llm_provider_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    staff.post(
        reverse("admin:llm_provider_changelist"),
        {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
    )
    assert Provider.objects.filter(slug="groq").exists()


def test_a_provider_of_staff_can_be_deleted(staff, mine):
    staff.post(reverse("admin:llm_provider_delete", args=[mine.pk]), {"post": "yes"})
    assert not Provider.objects.exists()


# -- keys ------------------------------------------------------------------------------------------


def traces():
    """Everything that the admin wrote down."""
    return "".join(str(value) for row in LogEntry.objects.values() for value in row.values())


def test_no_page_shows_more_of_a_key_than_its_end(staff, mine):
    row = Credential.objects.get(label="mine1")
    pages = [
        page(staff, "provider_change", mine.pk), page(staff, "credential_change", row.pk),
        page(staff, "credential_changelist"), page(staff, "provider_changelist"),
        page(staff, "credential_history", row.pk),
    ]  # fmt: skip
    for html in pages:
        assert KEY not in html
        assert KEY[:-4] not in html
        assert row.secret not in html
        assert "enc:" not in html
    for html in pages[:3]:
        assert f"…9876 · {secrets.fingerprint(KEY)}" in html
        assert "env:MINE_KEY" in html or html is pages[1]


def test_of_a_short_key_not_even_its_end_is_shown(staff, mine):
    Credential.objects.filter(label="mine1").update(secret=secrets.seal("short"))
    html = page(staff, "credential_changelist")
    assert "short" not in html
    assert "hort" not in html


def test_a_service_account_shows_no_end(staff, mine):
    Credential.objects.filter(label="mine1").update(secret=secrets.seal('{"private_key": "and-its-end"}'))
    assert "its-end" not in page(staff, "credential_changelist")


def test_a_new_key_is_stored_encrypted_and_leaves_no_trace(staff, mine, caplog):
    row = Credential.objects.get(label="mine1")
    new = "gsk_the_new_one_4321"
    Credential.objects.filter(pk=row.pk).update(organisation="org_of_old_key")
    opened = pause(credential="mine1", kind="key_invalid", until=None)
    other = pause(account="org_of_old_key", kind="rate_limited_key")
    data = {"label": "mine1", "account": "", "position": 0, "enabled": "on", "new_key": new}
    response = staff.post(reverse("admin:llm_credential_change", args=[row.pk]), data, follow=True)
    row.refresh_from_db()
    assert row.secret.startswith("enc:")
    assert row.key() == new
    assert row.organisation == ""
    opened.refresh_from_db()
    other.refresh_from_db()
    assert (opened.closed_by, bool(opened.closed_at)) == ("anna", True)
    assert other.closed_at is None
    for text in (response.content.decode(), traces(), caplog.text):
        assert new not in text


def test_a_key_is_replaced_on_the_page_of_its_provider(staff, mine):
    response = save(staff, mine, **{"credentials-0-new_key": "gsk_the_new_one_wxyz"})
    assert response.status_code == 302, response.content.decode()
    assert Credential.objects.get(label="mine1").key() == "gsk_the_new_one_wxyz"
    assert "wxyz" not in traces()


def test_a_key_is_added_on_the_page_of_its_provider(staff, mine):
    fields = {
        "id": "",
        "provider": mine.pk,
        "label": "mine3",
        "position": 2,
        "enabled": "on",
        "new_key": "gsk_third",
    }
    added = {f"credentials-2-{name}": value for name, value in fields.items()}
    response = save(staff, mine, **{"credentials-TOTAL_FORMS": 3}, **added)
    assert response.status_code == 302, response.content.decode()
    assert Credential.objects.get(label="mine3").key() == "gsk_third"


def test_a_key_is_added_by_itself(staff, mine):
    data = {"provider": mine.pk, "label": "fresh", "position": 0, "enabled": "on", "new_key": "gsk_fresh"}
    response = staff.post(reverse("admin:llm_credential_add"), data)
    assert response.status_code == 302, response.content.decode()
    assert Credential.objects.get(label="fresh").key() == "gsk_fresh"


def test_an_empty_key_field_keeps_the_key(staff, mine):
    before = Credential.objects.get(label="mine1").secret
    save(staff, mine, **{"credentials-0-account": "org-a"})
    row = Credential.objects.get(label="mine1")
    assert (row.secret, row.account) == (before, "org-a")


def test_a_refused_form_does_not_repeat_the_key(staff, mine):
    response = save(staff, mine, tier="x", **{"credentials-0-new_key": "gsk_typed_in_vain"})
    assert response.status_code == 200
    assert "gsk_typed_in_vain" not in response.content.decode()


@pytest.mark.parametrize("reference", ["env:SECRET_KEY", "file:/etc/passwd"])
def test_the_admin_takes_no_references(staff, mine, reference):
    response = save(staff, mine, **{"credentials-0-new_key": reference})
    assert "References belong into a providers file" in response.content.decode()
    assert Credential.objects.get(label="mine1").key() == KEY


def test_a_new_label_takes_its_pauses_along(staff, mine):
    one, two = pause(credential="mine1", kind="key_invalid"), pause(account="mine1", model="model-a")
    save(staff, mine, **{"credentials-0-label": "renamed"})
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.credential, two.account) == ("renamed", "renamed")
    assert Credential.objects.get(label="renamed").key() == KEY


def test_a_key_of_the_environment_cannot_be_deleted(staff, monkeypatch):
    monkeypatch.setenv("GROQ_API_KEY", "gsk_a")
    presets.install()
    row = Credential.objects.get(label="groq")
    assert (
        staff.post(reverse("admin:llm_credential_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    )
    provider = Provider.objects.get(slug="groq")
    response = save(staff, provider, **{"credentials-0-DELETE": "on"})
    assert "would come back at the next start" in response.content.decode()
    monkeypatch.delenv("GROQ_API_KEY")
    assert save(staff, provider, **{"credentials-0-DELETE": "on"}).status_code == 302
    assert not Credential.objects.exists()


def test_a_dump_of_the_database_holds_no_key(mine, capsys):
    call_command("dumpdata", "llm")
    assert KEY not in capsys.readouterr().out


# -- pauses ----------------------------------------------------------------------------------------


def test_staff_close_a_pause_and_it_is_written_down(staff, mine):
    opened = [pause(credential="mine1"), pause(credential="mine2")]
    old = pause(credential="old", closed_at=timezone.now(), closed_by="answered again")
    response = staff.post(
        reverse("admin:llm_pause_changelist"),
        {"action": "close_now", "_selected_action": [row.pk for row in [*opened, old]]},
        follow=True,
    )
    assert "2 pauses were closed." in response.content.decode()
    assert set(Pause.objects.values_list("closed_by", flat=True)) == {"anna", "answered again"}
    assert not Pause.objects.filter(closed_at=None).exists()
    assert LogEntry.objects.filter(change_message="Closed by hand.").count() == 2


def test_reading_staff_may_not_close_a_pause(client, mine):
    reader = get_user_model().objects.create_user("bob", password="x", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_pause"))
    client.force_login(reader)
    row = pause()
    assert "close_now" not in page(client, "pause_changelist")
    client.post(
        reverse("admin:llm_pause_changelist"),
        {"action": "close_now", "_selected_action": [row.pk]},
        follow=True,
    )
    row.refresh_from_db()
    assert row.closed_at is None


def test_open_pauses_can_be_found(staff, mine):
    pause(credential="still-open")
    pause(credential="long-closed", closed_at=timezone.now())
    html = page(staff, "pause_changelist", open="yes")
    assert "still-open" in html
    assert "long-closed" not in html
    assert "long-closed" in page(staff, "pause_changelist", open="no")


# -- the ledger ------------------------------------------------------------------------------------


def test_prompts_and_replies_are_escaped(staff):
    one = call(
        messages=[{"role": "user", "content": "<script>alert(1)</script>"}, "not an object", {"role": "x"}],
        text='<img src=x onerror="alert(1)">',
    )
    attempt(one, detail="<b>bold</b>", outcome="provider_down")
    html = page(staff, "call_change", one.pk)
    assert "&lt;script&gt;alert(1)" in html
    assert "&lt;img src=x" in html
    assert "&lt;b&gt;bold" in html
    assert "<script>alert" not in html
    assert "<img src=x" not in html


def test_a_call_without_text_opens(staff):
    assert "–" in page(staff, "call_change", call(messages=None or []).pk)


def test_costs_are_exact_and_unknown_is_not_zero(staff):
    call(cost_usd=Decimal("0.000123"))
    call(cost_usd=None)
    html = page(staff, "call_changelist")
    assert "$0.000123" in html
    assert '<td class="field-cost">?</td>' in html


def test_attempts_are_filtered_by_outcome_provider_and_day(staff, mine):
    one = call()
    attempt(one, model="good")
    attempt(
        one,
        model="bad",
        outcome="rate_limited_key",
        provider="gone",
        started_at=timezone.now() - timedelta(days=9),
    )

    def found(**query):
        html = page(staff, "attempt_changelist", **query)
        return {name for name in ("good", "bad") if f'<span class="quiet">{name}</span>' in html}

    assert found() == {"good", "bad"}
    assert found(outcome="rate_limited_key") == {"bad"}
    assert found(provider="mine") == {"good"}
    assert found(started_at__gte=(timezone.now() - timedelta(days=1)).isoformat()) == {"good"}


def test_counting_asks_for_no_more_than_the_limit(django_assert_num_queries):
    with django_assert_num_queries(1) as queries:
        assert CappedPaginator(Attempt.objects.order_by("-id"), 50).count == 0
    assert "LIMIT 5000" in queries.captured_queries[0]["sql"]


# -- queries ---------------------------------------------------------------------------------------


@pytest.fixture
def queries(staff, django_assert_max_num_queries):
    """Counts the queries of a page."""

    def count(name, *args):
        with django_assert_max_num_queries(60) as captured:
            page(staff, name, *args)
        return len(captured.captured_queries)

    return count


def many(mine):
    for n in range(6):
        config.load(SETUP.replace("mine", f"other{n}").replace("Mine", f"Other {n}"))
        Model.objects.create(provider=mine, name=f"extra-{n}")
        Credential.objects.create(provider=mine, label=f"extra-{n}", secret=secrets.seal(f"key-{n}"))
        pause(credential=f"extra-{n}")
        pause(provider=f"other{n}")
        one = call(text="x", messages=[{"role": "user", "content": "x"}])
        attempt(one)
        Quota.objects.create(provider="mine", account=f"a{n}")
        Notice.objects.create(at=timezone.now(), kind="k", subject=str(n))


@pytest.mark.parametrize("model", ["provider", "credential", "pause", "quota", "notice", "call", "attempt"])
def test_queries_of_a_list_do_not_grow_with_its_rows(queries, mine, model):
    pause()
    attempt(call())
    before = queries(f"{model}_changelist")
    many(mine)
    assert queries(f"{model}_changelist") <= before


def test_queries_of_a_provider_do_not_grow_with_its_models_and_keys(queries, mine):
    pause(credential="mine1")
    before = queries("provider_change", mine.pk)
    many(mine)
    assert queries("provider_change", mine.pk) <= before


def test_queries_of_a_call_do_not_grow_with_its_attempts(queries, mine):
    one = call()
    attempt(one)
    before = queries("call_change", one.pk)
    for _ in range(6):
        attempt(one)
    assert queries("call_change", one.pk) <= before


def test_a_limit_is_edited_with_its_provider(staff, mine):
    new = {
        "limits-TOTAL_FORMS": 1, "limits-0-scope": "account", "limits-0-patterns": "*:free, x", "limits-0-position": 0,
        "limits-0-enabled": "on", "limits-0-amount": "50", "limits-0-unit": "requests", "limits-0-per": "",
        "limits-0-provider": mine.pk,
    }  # fmt: skip
    assert "Choose a period." in save(staff, mine, **new).content.decode()
    assert save(staff, mine, **(new | {"limits-0-per": "day"})).status_code == 302
    limit = mine.limits.get()
    assert (limit.scope, limit.patterns, limit.per, limit.unit, limit.amount) == (
        "account", ["*:free", "x"], "day", "requests", 50,
    )  # fmt: skip
