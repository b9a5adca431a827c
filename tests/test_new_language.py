"""A further language is one .po and one line in the settings: shown with one that marks every text it translates.

Whatever a page says without the marks is a text that no translator would ever see.
"""

import re
from html.parser import HTMLParser

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from django.conf import settings as django_settings
from django.urls import reverse
from django.utils.translation import override, trans_real

from audit.bank import sources
from audit.models import Report
from audit.report import facts, jobs
from audit.scans import service as scans
from guardlabs.install.catalogues import compile_catalogues
from tests import report_texts
from tests.factories import load_bank, make_scan
from tests.fake_chain import FakeChain

NEW = "it"
LEFT, RIGHT = "⟦", "⟧"
# What is the same in every language: names of products, people, laws, formats.
NAMES = re.compile(
    r"ethereum.org: Security and scam prevention|https?://\S+|(?:[\w-]+\.)+[a-z]{2,}\b|English|Русский|Español|Italiano|"
    r"GuardLabs|FBI IC3|Report Fraud|Canadian Anti-Fraud Centre|ReportCyber|SEAL Frameworks: [\w -]+|"
    r"CryptoCurrency Security Standard|NIST SP 800-63B-4: Authentication|Personal Security Checklist|"
    r"Known physical attacks|[\d.,]+ (?:Mln|Mld) USD|\d{1,2} \w+ 20\d\d|Lissy93|CCSS|J. Lopp|fallback-template|"
    r"[0-9a-f]{32}"
)


def marked(text: str) -> str:
    return f"{LEFT}{text}{RIGHT}" if text else text


def translated(message: Message, forms: int) -> str | tuple[str, ...]:
    """The message marked, in as many plural forms as Babel's data give the language: they change with releases."""
    if isinstance(message.id, str):
        return marked(message.id)
    one, many = map(marked, message.id)
    return (one, *[many] * (forms - 1)) if forms > 1 else (many,)


@pytest.fixture
def new_language(tmp_path, settings):
    """One line in LANGUAGES and one .po, here made from the Spanish one."""
    source = django_settings.LOCALE_PATHS[0] / "es" / "LC_MESSAGES" / "django.po"
    with source.open("rb") as file:
        spanish = read_po(file, locale="es")
    catalogue = Catalog(locale=NEW)
    for message in spanish:
        if message.id:
            catalogue.add(message.id, translated(message, catalogue.num_plurals), context=message.context)
    folder = tmp_path / NEW / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "django.po").open("wb") as file:
        write_po(file, catalogue)
    compile_catalogues(tmp_path)
    settings.LANGUAGES = [*django_settings.LANGUAGES, (NEW, "Italian")]
    settings.LOCALE_PATHS = [tmp_path, *django_settings.LOCALE_PATHS]
    caches = [each for each in vars(trans_real).values() if hasattr(each, "cache_clear")]
    for each in caches:
        each.cache_clear()
    yield
    for each in caches:
        each.cache_clear()
    trans_real._translations.pop(NEW, None)


class Texts(HTMLParser):
    """What a page says: its text and the attributes that are read out or shown."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        spoken = {"aria-label", "alt", "title", "placeholder", "data-missing", "data-change", "data-empty"}
        if tag == "meta" and dict(attrs).get("name") == "description":
            spoken.add("content")
        self.found += [value for name, value in attrs if name in spoken and value]

    def handle_data(self, data):
        self.found.append(data)


def unmarked(html: str) -> list[str]:
    """Texts of two words and more outside of the marks."""
    text = "\n".join(Texts(html).found)
    while LEFT in text:  # inner pairs first: a text may contain another one
        text, count = re.subn(rf"{LEFT}[^{LEFT}{RIGHT}]*{RIGHT}", "", text)
        assert count, "a mark was cut in two"
    lines = [" ".join(NAMES.sub(" ", line).split()) for line in text.splitlines()]
    return [line for line in lines if len(re.findall(r"[^\W\d_]{3,}", line)) >= 2]


def path(name: str, **kwargs: str) -> str:
    with override(NEW):
        return reverse(f"audit:{name}", kwargs=kwargs)


@pytest.fixture
def bank(db):
    load_bank()


@pytest.mark.usefixtures("new_language", "bank")
def test_every_page_speaks_the_new_language_and_nothing_else(client):
    scan = make_scan("worst", lang=NEW)
    jobs.write_report_now(scan)
    token = scans.scan_token(scan)
    public = ["landing", "scan", "incidents", "method", "hacked", "privacy", "deleted"]
    addresses = [path(name) for name in public]
    addresses += [path("incident", slug="bybit-2025"), f"/{NEW}/no/such/page"]
    addresses += [path(name, token=token) for name in ("result", "report", "delete")]
    tools = {
        tool
        for question in _questions()
        for option in question.options
        for tool in option.tools
        if LEFT not in tool
    }
    tools |= set(sources.PUBLISHERS.values()) | set(sources.PRIMARY_PUBLISHERS.values())
    tools |= {name for each in sources.KNOWN.values() for name in (each.publisher, each.title) if name}
    left = {}
    for address in addresses:
        html = client.get(address).content.decode()
        assert f'<html lang="{NEW}">' in html, address
        assert f'href="/{NEW}/' in html
        found = [line for line in unmarked(html) if not any(tool in line for tool in tools)]
        if found:
            left[address] = found
    assert not left, left


def _questions():
    from audit.bank import catalogue

    with override(NEW):
        return catalogue.questionnaire()


@pytest.mark.usefixtures("new_language", "bank")
def test_the_form_works_and_the_languages_link_to_each_other(client):
    from tests.factories import answers

    response = client.post(path("scan"), {**answers("middle"), "ai": "off"})
    assert response.status_code == 302
    assert response["Location"].startswith(f"/{NEW}/r/")
    html = client.get("/en/privacy/").content.decode()
    assert f'hreflang="{NEW}" href="http://testserver/{NEW}/privacy/"' in html
    assert f'href="/{NEW}/privacy/" lang="{NEW}"' in html
    assert f"/{NEW}/" in client.get("/sitemap.xml").content.decode()
    assert client.get("/", headers={"Accept-Language": NEW})["Location"] == f"/{NEW}/"


@pytest.mark.usefixtures("new_language", "bank")
def test_a_model_is_asked_for_the_new_language_and_held_to_it(monkeypatch):
    chain = FakeChain(monkeypatch)
    scan = make_scan("middle", lang=NEW)
    jobs.write_report_now(scan)
    (call,) = chain.calls[:1]
    asked = str(call)
    assert call["lang"] == NEW
    assert "Italian" in asked
    with override(NEW):
        assert all(heading in asked for heading in facts.headings())
    assert call["accept"](report_texts.EN) is not None


@pytest.mark.usefixtures("new_language", "bank")
def test_without_a_model_the_report_is_put_together_in_the_new_language():
    scan = make_scan("middle", lang=NEW, ai=False)
    jobs.write_report_now(scan)
    text = Report.objects.get(scan=scan).markdown
    with override(NEW):
        assert all(heading in text for heading in facts.headings())
    assert LEFT in text
