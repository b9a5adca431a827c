"""Log lines: two formats, the ids of request and call in each, and nothing in them that opens or names anything."""

import json
import logging
import sys
import threading
from io import StringIO
from types import SimpleNamespace

import pytest
from django.test import Client as Browser

from audit.models import Report
from audit.scans import service as scans
from audit.scans import tokens
from guardlabs import gunicorn
from guardlabs.operations import logs
from guardlabs.web import correlation
from llm.calls import current
from llm.chain import complete
from llm.models import Call
from tests.chain_setup import make_groq
from tests.factories import load_bank, make_scan
from tests.fake_chain import finish_reports


def forget():
    correlation.request_id.set("")
    current.call_id.set(None)


@pytest.fixture(autouse=True)
def _nothing_before():
    forget()


@pytest.fixture
def written():
    """A function that returns what was logged so far, as objects."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Json())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)
    forget()


def ask(peer="127.0.0.1", **sent):
    headers = {name.replace("_", "-"): value for name, value in sent.items()}
    return Browser(REMOTE_ADDR=peer).get("/healthz", headers=headers)["X-Request-ID"]


def test_every_request_has_an_id_of_its_own():
    first, second = ask(), ask()
    assert first != second
    assert len(first) == 32


def test_the_id_of_a_trusted_proxy_is_kept(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert ask("10.1.2.3", x_request_id="edge-7f31:0042") == "edge-7f31:0042"
    assert ask("203.0.113.9", x_request_id="edge-7f31:0042") != "edge-7f31:0042"


@pytest.mark.parametrize(
    "odd", ["short", "x" * 65, 'a"b"c"d"e', "with space in it", "-starts-badly", "ключ-ключ"]
)
def test_an_odd_id_is_replaced_even_from_a_trusted_proxy(settings, odd):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert ask("10.1.2.3", x_request_id=odd) != odd


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/en/", "/nothing", "/v1/models", "/api/v1/questionnaire", "/static/none.css"]
)
def test_every_answer_tells_its_id(path):
    assert len(Browser().get(path)["X-Request-ID"]) == 32


@pytest.mark.django_db
def test_a_line_of_a_request_carries_its_id(written):
    told = Browser().get("/en/nothing-here")["X-Request-ID"]
    (line,) = [line for line in written() if line["logger"] == "django.request"]
    assert line["request_id"] == told
    assert line["level"] == "WARNING"
    assert line["message"] == "Not Found: ***"  # what leads nowhere may be anything
    assert "call_id" not in line


@pytest.mark.django_db
def test_lines_after_a_call_carry_its_id_until_the_next_request(sim, written):
    make_groq(sim, keys=1)
    correlation.begin("chore-x")
    complete(user="hi")
    logging.getLogger("a").info("answered")
    Browser().get("/en/nothing-here")
    answered, missing = (line for line in written() if line["logger"] in {"a", "django.request"})
    assert answered["call_id"] == Call.objects.get().pk
    assert "call_id" not in missing


@pytest.mark.django_db(transaction=True)
def test_a_report_written_by_a_thread_is_logged_with_request_and_call(sim, written, monkeypatch):
    load_bank()
    make_groq(sim, keys=1)
    scan = make_scan()
    answer = Browser().post(f"/en/r/{scans.scan_token(scan)}/report")
    finish_reports()
    report = Report.objects.get(scan=scan)
    (line,) = [line for line in written() if line["message"].startswith("a report was written by")]
    assert report.call_id is not None
    assert (line["request_id"], line["call_id"]) == (answer["X-Request-ID"], Call.objects.latest("pk").pk)


def test_an_id_does_not_reach_threads_that_do_something_else():
    correlation.begin("mine")
    seen = []
    thread = threading.Thread(
        target=lambda: seen.append((correlation.request_id.get(), current.call_id.get()))
    )
    thread.start()
    thread.join()
    assert seen == [("", None)]


def record(message, *arguments, **more):
    return logging.LogRecord("x", logging.ERROR, "f.py", 1, message, arguments, more.get("exc_info"))


SIGNED = tokens.sign(tokens.new_id())
PERSONAL = [
    "anna.o'neil+x@mail.example.org", "anna%40example.org", SIGNED, f"-{SIGNED[1:]}",
    "gsk_abcdefghijklmnop1234", "sk-or-v1-0123456789abcdef", "whsec_0123456789abcdef",
    "ip=203.0.113.9", "ip=2001:db8::1", "Bearer abc.def-ghi",
]  # fmt: skip


@pytest.mark.parametrize("form", ["line", "json"])
@pytest.mark.parametrize("secret", PERSONAL, ids=range(len(PERSONAL)))  # the same for every worker
def test_what_is_personal_is_masked_in_message_and_traceback(form, secret):
    try:
        raise ValueError(f"Key (email)=({secret}) exists")
    except ValueError as error:
        line = logs.formatter(form).format(
            record("failed: %s", secret, exc_info=(type(error), error, error.__traceback__))
        )
    tail = secret.rpartition("=")[2].rpartition(" ")[2].rpartition("'")[2].lstrip("-")
    assert tail not in line
    assert "Traceback" in line
    if form == "json":
        assert json.loads(line)["message"].startswith("failed: ")


def test_json_is_one_line_and_holds_only_what_is_named():
    odd = record("two\nlines “quoted” %s", '\\"')
    odd.answers = {"seed": "cloud"}  # as from `extra`
    found = logs.Json().format(odd)
    assert "\n" not in found
    assert set(json.loads(found)) == {"time", "level", "logger", "message"}


def test_the_access_log_has_numbers_and_no_query():
    atoms = {
        "m": "GET",
        "U": f"/en/r/{SIGNED}/",
        "s": "200",
        "B": 512,
        "M": 7,
        "r": "GET /?q=a@b.example.org",
    }
    line = logs.Json().format(record(gunicorn.access_log_format, {**atoms, "H": "HTTP/1.1", "b": "512"}))
    found = json.loads(line)
    assert (found["method"], found["path"], found["status"], found["bytes"], found["ms"]) == (
        "GET", "/en/r/***/", 200, 512, 7,
    )  # fmt: skip
    assert SIGNED not in line
    assert "q=" not in line


def atoms(status):
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/en/",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
    }
    answer = SimpleNamespace(status=status, sent=5)
    logger = gunicorn.RedactingLogger.__new__(gunicorn.RedactingLogger)
    return logger.atoms(answer, None, environ, SimpleNamespace(seconds=1, microseconds=2000))


def test_the_access_log_is_given_no_address():
    found = atoms(200)
    assert "192.0.2.7" not in str(found)
    assert gunicorn.access_log_format % found == '"GET /en/ HTTP/1.1" 200 5 1002ms'


@pytest.mark.parametrize("name", logs.FORMATS)
@pytest.mark.parametrize("char", ["\n", "\r", "\x1b[2J", "\x9b2J", "\u2028", "\x00", "\x7f"])
def test_nothing_that_is_logged_begins_a_line_or_moves_the_cursor(name, char):
    formatter = logs.formatter(name)
    forged = f"{char}2026-11-28 12:00:00 CRITICAL root FORGED"
    record = logging.LogRecord("x", logging.WARNING, "f.py", 1, "asked for %s", (f"/en/x{forged}",), None)
    line = formatter.format(record)
    assert len(line.splitlines()) == 1
    assert char[0] not in line
    try:
        raise ValueError(forged)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f.py", 1, "broke", (), sys.exc_info())
    written = formatter.format(record)
    assert not [line for line in written.splitlines()[1:] if line.startswith("2026")]
    assert char == "\n" or char[0] not in written


@pytest.mark.parametrize("name", logs.FORMATS)
def test_a_path_that_leads_nowhere_is_not_logged(name):
    formatter = logs.formatter(name)
    path = "/en/legal-winner-thank-year/"
    missing = logging.LogRecord(
        "django.request", logging.WARNING, "f.py", 1, "%s: %s", ("Not Found", path), None
    )
    missing.status_code = 404
    atoms = {
        "m": "GET",
        "U": path,
        "r": f"GET {path} HTTP/1.1",
        "s": "404",
        "B": "1",
        "M": "2",
        "h": "-",
        "q": "a=winner",
    }
    access = logging.LogRecord("gunicorn.access", logging.INFO, "f.py", 1, '%(h)s "%(r)s" %(s)s', None, None)
    access.args = atoms
    assert "winner" not in formatter.format(missing) + formatter.format(access)
    assert atoms["U"] == path  # the record itself is as it was
