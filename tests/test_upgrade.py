"""The database of the last release, brought to this one by `prepare`, and by `restore`: nothing is lost, and the site
serves it.

tests/releases/VERSION.sql is what that release itself wrote: its bank and presets, a scan, an order, calls and their
attempts, a client, an encrypted key and two users.
"""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
RELEASES = sorted((ROOT / "tests" / "releases").glob("*.sql"))
TOKEN = "cATCeMj6zIYw-V4ebvWCeg.IPuxnak7HFjCvsC-Vq8XVE"  # a link that the release before sent out
TELL = """
import json

from django.contrib.auth import get_user_model
from django.db.models import Sum
from django.test import Client
from django.urls import reverse
from audit.models import Order, Question, Scan

from llm.models import Attempt, Call, Client as Caller, Credential, Provider
from django.contrib import admin
from django.db.migrations.executor import MigrationExecutor
from django.db import connection

visitor, staff = Client(), Client()
staff_in = staff.login(username="boss", password="a-password-of-the-last-release")
staff.force_login(get_user_model().objects.get(username="boss"))
pages = ["/en/", "/ru/", "/es/", "/en/scan/", f"/en/r/TOKEN/", "/en/method/", "/readyz", "/healthz",
         "/api/v1/scans/TOKEN", "/api/v1/questionnaire?lang=ru"]
told = {"pages": {page: visitor.get(page).status_code for page in pages}, "staff_in": staff_in}
inside = ["/admin/", "/admin/llm/provider/chain/"]
inside += [
    reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in admin.site._registry
]
told["inside"] = {page: staff.get(page).status_code for page in inside}
told["calls"] = Call.objects.filter(text__gt="").count(), Attempt.objects.filter(provider="own").count()
told["cost"] = str(Attempt.objects.aggregate(Sum("cost_usd"))["cost_usd__sum"])
questions = visitor.get("/api/v1/questionnaire?lang=en").json()["questions"]
answers = {each["id"]: each["options"][-1]["value"] for each in questions}
made = visitor.post("/api/v1/scans", json.dumps({"lang": "en", "answers": answers, "ai": True}), "application/json")
told["new scan"] = made.status_code, made.json().get("report_status")
told["orders"] = sorted(Order.objects.values_list("code", "state"))
told["key"] = Credential.objects.get(label="kept").key()
told["clients"] = list(Caller.objects.values_list("name", flat=True))
executor = MigrationExecutor(connection)
told["unmigrated"] = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
print("TOLD" + json.dumps(told))
"""


@pytest.fixture
def old(request, tmp_path):
    """Environment of a site on the database of a release."""
    file = tmp_path / "site.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(request.param.read_text())
    return {
        **os.environ, "DJANGO_SETTINGS_MODULE": "guardlabs.settings", "DATABASE_URL": f"sqlite:///{file}",
        "LLM_ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",
        "SECRET_KEY": "the-key-of-the-last-release-" + "k" * 40,
        "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "REDIS_URL": "", "DEBUG": "on",
        "SITE_URL": "http://testserver", "ALLOWED_HOSTS": "testserver", "FILE": str(file),
    }  # fmt: skip


def manage(environment, *arguments):
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("old", RELEASES, ids=lambda path: path.stem, indirect=True)
def test_the_database_of_a_release_before_is_upgraded_and_served(old):
    with closing(sqlite3.connect(old["FILE"])) as database:
        orders = sorted(database.execute("SELECT code, state FROM audit_order").fetchall())
        cost = database.execute("SELECT SUM(cost_usd) FROM llm_attempt").fetchone()[0]
    copy = Path(old["FILE"]).with_name("copy.sqlite3")  # what `backup` of that release wrote
    copy.write_bytes(Path(old["FILE"]).read_bytes())
    for arguments in (
        ["prepare", "--database"], ["restore", str(copy), "--replace"], ["prepare", "--database"],
    ):  # fmt: skip
        assert "Admin user" not in manage(old, *arguments)  # there is one
    told = json.loads(
        manage(old, "shell", "-v0", "-c", TELL.replace("TOKEN", TOKEN)).partition("TOLD")[2].splitlines()[0]
    )
    assert set(told["pages"].values()) == {200}, told["pages"]
    assert set(told["inside"].values()) == {200}, told["inside"]
    assert told["staff_in"]
    assert told["new scan"] == [201, "ready"]
    assert [tuple(order) for order in told["orders"]] == orders != []
    assert told["calls"] == [3, 3]
    assert float(told["cost"]) == pytest.approx(float(cost))
    assert told["key"] == "gsk_the_key_of_the_last_release"
    assert told["clients"] == ["shop"]
    assert told["unmigrated"] == 0


def test_every_release_before_this_one_has_its_database():
    assert RELEASES


# Which only staff write, and `load_bank`.
BANK = {"audit_incident"}


@pytest.mark.django_db
def test_the_release_before_can_write_what_it_always_wrote():
    """While nodes are restarted in turn, it runs beside this one's database: nothing is gone, nothing is asked for."""
    gone, asked = [], []
    with closing(sqlite3.connect(":memory:")) as before, connection.cursor() as cursor:
        before.executescript(RELEASES[-1].read_text())
        tables = {name for (name,) in before.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in sorted(name for name in tables if name.startswith(("audit_", "llm_"))):
            known = {row[1] for row in before.execute(f"PRAGMA table_info({table})")}
            now = {each.name: each for each in connection.introspection.get_table_description(cursor, table)}
            gone += [f"{table}.{name}" for name in known - set(now)]
            asked += [
                f"{table}.{name}" for name, column in now.items()
                if name not in known and not column.null_ok and column.default is None and table not in BANK
            ]  # fmt: skip
    assert gone == []
    assert asked == [], "give these a db_default"
