"""The admin of the audit: words and incidents can be changed, numbers and scans cannot."""

from html import unescape

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import translation

from audit.bank import catalogue, rows
from audit.bank.translations import untranslated
from audit.models import Incident, Option, Question, Report, Scan
from audit.report import outcome
from audit.scans import service as scans
from tests.factories import load_bank, make_scan

pytestmark = pytest.mark.django_db
MODELS = [Question, Option, Incident, Scan, Report]


@pytest.fixture(autouse=True)
def _bank():
    load_bank()
    with translation.override("en"):
        yield


def url(model, page: str, *args) -> str:
    return reverse(f"admin:audit_{model._meta.model_name}_{page}", args=args)


def read(response) -> str:
    assert response.status_code == 200
    return unescape(response.content.decode())


def form_of(response) -> dict:
    """What a browser would send back from a change page."""
    data = {}
    context = response.context
    formsets = [inline.formset for inline in context["inline_admin_formsets"]]
    for form in [context["adminform"].form, *(each.management_form for each in formsets)]:
        data |= {form.add_prefix(name): form[name].value() for name in form.fields}
    for form in (form for formset in formsets for form in formset.forms):
        data |= {form.add_prefix(name): form[name].value() for name in form.fields}
    return {
        name: "\n".join(value) if isinstance(value, list) else value
        for name, value in data.items()
        if value is not None and value is not False
    }


@pytest.mark.parametrize("model", MODELS)
def test_everything_is_registered_and_opens(admin_client, model):
    make_scan("worst", ai=False)
    assert admin.site.is_registered(model)
    read(admin_client.get(url(model, "changelist")))
    read(admin_client.get(url(model, "change", model.objects.first().pk)))


@pytest.mark.parametrize("model", MODELS)
def test_lists_take_as_many_queries_for_many_rows(admin_client, model, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    make_scan(ai=False)
    Incident.objects.exclude(slug="bybit-2025").delete()
    Option.objects.exclude(question="seed_storage").delete()
    Question.objects.exclude(pk="seed_storage").delete()
    admin_client.get(url(model, "changelist"))  # content types and the like are read once
    with CaptureQueriesContext(
        connection,
    ) as few:
        read(admin_client.get(url(model, "changelist")))
    load_bank()
    for _ in range(8):
        make_scan("worst", ai=False)
    with django_assert_num_queries(len(few)):
        read(admin_client.get(url(model, "changelist")))


# -- questions ----------------------------------------------------------------------------------------
def test_staff_edit_the_words_of_a_question(admin_client):
    page = url(Question, "change", "seed_storage")
    data = {**form_of(admin_client.get(page)), "text": "Where are your 24 words?"}
    data["options-1-fix_steps"] = "First this.\n\n  Then that. \n"
    assert admin_client.post(page, data).status_code == 302
    question = Question.objects.get(pk="seed_storage")
    assert question.text == "Where are your 24 words?"
    assert question.options.get(value="paper_safe").fix_steps == ["First this.", "Then that."]


def test_saving_a_page_as_it_is_changes_nothing(admin_client):
    before = list(Option.objects.values()), list(Question.objects.values())
    for question in Question.objects.all():
        page = url(Question, "change", question.pk)
        assert admin_client.post(page, form_of(admin_client.get(page))).status_code == 302
    assert (list(Option.objects.values()), list(Question.objects.values())) == before


def test_numbers_and_ids_cannot_be_changed(admin_client):
    page = url(Question, "change", "seed_storage")
    data = form_of(admin_client.get(page))
    sent = {"weight": 1, "category": "defi", "position": 9, "options-1-risk": 0, "options-1-value": "x"}
    assert not set(sent) & set(data)
    admin_client.post(page, {**data, **sent})
    question = Question.objects.get(pk="seed_storage")
    assert (question.weight, question.category, question.position) == (14, "wallet", 1)
    assert question.options.get(value="paper_safe").risk == 2


@pytest.mark.parametrize("model", [Question, Option, Report])
def test_bank_and_reports_can_be_neither_added_nor_deleted(admin_client, model):
    row = model.objects.first()
    if row is None:
        make_scan()
        row = model.objects.first()
    assert admin_client.get(url(model, "add")).status_code == 403
    assert admin_client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


def test_an_edited_text_is_marked_until_it_is_translated(admin_client, monkeypatch):
    known = {text for row in Question.objects.values_list("text", "hint", "why") for text in row}
    monkeypatch.setattr(
        "audit.bank.translations.gettext", lambda text: f"[{text}]" if text in known else text
    )
    assert untranslated(Question.objects.get(pk="seed_storage")) == {}
    Question.objects.filter(pk="seed_storage").update(text="Where are your 24 words?")
    assert untranslated(Question.objects.get(pk="seed_storage")) == {"ru": ["text"], "es": ["text"]}
    page = read(admin_client.get(url(Question, "changelist")))
    assert "ru: text; es: text" in page
    assert '<td class="field-edited">text</td>' in page


# -- incidents ----------------------------------------------------------------------------------------
def test_incidents_are_switched_off_and_on_again(admin_client):
    chosen = ["bybit-2025", "polycule-bot-2026"]
    page = url(Incident, "changelist")
    admin_client.post(page, {"action": "switch_off", "_selected_action": chosen})
    assert (
        list(Incident.objects.filter(active=False).order_by("slug").values_list("slug", flat=True)) == chosen
    )
    assert "hardware_wallet.bot_wallet" not in catalogue.incidents_by_answer(rows.read(Incident))
    response = admin_client.post(page, {"action": "switch_on", "_selected_action": chosen}, follow=True)
    assert not Incident.objects.filter(active=False).exists()
    assert "2 incidents were changed." in read(response)


def new_incident(**changed) -> dict:
    return {
        "slug": "ours-2026", "name": "Ours", "date": "2026-11", "loss_usd": "1000", "victims": "one person",
        "vector": "malware", "what_happened": "It went.", "lesson": "Look first.",
        "weaknesses": "device_hygiene.shared_old", "sources": "https://example.org/a\nhttps://example.org/b",
        "confirmed": "on", "active": "on", **changed,
    }  # fmt: skip


def test_staff_add_an_incident_and_it_is_cited(admin_client):
    assert admin_client.post(url(Incident, "add"), new_incident()).status_code == 302
    incident = Incident.objects.get(pk="ours-2026")
    assert incident.sources == ["https://example.org/a", "https://example.org/b"]
    assert incident in catalogue.incidents_by_answer(rows.read(Incident))["device_hygiene.shared_old"]
    assert "https://example.org/a" in catalogue.source_urls()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sources", "http://example.org/"),
        ("sources", "javascript:alert(1)"),
        ("sources", "https://example.org/a b"),
        ("sources", 'https://example.org/"onclick=x'),
        ("weaknesses", "device_hygiene.unknown"),
        ("weaknesses", "shared_old"),
        ("date", "May 2024"),
        ("date", "2024-13"),
        ("vector", "aliens"),
        ("loss_usd", "much"),
    ],
)
def test_wrong_fields_of_an_incident_are_refused(admin_client, field, value):
    response = admin_client.post(url(Incident, "add"), new_incident(**{field: value}))
    assert field in response.context["adminform"].form.errors
    assert not Incident.objects.filter(pk="ours-2026").exists()


def test_an_incident_cannot_be_deleted_or_renamed(admin_client):
    page = url(Incident, "change", "bybit-2025")
    assert admin_client.post(url(Incident, "delete", "bybit-2025"), {"post": "yes"}).status_code == 403
    data = form_of(admin_client.get(page))
    assert "slug" not in data
    assert admin_client.post(page, data).status_code == 302
    assert Incident.objects.filter(pk="bybit-2025").exists()


# -- scans --------------------------------------------------------------------------------------------
def test_scans_are_filtered_by_language_band_and_consent(admin_client):
    make_scan("best", lang="ru")
    make_scan("worst", lang="es", ai=False)
    make_scan("best", lang="en", seed_storage="cloud_notes")

    def shown(**query) -> set[str]:
        response = admin_client.get(url(Scan, "changelist"), query)
        return {scan.lang for scan in response.context["cl"].result_list}

    assert shown() == {"ru", "es", "en"}
    assert shown(lang="ru") == {"ru"}
    assert shown(band="solid") == {"ru"}
    assert shown(band="fragile") == {"en"}
    assert shown(band="exposed") == {"es"}
    assert shown(band="fair") == set()
    assert shown(ai__exact="0") == {"es"}


def test_a_scan_page_shows_answers_terms_report_and_the_visitors_page(admin_client):
    scan = make_scan("best", seed_storage="cloud_notes", ai=False)
    page = read(admin_client.get(url(Scan, "change", scan.pk)))
    for words in (
        "seed_storage: cloud_notes",
        "14 × 10 ÷ 10 = 14.0",
        "capped at 49 (seed_storage)",
        "fallback-template",
    ):
        assert words in page
    assert scans.scan_token(scan) in page
    frame = reverse("admin:audit_scan_report", args=[scan.pk, scan.reports.get().pk])
    assert f'src="{frame}"' in page
    assert "Assembled from our own texts" in read(admin_client.get(frame))


def test_a_scan_cannot_be_changed(admin_client):
    scan = make_scan("best")
    assert admin_client.post(url(Scan, "change", scan.pk), {"score": 1}).status_code == 403
    scan.refresh_from_db()
    assert scan.score == 100


def test_a_hostile_report_is_harmless_in_the_admin(admin_client):
    scan = make_scan(ai=False)
    scan.reports.update(markdown="<script>alert(1)</script> [x](javascript:alert(1))", provider="<b>x</b>")
    frame = reverse("admin:audit_scan_report", args=[scan.pk, scan.reports.get().pk])
    for address in (url(Scan, "change", scan.pk), frame, url(Report, "change", scan.reports.get().pk)):
        page = admin_client.get(address).content.decode()
        assert "<script>alert" not in page
        assert 'href="javascript' not in page
        assert "<b>x</b>" not in page


def test_search_finds_a_scan_by_its_reference(admin_client):
    scan = make_scan()
    make_scan()
    response = admin_client.get(url(Scan, "changelist"), {"q": scan.reference.lower().replace("-", " ")})
    assert list(response.context["cl"].result_list) == [scan]


@pytest.mark.parametrize("lang", ["ru", "es"])
def test_the_admin_opens_in_every_language(admin_client, lang):
    make_scan(lang=lang, ai=False)
    with translation.override(lang):
        for model in MODELS:
            page = url(model, "changelist")
            read(admin_client.get(page, headers={"Accept-Language": lang}))


def test_flagged_reports_are_found(admin_client):
    scan = make_scan(ai=False)
    scan.reports.update(flags=["money:<b>$5M</b>"])
    outcome.follow(scan.pk)
    make_scan(ai=False)
    response = admin_client.get(url(Scan, "changelist"), {"flagged": "yes"})
    assert list(response.context["cl"].result_list) == [scan]
    page = admin_client.get(url(Report, "change", scan.reports.get().pk)).content.decode()
    assert "money:&lt;b&gt;$5M&lt;/b&gt;" in page
