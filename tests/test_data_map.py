"""The page that says what is stored where: it forgets no table, and says what the settings and groups say."""

import re

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse
from django.utils.html import strip_tags

from guardlabs.desk import data_map
from tests.chain_setup import make_groq

pytestmark = pytest.mark.django_db


def rows(html):
    """Cells of each row, by the last one of the first table: the names of the tables."""
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", html, re.S):
        cells = [strip_tags(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
        found[cells[-1]] = cells
    return found


@pytest.fixture
def page(admin_client):
    return lambda: rows(admin_client.get(reverse("admin:data_map")).content.decode())


def test_no_table_is_left_out():
    assert data_map.unnamed() == set()


def test_how_long_is_what_the_settings_say(page, settings):
    settings.RETENTION_DAYS = 42
    settings.SESSION_COOKIE_AGE = 7200
    found = page()
    assert found["audit_scan"][2] == "42 days"
    assert "42 days after the end" in found["audit_order"][2]
    assert found["django_session"][2] == "2 hours"


def test_who_sees_it_is_what_the_groups_may(page):
    Group.objects.all().delete()
    readers = Group.objects.create(name="Readers")
    readers.permissions.add(Permission.objects.get(codename="view_order", content_type__app_label="audit"))
    found = page()
    assert found["audit_order"][3] == "superusers, Readers"
    assert found["audit_scan"][3] == "superusers"


def test_who_else_gets_something_is_named(page, settings, sim):
    make_groq(sim, keys=1)
    settings.STRIPE_SECRET_KEY, settings.SENTRY_DSN = "sk", ""
    found = page()
    assert {"Groq", "Stripe: on", "Sentry: off"} <= set(found)


def test_all_staff_may_read_it_and_nobody_else(client):
    address = reverse("admin:data_map")
    assert client.get(address).status_code == 302
    client.force_login(User.objects.create_user("eve", password="x", is_staff=True))
    assert client.get(address).status_code == 200
    client.force_login(User.objects.create_user("adam", password="x"))
    assert client.get(address).status_code == 302


def test_it_shows_no_data_and_asks_little(admin_client, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        admin_client.get(reverse("admin:data_map"))
