"""A copy of the database is worth what can be restored from it."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.test_postgres import INITDB, PG_CTL, postgres_url  # noqa: F401  # a fixture
from tests.test_two_servers import ROOT

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OTHER = "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk="
FILL = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
call_command("load_bank", verbosity=0)
from llm.configuration import secrets
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
