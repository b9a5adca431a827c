"""The written report: the prompt, the template, the citations, and what the chain's troubles lead to."""

import re
from decimal import Decimal

import pytest
from django.db import DatabaseError
from django.urls import NoReverseMatch
from django.utils import timezone, translation

from audit.bank.catalogue import scoring_bank
from audit.models import Incident, Option
from audit.report import citations, generate, jobs, prompts
from audit.report import template as template_report
from audit.report.gates import MIN_CHARS
from audit.report.render import to_html
from audit.scans.findings import details
from llm import chain
from llm.gates import language
from llm.models import Call
from tests import report_texts
from tests.factories import load_bank, make_scan
from tests.fake_chain import FakeChain, a_reply

LANGS = ["en", "ru", "es"]
GOOD = {"en": report_texts.EN, "ru": report_texts.RU, "es": report_texts.ES}


@pytest.fixture
def _bank(db):
    load_bank()
    with translation.override("en"):
        yield


# -- the prompt ---------------------------------------------------------------------------------------
def heaviest() -> dict[str, str]:
    """For each question the risky answer with the most words."""
    chosen = {}
    rows = {str(row): row for row in Option.objects.all()}
    for item in scoring_bank():
        risky = [choice for choice in item.choices if choice.risk]
        chosen[item.id] = max(
            risky, key=lambda choice: len(str([*rows[f"{item.id}.{choice.value}"].fix_steps]))
        ).value
    return chosen


@pytest.mark.usefixtures("_bank")
@pytest.mark.parametrize("lang", LANGS)
def test_the_prompt_of_the_worst_scan_fits(lang):
    for scan in (make_scan("worst", lang=lang), make_scan("middle", lang=lang, **heaviest())):
        with translation.override(lang):
            prompt = prompts.build(details(scan), lang)
        assert prompts.estimate_tokens(prompt.system + prompt.user) <= prompts.MAX_TOKENS_IN


@pytest.mark.usefixtures("_bank")
def test_texts_that_are_half_longer_in_cyrillic_fit(monkeypatch):
    """Translations are longer than English and cost more tokens: the facts shrink until they fit."""

    def longer(text):
        return re.sub("[a-z]", "ж", text + " " + text[: len(text) // 2])

    monkeypatch.setattr("audit.bank.catalogue.gettext", longer)
    facts = details(make_scan("worst", lang="ru"))
    prompt = prompts.build(facts, "ru")
    assert prompts.estimate_tokens(prompt.system + prompt.user) <= prompts.MAX_TOKENS_IN


@pytest.mark.usefixtures("_bank")
@pytest.mark.parametrize("lang", LANGS)
def test_the_prompt_says_language_headings_and_rules(lang):
    with translation.override(lang):
        facts = details(make_scan("worst", lang=lang))
        prompt = prompts.build(facts, lang)
        system, user = prompt.system, prompt.user
        headings = template_report.headings()
    assert f"Language: {lang}" in system
    assert f"Language: {lang}" in user
    for heading in headings:
        assert f"## {heading}" in system
    for rule in ("No links", "Never ask for a seed phrase", "informal", "in square brackets"):
        assert rule.lower() in system.lower()
    offered = set(re.findall(r"\[([a-z0-9-]+)\]", user))
    assert offered >= {facts.weaknesses[0].cases[0].slug}
    assert offered <= set(Incident.objects.values_list("slug", flat=True))


@pytest.mark.usefixtures("_bank")
def test_the_prompt_holds_answer_codes_in_order_and_no_address():
    facts = details(make_scan("worst"))
    user = prompts.build(facts, "en").user
    places = [user.index(f"{each.finding.question}={each.finding.value}") for each in facts.weaknesses]
    assert places == sorted(places)
    assert "http" not in user
    assert "Score: 0 of 100" in user


@pytest.mark.usefixtures("_bank")
def test_the_prompt_says_what_a_figure_is_not():
    user = prompts.build(details(make_scan("best", tx_verification="first_last")), "en").user
    assert "[wbtc-address-poisoning-2024] $68M WBTC address poisoning" in user
    assert "(Note: Not a net loss: in this rare case the money came back.)" in user


@pytest.mark.usefixtures("_bank")
def test_the_prompt_of_a_perfect_scan_asks_for_no_weakness():
    prompt = prompts.build(details(make_scan("best")), "en")
    assert "No weaknesses" in prompt.user
    assert "invent none" in prompt.system
    assert "[" not in prompt.user + prompt.system
    assert (prompt.headings, prompt.cases) == (("Where you stand", "What comes next"), ())


@pytest.mark.parametrize(("lang", "most"), [("en", 900), ("es", 900), ("ru", 1400)])
def test_room_for_the_answer(lang, most):
    assert prompts.tokens_out(lang) == most


# -- the template report ------------------------------------------------------------------------------
@pytest.mark.usefixtures("_bank")
def test_the_template_names_every_weakness_with_steps_tools_cases_and_sources():
    facts = details(make_scan("worst"))
    text = template_report.write(facts)
    places = [text.index(f"{template_report.plain(each.title)}") for each in facts.weaknesses]
    assert len(set(places)) == 12
    for weakness in facts.weaknesses:
        for step in weakness.option.fix_steps:
            assert template_report.plain(step).rstrip(".") in text
        for tool in weakness.option.tools:
            assert template_report.plain(tool) in text
        assert any(template_report.plain(case.name) in text for case in weakness.cases)
        assert any(url in text for case in weakness.cases for url in case.sources)
    assert "(January 10, 2026, $282M)" in text


@pytest.mark.usefixtures("_bank")
def test_the_template_explains_a_capped_score():
    text = template_report.write(details(make_scan("best", seed_storage="cloud_notes")))
    assert "**Your score is 49 of 100.** Your answers add up to 86, but one answer alone" in text


@pytest.mark.usefixtures("_bank")
def test_the_template_says_what_was_not_assessed():
    text = template_report.write(details(make_scan("absent")))
    assert "71 of 100 points were assessed" in text


@pytest.mark.usefixtures("_bank")
def test_the_template_of_a_perfect_scan_invents_no_weakness():
    text = template_report.write(details(make_scan("best")))
    assert "What to fix first" not in text
    assert "12 questions without a weak spot" in text
    assert len(text) >= MIN_CHARS


@pytest.mark.usefixtures("_bank")
@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("kind", ["best", "middle", "worst", "absent"])
def test_the_template_is_deterministic_and_passes_our_own_gate(kind, lang):
    scan = make_scan(kind, lang=lang, ai=False)
    text = generate.write(scan).markdown
    assert text == scan.reports.get().markdown
    assert language(lang)(text) is None
    assert len(text) >= MIN_CHARS


@pytest.mark.usefixtures("_bank")
def test_switched_off_incidents_are_not_cited():
    before = {case.slug for case in details(make_scan("worst")).cases}
    Incident.objects.filter(slug__in=before).update(active=False)
    assert not before & {case.slug for case in details(make_scan("worst")).cases}


@pytest.mark.usefixtures("_bank")
def test_staffs_words_cannot_break_the_markdown():
    Option.objects.filter(question="account_2fa", value="sms").update(
        title="Codes *by* [SMS](x) <b>", fix_steps=["# first\n\n## second"]
    )
    text = template_report.write(details(make_scan("best", account_2fa="sms")))
    assert r"Codes \*by\* \[SMS\](x) &lt;b>" in text
    assert r"1. \# first \#\# second" in text


@pytest.mark.usefixtures("_bank")
def test_details_take_three_queries(django_assert_num_queries):
    scan = make_scan("worst")
    with django_assert_num_queries(3):
        details(scan)


# -- citations ----------------------------------------------------------------------------------------
@pytest.fixture
def cases(_bank, monkeypatch):
    monkeypatch.setattr(citations, "_page", lambda case: f"/en/incidents/{case.slug}/")
    return details(make_scan("middle")).cases


def test_cited_cases_become_numbers_with_sources_below(cases):
    first, second = cases[0], cases[1]
    text = citations.with_sources(
        f"Once [{second.slug}], twice [{first.slug}], again [{second.slug}].", cases
    )
    one, two = (f"/en/incidents/{case.slug}/" for case in (second, first))
    assert text.startswith(
        rf"Once [\[1\]](<{one}>), twice [\[2\]](<{two}>), again [\[1\]](<{one}>)."
        f"\n\n## Cases and sources\n\n1. **["
    )
    assert f"](<{one}>)** ({second.facts})." in text
    assert template_report.plain(second.name) in text
    assert all(f"(<{url}>)" in text for url in (*first.sources, *second.sources))


def test_cases_cited_together_are_both_numbered(cases):
    text = citations.with_sources(f"Both [{cases[0].slug}, {cases[1].slug}].", cases)
    assert text.startswith(r"Both [\[1\]](<")
    assert r">) [\[2\]](<" in text


def test_invented_cases_disappear(cases):
    assert citations.with_sources("It happened [mt-gox-2014] before.", cases) == "It happened before.\n"


@pytest.mark.parametrize(
    "mark", ["[[{}]]", "【{}】", "({})", "`{}`", "[**{}**]", "[{}](https://evil.example/)", "{}"]
)
def test_ids_are_found_as_models_write_them(cases, mark):
    slug = cases[0].slug
    for spelt in (slug, slug.upper(), slug.replace("-", "\u2011")):
        text = citations.with_sources(f"It happened {mark.format(spelt)}.", cases)
        assert text.startswith(rf"It happened [\[1\]](</en/incidents/{slug}/>).")
        assert "evil" not in text


def test_footnotes_lead_to_our_page_and_to_the_sources(cases):
    page = to_html(citations.with_sources(f"Once [{cases[0].slug}].", cases))
    assert (
        f'Once <a href="/en/incidents/{cases[0].slug}/" rel="nofollow noopener noreferrer">[1]</a>.' in page
    )
    assert f'href="{cases[0].sources[0]}"' in page


@pytest.mark.usefixtures("_bank")
def test_without_a_page_of_our_own_the_first_source_serves(monkeypatch):
    def none(*args, **kwargs):
        raise NoReverseMatch

    monkeypatch.setattr(citations, "reverse", none)
    case = details(make_scan("middle")).cases[0]
    text = citations.with_sources(f"Once [{case.slug}].", [case])
    assert text.startswith(rf"Once [\[1\]](<{case.sources[0]}>).")


@pytest.mark.parametrize(
    "text", ["Use [2-of-3] shares.", "See [this](x).", "[x]", "a[1]", "[slip-39 backup]"]
)
def test_other_brackets_stay(cases, text):
    assert citations.with_sources(text, cases) == text + "\n"


# -- the chain ----------------------------------------------------------------------------------------
@pytest.mark.usefixtures("_bank")
@pytest.mark.parametrize("lang", LANGS)
def test_the_chain_is_asked_as_agreed(monkeypatch, settings, lang):
    settings.REPORT_DEADLINE_S = 17
    fake = FakeChain(monkeypatch, chain.Completed(a_reply(GOOD[lang])))
    written = generate.write(make_scan(lang=lang))
    (call,) = fake.calls
    assert (call["purpose"], call["lang"], call["temperature"], call["deadline_s"]) == (
        "audit-report",
        lang,
        0.3,
        17,
    )
    assert call["max_tokens"] == (1400 if lang == "ru" else 900)
    assert call["accept"](GOOD[lang]) is None
    assert call["accept"]("no")
    assert (written.provider, written.model, written.cost_usd) == ("groq1", "llama", Decimal("0.000123"))
    assert written.prompt_version == prompts.PROMPT_VERSION


@pytest.mark.usefixtures("_bank")
@pytest.mark.parametrize(
    "trouble",
    [
        chain.ChainExhausted(attempts=[], skipped=[], call_id=None, content_blocked=False),
        ValueError("bad arguments"),
        DatabaseError("locked"),
        RuntimeError("anything"),
        RecursionError(),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
@pytest.mark.parametrize("observer", [None, lambda event: None])
def test_whatever_breaks_in_the_chain_there_is_a_report(monkeypatch, trouble, observer):
    FakeChain(monkeypatch, trouble)
    written = generate.write(make_scan(), observer)
    assert (written.provider, written.model, written.cost_usd) == ("fallback-template", "", Decimal(0))
    assert written.markdown.startswith("## ")


@pytest.mark.usefixtures("_bank")
def test_a_stream_that_ends_without_an_answer_is_no_report(monkeypatch):
    FakeChain(monkeypatch, chain.Delta("half a"))
    assert generate.write(make_scan(), lambda event: None).provider == "fallback-template"


@pytest.mark.usefixtures("_bank")
def test_an_exhausted_chain_leaves_its_attempts_and_its_call(monkeypatch):
    call = Call.objects.create(started_at=timezone.now(), deadline_s=45)
    attempt = {
        "credential": "vertex",
        "model": "gemini",
        "location": "eu",
        "outcome": "rate_limited_provider",
    }
    exhausted = chain.ChainExhausted(attempts=[attempt], skipped=[], call_id=call.pk, content_blocked=False)
    FakeChain(monkeypatch, exhausted)
    scan = make_scan()
    row = jobs.write_report_now(scan)
    assert row.progress == [{"provider": "vertex:eu", "model": "gemini", "outcome": "rate_limited_provider"}]
    assert row.call == call


@pytest.mark.usefixtures("_bank")
def test_a_visitor_without_consent_never_reaches_the_chain(monkeypatch):
    fake = FakeChain(monkeypatch)
    scan = make_scan(ai=False)
    jobs.start_report(scan)
    assert jobs.write_report_now(scan).provider == "fallback-template"
    assert generate.write(scan).provider == "fallback-template"
    assert fake.calls == []
