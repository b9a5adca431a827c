"""Each role against every address of the admin: what its permissions say, and nothing more."""

import re
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.urls import NoReverseMatch, URLResolver, reverse
from django.utils import timezone

from audit.models import Order, Scan
from guardlabs.staff.roles import ROLES, make_groups
from llm.models import Call, CatalogueChange, Client, Credential, Model, Notice, Pause, Provider, Quota
from tests.factories import load_bank, make_order, make_scan

pytestmark = pytest.mark.django_db
STANDARD = re.compile(r"_(changelist|add|change|delete|history)$")

# What a view of our own asks for; GET, or POST for what only takes that.
OWN = {
    "audit_order_act": ("POST", {"audit.process_order"}),
    "audit_order_preview": ("GET", {"audit.process_order"}),
    "audit_order_export": ("POST", {"audit.process_order"}),
    "audit_payment_month": ("GET", {"audit.manage_payment"}),
    "audit_payment_csv": ("GET", {"audit.manage_payment"}),
    "audit_scan_act": ("POST", {"audit.review_scan"}),
    "audit_scan_report": ("GET", {"audit.view_scan"}),
    "llm_client_usage": ("GET", {"llm.view_client"}),
    "llm_chain": ("GET", {"llm.view_provider"}),
    "llm_setup": ("GET", {"llm.add_credential"}),
    "llm_playground": ("GET", {"llm.test_provider"}),
    "llm_playground_ask": ("POST", {"llm.test_provider"}),
    "llm_chain_act": ("POST", {"llm.change_pause"}),
    "llm_chain_pause": ("GET", {"llm.change_pause"}),
    "llm_chain_rotate": ("GET", {"llm.change_credential"}),
    "llm_call_export": ("GET", {"llm.view_call"}),
    "llm_attempt_export": ("GET", {"llm.view_attempt"}),
    "llm_parity_apply": ("POST", {"llm.change_model"}),
    "llm_retirement_rehearse": ("POST", {"llm.test_provider"}),
    "llm_retirement_switch": ("POST", {"llm.change_model"}),
}
# Sections of the desk, on a day with a call that nobody answered.
DESK = {
    "reviewer": {"attention", "today", "tiers", "orders"},
    "finance": {"attention", "failures", "money", "quota", "orders"},
    "ops": {"attention", "today", "failures", "money", "quota"},
    "nobody": {"attention"},
}
FOR_ALL_STAFF = {
    "index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "view_on_site",
    "app_list", "second_factor", "data_map", "",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _groups():
    """As the migration made them: tests with transactions of their own empty every table."""
    make_groups(Group, Permission)


@pytest.fixture
def rows():
    """One row of what pages need."""
    load_bank()
    scan = make_scan(ai=False)
    provider = Provider.objects.create(slug="groq", kind="groq", name="Groq", free=True)
    Model.objects.create(provider=provider, name="m")
    Credential.objects.create(provider=provider, label="groq1", secret="x")
    Client.objects.create(name="shop", key_id="abc", key_hash="x")
    Call.objects.create(started_at=timezone.now(), deadline_s=45)
    Pause.objects.create(provider="groq", kind="provider_down", source="guess", since=timezone.now())
    Notice.objects.create(at=timezone.now(), kind="key_invalid", subject="groq1", detail="refused")
    Quota.objects.create(provider="groq", account="groq1", model="m", rpd=5)
    CatalogueChange.objects.create(
        provider="groq", kind="gone", subject="m", patch="x", seen=timezone.now().date()
    )
    make_order(scan=scan)


@pytest.fixture(params=[*ROLES, "nobody"])
def person(request):
    user = User.objects.create_user(request.param, password="x", is_staff=True)
    if request.param in ROLES:
        user.groups.add(Group.objects.get(name=request.param))
    return user


def names(patterns):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns)
        else:
            yield pattern.name or ""


def test_every_role_is_a_group_with_all_that_it_is_said_to_have():
    for name, wanted in ROLES.items():
        has = Permission.objects.filter(group__name=name).values_list("content_type__app_label", "codename")
        assert {f"{label}.{codename}" for label, codename in has} == set(wanted)


def test_no_address_of_the_admin_is_unaccounted_for():
    unknown = [name for name in names(admin.site.urls[0]) if not STANDARD.search(name)]
    assert set(unknown) - FOR_ALL_STAFF - set(OWN) == set()


@pytest.mark.usefixtures("rows")
def test_lists_and_forms_open_by_permission(client, person):
    client.force_login(person)
    for model, page in admin.site._registry.items():
        meta = model._meta
        may = {
            action: person.has_perm(f"{meta.app_label}.{action}_{meta.model_name}")
            for action in ("view", "add", "change", "delete")
        }
        seen = may["view"] or may["change"]
        assert_opens(client, f"{meta.label_lower.replace('.', '_')}_changelist", seen, [])
        assert_opens(client, f"{meta.label_lower.replace('.', '_')}_add", may["add"], [], also={403})
        row = page.model._default_manager.order_by("pk").first()
        if row is not None:
            assert_opens(client, f"{meta.label_lower.replace('.', '_')}_change", seen, [row.pk], also={302})
            if not may["delete"]:
                assert_opens(client, f"{meta.label_lower.replace('.', '_')}_delete", False, [row.pk])


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("name", OWN)
def test_our_own_views_open_by_permission(client, person, name):
    method, wanted = OWN[name]
    client.force_login(person)
    ids = {
        "audit_order_act": [Order.objects.get().pk, "start"], "audit_order_preview": [Order.objects.get().pk],
        "audit_order_export": [Order.objects.get().pk],
        "audit_scan_act": [Scan.objects.get().pk],
        "audit_scan_report": [Scan.objects.get().pk, Scan.objects.get().reports.get().pk],
        "llm_client_usage": [Client.objects.get().pk], "llm_chain_rotate": [Credential.objects.get().pk],
        "llm_parity_apply": [Provider.objects.get().pk], "llm_retirement_rehearse": [Model.objects.get().pk],
        "llm_retirement_switch": [Model.objects.get().pk],
    }  # fmt: skip
    address = reverse(f"admin:{name}", args=ids.get(name, []))
    data = {"do": "reset|provider=groq"} if name == "llm_chain_act" else {}
    status = (client.get if method == "GET" else client.post)(address, data).status_code
    assert (status in {302, 403}) if not person.has_perms(wanted) else status not in {403, 500}, (
        address,
        status,
    )


ACTIONS = {  # of lists, with the permission that each of them takes
    "switch_off": "audit.change_incident", "switch_on": "audit.change_incident", "mark_reviewed": "audit.review_scan",
    "send_again": "audit.process_order", "reset_second_factor": "auth.change_user", "end_sessions": "auth.change_user",
    "revoke": "llm.change_client", "renew": "llm.change_client", "close_now": "llm.change_pause",
    "apply_now": "llm.change_provider", "dismiss_now": "llm.change_provider",
}  # fmt: skip


def test_a_list_offers_the_actions_that_are_permitted(rf, person):
    request, offered, known = rf.get("/"), set(), set()
    request.user = person
    for page in admin.site._registry.values():
        offered |= {*page.get_actions(request)}
        known |= {name for _, name, _ in page._get_base_actions()}
    assert known - {"delete_selected"} == set(ACTIONS)
    assert offered - {"delete_selected"} == {name for name, need in ACTIONS.items() if person.has_perm(need)}


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("action", ["apply_now", "dismiss_now"])
def test_a_catalogue_change_is_decided_by_who_may_change_providers(client, person, action):
    client.force_login(person)
    change = CatalogueChange.objects.get()
    data = {"action": action, "_selected_action": [change.pk]}
    client.post(reverse("admin:llm_cataloguechange_changelist"), data)
    change.refresh_from_db()
    decided = action == "dismiss_now" and person.has_perm(
        "llm.change_provider"
    )  # "x" is no patch: it stays open
    assert change.state == ("dismissed" if decided else "open")


@pytest.mark.usefixtures("rows")
def test_each_role_has_its_desk_and_its_pages_of_the_console(client, person):
    client.force_login(person)
    html = client.get(reverse("admin:index")).content.decode()
    assert set(re.findall(r'<h2 id="desk-([a-z]+)"', html)) == DESK[person.username]
    for name in ("llm_chain", "llm_playground", "llm_setup"):
        assert (f'href="{reverse(f"admin:{name}")}"' in html) == person.has_perms(OWN[name][1])


def assert_opens(client, name, allowed, args, also=frozenset()):
    try:
        address = reverse(f"admin:{name}", args=args)
    except NoReverseMatch:  # a page that nobody has
        return
    status = client.get(address).status_code
    if allowed:
        assert status in {200, *also}, (address, status)
    else:
        assert status in {302, 403}, (address, status)


@pytest.mark.parametrize(
    ("permission", "holders"),
    [
        ("audit.manage_payment", {"finance"}),
        ("audit.process_order", {"reviewer"}),
        ("audit.review_scan", {"reviewer"}),
        ("llm.change_credential", {"ops"}),
        ("llm.change_provider", {"ops"}),
    ],
)
def test_what_moves_money_opens_answers_or_changes_keys_belongs_to_one_role(permission, holders):
    assert {role for role, permissions in ROLES.items() if permission in permissions} == holders


def test_groups_of_an_earlier_release_get_the_rights_of_models_that_came_later_and_keep_the_rest():
    migration = import_module("guardlabs.staff.migrations.0002_rights_of_new_models")
    finance = Group.objects.get(name="finance")
    own = Permission.objects.get(codename="view_scan")  # which staff gave it
    finance.permissions.set([own])
    migration.give(apps, SimpleNamespace(connection=connection))
    names = set(finance.permissions.values_list("codename", flat=True))
    assert names == {"view_scan", "view_payment", "view_refund", "view_dispute"}
