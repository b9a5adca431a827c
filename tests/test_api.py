"""The JSON API: the agreed shapes, and a clear 4xx for whatever else is sent."""

import json
import re

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.api import views as api_module
from audit.bank import questions as bank
from audit.models import Report, Scan
from audit.report import generate
from audit.scans import service as scans
from llm import chain
from tests.factories import answers, load_bank, make_scan, mistyped, scan_body

pytestmark = pytest.mark.django_db
URL = "/api/v1/scans"
TOO_DEEP = "[" * 30_000


@pytest.fixture(autouse=True)
def _bank(monkeypatch):
    load_bank()

    async def nobody_answers(**call):
        raise chain.ChainExhausted(attempts=[], skipped=[], call_id=None, content_blocked=False)

    monkeypatch.setattr(generate.chain, "acomplete", nobody_answers)


@pytest.fixture
def post(client):
    def send(body, content_type="application/json", **extra):
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return client.post(URL, data, content_type=content_type, **extra)

    return send


def assert_refused(response, status=400) -> dict:
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("application/json")
    body = response.json()
    assert set(body) == {"detail", "errors"}
    assert isinstance(body["detail"], str)
    assert all(isinstance(reason, str) for reason in body["errors"].values())
    assert not Scan.objects.exists()
    return body["errors"]


# -- the questionnaire --------------------------------------------------------------------------------
def test_the_questionnaire_is_complete(client):
    body = client.get("/api/v1/questionnaire").json()
    assert body["version"] == bank.BANK_VERSION
    assert [question["id"] for question in body["questions"]] == [question.id for question in bank.QUESTIONS]
    assert sum(question["weight"] for question in body["questions"]) == 100
    assert set(body["questions"][0]) == {"id", "category", "weight", "text", "options"}
    assert body["questions"][0]["options"][0] == {
        "value": "metal",
        "label": bank.QUESTIONS[0].options[0].label,
    }


def test_the_questionnaire_speaks_the_language_asked_for(client):
    told = set()
    for lang in scans.languages():
        body = client.get("/api/v1/questionnaire", {"lang": lang}).json()
        with translation.override(lang):
            assert body["questions"][0]["text"] == gettext(bank.QUESTIONS[0].text)
        told.add(body["questions"][0]["text"])
    assert len(told) == len(scans.languages()) == 3


@pytest.mark.parametrize("lang", ["de", "", "EN", "ru\0", "x" * 5000])
def test_the_questionnaire_knows_no_other_language(client, lang):
    assert set(assert_refused(client.get("/api/v1/questionnaire", {"lang": lang}))) == {"lang"}


def test_answering_the_questionnaire_as_it_is_makes_a_scan(client, post):
    questions = client.get("/api/v1/questionnaire").json()["questions"]
    chosen = {question["id"]: question["options"][0]["value"] for question in questions}
    assert post({"lang": "en", "answers": chosen, "ai": False}).json()["score"] == 100


# -- making scans -------------------------------------------------------------------------------------
def test_a_scan_has_the_agreed_shape(post):
    response = post(scan_body("best", seed_storage="cloud_notes", token_approvals="no_defi", lang="ru"))
    assert response.status_code == 201
    body = response.json()
    assert set(body) == {
        "id", "url", "lang", "score", "raw_score", "cap", "assessed", "band", "breakdown", "vulnerabilities",
        "report_status", "report_markdown", "report_html", "provider", "cost_usd", "receipt",
    }  # fmt: skip
    assert (body["score"], body["raw_score"], body["assessed"], body["band"]) == (49, 85, 92, "fragile")
    assert body["cap"] == {"limit": 49, "because": ["seed_storage"]}
    assert body["breakdown"] == [
        {"category": "wallet", "lost": 14.0, "max": 38.0},
        {"category": "twofa", "lost": 0.0, "max": 22.0},
        {"category": "defi", "lost": 0.0, "max": 10.0},
        {"category": "operational", "lost": 0.0, "max": 22.0},
    ]
    (weakness,) = body["vulnerabilities"]
    assert set(weakness) == {"question", "severity", "lost", "title", "fix_steps", "incidents"}
    assert (weakness["question"], weakness["severity"], weakness["lost"]) == (
        "seed_storage",
        "critical",
        14.0,
    )
    assert weakness["fix_steps"]
    assert "thorchain-jp-2025" in weakness["incidents"]
    assert (body["report_status"], body["provider"], body["cost_usd"]) == (
        "ready",
        "fallback-template",
        "0.000000",
    )
    assert body["url"] == f"http://testserver/ru/r/{body['id']}/"
    assert response.headers["Location"] == f"{URL}/{body['id']}"
    assert "<h2>" in body["report_html"]
    assert body["report_markdown"].startswith("## ")


def test_without_a_cap_there_is_null(post):
    assert post(scan_body("best")).json()["cap"] is None


@pytest.mark.parametrize("lang", ["en", "ru", "es"])
def test_when_every_provider_fails_the_template_is_the_report(post, lang):
    body = post(scan_body(ai=True, lang=lang)).json()
    assert (body["report_status"], body["provider"], body["lang"]) == ("ready", "fallback-template", lang)


def test_ai_is_on_unless_switched_off(post, monkeypatch):
    asked = []

    async def fail(**call):
        asked.append(call)
        raise RuntimeError

    monkeypatch.setattr(generate.chain, "acomplete", fail)
    body = scan_body()
    post(body)
    assert asked == []
    post({**body, "ai": True})
    del body["ai"]
    post(body)
    assert len(asked) == 2


def test_answers_are_saved_before_any_call(post, monkeypatch):
    saved = []

    async def fail(**call):
        saved.append(await Scan.objects.acount())
        raise RuntimeError

    monkeypatch.setattr(generate.chain, "acomplete", fail)
    assert post(scan_body(ai=True)).status_code == 201
    assert saved == [1]


def test_no_cookie_is_set(post, client):
    post(scan_body())
    assert not client.cookies


def test_no_csrf_token_is_needed():
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(URL, json.dumps(scan_body()), content_type="application/json").status_code == 201


# -- reading scans ------------------------------------------------------------------------------------
def test_a_scan_reads_back_the_same(post, client):
    made = post(scan_body("worst", lang="es")).json()
    response = client.get(f"{URL}/{made['id']}")
    assert response.json() == made
    assert response.headers["Cache-Control"] == "private, no-store"


def test_reading_never_starts_a_report(client):
    scan = make_scan()
    body = client.get(f"{URL}/{scans.scan_token(scan)}").json()
    assert (body["report_status"], body["report_markdown"], body["provider"], body["cost_usd"]) == (
        "pending", "", None, None,
    )  # fmt: skip
    assert Report.objects.get().status == Report.Status.PENDING


def test_an_unknown_cost_is_null(client):
    scan = make_scan(ai=False)
    scan.reports.update(cost_usd=None)
    assert client.get(f"{URL}/{scans.scan_token(scan)}").json()["cost_usd"] is None


def test_a_changed_token_is_not_found(client):
    token = scans.scan_token(make_scan())
    for wrong in (
        mistyped(token),
        "x",
        "a.b",
        token + "x",
        "%00",
        "é",
        "x" * 3000,
    ):
        response = client.get(f"{URL}/{wrong}")
        assert response.status_code == 404
        assert set(response.json()) == {"detail", "errors"}


def test_a_deleted_scan_is_not_found(client):
    scan = make_scan()
    token = scans.scan_token(scan)
    scans.delete_scan(scan)
    assert client.get(f"{URL}/{token}").status_code == 404


# -- refusals -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body",
    [
        "", " ", "null", "true", "3", '"text"', "[]", "{", "{]", "nope", "{'lang': 'en'}", '{"lang": "en",}',
        '{"lang": NaN}', '{"lang": Infinity}', '{"lang": -Infinity}', '{"a": 1, "a": 2}', "\ufeff{}",
        b"\xff\xfe{\x00}\x00", b"\x80", TOO_DEEP, '{"a":' * 10_000, '{"lang": ' + "9" * 5000 + "}", "{}{}",
        "// comment\n{}",
    ],
    ids=lambda body: repr(body[:16]),
)  # fmt: skip
def test_what_is_not_one_json_object_is_refused(post, body):
    assert_refused(post(body))


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"answers": {}}, set(answers())),
        ({"answers": None}, {"answers"}),
        ({"answers": []}, {"answers"}),
        ({"answers": "metal"}, {"answers"}),
        ({"answers": {**answers(), "seed_storage": "titanium"}}, {"seed_storage"}),
        ({"answers": {**answers(), "seed_storage": ["metal"]}}, {"seed_storage"}),
        ({"answers": {**answers(), "seed_storage": {"a": {"b": []}}}}, {"seed_storage"}),
        ({"answers": {**answers(), "seed_storage": 1e300}}, {"seed_storage"}),
        ({"answers": {**answers(), "seed_storage": True}}, {"seed_storage"}),
        ({"answers": {**answers(), "seed_storage": "metal\0"}}, {"seed_storage"}),
        ({"answers": {**answers(), "shoe_size": "42"}}, {"shoe_size"}),
        ({"answers": {**answers(), "\0": "x"}}, {"\0"}),
        ({"answers": {**answers(), "\ud800": "\udfff"}}, {"\ud800"}),
        ({"answers": {**answers(), "": ""}}, {""}),
        ({"lang": "de"}, {"lang"}),
        ({"lang": None}, {"lang"}),
        ({"lang": ["en"]}, {"lang"}),
        ({"lang": {"en": 1}}, {"lang"}),
        ({"lang": "en\0"}, {"lang"}),
        ({"ai": "yes"}, {"ai"}),
        ({"ai": 1}, {"ai"}),
        ({"ai": None}, {"ai"}),
        ({"AI": False}, {"AI"}),
        ({"lang": "de", "ai": 0, "answers": {}}, {"lang", "ai", *answers()}),
    ],
)
def test_each_wrong_field_is_named(post, change, fields):
    assert set(assert_refused(post({**scan_body(), **change}))) == fields


@pytest.mark.parametrize("missing", ["lang", "answers"])
def test_missing_fields_are_named(post, missing):
    body = scan_body()
    del body[missing]
    assert set(assert_refused(post(body))) == {missing}


def test_errors_are_in_the_language_of_the_scan(post, monkeypatch):
    from django.utils import translation

    monkeypatch.setattr(scans, "_", lambda text: f"<{translation.get_language()}> {text}")
    errors = assert_refused(post({**scan_body(lang="es"), "answers": {}}))
    assert errors["seed_storage"].startswith("<es>")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "text/json",
        "*/*",
    ],
)
def test_other_content_types_are_refused(post, content_type):
    assert_refused(post(json.dumps(scan_body()), content_type=content_type))


def test_the_content_type_may_name_its_charset(post):
    assert post(scan_body(), content_type="application/json; charset=utf-8").status_code == 201


def test_a_large_body_is_refused(post):
    assert_refused(post({**scan_body(), "filler": "x" * 1_000_000}), 413)
    assert_refused(post("[" + " " * 70_000 + "]"), 413)


def test_the_rate_limit_says_when_to_come_back(post, settings):
    settings.SCAN_RATE = "2/h"
    assert [post(scan_body()).status_code for _ in range(2)] == [201, 201]
    response = post(scan_body())
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 3600
    assert set(response.json()) == {"detail", "errors"}
    assert Scan.objects.count() == 2


def test_refused_bodies_and_reading_do_not_count(post, client, settings):
    settings.SCAN_RATE = "1/h"
    for _ in range(3):
        assert post({}).status_code == 400
        assert client.get("/api/v1/questionnaire").status_code == 200
    assert post(scan_body()).status_code == 201


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options", "trace"])
def test_other_methods_are_not_allowed_on_scans(client, method):
    response = getattr(client, method)(URL)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/api/v1/questionnaire", f"{URL}/x"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_other_methods_are_not_allowed_on_what_is_read(client, path, method):
    response = getattr(client, method)(path)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET")
    assert set(response.json()) == {"detail", "errors"}


@pytest.mark.parametrize(
    "path", ["v1/", "v1/nothing", "v1/scans/", "v1/scans/a/b", "v1/Scans", "v2/scans", "x"]
)
def test_other_paths_are_not_found(client, path):
    assert_refused(client.get(f"/api/{path}"), 404)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(["lang", "answers", "ai", "x"], json_values)))
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_json_at_all_makes_a_server_error(post, body):
    assert post(json.dumps(body)).status_code == 400


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_bytes_at_all_make_a_server_error(post, body):
    assert post(body).status_code == 400


# -- description --------------------------------------------------------------------------------------
def test_openapi_describes_what_there_is(client):
    schema = client.get("/api/openapi.json").json()
    assert {(path, method) for path, methods in schema["paths"].items() for method in methods} == {
        ("/api/v1/questionnaire", "get"),
        ("/api/v1/scans", "post"),
        ("/api/v1/scans/{token}", "get"),
    }
    create = schema["paths"]["/api/v1/scans"]["post"]
    assert set(create["responses"]) == {"201", "400", "413", "429"}
    body = create["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]["answers"]["required"]) == set(answers())
    assert body["properties"]["lang"]["enum"] == ["en", "ru", "es"]


def test_the_example_in_the_description_works(client, post):
    schema = client.get("/api/openapi.json").json()
    example = schema["paths"]["/api/v1/scans"]["post"]["requestBody"]["content"]["application/json"][
        "example"
    ]
    assert post(example).status_code == 201


def test_the_docs_page_needs_no_script_and_no_third_party(client):
    response = client.get("/api/docs")
    page = response.content.decode()
    assert response.status_code == 200
    assert "<script" not in page
    assert " style=" not in page
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert not re.findall(r"""(?:src|href)=["']https?://(?!testserver)""", page)
    for operation in ("GET /api/v1/questionnaire", "POST /api/v1/scans", "GET /api/v1/scans/{token}"):
        assert operation in page
    assert "ScanOut" in page
    assert not client.cookies


def test_the_docs_page_is_english_for_everyone(client):
    page = client.get("/api/docs", headers={"Accept-Language": "ru"}).content.decode()
    assert '<html lang="en">' in page


def test_every_operation_is_exercised_here():
    names = {
        operation.view_func.__name__
        for _, router in api_module.api._routers
        for view in router.path_operations.values()
        for operation in view.operations
        if operation.include_in_schema
    }
    assert names == {"questionnaire", "create_scan", "get_scan"}
