"""`python -m tests.ten_million`, on a PostgreSQL of its own: fills the ledger, asks what a site asks, prints plans.

One JSON object a line: the question, the statement, the large tables that its plan reads from end to end, and its
time in milliseconds.
"""

import json
import os
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from llm.calls.deployment import Deployment
from llm.configuration import snapshot
from llm.ledger import bookkeeper
from llm.limits import quota
from llm.models import Attempt, Call, Credential, Model, Provider
from llm.pauses import breaker
from llm.status import usage
from tests.factories import load_bank

LARGE = {Attempt._meta.db_table, Call._meta.db_table}
FILL = [
    """INSERT INTO llm_call (id, purpose, client, lang, started_at, finished_at, deadline_s, outcome, messages, text,
        provider, model, tier, cached, attempt_count, tokens_in, tokens_out, cost_usd, latency_ms)
    SELECT n, 'audit-report', '', 'en', now() - n * interval '3 seconds', now() - n * interval '3 seconds', 45, 'ok',
        '[]', '', 'groq1', 'm', 1, false, 2, 900, 700, 0, 900 FROM generate_series(1, %(calls)s) AS n""",
    """INSERT INTO llm_attempt (id, call_id, provider, credential, account, model, location, tier, free, started_at,
        finished_at, outcome, latency_ms, detail, estimated_in, reserved_tokens, reserved_usd, tokens_in, tokens_out,
        price_source, cost_usd)
    SELECT n, 1 + n / 2, CASE WHEN n %% 10 = 0 THEN 'deepseek' ELSE 'groq' END, 'groq' || n %% 5,
        CASE WHEN n %% 10 = 0 THEN 'deepseek' ELSE 'org-' || n %% 5 END, 'm', '', 1, n %% 10 <> 0,
        now() - n * interval '1.5 seconds', now() - n * interval '1.5 seconds',
        CASE WHEN n %% 7 = 0 THEN 'provider_down' ELSE 'ok' END, 900, '', 800, 2000, 0.001, 900, 700, 'staff', 0.0005
    FROM generate_series(1, %(attempts)s) AS n""",
]


def fill(attempts):
    """Rows first, indexes after: that is quicker, and what a restore does."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('llm_attempt', 'llm_call') "
            "AND indexname NOT LIKE %s", ["%%_pkey"],
        )  # fmt: skip
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute("ALTER TABLE llm_attempt DISABLE TRIGGER ALL")
        for statement in FILL:
            cursor.execute(statement, {"attempts": attempts, "calls": attempts // 2 + 1})
        cursor.execute("ALTER TABLE llm_attempt ENABLE TRIGGER ALL")
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE llm_attempt")
        cursor.execute("VACUUM ANALYZE llm_call")


def configure():
    load_bank()
    for slug, free in (("groq", True), ("deepseek", False)):
        row = Provider.objects.create(
            slug=slug, kind="openai", name=slug, free=free, tier=1, daily_budget_usd=None if free else 5
        )
        Model.objects.create(
            provider=row, name="m", rpm=30, rpd=1000, tpm=8000, tpd=200_000, price_in=1, price_out=1
        )
        Credential.objects.create(
            provider=row, label=f"{slug}1", account="org-1" if free else slug, secret="k"
        )
    get_user_model().objects.create_superuser("boss", password="x")


def questions():
    provider = snapshot.providers()[0]
    deployment = Deployment(provider, provider.keys[0], provider.models[0])
    desk = Client()
    desk.force_login(get_user_model().objects.get())

    def page(path):
        answer = desk.get(path)
        assert answer.status_code == 200, (path, answer.status_code)

    def meter():
        return quota.LedgerMeter(timezone.now())

    return {
        "the stamp of the configuration": snapshot.read,
        "the quota meter": lambda: meter().used(deployment),
        "a provider's budget": lambda: meter().spent_today("deepseek"),
        "the site's budget": lambda: meter().spent_today(""),
        "a client's budget": lambda: meter().spent_by("shop"),
        "the last answers of a model": lambda: breaker._empties_in_a_row(deployment),
        "calls that lost their worker": bookkeeper.mark_abandoned,
        "the list of attempts": lambda: page("/admin/llm/attempt/"),
        "the list of attempts that failed": lambda: page("/admin/llm/attempt/?outcome__exact=provider_down"),
        "the list of calls": lambda: page("/admin/llm/call/"),
        "the chain page": lambda: page("/admin/llm/provider/chain/"),
        "kept sums, once they are kept": usage.read,
    }


def main(attempts):
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    configure()
    began = time.monotonic()
    fill(attempts)
    print(json.dumps({"filled_s": round(time.monotonic() - began)}), flush=True)
    usage.read()  # sums of the days before, once
    for name, ask in questions().items():
        heard = []

        def listen(execute, sql, params, many, context, heard=heard):
            heard.append((sql, params))
            return execute(sql, params, many, context)

        began = time.monotonic()
        with connection.execute_wrapper(listen):
            ask()
        took = round((time.monotonic() - began) * 1000)
        for sql, params in heard:
            if sql.lstrip().upper().startswith(("SELECT", "UPDATE")) and any(
                f'"{t}"' in sql or f" {t}" in sql for t in LARGE
            ):
                with connection.cursor() as cursor:
                    cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
                    plan = cursor.fetchone()[0]
                plan = json.loads(plan) if isinstance(plan, str) else plan
                print(
                    json.dumps(
                        {"ask": name, "sql": sql[:300], "scans": sorted(whole(plan[0]["Plan"])), "ms": took}
                    )
                )


def whole(node):
    """Large tables that a plan reads from end to end."""
    found = {node["Relation Name"]} if node["Node Type"].endswith("Seq Scan") else set()
    for child in node.get("Plans", ()):
        found |= whole(child)
    return found & LARGE


if __name__ == "__main__":
    main(int(sys.argv[1]))
