"""A copy of the database is worth what can be restored from it."""

import fcntl
import json
import os
import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from guardlabs.operations import backup as copies
from tests.test_postgres import INITDB, PG_CTL, postgres_url  # noqa: F401  # a fixture
from tests.test_two_servers import ROOT

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OTHER = "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk="
# What 0.1.0 wrote beside a copy, with the SECRET_KEY "kkk…" and this KEY.
OF_0_1_0 = {"SECRET_KEY": "b900e903ffcb", "ENCRYPTION_KEYS": "5b9bca9c3cae"}
FILL = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
call_command("load_bank", verbosity=0)
from llm import secrets
from llm.models import Credential, Provider
groq = Provider.objects.create(slug="groq", kind="groq", name="Groq")
Credential.objects.create(provider=groq, label="groq1", secret=secrets.seal("gsk_the_key"))
from tests.factories import make_order, make_scan
scan = make_scan("worst", ai=False)
make_order("delivered", scan=scan)
call_command("backup", {folder!r})
scan.delete(); Provider.objects.all().delete()
from audit.models import Order
Order.objects.all().delete()
"""
TELL = """
import json, re
from django.test import Client
from audit.scans import service as scans
from audit.models import Order, Scan
from llm.models import Credential
scan = Scan.objects.get()
page = Client().get(f"/en/r/{scans.scan_token(scan)}/")
told = {"token": scans.scan_token(scan), "status": page.status_code, "score": scan.score,
        "page": re.sub(r"\\s+", " ", page.content.decode()), "orders": [(o.code, o.state) for o in Order.objects.all()],
        "key": Credential.objects.get().key()}
print(json.dumps(told))
"""


def manage(environment, *arguments, ok=True):
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done


def environment_for(url, key=KEY):
    return {
        **os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": url, "ENCRYPTION_KEYS": key,
        "PYTHONPATH": str(ROOT), "ALLOWED_HOSTS": "testserver",
    }  # fmt: skip


def prove(url, folder):
    environment = environment_for(url)
    before_deleting = FILL.replace("{folder!r}", repr(str(folder))).replace(
        "scan.delete();", "exec(TELL)\nscan.delete();"
    )
    filled = manage(environment, "shell", "-v0", "-c", f"TELL = {TELL!r}\n{before_deleting}").stdout
    before = json.loads(re.search(r"^\{.*\}$", filled, re.MULTILINE)[0])
    (copy,) = [path for path in folder.iterdir() if path.suffix != ".json"]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert KEY.encode() not in copy.read_bytes()
    assert b"gsk_the_key" not in copy.read_bytes()

    refused = manage(environment, "restore", str(copy), ok=False)
    assert "--replace" in refused.stderr
    restored = manage(environment, "restore", str(copy), "--replace")
    assert "cannot be read" not in restored.stderr
    after = json.loads(manage(environment, "shell", "-v0", "-c", TELL).stdout)
    assert after == before
    assert (after["status"], after["key"], len(after["orders"])) == (200, "gsk_the_key", 1)
    return copy


def test_what_is_restored_is_what_was_there(tmp_path):
    url = f"sqlite:///{tmp_path / 'site.sqlite3'}"
    copy = prove(url, tmp_path / "copies")
    elsewhere = environment_for(f"sqlite:///{tmp_path / 'new.sqlite3'}", key=OTHER)
    said = manage(elsewhere, "restore", str(copy))  # an empty database needs no --replace
    assert "ENCRYPTION_KEYS is not the one" in said.stderr
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"no database")
    assert (
        "no database of this site" in manage(elsewhere, "restore", str(broken), "--replace", ok=False).stderr
    )


@pytest.mark.exhaustive
@pytest.mark.skipif(not (INITDB and PG_CTL), reason="PostgreSQL is not on this machine")
def test_what_is_restored_is_what_was_there_on_postgresql(tmp_path, postgres_url):  # noqa: F811
    prove(postgres_url, tmp_path / "copies")


# -- copies that meet each other, and what a killed one leaves ------------------------------------------


@pytest.fixture
def a_file_database(settings, tmp_path, monkeypatch):
    """backup() and restore() on a SQLite file of this test's own."""
    own = tmp_path / "own.sqlite3"
    with closing(sqlite3.connect(own)) as made:
        made.execute("CREATE TABLE django_migrations (id INTEGER)")
        made.execute("CREATE TABLE audit_scan (id INTEGER)")
        made.commit()
    monkeypatch.setattr(copies, "connection", FileConnection(own))
    monkeypatch.setattr(copies, "call_command", lambda *args, **kwargs: None)
    return own


class FileConnection:
    vendor = "sqlite"

    def __init__(self, file):
        self.settings_dict = {"NAME": str(file)}
        self.introspection = self

    def table_names(self):
        return ["audit_scan"]

    def close(self):
        pass


def modes(folder):
    return {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir()}


def test_copies_of_the_same_second_have_names_of_their_own(a_file_database, tmp_path, monkeypatch):
    monkeypatch.setattr(copies.timezone, "now", lambda: datetime(2026, 11, 28, 12, tzinfo=UTC))
    folder = tmp_path / "copies"
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _number: copies.backup(folder), range(4)))
    assert len(set(made)) == 4
    for file in made:
        copies._check_sqlite(file)
    assert sorted(modes(folder)) == sorted(name for file in made for name in (file.name, f"{file.name}.json"))
    assert set(modes(folder).values()) == {"0o600"}


def test_a_failed_copy_leaves_nothing_and_harms_no_other(a_file_database, tmp_path, monkeypatch):
    folder = tmp_path / "copies"
    good = copies.backup(folder)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copies, "_copy_sqlite", full)
    with pytest.raises(OSError, match="No space"):
        copies.backup(folder)
    assert sorted(modes(folder)) == [good.name, f"{good.name}.json"]


def test_what_a_killed_copy_left_is_removed_by_the_next_and_a_running_one_is_not(a_file_database, tmp_path):
    folder = tmp_path / "copies"
    folder.mkdir()
    dead = folder / ".guardlabs-20261128-110000.sqlite3.partial"
    for name in (dead.name, f"{dead.name}-journal"):
        (folder / name).write_text("half of all data")
    running = folder / ".guardlabs-20261128-110001.sqlite3.partial"
    with running.open("w") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        made = copies.backup(folder)
        assert sorted(modes(folder)) == sorted([running.name, made.name, f"{made.name}.json"])


def test_a_restored_file_is_for_its_owner_alone(a_file_database, tmp_path):
    made = copies.backup(tmp_path / "copies")
    a_file_database.unlink()
    copies.restore(made, replace=True)
    assert oct(a_file_database.stat().st_mode & 0o777) == "0o600"
    a_file_database.chmod(0o644)
    copies.restore(made, replace=True)
    assert oct(a_file_database.stat().st_mode & 0o777) == "0o600"


@pytest.mark.exhaustive
@pytest.mark.skipif(not (INITDB and PG_CTL), reason="PostgreSQL is not on this machine")
def test_going_back_removes_what_a_later_release_made(tmp_path, postgres_url):  # noqa: F811
    """A table that points to an old one, a view, a sequence, a table of its own: the schema is replaced whole."""
    environment = environment_for(postgres_url)
    manage(environment, "migrate", "-v0")
    copy = manage(environment, "backup", str(tmp_path)).stdout.strip()
    with psycopg.connect(postgres_url, autocommit=True) as later:
        later.execute("CREATE TABLE later (id serial PRIMARY KEY, scan bigint REFERENCES audit_scan (id))")
        later.execute("CREATE VIEW later_view AS SELECT id FROM audit_scan")
        later.execute("CREATE TABLE later_alone (id int)")
        later.execute("CREATE SEQUENCE later_sequence")
        later.execute("ALTER TABLE audit_scan ADD COLUMN later text")
    manage(environment, "restore", "--replace", copy)
    with psycopg.connect(postgres_url) as seen:
        names = {row[0] for row in seen.execute("SELECT relname FROM pg_class WHERE relname LIKE 'later%'")}
        columns = seen.execute(
            "SELECT 1 FROM information_schema.columns WHERE column_name = 'later'"
        ).fetchall()
        done = seen.execute("SELECT count(*) FROM django_migrations").fetchone()[0]
    assert (names, columns) == (set(), [])
    assert done > 10


@pytest.mark.skipif(not (INITDB and PG_CTL), reason="PostgreSQL is not on this machine")
def test_a_copy_that_cannot_be_read_changes_nothing(tmp_path, postgres_url):  # noqa: F811
    with psycopg.connect(postgres_url, autocommit=True) as here:
        here.execute("CREATE TABLE IF NOT EXISTS keep_me (id int)")
    broken = tmp_path / "guardlabs-x.dump"
    broken.write_bytes(b"PGDMP is not a dump")
    manage(environment_for(postgres_url), "restore", "--replace", str(broken), ok=False)
    with psycopg.connect(postgres_url) as seen:
        assert seen.execute("SELECT count(*) FROM keep_me").fetchone() == (0,)


def test_a_copy_of_an_earlier_release_knows_its_keys(settings):
    settings.SECRET_KEY, settings.ENCRYPTION_KEYS = "k" * 50, [KEY]
    assert copies.strange_keys(OF_0_1_0) == []
    settings.SECRET_KEY, settings.ENCRYPTION_KEYS = "l" * 50, [OTHER]
    assert copies.strange_keys(OF_0_1_0) == ["SECRET_KEY", "ENCRYPTION_KEYS"]


def test_keys_that_were_changed_and_kept_still_open_a_copy(settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "l" * 50, ["k" * 50]
    settings.ENCRYPTION_KEYS = [OTHER, KEY]
    assert copies.strange_keys(OF_0_1_0) == []
    made_with = copies._fingerprints()
    settings.ENCRYPTION_KEYS = [OTHER]  # what KEY sealed cannot be opened any more
    assert copies.strange_keys(made_with) == ["ENCRYPTION_KEYS"]
