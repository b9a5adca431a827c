"""/metrics: what the ledger says, in Prometheus' words, for those who may read it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from audit.models import Report
from llm.models import Attempt, Call, Pause, Rollup
from tests.chain_setup import OSS, make_groq
from tests.factories import load_bank, make_scan

pytestmark = pytest.mark.django_db


def read(client=None, **headers):
    response = (client or Client()).get("/metrics", **headers)
    assert response.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def value(found, name, **labels):
    return found[name, tuple(sorted(labels.items()))]


def make_call(*, ago=timedelta(minutes=5), outcome="ok", latency_ms=700, cost="0.001", **fields):
    began = timezone.now() - ago
    call = Call.objects.create(
        purpose="audit-report", started_at=began, deadline_s=45, outcome=outcome, latency_ms=latency_ms
    )
    Attempt.objects.create(
        **{
            "call": call, "provider": "groq", "credential": "groq1", "account": "a", "model": OSS, "tier": 1,
            "free": True, "started_at": began, "finished_at": began, "outcome": outcome, "tokens_in": 100,
            "tokens_out": 20, "cost_usd": Decimal(cost), **fields,
        }
    )  # fmt: skip
    return call


WHO = {"provider": "groq", "credential": "groq1", "model": OSS, "location": ""}


def test_attempts_tokens_cost_and_calls_are_counted():
    make_call()
    make_call(outcome="rate_limited_key", cost="0")
    found = read()
    assert value(found, "guardlabs_attempts_total", **WHO, outcome="ok") == 1
    assert value(found, "guardlabs_attempts_total", **WHO, outcome="rate_limited_key") == 1
    assert value(found, "guardlabs_tokens_total", **WHO) == 240
    assert value(found, "guardlabs_cost_usd_total", **WHO) == pytest.approx(0.001)
    assert value(found, "guardlabs_calls_total", purpose="audit-report", outcome="ok", cached="false") == 1


def test_counters_outlive_the_rows_they_count():
    make_call(ago=timedelta(days=3))
    assert value(read(), "guardlabs_attempts_total", **WHO, outcome="ok") == 1
    Call.objects.all().delete()
    assert value(read(), "guardlabs_attempts_total", **WHO, outcome="ok") == 1
    Rollup.objects.filter(grain=Rollup.Grain.HOUR).delete()
    Rollup.objects.update(start=F("start") - timedelta(days=90))
    assert value(read(), "guardlabs_attempts_total", **WHO, outcome="ok") == 1


def test_latency_is_a_histogram():
    make_call(latency_ms=100)
    make_call(latency_ms=10_000)
    found = read()
    buckets = sorted(
        (float(dict(labels)["le"]), count)
        for (name, labels), count in found.items()
        if name == "guardlabs_call_seconds_bucket"
    )
    assert buckets[-1] == (float("inf"), 2)
    assert [count for edge, count in buckets if edge < 0.09] == [0] * sum(edge < 0.09 for edge, _ in buckets)
    assert {count for edge, count in buckets if 0.12 < edge < 8} == {1}


def test_what_is_paused_left_and_unfinished_is_told(sim):
    load_bank()
    make_groq(sim, keys=1, models=[{"name": OSS, "rpd": 10}])
    Pause.objects.create(provider="groq", kind="blocked_provider", source="guess", since=timezone.now())
    make_scan()
    make_call(outcome="running", finished_at=None)
    found = read()
    paused = [key for key in found if key[0] == "guardlabs_paused_until_seconds"]
    assert [dict(labels)["kind"] for _, labels in paused] == ["blocked_provider"]
    assert value(found, "guardlabs_reports_unfinished", status=str(Report.Status.PENDING)) == 1
    assert value(found, "guardlabs_attempts_in_flight") == 1
    assert [count for (name, _), count in found.items() if name == "guardlabs_quota_left"] == [10]


@pytest.mark.parametrize(
    ("meta", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_AUTHORIZATION": "Bearer let-me-in"}, 200),
        ({"REMOTE_ADDR": "203.0.113.5"}, 403),
        # A proxy on this machine that nobody declared: everybody seems to be local.
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.5"}, 403),
        ({"REMOTE_ADDR": "203.0.113.5", "HTTP_AUTHORIZATION": "Bearer let-me-in"}, 200),
        ({"REMOTE_ADDR": "203.0.113.5", "HTTP_AUTHORIZATION": "Bearer let-me-on"}, 403),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_AUTHORIZATION": "Bearer wrong"}, 403),
    ],
)
def test_with_a_token_set_it_is_for_whoever_brings_it(settings, meta, status):
    settings.METRICS_TOKEN = "let-me-in"
    assert Client().get("/metrics", **meta).status_code == status


def test_behind_a_declared_proxy_the_client_counts(settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    outside = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.5"}
    assert Client().get("/metrics", **outside).status_code == 403


def test_no_token_in_the_settings_is_no_token_to_guess(settings):
    settings.METRICS_TOKEN = ""
    meta = {"REMOTE_ADDR": "203.0.113.5", "HTTP_AUTHORIZATION": "Bearer "}
    assert Client().get("/metrics", **meta).status_code == 403


@pytest.mark.parametrize(
    "header",
    [
        "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PORT", "HTTP_CF_RAY",
        "HTTP_CF_CONNECTING_IP", "HTTP_TRUE_CLIENT_IP", "HTTP_X_CLUSTER_CLIENT_IP", "HTTP_CDN_LOOP",
        "HTTP_X_ORIGINAL_HOST", "HTTP_X_ENVOY_EXTERNAL_ADDRESS", "HTTP_X_AMZN_TRACE_ID",
    ],
)  # fmt: skip
def test_what_came_through_a_proxy_is_not_from_this_machine(settings, header):
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 200
    assert Client().get("/metrics", REMOTE_ADDR="::1").status_code == 200
    assert (
        Client().get("/metrics", **{"REMOTE_ADDR": "127.0.0.1", header: "for=203.0.113.5"}).status_code == 403
    )


def test_with_a_token_this_machine_needs_it_too(settings):
    settings.METRICS_TOKEN = "let-me-in"
    assert Client().get("/metrics", REMOTE_ADDR="127.0.0.1").status_code == 403


def test_how_the_processes_own_bookkeeper_does_is_told(monkeypatch):
    from llm.ledger import batches, books

    stats = batches.Stats(jobs=7, batches=3, largest=4, waited_s=0.5)
    monkeypatch.setattr(books.bookkeeper, "_stats", stats)
    told = {name: number for (name, labels), number in read().items() if name.startswith("guardlabs_ledger_")}
    assert told["guardlabs_ledger_jobs_total"] == 7
    assert told["guardlabs_ledger_batches_total"] == 3
    assert told["guardlabs_ledger_jobs_waiting"] == 0
    assert told["guardlabs_ledger_ends_overdue"] == 0
    assert told["guardlabs_ledger_wait_seconds_total"] == 0.5
