"""The admin's home: what it counts, what it links to, whom it shows it, and how few questions it asks."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import Order, Scan
from audit.report import outcome as report_outcome
from audit.scans import review
from guardlabs.desk.attention import attention
from guardlabs.desk.figures import Figures
from guardlabs.desk.sections import sections
from llm.admin_base.reading import csv_cell
from llm.models import Attempt, Call, Credential, Limit, Model, Pause, Provider, Rollup
from tests.factories import load_bank, make_order, make_scan

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _bank():
    load_bank()


@pytest.fixture
def chief():
    return get_user_model().objects.create_superuser("chief", password="x")


def call(*outcomes, tier=1, cost="0.000000", **fields):
    """A call with one attempt for each outcome, now."""
    now = timezone.now()
    values = {
        "started_at": now,
        "finished_at": now,
        "deadline_s": 45,
        "outcome": "ok",
        "tier": tier,
        "latency_ms": 1000,
    }
    row = Call.objects.create(**(values | {"cost_usd": Decimal(cost)} | fields))
    for outcome in outcomes:
        Attempt.objects.create(
            call=row, provider="paid" if Decimal(cost) else "groq", credential="k", account="acc", model="m",
            tier=tier or 1, free=not Decimal(cost), started_at=row.started_at, finished_at=row.started_at,
            outcome=outcome, tokens_in=10, tokens_out=10, cost_usd=Decimal(cost),
        )  # fmt: skip
    return row


def written(of_call, provider="k", **fields):
    """A scan whose report came of this call."""
    scan = make_scan(ai=False)
    scan.reports.update(call=of_call, provider=provider, tier=None, cost_usd=of_call.cost_usd, **fields)
    report_outcome.follow(scan.pk)
    Rollup.objects.all().delete()
    return scan


def texts(section):
    return [[cell.text for cell in row] for table in section.tables for row in (*table.rows, table.foot)]


def section(user, name):
    return next((each for each in sections(user) if each.id == name), None)


# -- numbers -----------------------------------------------------------------------------------------
def test_reports_are_counted_by_tier_with_totals_and_cost_per_scan(chief):
    written(call("ok"))
    written(call("provider_down", "ok", tier=2, cost="0.003000"))
    written(call("provider_down", outcome="exhausted", tier=None), provider="fallback-template")
    today = texts(section(chief, "tiers"))[:5]
    assert today == [
        ["1", "1", "$0.0000"],
        ["2", "1", "$0.0030"],
        ["4, template", "1", "$0.0000"],
        ["Total", "3", "$0.0030"],
        ["Per scan", "", "$0.001000"],
    ]


def test_a_cost_that_nobody_knows_is_not_zero(chief):
    written(call("ok", tier=2))
    row = Call.objects.get()
    Call.objects.filter(pk=row.pk).update(cost_usd=None)
    assert ["2", "1", "$0.0000 + 1 × ?"] in texts(section(chief, "tiers"))


def test_failures_latency_and_cache_hits(chief):
    for _ in range(3):
        call("rate_limited_key", "ok")
    call(cached=True)
    assert ["quota used up", "3", "3"] in texts(section(chief, "failures"))
    rows = {row[0]: row[1:] for row in texts(section(chief, "today")) if row}
    assert rows["Answers from the cache"] == ["1", "1"]
    assert rows["Latency, median"] in (["0.9 s", "0.9 s"], ["1.0 s", "1.0 s"], ["1.1 s", "1.1 s"])


def test_quota_left_and_money_against_budgets(chief):
    groq = Provider.objects.create(slug="groq", kind="groq", name="Groq", free=True)
    Credential.objects.create(provider=groq, label="k", account="acc", secret="key")
    Model.objects.create(provider=groq, name="m", rpd=1000, tpd=5000)
    Provider.objects.create(slug="paid", kind="openai", name="Paid", daily_budget_usd=2)
    for _ in range(3):
        call("ok", "rate_limited_key")  # what a provider refuses it does not count
    call("ok", tier=2, cost="0.500000")
    assert texts(section(chief, "quota"))[0] == ["acc", "m", "997 of 1,000", "4,940 of 5,000", "00:00 UTC"]
    assert texts(section(chief, "money"))[:2] == [
        ["All together", "$0.5000", "no budget", "$0.5000", "–"],
        ["paid", "$0.5000", "$2.00", "$0.5000", "–"],
    ]


def test_a_pool_that_models_share_is_one_row_with_what_all_of_them_used(chief):
    router = Provider.objects.create(
        slug="groq", kind="openai", base_url="https://a.example", name="R", free=True
    )
    Credential.objects.create(provider=router, label="k", account="acc", secret="key")
    for name in ("m", "other"):
        Model.objects.create(provider=router, name=name)
    Limit.objects.create(provider=router, scope="account", per="day", unit="requests", amount=50)
    for _ in range(3):
        call("ok")
    assert [row[:3] for row in texts(section(chief, "quota"))][:2] == [["acc", "account", "47 of 50"], []]


def test_what_a_door_is_worth_and_what_one_more_would_add(chief):
    groq = Provider.objects.create(slug="groq", kind="groq", name="Groq", free=True)
    Credential.objects.create(provider=groq, label="k", account="acc", secret="key")
    Model.objects.create(provider=groq, name="m", rpd=1000, tpm=8000, tpd=230_000)
    assert ["groq", "100", "57", "0", "+100", "+100"] in texts(section(chief, "quota"))


def test_each_number_opens_the_list_that_it_counts(chief, client):
    client.force_login(chief)
    call("rate_limited_key", "ok")
    call(cached=True)
    for days in range(1, 9):
        call("ok", started_at=timezone.now() - timedelta(days=days))
    written(call("ok", tier=2))
    checked = 0
    for each in sections(chief):
        tables = [*each.tables, *([each.behind] if each.behind else [])]
        for cell in (cell for table in tables for row in (*table.rows, table.foot) for cell in row):
            if cell.url:
                response = client.get(cell.url)
                assert response.status_code == 200, cell
                if cell.text.isdigit():
                    assert response.context["cl"].result_count == int(cell.text), (each.id, cell)
                    checked += 1
    assert checked > 25


def test_charts_have_a_bar_a_day_and_the_numbers_behind(chief):
    call("provider_down")
    trend = section(chief, "trend")
    assert [len(chart.bars) for chart in trend.charts] == [1, 1, 1]  # since the first day with anything in it
    assert trend.charts[1].bars[-1].title.endswith(": 1")
    assert trend.charts[1].bars[-1].height == trend.charts[1].height
    assert len(trend.behind.rows) == 1
    call("ok", started_at=timezone.now() - timedelta(days=6))
    Rollup.objects.all().delete()
    assert [len(chart.bars) for chart in section(chief, "trend").charts] == [7, 7, 7]


def test_the_five_quotas_that_run_out_first_are_bars(chief):
    groq = Provider.objects.create(slug="groq", kind="groq", name="Groq", free=True)
    Model.objects.create(provider=groq, name="m", rpd=10)
    for n in range(8):
        Credential.objects.create(
            provider=groq, label=f"k{n}", account="acc" if n == 7 else f"a{n}", secret=f"key{n}"
        )
    for _ in range(4):
        call("ok")
    quota = section(chief, "quota")
    assert len(quota.tables[0].rows) == 5
    assert quota.tables[0].rows[0][2].of == (6, 10)
    assert quota.link.url == reverse("admin:llm_chain")


def test_what_was_saved_comes_first(chief):
    call("ok", saved_usd=Decimal("0.25"))
    rows = texts(section(chief, "today"))
    assert rows[0] == ["Saved against the cheapest paid model", "$0.2500", "$0.2500"]


# -- what needs a person -----------------------------------------------------------------------------
def test_the_queue_names_what_does_not_mend_itself(chief):
    now = timezone.now()
    for kind, fields in {
        "key_invalid": {"credential": "groq1"}, "credits_depleted": {"account": "acc"}, "model_gone": {"model": "m"},
        "rate_limited_key": {"account": "x"},
    }.items():  # fmt: skip
        Pause.objects.create(provider="groq", kind=kind, source="guess", since=now, **fields)
    Pause.objects.create(provider="old", kind="key_invalid", source="guess", since=now, closed_at=now)
    scan = written(call("ok"), flags=["lang"])
    found = [item.text for item in attention(Figures(chief)).items]
    assert found == [
        "groq1: the key no longer works", "acc: out of credit", "groq m: the model is gone", "1 flagged report",
    ]  # fmt: skip
    review.set_reviewed(scan, by="anna")
    assert len(attention(Figures(chief)).items) == 3


def test_orders_are_counted_by_state_and_overdue_ones_wait_in_the_queue(chief):
    late = make_order("paid")
    Order.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(days=1))
    make_order("closed", email="ben@example.org")
    assert texts(section(chief, "orders"))[:2] == [["paid", "1"], ["closed", "1"]]
    assert [item.text for item in attention(Figures(chief)).items] == ["1 overdue order"]


# -- who sees what, at what price --------------------------------------------------------------------
@pytest.mark.parametrize(
    ("permissions", "seen"),
    [
        ([], {"attention"}),
        (["view_scan", "view_report"], {"attention", "today", "tiers"}),
        (["view_attempt"], {"attention", "failures"}),
        (["view_provider"], {"attention", "quota"}),
        (["view_provider", "view_attempt"], {"attention", "failures", "quota", "money"}),
        (["view_order"], {"attention", "orders"}),
    ],
)
def test_a_section_is_shown_to_those_who_may_open_its_lists(permissions, seen):
    user = get_user_model().objects.create_user("rita", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    Pause.objects.create(provider="p", kind="key_invalid", source="guess", since=timezone.now())
    make_order()
    found = sections(user)
    assert {each.id for each in found} == seen
    assert found[0].items == []


@pytest.mark.parametrize(
    "path",
    ["/admin/", "/admin/llm/call/", "/admin/llm/attempt/", "/admin/audit/scan/", "/admin/audit/report/"],
)
def test_queries_stay_the_same_and_few(chief, client, path, time_machine):
    time_machine.move_to(datetime(2026, 11, 24, 12, 20, tzinfo=UTC))  # the first hour of a day takes more
    client.force_login(chief)
    written(call("ok"))
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    for _ in range(15):
        written(call("ok", "provider_down"))
    client.get(path)  # sums what was thrown away
    with CaptureQueriesContext(connection) as many:
        assert client.get(path).status_code == 200
    assert len(many) == len(few)
    assert len(many) <= (28 if path == "/admin/" else 10)


def test_no_list_counts_or_reads_a_big_table_to_its_end(chief, client):
    client.force_login(chief)
    written(call("ok"))
    for path in ("/admin/llm/call/", "/admin/llm/attempt/", "/admin/audit/scan/", "/admin/audit/report/"):
        with CaptureQueriesContext(connection) as asked:
            client.get(path)
        tables = r"(COUNT|SUM)\(.*FROM \"(llm_call|llm_attempt|audit_scan|audit_report)\""
        reads = [q["sql"] for q in asked if re.search(tables, q["sql"])]
        assert reads
        assert [sql for sql in reads if "LIMIT" not in sql] == []


@pytest.mark.parametrize("lang", ["en", "ru", "es"])
def test_the_home_opens_in_every_language_without_inline_code(chief, client, lang):
    client.force_login(chief)
    written(call("provider_down", "ok", tier=2, cost="0.001000"), flags=["lang"])
    html = client.get("/admin/", headers={"Accept-Language": lang}).content.decode()
    assert {"en": "Needs attention", "ru": "Требует внимания", "es": "Requiere atención"}[lang] in html
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*src)", html)
    assert not re.search(r'(?:x|y|width|height)="[\d\s]*,', html)  # a comma for the decimal point


# -- the ledger's lists ------------------------------------------------------------------------------
def test_sums_are_those_of_the_filter(chief, client):
    client.force_login(chief)
    call("ok", cost="0.250000", tokens_in=7)
    call("ok", cost="0.500000", tokens_in=5)
    call(outcome="exhausted", tier=None, tokens_in=100)
    html = client.get("/admin/llm/call/", {"outcome__exact": "ok"}).content.decode()
    assert "2 rows" in html
    assert "tokens: 12 in, 0 out" in html
    assert "cost $0.750000" in html


def test_the_export_is_the_filtered_list_without_texts(chief, client):
    client.force_login(chief)
    call("ok", text="REPLY", messages=[{"role": "user", "content": "PROMPT"}], provider="=cmd()")
    call(outcome="exhausted", tier=None, provider="other")
    address = reverse("admin:llm_call_export")
    response = client.get(address, {"outcome__exact": "ok"})
    assert response.streaming
    lines = b"".join(response).decode().splitlines()
    assert len(lines) == 2
    assert "'=cmd()" in lines[1]
    assert "REPLY" not in lines[1]
    assert "PROMPT" not in lines[1]
    assert "attachment" in response.headers["Content-Disposition"]


@pytest.mark.parametrize(
    "path", ["/admin/llm/call/", "/admin/llm/call/export/", "/admin/audit/scan/", "/admin/audit/report/"]
)
@pytest.mark.parametrize("tier", ["-Infinity", "NaN", "sNaN", "1e999", "x"])
def test_a_tier_that_is_none_finds_nothing(chief, client, path, tier):
    client.force_login(chief)
    call("ok")
    response = client.get(path, {"tier": tier})
    assert response.status_code == 200
    assert response.getvalue()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "\n=1", "＝1"])
def test_no_cell_is_a_formula(text):
    assert csv_cell(text) == f"'{text}"


def test_numbers_and_plain_texts_stay_as_they_are():
    assert [csv_cell(each) for each in (-1, Decimal("-0.5"), "groq1", "", None)] == [
        -1,
        Decimal("-0.5"),
        "groq1",
        "",
        None,
    ]


def test_whoever_may_not_see_the_list_may_not_export_it(client):
    client.force_login(get_user_model().objects.create_user("rita", password="x", is_staff=True))
    for model in ("call", "attempt"):
        assert client.get(reverse(f"admin:llm_{model}_export")).status_code == 403


def test_a_scan_of_long_ago_is_not_in_the_thirty_days(chief):
    scan = make_scan(ai=False)
    Scan.objects.filter(pk=scan.pk).update(created_at=timezone.now() - timedelta(days=31))
    rows = {row[0]: row[1:] for row in texts(section(chief, "today")) if row}
    assert rows["Scans"] == ["0", "0"]
