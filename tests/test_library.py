"""The case library: its filters, its chart, a page for each case, and what is never shown or counted."""

import re
from itertools import pairwise

import pytest
from django.urls import reverse
from django.utils.translation import override

from audit.bank.findings import Case
from audit.bank.incidents import INCIDENTS
from audit.models import Incident
from audit.presentation import library, losses
from tests.factories import load_bank

LANGUAGES = ["en", "ru", "es"]


def entry(kind="sim_swap", year="2024", loss_usd=None, *, combined=False, confirmed=True) -> library.Entry:
    case = Case(
        slug="a",
        kind="malware",
        name="A",
        date=year,
        loss="",
        what_happened="",
        lesson="",
        note="",
        sources=(),
    )
    return library.Entry(
        case=case, kind=kind, kind_label=kind.title(), year=year, victims="", loss_usd=loss_usd,
        combined=combined, confirmed=confirmed, answers=(),
    )  # fmt: skip


def path(name: str, lang: str = "en", **kwargs: str) -> str:
    with override(lang):
        return reverse(f"audit:{name}", kwargs=kwargs)


@pytest.fixture
def bank(db):
    load_bank()


def shown(html: str) -> set[str]:
    return set(re.findall(r"/incidents/([a-z0-9-]+)/", html))


# -- filters -----------------------------------------------------------------------------------------
def test_a_filter_says_how_many_cases_it_would_show_beside_the_other():
    found = [entry("sim_swap", "2024"), entry("sim_swap", "2025"), entry("malware", "2025")]
    shelf = library.shelf(found, year="2025")
    assert len(shelf.entries) == 2
    assert {each.value: each.count for each in shelf.kinds} == {"sim_swap": 1, "malware": 1}
    assert {each.value: (each.count, each.chosen) for each in shelf.years} == {
        "2024": (1, False),
        "2025": (2, True),
    }


@pytest.mark.parametrize("nonsense", [{"kind": "<script>"}, {"year": "1999"}, {"kind": "malware"}])
def test_an_unknown_filter_value_shows_everything(nonsense):
    shelf = library.shelf([entry()], **nonsense)
    assert len(shelf.entries) == 1
    assert not shelf.filtered


def test_a_chosen_filter_without_cases_stays_visible_and_can_be_undone():
    found = [entry("sim_swap", "2024"), entry("malware", "2025")]
    shelf = library.shelf(found, kind="sim_swap", year="2025")
    assert shelf.entries == ()
    assert {each.value for each in shelf.kinds if each.chosen} == {"sim_swap"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_lists_all_cases_or_the_chosen_ones(client, bank, lang, django_assert_max_num_queries):
    with django_assert_max_num_queries(1):
        html = client.get(path("incidents", lang)).content.decode()
    assert shown(html) == {each.slug for each in INCIDENTS}
    html = client.get(path("incidents", lang), {"kind": "sim_swap", "year": "2023"}).content.decode()
    assert shown(html) == {"vitalik-simswap-2023", "friendtech-simswap-2023"}


def test_nothing_of_the_address_reaches_the_page(client, bank):
    html = client.get(path("incidents"), {"kind": "\"><script>alert('x')</script>"}).content.decode()
    assert "alert(" not in html


# -- the chart ---------------------------------------------------------------------------------------
def test_a_combined_figure_is_never_added_to_the_cases_that_it_may_contain():
    chart = losses.chart([entry(loss_usd=3), entry(loss_usd=4), entry(loss_usd=90, combined=True)])
    assert chart is not None
    assert [row.usd for row in chart.rows] == [90]
    chart = losses.chart([entry(loss_usd=30), entry(loss_usd=70), entry(loss_usd=90, combined=True)])
    assert chart is not None
    assert [row.usd for row in chart.rows] == [100]


def test_ten_times_the_loss_is_one_line_to_the_right():
    chart = losses.chart(
        [entry("a", loss_usd=1_000), entry("b", loss_usd=10_000), entry("c", loss_usd=100_000)]
    )
    assert chart is not None
    places = {row.kind: row.dots[0].x for row in chart.rows}
    assert [places["a"], places["b"], places["c"]] == [mark.x for mark in chart.marks[:3]]
    steps = [float(mark.x[:-1]) for mark in chart.marks]
    assert all(abs(b - a - (steps[1] - steps[0])) < 0.2 for a, b in pairwise(steps))


def test_dots_of_a_row_do_not_cover_each_other():
    chart = losses.chart(
        [entry(year="2023", loss_usd=100), entry(year="2024", loss_usd=101), entry("b", loss_usd=10**9)]
    )
    assert chart is not None
    row = next(row for row in chart.rows if row.kind == "sim_swap")
    assert len({dot.y for dot in row.dots}) == 2
    assert row.height == 2 * losses.LANE_PX


def test_what_the_chart_cannot_show_is_counted():
    chart = losses.chart([entry(loss_usd=5), entry(), entry(library.STATISTICS, loss_usd=10**10)])
    assert chart is not None
    assert (chart.unknown, chart.left_out) == (1, 1)
    assert losses.chart([entry()]) is None


def test_the_chart_and_its_table_tell_the_same(client, bank):
    html = client.get(path("incidents")).content.decode()
    chart = losses.chart(library.entries())
    assert chart is not None
    cells = [cell for row in chart.rows for cell in row.cells if cell]
    assert html.count("<circle") == len(cells)
    for cell in cells:
        assert f"{cell.money}" in html
    assert "$1.46B" in html  # Bybit, on the same scale as the rest


def test_what_is_not_confirmed_is_marked(client, bank):
    Incident.objects.filter(slug="bybit-2025").update(confirmed=False)
    html = client.get(path("incidents"), {"kind": "blind_signing"}).content.decode()
    assert html.count("not confirmed") == 1
    assert 'class="open"' in html
    assert "partly unconfirmed" in html
    assert "Not confirmed." in client.get(path("incident", slug="bybit-2025")).content.decode()


# -- a case ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_case_has_a_page_with_its_facts_and_sources(client, bank, lang):
    for found in library.entries():
        html = client.get(path("incident", lang, slug=found.case.slug)).content.decode()
        for url in found.case.sources:
            assert f'href="{url.replace("&", "&amp;")}"' in html
        with override(lang):
            assert len(library.hits(found)) == len(found.answers)


def test_a_withdrawn_case_is_gone(client, bank):
    Incident.objects.filter(slug="bybit-2025").update(active=False)
    assert client.get(path("incident", slug="bybit-2025")).status_code == 404
    assert "bybit-2025" not in shown(client.get(path("incidents")).content.decode())
    assert client.get(path("incident", slug="never-heard-of")).status_code == 404


def test_an_empty_library_says_so(client, db):
    html = client.get(path("incidents")).content.decode()
    assert "No case fits." in html
    assert "<circle" not in html
