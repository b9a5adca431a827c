"""Checking again: the form filled in, the new result beside the old one, and nothing for a stranger."""

import re
from decimal import Decimal

import pytest
from django.urls import reverse

from audit.bank import catalogue
from audit.models import Scan
from audit.scans import service as scans
from audit.scoring import comparison, formula
from tests.factories import answers, make_scan, mistyped
from tests.test_pages import checked

BANK = catalogue.scoring_bank()
OLD = answers("best", seed_storage="cloud_notes", account_2fa="none")
NEW = {**OLD, "seed_storage": "metal", "sim_protection": "recovery_no_lock"}
pytestmark = pytest.mark.django_db


def url(name: str, scan: Scan) -> str:
    return reverse(f"audit:{name}", kwargs={"token": scans.scan_token(scan)})


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def again(client, old: Scan, sent: dict[str, str], token: str | None = None):
    data = {**sent, "ai": "off", "previous": scans.scan_token(old) if token is None else token}
    return client.post(reverse("audit:scan"), data)


@pytest.fixture
def old() -> Scan:
    return scans.create_scan(answers=OLD, lang="en", ai=False)


def test_differences_by_category_and_what_was_fixed_or_is_new():
    found = comparison.compare(then=formula.assess(BANK, OLD), now=formula.assess(BANK, NEW), same_rules=True)
    deltas = {change.category: change.delta for change in found.changes}
    assert deltas == {
        "wallet": Decimal("14.0"), "twofa": Decimal("-4.8"), "defi": 0, "operational": 0,
    }  # fmt: skip
    assert (found.gone, found.new) == (("seed_storage",), ("sim_protection",))
    assert found.delta == found.after - found.before == 59 - 49


def test_the_form_comes_with_the_last_answers_and_the_choice_of_writer(client, old):
    response = client.get(url("again", old))
    assert checked(response) == {**OLD, "ai": "off"}
    assert f'name="previous" value="{scans.scan_token(old)}"' in response.content.decode()
    assert Scan.objects.count() == 1


def test_the_new_result_is_compared_with_the_last(client, old):
    response = again(client, old, NEW)
    page = text(client.get(response["Location"]))
    assert "Your score went from 49 to 59 (+10)." in page
    assert "Wallets and keys 24 of 38 38 of 38 +14" in page
    assert "Accounts and sign-in 13 of 22 8.2 of 22 −4.8" in page
    assert "have changed in between" not in page
    assert Scan.objects.latest("pk").previous == old


def test_the_new_page_does_not_hold_the_link_to_the_old_one(client, old):
    html = client.get(again(client, old, NEW)["Location"]).content.decode()
    assert scans.scan_token(old) not in html
    assert old.public_id not in html


@pytest.mark.parametrize("changed", [{"scoring_version": "0"}, {"bank_version": "2020-01"}])
def test_other_rules_are_pointed_out(client, old, changed):
    Scan.objects.update(**changed)
    assert "The questions or the formula have changed in between" in text(
        client.get(again(client, old, NEW)["Location"])
    )


def test_without_the_token_nothing_is_compared(client, old):
    for token in ("", "nonsense", old.public_id, mistyped(scans.scan_token(old)), "x" * 5000, "\0"):
        page = text(client.get(again(client, old, NEW, token)["Location"]))
        assert "Your score went from" not in page
    assert not Scan.objects.exclude(previous=None).exists()


def test_an_error_keeps_the_link_to_the_last_result_and_the_page_private(client, old):
    response = again(client, old, {**NEW, "seed_storage": ""})
    assert response.status_code == 400
    assert f'name="previous" value="{scans.scan_token(old)}"' in response.content.decode()
    assert response["Cache-Control"] == "private, no-store"
    assert "canonical" not in response.content.decode()


def test_a_strange_previous_is_escaped(client):
    response = client.post(reverse("audit:scan"), {"previous": '"><script>alert(1)</script>'})
    assert b"<script>alert" not in response.content


def test_deleting_the_last_result_leaves_the_new_one(client, old):
    address = again(client, old, NEW)["Location"]
    client.post(url("delete", old))
    response = client.get(address)
    assert response.status_code == 200
    assert "Your score went from" not in text(response)


def test_a_first_scan_is_compared_with_nothing(client):
    assert "Your score went from" not in text(client.get(url("result", make_scan("middle"))))
