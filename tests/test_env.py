"""Environment variables are read strictly: what cannot be read stops the start, by name."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from guardlabs import env
from guardlabs.operations.logs import redact


def test_booleans_are_on_or_off(monkeypatch):
    for text, value in {"on": True, "1": True, "Yes": True, "off": False, "0": False, "": False}.items():
        monkeypatch.setenv("DEBUG", text)
        assert env.boolean("DEBUG") is value
    monkeypatch.setenv("DEBUG", "maybe")
    with pytest.raises(ImproperlyConfigured, match="DEBUG"):
        env.boolean("DEBUG")


def test_a_value_may_come_from_a_file(monkeypatch, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("from the file\n")
    monkeypatch.setenv("SOME_KEY_FILE", str(secret))
    assert env.text("SOME_KEY") == "from the file"
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(ImproperlyConfigured, match="SOME_KEY_FILE"):
        env.text("SOME_KEY")


def test_numbers_and_lists(monkeypatch):
    monkeypatch.setenv("PORT", "80a")
    with pytest.raises(ImproperlyConfigured, match="PORT"):
        env.integer("PORT", 1)
    monkeypatch.setenv("HOSTS", " a, ,b ")
    assert env.words("HOSTS") == ["a", "b"]


def test_database_urls():
    assert str(env.database("sqlite:////tmp/x.sqlite3")["NAME"]) == "/tmp/x.sqlite3"
    postgres = env.database("postgresql://me:p%40ss@db.local:6432/site?sslmode=require")
    assert (postgres["USER"], postgres["PASSWORD"], postgres["HOST"], postgres["PORT"]) == (
        "me", "p@ss", "db.local", "6432",
    )  # fmt: skip
    assert postgres["OPTIONS"]["sslmode"] == "require"
    assert "statement_timeout=30s -c lock_timeout=10s" in postgres["OPTIONS"]["options"]
    assert (postgres["CONN_MAX_AGE"], "pool" in postgres["OPTIONS"]) == (60, False)
    pooled = env.database("postgresql://db/site?options=-c%20jit%3Doff", timeout_s=0, pool=20)
    assert (pooled["CONN_MAX_AGE"], pooled["OPTIONS"]["pool"]["max_size"]) == (0, 20)
    assert pooled["OPTIONS"]["options"] == "-c jit=off"
    with pytest.raises(ImproperlyConfigured):
        env.database("mysql://x")


def test_email_urls():
    mail = env.email("smtp+tls://me:secret@mail.local")
    assert (mail["EMAIL_PORT"], mail["EMAIL_USE_TLS"], mail["EMAIL_HOST_PASSWORD"]) == (587, True, "secret")
    with pytest.raises(ImproperlyConfigured):
        env.email("pigeon://x")


def test_result_tokens_are_redacted_in_logs():
    line = '"GET /en/r/AbC123-_x.YZ/report HTTP/1.1" and /api/v1/scans/AbC123-_x.YZ'
    assert redact(line) == '"GET /en/r/***/report HTTP/1.1" and /api/v1/scans/***'
