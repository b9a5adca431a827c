"""Environment variables are read strictly: what cannot be read stops the start, by name."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from guardlabs import env
from guardlabs.operations.logs import redact


def test_booleans_are_on_or_off(monkeypatch):
    monkeypatch.setenv("CHORES", " ")
    assert env.boolean("CHORES", default=True) is True  # blank is not set
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
    for empty in ("", " \n"):
        secret.write_text(empty)
        with pytest.raises(ImproperlyConfigured, match="SOME_KEY_FILE"):
            env.text("SOME_KEY", "the default")
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(ImproperlyConfigured, match="SOME_KEY_FILE"):
        env.text("SOME_KEY")


@pytest.mark.parametrize("value", ["$2.00", "$HOME", "\\$x", "'quoted'", "$$"])
def test_a_value_is_taken_as_it_stands(monkeypatch, value):
    """django-environ looks up what begins with a dollar: a budget of `$2.00` was no budget at all."""
    monkeypatch.setenv("SOME_KEY", value)
    assert env.text("SOME_KEY", "the default") == value


def test_what_is_no_line_of_text_is_refused_by_name(monkeypatch, tmp_path):
    for value in ("a\nb", "a\r\nX: y", "a\x1bb", "\udcff", "a\u2028b"):
        monkeypatch.setenv("SOME_KEY", value)
        with pytest.raises(ImproperlyConfigured, match="SOME_KEY"):
            env.text("SOME_KEY")
    monkeypatch.setenv("SOME_KEY", "Main Street 1\nSpringfield")
    assert env.text("SOME_KEY", lines=True) == "Main Street 1\nSpringfield"
    (tmp_path / "secret").write_bytes(b"half\x00whole")
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "secret"))
    with pytest.raises(ImproperlyConfigured, match="SOME_KEY"):
        env.text("SOME_KEY", lines=True)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "$2.00",
        "2,00",
        "2.00 USD",
        "-1",
        "+1",
        "1e3",
        ".5",
        "5.",
        "nan",
        "inf",
        "\u0663",
        "9" * 10,
        "none",
    ],
)
def test_a_budget_is_an_amount_or_is_not_set(monkeypatch, value):
    assert env.amount("SOME_BUDGET") is None
    monkeypatch.setenv("SOME_BUDGET", value)
    with pytest.raises(ImproperlyConfigured, match="SOME_BUDGET"):
        env.amount("SOME_BUDGET")
    monkeypatch.setenv("SOME_BUDGET", " 0.50 ")
    assert env.amount("SOME_BUDGET") == "0.50"


@pytest.mark.parametrize(
    "value",
    [
        "", "audit.example.org", "http://[::1", "//[", "https://", "https://a b.example", "https://a.example/path",
        "https://a.example?x=1", "https://a.example#x", "https://u:p@a.example", "https://a.example:0",
        "https://a.example:", "https://a.example:port", "https://a.example:99999", "ftp://a.example",
        "https://\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444", "https://a_b.example", "https://-a",
    ],
)  # fmt: skip
def test_where_the_site_is_must_be_an_address_alone(monkeypatch, value):
    monkeypatch.setenv("SITE_URL", value)
    with pytest.raises(ImproperlyConfigured, match="SITE_URL"):
        env.site("SITE_URL", "http://127.0.0.1")


def test_where_the_site_is_in_small_letters(monkeypatch):
    for value, netloc in {
        "HTTPS://Audit.Example.org/": "audit.example.org",
        "http://[::1]:8000": "[::1]:8000",
        "https://a.example:8443": "a.example:8443",
    }.items():
        monkeypatch.setenv("SITE_URL", value)
        assert env.site("SITE_URL", "").netloc == netloc


def test_where_to_listen(monkeypatch):
    for value, bound in {
        "::": "[::]",
        "[::1]": "[::1]",
        "0.0.0.0": "0.0.0.0",
        "web": "web",
        "": "127.0.0.1",
    }.items():
        monkeypatch.setenv("HOST", value)
        assert env.host("HOST", "127.0.0.1") == bound
    for value in ("0.0.0.0:8000", "1:2", "::::::", "[::1]:80", "999.1.1.1", "1.5", "http://x", "*", "a/b"):
        monkeypatch.setenv("HOST", value)
        with pytest.raises(ImproperlyConfigured, match="HOST"):
            env.host("HOST", "127.0.0.1")


@pytest.mark.parametrize(
    "value",
    [
        "http://[::1",
        "//[",
        "https://a:port",
        "https://a:99999",
        "https://a b",
        "https://u:p@a",
        "https://*.a",
        "a",
        "null",
    ],
)
def test_an_origin_that_no_browser_sends_is_refused(monkeypatch, value):
    monkeypatch.setenv("LLM_CORS_ORIGINS", f"https://right.example,{value}")
    with pytest.raises(ImproperlyConfigured, match="LLM_CORS_ORIGINS"):
        env.origins("LLM_CORS_ORIGINS")
    monkeypatch.setenv("LLM_CORS_ORIGINS", "HTTPS://App.Example/, *")
    assert env.origins("LLM_CORS_ORIGINS") == ["https://app.example", "*"]


def test_numbers_and_lists(monkeypatch):
    monkeypatch.setenv("PORT", "80a")
    with pytest.raises(ImproperlyConfigured, match="PORT"):
        env.integer("PORT", 1)
    monkeypatch.setenv("HOSTS", " a, ,b ")
    assert env.words("HOSTS") == ["a", "b"]
    for blank in ("", " ", ",", " , "):
        monkeypatch.setenv("HOSTS", blank)
        assert env.words("HOSTS", "card") == ["card"]


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


@pytest.mark.parametrize(
    ("read", "url"),
    [
        (env.database, "postgresql://me:s3cret/x@db/site"),
        (env.database, "postgresql://me:s3cret?x@db/site"),
        (env.database, "postgresql://me:s3cret@db:port/site"),
        (env.database, "postgresql://me:s3cret@db"),
        (env.database, "postgresql://me:s3cret@[::1/site"),
        (env.database, "postgresql://"),
        (env.database, "postgresql://me:s3cret@db/site?foo=bar"),
        (env.database, "postgresql://me:s3cret@db/site?sslmode=banana"),
        (env.database, "sqlite://["),
        (env.database, "sqlite:x"),
        (env.email, "smtp+tls://me:s3cret/x@mail.local:587"),
        (env.email, "smtp+tls://me:s3cret#x@mail.local:587"),
        (env.email, "smtps://me:s3cret@mail local"),
        (env.email, "smtp:mail.local"),
        (env.email, "smtp://[::1"),
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_its_password(read, url):
    with pytest.raises(ImproperlyConfigured, match=r"DATABASE_URL|EMAIL_URL") as refused:
        read(url)
    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_result_tokens_are_redacted_in_logs():
    line = '"GET /en/r/AbC123-_x.YZ/report HTTP/1.1" and /api/v1/scans/AbC123-_x.YZ'
    assert redact(line) == '"GET /en/r/***/report HTTP/1.1" and /api/v1/scans/***'
