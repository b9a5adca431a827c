"""No list of the admin can be asked about what it does not show, by filter, search, order, date or autocomplete."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from audit.models import Order, Report, Scan
from guardlabs.desk.sections import sections
from guardlabs.staff.roles import ROLES, make_groups
from llm.admin_base import AllowedLookups
from llm.models import Attempt, Call
from tests.factories import load_bank, make_order, make_scan

pytestmark = pytest.mark.django_db
TESTS = (
    "", "__exact", "__iexact", "__contains", "__icontains", "__startswith", "__istartswith", "__endswith", "__regex",
    "__iregex", "__in", "__gt", "__gte", "__lt", "__lte", "__range", "__isnull", "__length", "__has_key", "__year",
)  # fmt: skip
DEPTH = 3


@pytest.fixture(autouse=True)
def _groups():
    make_groups(Group, Permission)


@pytest.fixture(params=[*ROLES, "root"])
def person(request):
    if request.param == "root":
        return User.objects.create_superuser("root", password="x")
    user = User.objects.create_user(request.param, password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=request.param))
    return user


def columns(model, depth=DEPTH, seen=()):
    """Every column that a lookup can reach from a model, through relations both ways."""
    for field in model._meta.get_fields():
        name = field.name
        yield name
        related = getattr(field, "related_model", None)
        if related and related not in seen and depth > 1 and not isinstance(related, str):
            for inner in columns(related, depth - 1, (*seen, model)):
                yield f"{name}__{inner}"


def field_of(model, path):
    """The field that a lookup begins with, followed through relations; the rest of it is a test."""
    field = None
    for part in path.split("__"):
        try:
            field = model._meta.get_field(part)
        except FieldDoesNotExist:
            break
        model = getattr(field, "related_model", None) or model
    return field


def shown(page):
    """Names of fields that a list or its rows' pages show by themselves."""
    nested = [*page.list_display, *(page.fields or ()), *page.readonly_fields]
    for _title, options in page.fieldsets or ():
        nested += options["fields"]
    flat = {name for each in nested for name in (each if isinstance(each, list | tuple) else (each,))}
    form = getattr(page.form, "_meta", None)
    named = getattr(form, "fields", None) or ()
    if named == "__all__" or not nested[1:]:
        named = [each.name for each in page.model._meta.fields if each.editable]
    return flat | set(named)


PAGES = list(admin.site._registry.items())


def test_every_list_of_the_admin_has_the_one_mechanism():
    assert [model for model, page in PAGES if not isinstance(page, AllowedLookups)] == []


@pytest.mark.parametrize(("model", "page"), PAGES, ids=lambda each: getattr(each, "__name__", ""))
def test_what_may_be_filtered_by_is_a_filter_of_the_page_or_a_named_column(model, page):
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True)
    filters = {
        each if isinstance(each, str) else each[0] if isinstance(each, tuple) else ""
        for each in page.get_list_filter(request)
    } | {page.date_hierarchy}
    for column in columns(model):
        for test in TESTS:
            if page.lookup_allowed(column + test, "a", request):
                assert column.removesuffix("__id") in filters | set(page.lookups) or any(
                    getattr(each, "parameter_name", None) == column + test
                    for each in page.get_list_filter(request)
                ), column + test
                # What compares texts by their parts reads them by their parts.
                assert test in {"", "__exact", "__isnull"} or isinstance(
                    field_of(model, column), models.DateField
                )
    on_pages_of_their_own = {"account", "ai"}  # fields of an attempt's row, and of a scan's page
    assert set(page.lookups) - shown(page) - on_pages_of_their_own == set()


@pytest.mark.parametrize(("model", "page"), PAGES, ids=lambda each: getattr(each, "__name__", ""))
def test_search_asks_only_about_what_is_shown_or_about_the_whole_value(model, page):
    visible = shown(page)
    for each in page.search_fields:
        name, _, test = each.lstrip("=^@").partition("__")
        whole = each.startswith("=") or test.rsplit("__", 1)[-1] in {"exact", "iexact"}
        assert whole or {name, f"{name}_text"} & visible, each


@pytest.fixture
def rows():
    load_bank()
    scan = make_scan(ai=False)
    call = Call.objects.create(started_at=timezone.now(), deadline_s=45, text="a secret answer")
    Attempt.objects.create(
        call=call,
        provider="p",
        credential="c",
        account="a",
        model="m",
        tier=1,
        free=True,
        started_at=timezone.now(),
    )
    Report.objects.filter(scan=scan).update(call=call)
    make_order(scan=scan, message="dear auditor")


SECRET = [
    ("audit_order", "report__startswith"), ("audit_order", "draft__startswith"), ("audit_order", "email__startswith"),
    ("audit_order", "checkout_url__startswith"), ("audit_order", "slug__startswith"), ("audit_order", "scan__slug"),
    ("audit_order", "mails__text__startswith"), ("audit_order", "scan__reports__markdown__contains"),
    ("audit_order", "scan__reports__call__text__startswith"), ("audit_mail", "text__startswith"),
    ("audit_mail", "order__report__regex"), ("audit_orderevent", "order__message__startswith"),
    ("audit_stripeevent", "order__draft__startswith"),
    ("llm_provider", "credentials__secret__startswith"),
    ("llm_attempt", "call__text__startswith"), ("llm_attempt", "call__messages__icontains"),
    ("llm_credential", "secret__startswith"), ("llm_client", "key_hash__startswith"),
    ("audit_scan", "answers__contains"),
    ("audit_scan", "note__startswith"), ("llm_call", "text__startswith"), ("llm_cachedreply", "text__startswith"),
    ("auth_user", "password__startswith"), ("admin_logentry", "user__password__startswith"),
    ("auth_group", "user__password__startswith"), ("audit_report", "scan__answers__icontains"),
]  # fmt: skip


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(("name", "lookup"), SECRET)
def test_no_role_reads_a_hidden_column_letter_by_letter(client, person, name, lookup):
    client.force_login(person)
    address = reverse(f"admin:{name}_changelist")
    answers = {client.get(address, {lookup: value}).status_code for value in ("a", "zzz")}
    assert answers in ({400}, {403}, {302}), answers


@pytest.mark.usefixtures("rows")
def test_order_dates_and_autocomplete_tell_nothing_more(client, person):
    client.force_login(person)
    for model, page in PAGES:
        meta = model._meta
        if not (person.has_perm(f"{meta.app_label}.view_{meta.model_name}")):
            continue
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        for query in ({"o": "report"}, {"o": "99"}, {"o": "-message.1"}):
            response = client.get(address, query)
            assert response.status_code == 200
            changelist = response.context_data.get("cl") if hasattr(response, "context_data") else None
            if changelist is not None and hasattr(changelist, "queryset"):
                ordered = {str(name).lstrip("-") for name in changelist.queryset.query.order_by}
                shown = {
                    getattr(getattr(page, str(each), None), "admin_order_field", None) or each
                    for each in page.list_display
                }
                assert ordered <= {*shown, *(each.lstrip("-") for each in page.ordering or ()), "pk", "id",
                                   *(each.lstrip("-") for each in meta.ordering)}  # fmt: skip
        for name in ("secret", "report", "password", "answers"):
            assert client.get(address, {"_to_field": name}).status_code in {200, 400}
        found = client.get(address, {f"{page.date_hierarchy or 'finished_at'}__regex": "1"})
        assert found.status_code in {200, 302, 400}
    for model, field in (("order", "scan"), ("report", "call"), ("attempt", "call"), ("mail", "order")):
        query = {
            "app_label": "llm" if model == "attempt" else "audit",
            "model_name": model,
            "field_name": field,
        }
        found = client.get(reverse("admin:autocomplete"), query | {"term": "a"})
        assert found.status_code in {400, 403, 404} or "secret" not in found.content.decode()


@pytest.mark.usefixtures("rows")
def test_every_filter_that_a_page_offers_and_every_link_of_the_desk_works(client):
    root = User.objects.create_superuser("root", password="x")
    client.force_login(root)
    links = []
    for model, page in PAGES:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        context = getattr(client.get(address), "context_data", None) or {}
        changelist = context.get("cl")
        if changelist is None or not hasattr(changelist, "filter_specs"):
            continue
        for spec in changelist.filter_specs:
            links += [address + choice["query_string"] for choice in spec.choices(changelist)]
        if page.date_hierarchy:
            day = page.date_hierarchy
            links.append(f"{address}?{day}__year=2026&{day}__month=11")
    for name in ("index", "llm_chain"):
        text = client.get(reverse(f"admin:{name}")).content.decode()
        links += [found.replace("&amp;", "&") for found in re.findall(r'href="([^"]*[?][^"]*)"', text)]
    assert len(links) > 50
    wrong = [
        link for link in dict.fromkeys(links) if "/admin/" in link and client.get(link).status_code != 200
    ]
    assert wrong == []
    assert sections(root)
    assert Order.objects.count() == Scan.objects.count() == 1
