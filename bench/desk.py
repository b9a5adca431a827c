"""Does the admin stay as fast with a million attempts as with ten thousand, and ask as few questions?"""

import random
import tempfile
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from bench import environment
from bench.figures import Section, median_ms
from bench.ledger import another_database

SMALL, LARGE = 10_000, 1_000_000
DAYS = 31
REPEATS = 7
BATCH = 20_000
MOST_TIMES, MOST_QUERIES = 2.0, 10
ABOUT = (
    f"Two SQLite databases, of {SMALL:,} and {LARGE:,} attempts, spread over {DAYS} days up to now, with "
    "a call for every five attempts in three, and a scan and a report for every second call. Each page of staff is "
    f"opened {REPEATS} times on one and then on the other: medians side by side, and the number of queries. Each "
    "filter leaves more than a page on both, or a full page would be compared with a few rows. The first look adds up "
    "the days that nobody has looked at yet; later ones do not."
)
ENDS = (
    ["ok"] * 60
    + ["rate_limited_key"] * 20
    + ["provider_down"] * 10
    + ["empty_output"] * 6
    + ["rejected_output"] * 4
)
# credential, provider, tier, model, USD per million tokens
KEYS = [
    *((f"groq{n}", "groq", "1", "openai/gpt-oss-120b", 0) for n in range(1, 6)),
    ("openrouter", "openrouter", "1.5", "deepseek/deepseek-chat:free", 0),
    ("deepseek", "deepseek", "2", "deepseek-chat", 1),
]


def run() -> Section:
    section = Section(ABOUT)
    from django.contrib.auth import get_user_model
    from django.test import Client

    with tempfile.TemporaryDirectory() as directory, plain_files():
        urls = {size: f"sqlite:///{Path(directory) / str(size)}.sqlite3" for size in (SMALL, LARGE)}
        for size, url in urls.items():
            with another_database(url):
                environment.migrate()
                configure()
                get_user_model().objects.create_superuser("staff", password="x" * 12)
                began = time.monotonic()
                fill(size)
                section.add(f"{size:,} attempts: making them", time.monotonic() - began, "s")
                client = Client(SERVER_NAME="127.0.0.1")
                client.force_login(get_user_model().objects.get())
                first, _queries = look(client, "/admin/", 1)
                section.add(f"{size:,} attempts: the home's first look", median_ms(first), "ms")
        for name, path in pages():
            found = {}
            for size, url in urls.items():
                with another_database(url):
                    client = Client(SERVER_NAME="127.0.0.1")
                    client.force_login(get_user_model().objects.get())
                    found[size] = look(client, path, REPEATS)
            (small, few), (large, many) = found[SMALL], found[LARGE]
            note = f"{median_ms(small):.0f} ms and {median_ms(large):.0f} ms"
            section.add(
                f"{name}: times as long", median_ms(large) / median_ms(small), at_most=MOST_TIMES, note=note
            )
            section.add(f"{name}: more queries", many - few, at_most=0)
            limit = MOST_QUERIES if name.startswith("list") else None
            section.add(f"{name}: queries", many, at_most=limit)
    return section


def plain_files() -> Any:
    """Static files under their own names: nothing is collected for a benchmark."""
    from django.conf import settings
    from django.test import override_settings

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    return override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain})


def pages() -> list[tuple[str, str]]:
    from django.utils import timezone

    day, month = (
        f"{timezone.now() - timedelta(days=days):%Y-%m-%d}+00:00:00%2B00:00" for days in (0, DAYS - 1)
    )
    return [
        ("home", "/admin/"),
        ("chain", "/admin/llm/provider/chain/"),
        ("list of calls", "/admin/llm/call/"),
        ("list of calls, exhausted", "/admin/llm/call/?outcome__exact=exhausted"),
        ("list of calls, tier 2", "/admin/llm/call/?tier=2"),
        ("list of calls, cached", "/admin/llm/call/?cached__exact=1"),
        ("list of attempts", "/admin/llm/attempt/"),
        ("list of attempts, today", f"/admin/llm/attempt/?started_at__gte={day}"),
        ("list of attempts, one kind", f"/admin/llm/attempt/?outcome=provider_down&started_at__gte={day}"),
        ("list of attempts, one provider", "/admin/llm/attempt/?provider=deepseek"),
        ("list of scans", "/admin/audit/scan/"),
        ("list of scans, Russian", "/admin/audit/scan/?lang=ru"),
        ("list of scans, tier 2", "/admin/audit/scan/?tier=2"),
        ("list of scans, band", "/admin/audit/scan/?band=solid"),
        ("list of scans, to review", "/admin/audit/scan/?flagged=yes&reviewed=no"),
        ("list of scans, by reference", "/admin/audit/scan/?q=2345-6789"),
        ("list of reports", "/admin/audit/report/"),
        ("list of reports, tier 2", f"/admin/audit/report/?tier=2&finished_at__gte={month}"),
    ]


def look(client: Any, path: str, times: int) -> tuple[list[float], int]:
    """Seconds of each look at a page, and its queries; one look before is not counted, unless there is one only."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    seconds, queries = [], 0
    for turn in range(times + (times > 1)):
        with CaptureQueriesContext(connection) as asked:
            began = time.perf_counter()
            response = client.get(path)
            took = time.perf_counter() - began
        if response.status_code != 200:
            raise RuntimeError(f"{path}: {response.status_code}")
        if turn or times == 1:
            seconds.append(took)
            queries = len(asked)
    return seconds, queries


def configure() -> None:
    """Providers whose names the rows carry."""
    from llm.models import Credential, Model, Provider

    for label, slug, tier, model, price in KEYS:
        provider, _made = Provider.objects.get_or_create(
            slug=slug,
            defaults={"kind": "openai", "name": slug.title(), "tier": Decimal(tier), "free": not price,
                      "base_url": "http://127.0.0.1:9/v1", "daily_budget_usd": Decimal(5) if price else None},
        )  # fmt: skip
        Credential.objects.create(provider=provider, label=label, secret=f"key-of-{label}", account=label)
        Model.objects.get_or_create(
            provider=provider, name=model,
            defaults={"price_in": price, "price_out": price, "rpd": None if price else 1000},
        )  # fmt: skip


def fill(attempts: int) -> None:
    """Writes so many attempts, with their calls, scans and reports, spread over DAYS days up to now.

    Beyond SMALL the database copies them, each copy a little later: a multiple of SMALL only.
    """
    from audit.models import Report, Scan
    from llm.models import Attempt, Call

    times = max(attempts // SMALL, 1)
    first = min(attempts, SMALL)
    calls, scans = first * 3 // 5, first * 3 // 10
    make(first, calls, scans)
    shift_s = DAYS * 86_400 / calls / times
    for model, rows in ((Call, calls), (Attempt, first), (Scan, scans), (Report, scans)):
        copy(model, times, shift_s, {"id": rows, "call_id": calls, "scan_id": scans})
        assert model.objects.count() == rows * times


def copy(model: Any, times: int, shift_s: float, steps: dict[str, int]) -> None:
    """Each row `times` times, with its ids moved by `steps` and its times by seconds from copy to copy."""
    from django.db import connection, models

    columns = []
    for field in model._meta.concrete_fields:
        value = f'"{field.column}"'
        if field.column in steps:
            value = f"{value} + n * {steps[field.column]}"
        elif isinstance(field, models.DateTimeField):
            value = f"strftime('%Y-%m-%d %H:%M:%f', {value}, (n * {shift_s}) || ' seconds')"
        elif field.unique:
            value = f"{value} || '-' || n"
        elif field.name == "reference":
            value = "'ZZ' || substr('0' || n, -2) || '-' || substr('000' || id, -4)"
        columns.append(value)
    table, names = model._meta.db_table, ", ".join(f'"{each.column}"' for each in model._meta.concrete_fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < {times - 1}) "
            f"INSERT INTO {table} ({names}) SELECT {', '.join(columns)} FROM {table}, copies WHERE {times} > 1"
        )


def make(attempts: int, calls: int, scans: int) -> None:
    """The rows themselves, numbered from 1."""
    from django.utils import timezone

    from audit.models import Scan
    from audit.scans import tokens
    from llm.models import Attempt, Call
    from tests.factories import load_bank, make_scan

    load_bank()
    pattern = make_scan("middle", ai=False)
    report_pattern = pattern.reports.get()
    Scan.objects.all().delete()
    pattern.result, report_pattern.markdown = {}, "A report. " * 20  # else the disk would be measured: 5 GB
    now, dice = timezone.now(), random.Random(1)
    step = timedelta(days=DAYS) / calls
    ends = [dice.choice(ENDS) for _ in range(1009)]  # a prime, so that nothing falls into step

    def call_of(n: int) -> dict[str, Any]:
        label, _slug, tier, model, price = KEYS[(n + n // 7) % len(KEYS)]
        at = now - timedelta(days=DAYS) + step * n
        lost = n % 97 == 0
        return {
            "id": n + 1, "started_at": at, "finished_at": at + timedelta(seconds=2), "purpose": "audit-report",
            "lang": ("en", "ru", "es")[n % 3], "outcome": "exhausted" if lost else "ok", "cached": n % 50 == 0,
            "provider": "" if lost else label, "model": model, "tier": None if lost else Decimal(tier),
            "attempt_count": 2, "tokens_in": 900, "tokens_out": 700, "latency_ms": 300 + n * 37 % 9000,
            "cost_usd": Decimal(price * 1600) / 1_000_000,
        }  # fmt: skip

    def attempt_of(n: int) -> dict[str, Any]:
        of = n * 3 // 5
        label, slug, tier, model, price = KEYS[(of + of // 7) % len(KEYS)]
        at = now - timedelta(days=DAYS) + step * of
        outcome = ends[n % len(ends)]
        used = (900, 700) if outcome == "ok" else (0, 0)
        return {
            "id": n + 1, "call_id": of + 1, "provider": slug, "credential": label, "account": label, "model": model,
            "tier": Decimal(tier), "free": not price, "started_at": at, "finished_at": at + timedelta(seconds=1),
            "outcome": outcome, "latency_ms": 300 + n * 31 % 5000, "tokens_in": used[0], "tokens_out": used[1],
            "cost_usd": Decimal(price * sum(used)) / 1_000_000,
        }  # fmt: skip

    def scan_of(n: int) -> dict[str, Any]:
        call, public_id = call_of(2 * n), f"{n:020d}"
        lost = call["outcome"] != "ok"
        return {
            "id": n + 1, "public_id": public_id, "reference": tokens.reference(public_id),
            "created_at": call["started_at"], "lang": call["lang"], "score": n * 13 % 101,
            "tier": Decimal(4) if lost else call["tier"], "provider": call["provider"] or "fallback-template",
            "flagged": n % 11 == 0, "reviewed_at": call["started_at"] if n % 22 == 0 else None,
        }  # fmt: skip

    def report_of(n: int) -> dict[str, Any]:
        scan, call = scan_of(n), call_of(2 * n)
        return {
            "id": n + 1, "scan_id": n + 1, "call_id": 2 * n + 1, "tier": scan["tier"], "status": "ready",
            "provider": scan["provider"], "created_at": call["started_at"], "finished_at": call["finished_at"],
            "cost_usd": call["cost_usd"],
        }  # fmt: skip

    insert(Call(started_at=now, deadline_s=45), (call_of(n) for n in range(calls)))
    insert(Attempt(tier=Decimal(1), free=True, started_at=now), (attempt_of(n) for n in range(attempts)))
    insert(pattern, (scan_of(n) for n in range(scans)))
    insert(report_pattern, (report_of(n) for n in range(scans)))


def insert(pattern: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Rows like the pattern but for what they name, past the ORM, which would take minutes."""
    from django.db import connection, transaction

    fields = list(pattern._meta.concrete_fields)
    like = {
        field.attname: field.get_db_prep_save(getattr(pattern, field.attname), connection) for field in fields
    }
    table, columns = pattern._meta.db_table, ", ".join(f'"{field.column}"' for field in fields)
    sql = f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(fields))})"
    ready = ([*(like | {name: _plain(value) for name, value in row.items()}).values()] for row in rows)
    with transaction.atomic(), connection.cursor() as cursor:
        while batch := list(islice(ready, BATCH)):
            cursor.executemany(sql, batch)


def _plain(value: Any) -> Any:
    """As SQLite keeps it."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ")
    return str(value) if isinstance(value, Decimal) else value
