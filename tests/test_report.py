"""The written report: prompt, gates, template, citations, and who writes it when things go wrong."""

import re
import threading
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import DatabaseError
from django.utils import timezone, translation

from audit import citations, formats, gates, heartbeat, prompts, report, scans, template_report, writer
from audit.catalogue import scoring_bank
from audit.details import details
from audit.models import Incident, Option, Report, Scan
from llm import chain
from llm.failures import Kind
from llm.models import Call
from tests import report_texts
from tests.factories import load_bank, make_scan

LANGS = ["en", "ru", "es"]
GOOD = {"en": report_texts.EN, "ru": report_texts.RU, "es": report_texts.ES}


@pytest.fixture
def _bank(db):
    load_bank()


def a_reply(text: str = report_texts.EN, **changed) -> chain.Reply:
    return chain.Reply(
        **{
            "text": text, "provider": "groq1", "model": "llama", "finish_reason": "stop",
            "cost_usd": Decimal("0.000123"), "tokens_in": 800, "tokens_out": 500, "latency_ms": 900,
            "skipped": [], "call_id": None,
            "attempts": [{"credential": "groq1", "model": "llama", "location": None, "outcome": "ok"}],
            **changed,
        }
    )  # fmt: skip


class FakeChain:
    """Stands in for `llm.chain` in `audit.report`: a script of events or an exception."""

    def __init__(self, monkeypatch, *script):
        self.script = script or (chain.Completed(a_reply()),)
        self.calls: list[dict] = []
        monkeypatch.setattr(report.chain, "stream", self.stream)
        monkeypatch.setattr(report.chain, "complete", self.complete)

    def stream(self, **call):
        self.calls.append(call)
        for event in self.script:
            if isinstance(event, Exception):
                raise event
            if callable(event):
                event()
            else:
                yield event

    def complete(self, **call):
        return next(event.reply for event in self.stream(**call) if isinstance(event, chain.Completed))


# -- formats ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("lang", "money", "small", "day", "month", "points"),
    [
        ("en", "$68M", "$484K", "May 3, 2024", "May 2024", "8.4"),
        ("ru", "68 млн $", "484 тыс. $", "3 мая 2024", "май 2024", "8,4"),
        ("es", "68 millones de USD", "484 mil USD", "3 de mayo de 2024", "mayo de 2024", "8,4"),
    ],
)
def test_money_and_dates_are_written_as_each_language_does(lang, money, small, day, month, points):
    with translation.override(lang):
        assert (formats.money(68_000_000), formats.money(484_123)) == (money, small)
        assert (formats.day("2024-05-03"), formats.day("2024-05"), formats.day("2024")) == (
            day,
            month,
            "2024",
        )
        assert (formats.number(Decimal("8.4")), formats.number(Decimal("14.0"))) == (points, "14")


@pytest.mark.parametrize("text", ["", "soon", "2024-13", "2024-02-31", "2024-05-03-04"])
def test_what_is_no_date_is_left_alone(text):
    assert formats.day(text, "ru") == text


# -- gates --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGS)
def test_a_good_report_passes_in_its_language_only(lang):
    for written, text in GOOD.items():
        assert (gates.report(lang)(text) is None) == (written == lang)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", ["PT", "FR", "UK", "ZH"])
def test_other_languages_are_rejected(lang, name):
    assert gates.report(lang)(getattr(report_texts, name))


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("other", LANGS)
def test_a_report_that_changes_its_language_is_rejected(lang, other):
    mixed = GOOD[lang] + "\n" + GOOD[other].split("\n\n")[1].replace("\n", " ")
    assert bool(gates.report(lang)(mixed)) == (lang != other)


@pytest.mark.parametrize("text", ["", "   ", "ok", "Sorry, I cannot help with that.", "x " * 190])
@pytest.mark.parametrize("lang", LANGS)
def test_short_texts_are_rejected(text, lang):
    assert gates.report(lang)(text).startswith("too short")


@pytest.mark.parametrize("lang", LANGS)
def test_noise_is_rejected(lang):
    assert gates.report(lang)("1234567890 !? " * 100)
    assert gates.report(lang)("Trezor Ledger Rabby Coldcard " * 100)


def test_russian_full_of_product_names_passes():
    names = "\n- Trezor Safe 3, Ledger, BitBox02, Coldcard, Keystone 3 Pro, Rabby, MetaMask, Revoke.cash, Safe{Wallet}"
    assert gates.report("ru")(GOOD["ru"] + names) is None


def test_reasons_never_quote_the_text():
    secret = "abandon ability able about above absent"
    assert secret not in str(gates.report("ru")(secret * 50))


def test_the_first_failing_gate_gives_the_reason():
    gate = gates.all_of(lambda text: None, lambda text: "second", lambda text: "third")
    assert gate("x") == "second"


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
            system, user = prompts.build(details(scan), lang)
        assert prompts.estimate_tokens(system + user) <= prompts.MAX_TOKENS_IN


@pytest.mark.usefixtures("_bank")
def test_texts_that_are_half_longer_in_cyrillic_fit(monkeypatch):
    """Translations are longer than English and cost more tokens: the facts shrink until they fit."""

    def longer(text):
        return re.sub("[a-z]", "ж", text + " " + text[: len(text) // 2])

    monkeypatch.setattr("audit.catalogue.gettext", longer)
    facts = details(make_scan("worst", lang="ru"))
    system, user = prompts.build(facts, "ru")
    assert prompts.estimate_tokens(system + user) <= prompts.MAX_TOKENS_IN


@pytest.mark.usefixtures("_bank")
@pytest.mark.parametrize("lang", LANGS)
def test_the_prompt_says_language_headings_and_rules(lang):
    with translation.override(lang):
        facts = details(make_scan("worst", lang=lang))
        system, user = prompts.build(facts, lang)
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
    _, user = prompts.build(facts, "en")
    places = [user.index(f"{each.finding.question}={each.finding.value}") for each in facts.weaknesses]
    assert places == sorted(places)
    assert "http" not in user
    assert "Score: 0 of 100" in user


@pytest.mark.usefixtures("_bank")
def test_the_prompt_of_a_perfect_scan_asks_for_no_weakness():
    system, user = prompts.build(details(make_scan("best")), "en")
    assert "No weaknesses" in user
    assert "[" not in user + system.replace("[", "", 0)


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
    assert len(text) >= gates.MIN_CHARS


@pytest.mark.usefixtures("_bank")
def test_the_template_is_deterministic_and_passes_our_own_gate():
    scan = make_scan("middle")
    text = template_report.write(details(scan))
    assert text == template_report.write(details(scan))
    assert gates.report("en")(text) is None


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
def cases(_bank):
    return details(make_scan("middle")).cases


def test_cited_cases_become_numbers_with_sources_below(cases):
    first, second = cases[0], cases[1]
    text = citations.with_sources(
        f"Once [{second.slug}], twice [{first.slug}], again [{second.slug}].", cases
    )
    assert text.startswith("Once [1], twice [2], again [1].\n\n## Cases and sources\n\n1. **")
    assert template_report.plain(second.name) in text
    assert all(f"(<{url}>)" in text for url in (*first.sources, *second.sources))


def test_cases_cited_together_are_both_numbered(cases):
    text = citations.with_sources(f"Both [{cases[0].slug}, {cases[1].slug}].", cases)
    assert text.startswith("Both [1] [2].")


def test_invented_cases_disappear(cases):
    assert citations.with_sources("It happened [mt-gox-2014] before.", cases) == "It happened before.\n"


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
    written = report.write(make_scan(lang=lang))
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
    written = report.write(make_scan(), observer)
    assert (written.provider, written.model, written.cost_usd) == ("fallback-template", "", Decimal(0))
    assert written.markdown.startswith("## ")


@pytest.mark.usefixtures("_bank")
def test_a_stream_that_ends_without_an_answer_is_no_report(monkeypatch):
    FakeChain(monkeypatch, chain.Delta("half a"))
    assert report.write(make_scan(), lambda event: None).provider == "fallback-template"


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
    row = writer.write_report_now(scan)
    assert row.progress == [{"provider": "vertex:eu", "model": "gemini", "outcome": "rate_limited_provider"}]
    assert row.call == call


@pytest.mark.usefixtures("_bank")
def test_a_visitor_without_consent_never_reaches_the_chain(monkeypatch):
    fake = FakeChain(monkeypatch)
    scan = make_scan(ai=False)
    writer.start_report(scan)
    assert writer.write_report_now(scan).provider == "fallback-template"
    assert report.write(scan).provider == "fallback-template"
    assert fake.calls == []


# -- one writer for each report -----------------------------------------------------------------------
@pytest.fixture
def inline(monkeypatch):
    """Threads run at once, in the test's own."""
    monkeypatch.setattr(writer, "spawn", lambda claim, job: job())


@pytest.mark.usefixtures("_bank", "inline")
def test_starting_twice_makes_one_call(monkeypatch):
    fake = FakeChain(monkeypatch)
    scan = make_scan()
    first, second = writer.start_report(scan), writer.start_report(scan)
    assert len(fake.calls) == 1
    assert first == second == writer.write_report_now(scan)
    assert (first.status, first.provider) == (Report.Status.READY, "groq1")
    assert (first.draft, first.finished_at is not None) == ("", True)


@pytest.mark.usefixtures("_bank")
def test_a_second_tab_while_it_is_being_written_does_not_start_another(monkeypatch):
    scan, jobs = make_scan(), []
    monkeypatch.setattr(writer, "spawn", lambda claim, job: jobs.append(job))
    assert writer.start_report(scan).status == Report.Status.WRITING
    assert writer.start_report(scan).status == Report.Status.WRITING
    assert len(jobs) == 1


def silent_for(scan: Scan, seconds: float) -> None:
    Report.objects.filter(scan=scan).update(heartbeat_at=timezone.now() - timedelta(seconds=seconds))


@pytest.mark.usefixtures("_bank")
def test_a_dead_workers_report_is_taken_over(monkeypatch):
    FakeChain(monkeypatch)
    scan, jobs = make_scan(), []
    monkeypatch.setattr(writer, "spawn", lambda claim, job: jobs.append(job))
    writer.start_report(scan)
    assert not writer.is_stalled(writer.current(scan))
    silent_for(scan, writer.STALE_S + 1)
    assert writer.is_stalled(writer.current(scan))
    writer.start_report(scan)
    dead, alive = jobs
    alive()
    ready = writer.current(scan)
    assert ready.status == Report.Status.READY
    dead()  # it was only slow: what it wrote is void
    assert writer.current(scan).finished_at == ready.finished_at
    assert Report.objects.filter(scan=scan).count() == 1


@pytest.mark.usefixtures("_bank")
def test_looking_at_a_report_starts_nothing(monkeypatch):
    fake = FakeChain(monkeypatch)
    scan = make_scan()
    silent_for(scan, 1000)
    assert writer.current(scan).status == Report.Status.PENDING
    assert fake.calls == []


@pytest.mark.usefixtures("_bank", "inline")
def test_a_report_that_cannot_be_saved_is_free_again(monkeypatch):
    scan = make_scan()
    monkeypatch.setattr(report, "write", lambda *args: 1 / 0)
    assert writer.start_report(scan).status == Report.Status.PENDING
    monkeypatch.undo()
    FakeChain(monkeypatch)
    assert writer.write_report_now(scan).status == Report.Status.READY


@pytest.mark.usefixtures("_bank", "inline")
def test_a_scan_whose_reports_were_removed_gets_a_new_one(monkeypatch):
    FakeChain(monkeypatch)
    scan = make_scan()
    scan.reports.all().delete()
    assert writer.start_report(scan).status == Report.Status.READY


@pytest.mark.usefixtures("_bank", "inline")
def test_earlier_versions_stay_and_the_newest_is_shown(monkeypatch):
    FakeChain(monkeypatch)
    scan = make_scan(ai=False)
    again = Report.objects.create(scan=scan)
    assert writer.current(scan) != again
    Scan.objects.filter(pk=scan.pk).update(ai=True)
    scan.refresh_from_db()
    writer.start_report(scan)
    assert writer.current(scan) == again
    assert scan.reports.count() == 2


@pytest.mark.usefixtures("_bank")
def test_progress_shows_attempts_and_text_and_voids_what_failed(monkeypatch):
    seen = []
    scan = make_scan()

    def look():
        row = Report.objects.get(scan=scan)
        seen.append((row.draft, [line["outcome"] for line in row.progress]))

    monkeypatch.setattr(writer, "DRAFT_EVERY_S", 0)
    names = {"provider": "groq", "credential": "groq1", "model": "llama", "location": ""}
    FakeChain(
        monkeypatch,
        chain.AttemptStarted(**names), look,
        chain.Delta("Hel"), chain.Delta("lo"), look,
        chain.AttemptFailed(kind=Kind.PROVIDER_DOWN, detail="secret detail", **names), look,
        chain.AttemptStarted(**{**names, "credential": "groq2"}), look,
        chain.Delta("Good"), look,
        chain.Completed(a_reply()),
    )  # fmt: skip
    monkeypatch.setattr(writer, "spawn", lambda claim, job: job())
    row = writer.start_report(scan)
    assert seen == [
        ("", ["trying"]),
        ("Hello", ["trying"]),
        ("", ["provider_down"]),
        ("", ["provider_down", "trying"]),
        ("Good", ["provider_down", "trying"]),
    ]
    assert "secret" not in str(row.progress)


@pytest.mark.usefixtures("_bank", "inline")
def test_the_draft_is_not_saved_for_every_token(monkeypatch, django_assert_max_num_queries):
    scan = make_scan()
    words = [chain.Delta("word ")] * 500
    FakeChain(monkeypatch, *words, chain.Completed(a_reply()))
    with django_assert_max_num_queries(20):
        writer.start_report(scan)


def test_trouble_with_the_progress_does_not_cost_the_report(monkeypatch):
    def locked(**fields):
        raise DatabaseError("database is locked")

    monkeypatch.setattr(writer, "_own", lambda claim: SimpleNamespace(update=locked))
    progress = writer._Progress("claim")
    progress(chain.Delta("text"))
    assert progress.text == "text"


@pytest.mark.usefixtures("_bank", "inline")
def test_deleting_while_it_is_written_leaves_no_wording_behind(monkeypatch):
    call = Call.objects.create(
        started_at=timezone.now(),
        deadline_s=45,
        messages=[{"role": "user", "content": "metal"}],
        text="Report",
    )
    scan = make_scan()
    gone = Scan.objects.get(pk=scan.pk)
    FakeChain(monkeypatch, lambda: scans.delete_scan(gone), chain.Completed(a_reply(call_id=call.pk)))
    writer.start_report(scan)
    call.refresh_from_db()
    assert (call.messages, call.text) == ([], "")
    assert not Report.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_tabs_at_once_make_one_call(monkeypatch):
    load_bank()
    scan, gate, calls = make_scan(), threading.Barrier(8), []
    monkeypatch.setattr(writer, "spawn", lambda claim, job: calls.append(claim))

    def tab():
        from django.db import connection

        gate.wait()
        try:
            writer.start_report(scan)
        finally:
            connection.close()

    tabs = [threading.Thread(target=tab) for _ in range(8)]
    for each in tabs:
        each.start()
    for each in tabs:
        each.join()
    assert len(calls) == 1


@pytest.mark.django_db(transaction=True)
def test_a_thread_writes_the_report_and_the_heartbeat_keeps_it(monkeypatch):
    load_bank()
    monkeypatch.setattr(heartbeat, "EVERY_S", 0.01)
    scan, beaten = make_scan(), threading.Event()

    def until_beaten():
        start = Report.objects.get(scan=scan).heartbeat_at
        while Report.objects.get(scan=scan).heartbeat_at == start:
            beaten.wait(0.01)

    fake = FakeChain(monkeypatch, until_beaten, chain.Delta("text"), chain.Completed(a_reply()))
    writer.start_report(scan)
    row = writer.write_report_now(scan)  # waits for the thread instead of asking again
    assert (row.status, row.provider, len(fake.calls)) == (Report.Status.READY, "groq1", 1)
    for thread in list(writer._live.values()):
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_at_shutdown_unfinished_reports_are_free_for_others(monkeypatch):
    load_bank()
    monkeypatch.setattr(writer, "SHUTDOWN_GRACE_S", 0.05)
    leave, scan = threading.Event(), make_scan()
    FakeChain(monkeypatch, lambda: leave.wait(20), chain.Completed(a_reply()))
    writer.start_report(scan)
    writer._leave()
    assert writer.current(scan).status == Report.Status.PENDING
    leave.set()
    for thread in list(writer._live.values()):
        thread.join()
    assert writer.current(scan).status == Report.Status.PENDING  # the late worker wrote nothing
