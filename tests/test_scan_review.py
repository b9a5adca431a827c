"""What staff do with a scan, and that nobody does it without the permission."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe

from audit.admin.said import marked
from audit.models import Report, Scan
from audit.report import jobs, outcome
from audit.scans import review, shares, tokens
from audit.scans import service as scans
from llm.models import Attempt, Call
from tests.factories import load_bank, make_scan

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _bank():
    load_bank()


@pytest.fixture
def reader(client):
    """Staff who may look at scans, and nothing else."""
    user = get_user_model().objects.create_user("rita", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_scan"))
    client.force_login(user)
    return client


def act(client, scan, do, **data):
    return client.post(reverse("admin:audit_scan_act", args=[scan.pk]), {"do": do, **data})


def page(client, scan):
    return client.get(reverse("admin:audit_scan_change", args=[scan.pk]))


def listed(client, **query):
    response = client.get(reverse("admin:audit_scan_changelist"), query)
    return set(response.context["cl"].result_list)


# -- references --------------------------------------------------------------------------------------
def test_a_reference_has_no_look_alikes_and_gives_nothing_away():
    scan = make_scan()
    assert re.fullmatch("[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", scan.reference)
    assert scan.reference == tokens.reference(scan.public_id)
    assert scan.reference.replace("-", "") not in scans.scan_token(scan).upper()


@pytest.mark.parametrize("typed", ["7KQ2-M9XD", "7kq2m9xd", " 7kq2 m9xd "])
def test_a_reference_is_found_however_it_is_typed(typed):
    assert tokens.typed_reference(typed) == "7KQ2-M9XD"


# -- one scan ----------------------------------------------------------------------------------------
def test_marking_as_reviewed_says_who_and_is_undone(admin_client):
    scan = make_scan(ai=False)
    act(admin_client, scan, "reviewed")
    scan.refresh_from_db()
    assert (scan.reviewed_by, bool(scan.reviewed_at)) == ("admin", True)
    assert "Reviewed by admin" in page(admin_client, scan).content.decode()
    act(admin_client, scan, "unreviewed")
    scan.refresh_from_db()
    assert (scan.reviewed_by, scan.reviewed_at) == ("", None)
    assert LogEntry.objects.filter(object_id=str(scan.pk)).count() == 2


def test_a_note_is_kept_and_escaped(admin_client):
    scan = make_scan(ai=False)
    act(admin_client, scan, "note", note=" <b>odd</b> ")
    scan.refresh_from_db()
    assert scan.note == "<b>odd</b>"
    html = page(admin_client, scan).content.decode()
    assert "&lt;b&gt;odd" in html
    assert "<b>odd" not in html


def test_a_hidden_scan_opens_for_staff_alone(admin_client, client):
    scan = make_scan(ai=False)
    token = scans.scan_token(scan)
    address, api = reverse("audit:result", kwargs={"token": token}), f"/api/v1/scans/{token}"
    act(admin_client, scan, "hide")
    assert (client.get(address).status_code, client.get(api).status_code) == (404, 404)
    assert page(admin_client, scan).status_code == 200
    act(admin_client, scan, "show")
    assert (client.get(address).status_code, client.get(api).status_code) == (200, 200)


def test_the_shared_card_of_a_hidden_scan_opens_for_nobody():
    scan = make_scan(ai=False)
    shares.share(scan)
    scan.refresh_from_db()
    token = shares.share_token(scan)
    assert shares.shared_scan(token) == scan
    review.set_hidden(scan, hidden=True)
    assert shares.shared_scan(token) is None


def test_a_template_version_keeps_the_earlier_one(admin_client):
    scan = make_scan(ai=False)
    Report.objects.update(provider="groq1", markdown="By a model.")
    act(admin_client, scan, "template")
    assert jobs.current(scan).provider == "fallback-template"
    assert "By a model." in {row.markdown for row in scan.reports.all()}
    scan.refresh_from_db()
    assert (scan.provider, scan.tier) == ("fallback-template", 4)


def test_regenerating_asks_for_a_version_and_keeps_the_earlier_one(admin_client):
    scan = make_scan(ai=False)  # without AI the version is there at once
    act(admin_client, scan, "regenerate")
    assert [row.status for row in scan.reports.all()] == ["ready", "ready"]


def test_deleting_takes_the_wording_of_the_calls_along(admin_client):
    scan = make_scan(ai=False)
    call = Call.objects.create(
        started_at=timezone.now(), deadline_s=45, text="words", messages=[{"role": "user"}]
    )
    scan.reports.update(call=call)
    address = reverse("admin:audit_scan_delete", args=[scan.pk])
    assert admin_client.get(address).status_code == 200
    assert admin_client.post(address, {"post": "yes"}).status_code == 302
    call.refresh_from_db()
    assert (Scan.objects.count(), Report.objects.count(), call.text, call.messages) == (0, 0, "", [])


def test_the_trail_shows_every_attempt_with_its_cost(admin_client, django_assert_max_num_queries):
    scan = make_scan(ai=False)
    call = Call.objects.create(started_at=timezone.now(), deadline_s=45)
    scan.reports.update(call=call, prompt_version="p-7", provider="groq2", flags=["money:$5M"])
    for number in range(12):
        Attempt.objects.create(
            call=call, provider="groq", credential=f"groq{number}", account="a", model="m", tier=1, free=True,
            started_at=timezone.now(), outcome="rate_limited_key", status=429, cost_usd="0.000042",
        )  # fmt: skip
    with django_assert_max_num_queries(14):
        html = page(admin_client, scan).content.decode()
    for words in ("groq11", "rate_limited_key 429", "$0.000042", "prompt p-7", "money:$5M"):
        assert words in html


def test_the_report_is_framed_where_it_can_do_nothing(admin_client):
    scan = make_scan(ai=False, lang="ru")
    response = admin_client.get(reverse("admin:audit_scan_report", args=[scan.pk, scan.reports.get().pk]))
    policy = response.headers["Content-Security-Policy"]
    assert "sandbox;" in f"{policy};"
    assert "script-src 'none'" in policy
    assert "default-src 'none'" in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert '<html lang="ru">' in response.content.decode()
    assert "frame-src 'self'" in page(admin_client, scan).headers["Content-Security-Policy"]


def test_a_report_of_another_scan_is_not_there(admin_client):
    one, other = make_scan(ai=False), make_scan(ai=False)
    address = reverse("admin:audit_scan_report", args=[one.pk, other.reports.get().pk])
    assert admin_client.get(address).status_code == 404


@pytest.mark.parametrize("do", ["reviewed", "unreviewed", "note", "regenerate", "template", "hide", "show"])
def test_a_reader_can_do_nothing(reader, do):
    scan = make_scan(ai=False)
    before = Scan.objects.values().get(), Report.objects.count()
    html = page(reader, scan).content.decode()
    assert 'name="do"' not in html
    assert act(reader, scan, do, note="x").status_code == 403
    assert reader.post(reverse("admin:audit_scan_delete", args=[scan.pk]), {"post": "yes"}).status_code == 403
    assert (Scan.objects.values().get(), Report.objects.count()) == before


def test_strangers_open_nothing(client):
    scan = make_scan(ai=False)
    frame = reverse("admin:audit_scan_report", args=[scan.pk, scan.reports.get().pk])
    for response in (page(client, scan), client.get(frame), act(client, scan, "hide")):
        assert response.status_code == 302
        assert "/admin/login/" in response.url


def test_an_unknown_action_is_not_found(admin_client):
    assert act(admin_client, make_scan(ai=False), "explode").status_code == 404


# -- the list ----------------------------------------------------------------------------------------
def test_the_list_finds_by_everything_that_it_shows(admin_client):
    plain = make_scan("best", ai=False)
    odd = make_scan("worst", ai=False, lang="ru")
    odd.reports.update(provider="groq1", tier=1, flags=["lang"])
    outcome.follow(odd.pk)
    review.set_reviewed(plain, by="anna")
    for query in (
        {"lang": "ru"}, {"band": "exposed"}, {"tier": "1"}, {"provider": "groq1"}, {"flagged": "yes"},
        {"reviewed": "no"}, {"q": odd.reference},
    ):  # fmt: skip
        assert listed(admin_client, **query) == {odd}, query
    assert listed(admin_client, tier="4") == {plain}
    assert listed(admin_client, tier="x") == set()
    assert listed(admin_client, hidden="no") == {plain, odd}


def test_filters_say_how_many_they_leave(admin_client):
    for lang in ("en", "en", "ru"):
        make_scan(ai=False, lang=lang)
    html = admin_client.get(reverse("admin:audit_scan_changelist")).content.decode()
    for words in ("English (2)", "Russian (1)", "Spanish (0)", "4 (3)", "fallback-template (3)"):
        assert words in html


def test_scans_are_marked_as_reviewed_in_the_list(admin_client):
    rows = [make_scan(ai=False), make_scan(ai=False)]
    admin_client.post(
        reverse("admin:audit_scan_changelist"),
        {"action": "mark_reviewed", "_selected_action": [row.pk for row in rows]},
    )
    assert Scan.objects.filter(reviewed_by="admin").count() == 2


# -- from an answer to what the report says of it -----------------------------------------------------
@pytest.mark.parametrize("lang", ["en", "ru", "es"])
def test_an_answer_leads_to_the_place_in_the_report_that_speaks_of_it(admin_client, lang):
    scan = make_scan("middle", ai=False, lang=lang)
    framed = reverse("admin:audit_scan_report", args=[scan.pk, scan.reports.get().pk])
    report = admin_client.get(framed).content.decode()
    html = page(admin_client, scan).content.decode()
    places = re.findall(rf'href="{re.escape(framed)}#(said-\w+)" target="report"', html)
    assert len(places) >= 3
    for place in places:
        assert report.count(f'id="{place}"') == 1
    lost = {each["question"] for each in scan.result["findings"]}
    assert {place.removeprefix("said-") for place in places} <= lost


def test_a_report_in_the_making_is_shown_as_far_as_it_is(admin_client):
    scan = make_scan(ai=False)
    row = scan.reports.get()
    Report.objects.filter(pk=row.pk).update(
        status=Report.Status.WRITING, markdown="", draft="A thief begins here. More"
    )
    framed = admin_client.get(reverse("admin:audit_scan_report", args=[scan.pk, row.pk])).content.decode()
    assert "A thief begins here." in framed


def test_places_are_found_in_text_only():
    html = mark_safe(
        '<p><a href="#finding-a" rel="x">Fix &amp; go</a> then “Keys &lt; here” and <b title="Keys">b</b></p>'
    )
    text, said = marked(html, {"a": "Other", "b": "Keys < here.", "c": "rel", "d": "title"})
    assert said == {"a", "b"}
    assert text == (
        '<p><a id="said-a" href="#finding-a" rel="x">Fix &amp; go</a> then '
        '“<span id="said-b">Keys &lt; here</span>” and <b title="Keys">b</b></p>'
    )
