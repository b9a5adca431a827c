"""/metrics for Prometheus. The numbers are the ledger's, so they are the same whichever process answers.

For whoever brings METRICS_TOKEN as a bearer token; without that setting, for this machine itself.
"""

import os
from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from audit.models import Report
from guardlabs.operations.watchers import is_watcher
from llm.configuration import snapshot
from llm.ledger import books, spending
from llm.models import Attempt, Call
from llm.operations import overdue
from llm.status import facts, usage
from llm.status.verdict import State
from llm.storage import rollup

RUNNING = "running"
# Upper ends of the latency buckets: every fourth of the ledger's own, about a doubling.
EDGES = range(20, 65, 4)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    if not is_watcher(request):
        return HttpResponse(
            "Only from this machine, or with METRICS_TOKEN as a bearer token.\n", "text/plain", 403
        )
    return HttpResponse(generate_latest(Ledger()), CONTENT_TYPE_LATEST)


class Ledger(Collector):
    """Reads every number anew; kept sums of past hours and days make that cheap."""

    def collect(self) -> Iterable[Metric]:
        now = timezone.now()
        yield from self._attempts(usage.tried(rollup.total(usage.ATTEMPTS, now)))
        yield from self._calls(usage.called(rollup.total(usage.CALLS, now)))
        yield from self._state(rollup.read(usage.ATTEMPTS, now))
        yield from self._verdict()
        yield from self._bookkeeper()

    def _attempts(self, lines: Iterable[usage.Tried]) -> Iterable[Metric]:
        names = ["provider", "credential", "model", "location"]
        attempts = CounterMetricFamily(
            "guardlabs_attempts", "Attempts that are over, by how they ended.", labels=[*names, "outcome"]
        )
        tokens = CounterMetricFamily("guardlabs_tokens", "Tokens used, input and output.", labels=names)
        cost = CounterMetricFamily("guardlabs_cost_usd", "What attempts have cost, in USD.", labels=names)
        for line in lines:
            if line.outcome == RUNNING:
                continue
            who = [line.provider, line.credential, line.model, line.location]
            attempts.add_metric([*who, line.outcome], line.number)
            tokens.add_metric(who, line.tokens)
            cost.add_metric(who, float(spending.usd(line.micros)))
        yield _summed(attempts)
        yield _summed(tokens)
        yield _summed(cost)

    def _calls(self, lines: Iterable[usage.Called]) -> Iterable[Metric]:
        calls = CounterMetricFamily(
            "guardlabs_calls", "Calls to the chain that are over.", labels=["purpose", "outcome", "cached"]
        )
        times: dict[str, dict[int, int]] = {}
        for line in lines:
            if line.outcome == RUNNING:
                continue
            calls.add_metric([line.purpose, line.outcome, str(line.cached).lower()], line.number)
            if line.outcome == Call.Outcome.OK and not line.cached:
                buckets = times.setdefault(line.purpose, {})
                buckets[line.bucket] = buckets.get(line.bucket, 0) + line.number
        yield _summed(calls)
        latency = HistogramMetricFamily(
            "guardlabs_call_seconds", "How long answered calls took; kept replies aside.", labels=["purpose"]
        )
        for purpose, buckets in times.items():
            upto = [(f"{usage.STEP**edge / 1000:.3g}", _count(buckets, edge)) for edge in EDGES]
            latency.add_metric([purpose], [*upto, ("+Inf", sum(buckets.values()))], sum_value=None)
        yield latency

    def _state(self, sums: rollup.Sums) -> Iterable[Metric]:
        now = timezone.now()
        left = GaugeMetricFamily(
            "guardlabs_quota_left",
            "What is left of today's free quota.",
            labels=["provider", "account", "model", "of"],
        )
        for quota in usage.quotas_left(sums, now):
            for of, value in (("requests", quota.requests), ("tokens", quota.tokens)):
                if value is not None:
                    left.add_metric([quota.provider, quota.account, quota.model, of], value)
        yield left
        paused = GaugeMetricFamily(
            "guardlabs_paused_until_seconds", "Open pauses: when they end (Unix time), +Inf when staff must act.",
            labels=["provider", "credential", "account", "model", "location", "kind"],
        )  # fmt: skip
        for slug, pauses in snapshot.open_pauses().items():
            for pause in pauses:
                if pause.until is None or pause.until > now:
                    names = [slug, pause.credential, pause.account, pause.model, pause.location, pause.kind]
                    paused.add_metric(names, pause.until.timestamp() if pause.until else float("inf"))
        yield paused
        in_flight = GaugeMetricFamily("guardlabs_attempts_in_flight", "Attempts that have not ended.")
        in_flight.add_metric([], Attempt.objects.filter(outcome=RUNNING).count())
        yield in_flight
        reports = GaugeMetricFamily(
            "guardlabs_reports_unfinished", "Reports that wait or are being written.", labels=["status"]
        )
        for status in (Report.Status.PENDING, Report.Status.WRITING):
            reports.add_metric([status], Report.objects.filter(status=status).count())
        yield reports

    def _verdict(self) -> Iterable[Metric]:
        found = facts.verdict()
        status = GaugeMetricFamily(
            "guardlabs_status",
            "1 for the state that the whole is in, as the status line says it.",
            labels=["state"],
        )
        for state in State:
            status.add_metric([state], float(found.state is state))
        yield status
        troubles = GaugeMetricFamily("guardlabs_trouble", "What is wrong, by its code.", labels=["reason"])
        for reason in sorted({each.reason for each in found.troubles}):
            troubles.add_metric([reason], 1)
        yield troubles

    def _bookkeeper(self) -> Iterable[Metric]:
        """The one part that is this process's own: how its calls wait for the ledger."""
        stats, process = books.bookkeeper.stats(), [str(os.getpid())]
        waiting = GaugeMetricFamily(
            "guardlabs_ledger_jobs_waiting", "Jobs that wait for the bookkeeper.", labels=["process"]
        )
        waiting.add_metric(process, stats.waiting)
        yield waiting
        late = GaugeMetricFamily(
            "guardlabs_ledger_ends_overdue",
            "Answered calls whose end is not written yet.",
            labels=["process"],
        )
        late.add_metric(process, overdue.waiting())
        yield late
        for name, text, value in (
            ("jobs", "Jobs that the bookkeeper has done.", stats.jobs),
            ("batches", "Transactions that it took for them.", stats.batches),
            ("wait_seconds", "What jobs have waited for their transaction, together.", stats.waited_s),
            ("write_seconds", "What the transactions took, together.", stats.written_s),
        ):
            counter = CounterMetricFamily(f"guardlabs_ledger_{name}", text, labels=["process"])
            counter.add_metric(process, value)
            yield counter


def _summed(metric: CounterMetricFamily) -> CounterMetricFamily:
    """The metric with one sample for each set of labels."""
    sums: dict[tuple[tuple[str, str], ...], float] = {}
    for sample in metric.samples:
        key = tuple(sample.labels.items())
        sums[key] = sums.get(key, 0) + sample.value
    metric.samples.clear()
    for key, value in sums.items():
        metric.add_metric([word for _, word in key], value)
    return metric


def _count(buckets: dict[int, int], edge: int) -> int:
    """Calls of the buckets below an edge: a bucket ends where the next one begins."""
    return sum(number for bucket, number in buckets.items() if bucket < edge)
