"""Print, export, share: what leaves the page says what its owner wants it to say, and no more."""

import json
import re
import struct

import markdown
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from audit import share_images
from audit.bank import plain_words
from audit.bank.questions import QUESTIONS
from audit.models import Report, Scan
from audit.scans import service as scans
from audit.scans import shares, tokens
from audit.scoring import formula
from tests.factories import answers, load_bank, make_scan, mistyped

LANGUAGES = ["en", "ru", "es"]
pytestmark = pytest.mark.django_db

# Parts of words that tell a finder what the sheet is about. Lower case; looked for inside words too.
TELLING = re.compile(
    "wallet|crypto|bitcoin|btc|ethereum|blockchain|seed|coin|exchange|token|defi|nft|airdrop|ledger|trezor|metamask"
    "|phrase|private key|guardlabs|hold(er|ings)|mining|approval|approve|sign(ature|ing [^i])|multisig|hardware"
    "|кошел|крипт|битк|блокчейн|сид|монет|бирж|токен|апрув|фраз|приватн|подпис|майнинг|актив"
    "|billetera|monedero|cartera|cripto|semilla|moneda|cadena de bloques|frase|clave privada|\\bfirma|aprobaci|activos"
)


def url(name: str, scan: Scan, lang: str = "en") -> str:
    with override(lang):
        return reverse(f"audit:{name}", kwargs={"token": scans.scan_token(scan)})


# -- the neutral sheet -----------------------------------------------------------------------------
def test_every_question_has_plain_words():
    assert list(plain_words.PLAIN) == [question.id for question in QUESTIONS]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", ["worst", "best"])
def test_the_sheet_betrays_nothing_in_any_language(client, lang, kind):
    scan = make_scan(kind, lang=lang)
    html = client.get(url("print", scan, lang)).content.decode()
    assert html.count("<h2>") == (len(QUESTIONS) if kind == "worst" else 0)
    token = scans.scan_token(scan)
    assert TELLING.findall(html.replace(token, "").lower()) == []


def test_the_words_that_tell_are_found_where_they_are(client):
    """The list works: an ordinary result is full of them, in every language."""
    for lang in LANGUAGES:
        scan = make_scan("worst", lang=lang, ai=False)
        assert len(TELLING.findall(client.get(url("result", scan, lang)).content.decode().lower())) > 50


# -- exports ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("name", "extension"), [("export-md", "md"), ("export-json", "json")])
def test_a_download_has_a_neutral_name_and_is_not_kept(client, lang, name, extension):
    scan = make_scan("middle", lang=lang, ai=False)
    response = client.get(url(name, scan, lang))
    assert (
        response["Content-Disposition"]
        == f'attachment; filename="checklist-{scan.created_at:%Y-%m-%d}.{extension}"'
    )
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    body = response.content.decode()
    assert scans.scan_token(scan) not in body
    assert scan.public_id not in body
    assert body.count("\n") > 20


def test_the_json_holds_every_answer_and_number(client):
    load_bank()
    scan = make_scan("best", ai=False, seed_storage="cloud_notes")
    data = json.loads(client.get(url("export-json", scan)).content)
    assert (data["score"], data["raw_score"], data["band"]) == (49, 86, "fragile")
    assert data["cap"] == {"limit": 49, "because": ["seed_storage"]}
    assert {row["question"]: row["value"] for row in data["answers"]} == scan.answers
    assert [row["question"] for row in data["findings"]] == ["seed_storage"]
    assert data["findings"][0]["incidents"][0]["sources"]
    assert data["report"]["provider"] == "fallback-template"


def test_the_markdown_holds_findings_answers_and_report(client):
    scan = make_scan("best", ai=False, seed_storage="cloud_notes")
    text = client.get(url("export-md", scan)).content.decode()
    assert text.startswith("# 49 of 100: Fragile\n")
    assert "### 1. Seed phrase stored in the cloud" in text
    assert "- [ ] " in text
    assert all(question.text in text.replace("\\", "") for question in QUESTIONS)
    assert "# Your written report" in text


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)> <a href='https://evil.example/'>x</a>",
        "![x](https://evil.example/x.png)",
        "[y](javascript:alert(2)) [y](<javascript:alert(2)>)",
        "\\\\[y](javascript:alert(2)) \\\\[y](https://evil.example/a(b)c)",
        "<https://evil.example/z> <javascript:alert(1)>",
        "[r]\n\n[r]: https://evil.example/r",
        "[r][] ![r]\n\n [r]: <javascript:alert(1)> 'x'",
    ],
)
def test_a_hostile_report_is_harmless_in_a_file_too(client, hostile):
    """As a Markdown viewer would show it, raw HTML and all."""
    scan = make_scan("middle")
    Report.objects.update(status=Report.Status.READY, finished_at=timezone.now(), markdown=hostile)
    for text in (
        client.get(url("export-md", scan)).content.decode().partition("# Your written report")[2],
        json.loads(client.get(url("export-json", scan)).content)["report"]["markdown"],
    ):
        assert text.strip()
        assert not re.search(r"<(script|img|a)\b", markdown.markdown(text)), markdown.markdown(text)


def test_our_own_sources_stay_links_in_a_file(client):
    load_bank()
    scan = make_scan("best", seed_storage="cloud_notes", ai=False)
    report = client.get(url("export-md", scan)).content.decode().partition("# Your written report")[2]
    assert '<a href="https://' in markdown.markdown(report)


def test_an_export_without_a_report_says_the_rest(client):
    scan = make_scan("middle")
    assert json.loads(client.get(url("export-json", scan)).content)["report"] is None
    assert "# Your written report" not in client.get(url("export-md", scan)).content.decode()
    assert Report.objects.get().status == Report.Status.PENDING


# -- the card --------------------------------------------------------------------------------------
@pytest.fixture
def shared(client) -> tuple[Scan, str]:
    scan = make_scan("best", seed_storage="cloud_notes")
    client.post(url("share", scan))
    scan.refresh_from_db()
    return scan, reverse("audit:card", kwargs={"token": shares.share_token(scan)})


def test_there_is_no_card_until_it_is_asked_for(client):
    scan = make_scan("middle")
    client.get(url("result", scan))
    assert client.get(url("share", scan)).status_code == 405
    assert Scan.objects.get().share_id is None
    assert shares.share_token(scan) == ""


def test_the_card_shows_score_band_and_date_alone(client, shared):
    scan, card = shared
    html = client.get(card).content.decode()
    assert "49 of 100" in html
    assert "Fragile" in html
    told = html.replace(shares.share_token(scan), "")  # which may hold any letters and digits
    assert "86" not in re.sub(r"<svg.*?</svg>|/static/\S+", "", told, flags=re.DOTALL)  # the raw score
    assert scans.scan_token(scan) not in html
    assert scan.public_id not in html
    assert not [q.id for q in QUESTIONS if q.id in html or q.text in html]


def test_the_card_has_a_preview_and_is_not_indexed(client, shared):
    _scan, card = shared
    response = client.get(card)
    html = response.content.decode()
    assert f'property="og:image" content="{settings.SITE_URL}/static/audit/cards/fragile.png"' in html
    assert f'property="og:url" content="{settings.SITE_URL}{card}"' in html
    assert 'name="twitter:card" content="summary_large_image"' in html
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Cache-Control"] == "no-store"


def test_the_card_s_token_opens_nothing_else(client, shared):
    scan, _card = shared
    token = shares.share_token(scan)
    assert scans.get_scan(token) is None
    for name in (
        "result",
        "report",
        "delete",
        "again",
        "fixes",
        "replay",
        "print",
        "export-md",
        "export-json",
    ):
        assert client.get(reverse(f"audit:{name}", kwargs={"token": token})).status_code == 404
    assert client.get(f"/api/v1/scans/{token}").status_code == 404
    assert scan.public_id not in token


def test_no_other_token_opens_the_card(client, shared):
    scan, _card = shared
    for token in (
        scans.scan_token(scan),
        tokens.sign(scan.share_id),
        "no.such",
        mistyped(shares.share_token(scan)),
    ):
        assert client.get(reverse("audit:card", kwargs={"token": token})).status_code == 404


def test_asking_twice_keeps_the_address(client, shared):
    scan, card = shared
    assert client.post(url("share", scan)).status_code == 303
    scan.refresh_from_db()
    assert reverse("audit:card", kwargs={"token": shares.share_token(scan)}) == card


def test_taken_back_is_gone_and_a_new_card_has_a_new_address(client, shared):
    scan, card = shared
    client.post(url("unshare", scan))
    assert client.get(card).status_code == 404
    client.post(url("share", scan))
    scan.refresh_from_db()
    assert client.get(card).status_code == 404
    assert client.get(reverse("audit:card", kwargs={"token": shares.share_token(scan)})).status_code == 200


def test_deleting_the_result_takes_the_card_along(client, shared):
    scan, card = shared
    client.post(url("delete", scan))
    assert client.get(card).status_code == 404


def test_the_result_page_shows_the_card_s_address_and_how_to_take_it_back(client, shared):
    scan, card = shared
    html = client.get(url("result", scan)).content.decode()
    assert f"{settings.SITE_URL}{card}" in html
    assert f'action="{url("unshare", scan)}"' in html


@pytest.mark.parametrize("band", [name for _least, name in formula.BANDS])
def test_every_band_has_its_picture(band):
    path = finders.find(f"audit/cards/{band}.png")
    with open(path, "rb") as file:  # noqa: PTH123
        data = file.read()
    assert struct.unpack(">II", data[16:24]) == (share_images.WIDTH, share_images.HEIGHT)
    assert len(data) < 60_000


def test_the_pictures_name_the_bands_ranges():
    assert [share_images.edges(name) for _least, name in formula.BANDS] == [
        (80, 100), (60, 79), (40, 59), (0, 39),
    ]  # fmt: skip
    assert "60–79" in share_images.svg("fair")


# -- what is critical ------------------------------------------------------------------------------
def test_critical_answers_are_named_beside_those_that_cap_the_score(client):
    scan = make_scan("best", seed_storage="cloud_notes", account_2fa="none", password_hygiene="reused")
    html = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", client.get(url("result", scan)).content.decode()))
    assert "capped at 49 because one critical answer can cost you everything on its own: Seed phrase" in html
    assert "2 more critical answers: " in html


def test_a_critical_answer_is_named_when_it_caps_nothing(client):
    scan = make_scan("worst", **{k: v for k, v in answers("best").items() if k != "device_hygiene"})
    assert scan.score == scan.raw_score
    assert "1 critical answer:" in client.get(url("result", scan)).content.decode()
