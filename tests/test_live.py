"""A report's progress as server-sent events: what is told, when, to how many, and that nothing is started."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connections
from django.urls import reverse
from django.utils import timezone, translation

from audit.models import Report
from audit.pages import live
from audit.report import jobs
from audit.scans import service as scans
from llm.models import Call
from tests.factories import load_bank, make_scan
from tests.xss_payloads import payloads

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _bank():
    load_bank()


@pytest.fixture(autouse=True)
def _everybody_leaves():
    yield
    assert live._taken == 0, "a seat was not given back"


@pytest.fixture(autouse=True)
def given_back(monkeypatch):
    """One entry for each time that the database connection was given back. A test's own one stays open."""
    times = []
    monkeypatch.setattr(live, "close_old_connections", lambda: times.append(1))
    monkeypatch.setattr(connections["default"], "close_if_unusable_or_obsolete", lambda: None)
    return times


class Story:
    """What happens to a report from one tick to the next; stands in for the time between them."""

    def __init__(self, monkeypatch, scan, *chapters):
        self.rows = Report.objects.filter(scan=scan)
        now = timezone.now()
        self.rows.update(
            status="writing", claim="c", claimed_at=now, heartbeat_at=now, draft="", progress=[], markdown=""
        )
        self.chapters = list(chapters)
        monkeypatch.setattr(live, "sleep", self.tick)

    def tick(self, seconds):
        chapter = self.chapters.pop(0) if self.chapters else {"status": "ready", "markdown": "## The end"}
        if callable(chapter):
            chapter()
        else:
            self.rows.update(**chapter)


def address(scan, lang="en"):
    with translation.override(lang):
        return reverse("audit:events", kwargs={"token": scans.scan_token(scan)})


def listen(client, scan, *, lang="en", **headers):
    """The answer, and its events as dicts of their fields."""
    response = client.get(address(scan, lang), headers=headers)
    body = b"".join(response) if response.streaming else response.content
    response.close()
    return response, [event(block) for block in body.decode().split("\n\n") if block.strip()]


def event(block):
    fields = {}
    for each in block.splitlines():
        name, value = each.split(": ", 1) if ": " in each else (each.rstrip(":"), "")
        fields[name] = f"{fields[name]}\n{value}" if name in fields else value
    return fields


def pictures(events):
    return [each["data"] for each in events if each.get("event") == "report"]


TRYING = [{"provider": "groq1", "model": "m", "outcome": "trying"}]
FAILED = [
    {"provider": "groq1", "model": "m", "outcome": "rate_limited_key", "window": "day"},
    {"provider": "groq2", "model": "m", "outcome": "trying"},
]


def test_progress_then_text_then_the_final_version(client, monkeypatch):
    scan = make_scan()
    Story(
        monkeypatch,
        scan,
        {"progress": TRYING},
        {"draft": "## Where **you"},
        {"draft": "", "progress": FAILED},
        {"draft": "## Here"},
    )
    _, events = listen(client, scan)
    told = pictures(events)
    assert events[0] == {"retry": "1000"}
    assert len({each["id"] for each in events if "id" in each}) == len(told) == 6
    assert "groq1 is writing your report." in told[1]
    assert "<h2>Where <strong>you</strong></h2>" in told[2]
    assert "groq1 is out of tokens for today → groq2" in told[3]
    assert "Where" not in told[3]  # the text of the attempt that failed is gone
    assert "<h2>Here</h2>" in told[4]
    assert 'data-state="ready"' in told[5]
    assert "The end" in told[5]
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    ("lang", "words"), [("ru", "У groq1 на сегодня кончились токены"), ("es", "sin tokens por hoy")]
)
def test_it_is_told_in_the_pages_language(client, monkeypatch, lang, words):
    scan = make_scan(lang=lang)
    Story(monkeypatch, scan, lambda: translation.activate("en"), {"progress": FAILED})
    assert words in pictures(listen(client, scan, lang=lang)[1])[-2]


def test_what_has_not_changed_is_told_once_and_the_time_at_every_tick(client, monkeypatch, settings):
    scan = make_scan()
    settings.REPORT_DEADLINE_S = 20
    ago = {"claimed_at": timezone.now() - timedelta(seconds=500)}
    Story(monkeypatch, scan, {}, {}, ago)
    _, events = listen(client, scan)
    times = [float(each["data"]) for each in events if each.get("event") == "time"]
    assert len(pictures(events)) == 2
    assert len(times) == 5
    assert all(seconds < 10 for seconds in times[:3])
    assert times[3:] == [20.0, 20.0]  # never beyond the deadline


def test_a_viewer_who_comes_back_is_not_told_the_same_again(client, monkeypatch):
    scan = make_scan()
    Story(monkeypatch, scan)
    _, events = listen(client, scan)
    first, last = (each["id"] for each in events if "id" in each)
    Story(monkeypatch, scan)
    assert [each["id"] for each in listen(client, scan, last_event_id=first)[1] if "id" in each] == [last]
    response, events = listen(client, scan, last_event_id=last)
    assert (response.status_code, events) == (204, [])  # an EventSource stops for good
    assert len(pictures(listen(client, scan)[1])) == 1


def test_headers_keep_it_private_unbuffered_and_out_of_caches(client, monkeypatch):
    scan = make_scan()
    for answer in (listen(client, scan)[0], Story(monkeypatch, scan) and listen(client, scan)[0]):
        assert answer["Content-Type"] == "text/event-stream; charset=utf-8"
        assert answer["X-Accel-Buffering"] == "no"
        assert answer["Cache-Control"] == "private, no-store"
        assert (answer["X-Robots-Tag"], answer["Referrer-Policy"]) == ("noindex, nofollow", "no-referrer")
        assert not answer.cookies


def test_nobody_is_kept_beyond_the_life_of_a_connection(client, monkeypatch):
    scan = make_scan()
    clock = iter([0.0, 0.0, 1.0, live.LIFE_S - 0.1, live.LIFE_S])
    Story(monkeypatch, scan, {}, {}, {}, {})
    monkeypatch.setattr(live.time, "monotonic", lambda: next(clock))
    _, events = listen(client, scan)
    assert sum(each.get("event") == "time" for each in events) == 3
    assert 'data-state="writing"' in pictures(events)[-1]


def test_a_report_that_nobody_writes_is_told_in_one_event_and_starts_nothing(client):
    scan = make_scan()
    response, events = listen(client, scan)
    assert not response.streaming
    assert 'data-state="waiting"' in pictures(events)[0]
    assert jobs.current(scan).status == Report.Status.PENDING
    assert client.post(address(scan)).status_code == 405


def test_a_writer_that_dies_is_told_so_that_the_page_finds_another(client, monkeypatch):
    scan = make_scan()
    silent = {"heartbeat_at": timezone.now() - timedelta(seconds=claims.STALE_S + 1)}
    Story(monkeypatch, scan, {"draft": "Half"}, silent)
    _, events = listen(client, scan)
    assert 'data-state="waiting"' in pictures(events)[-1]


def test_a_scan_that_is_deleted_meanwhile_ends_the_story(client, monkeypatch):
    scan = make_scan()
    Story(monkeypatch, scan, lambda: scans.delete_scan(type(scan).objects.get(pk=scan.pk)))
    assert 'data-state="waiting"' in pictures(listen(client, scan)[1])[-1]
    assert client.get(address(scan)).status_code == 404


def test_a_database_in_trouble_ends_the_connection_not_the_process(client, monkeypatch, caplog):
    scan = make_scan()

    def trouble():
        monkeypatch.setattr(jobs, "current", lambda scan: (_ for _ in ()).throw(DatabaseError("locked")))

    Story(monkeypatch, scan, trouble)
    assert len(pictures(listen(client, scan)[1])) == 1
    assert "could not be read" in caplog.text


def test_one_query_a_tick_and_no_connection_between_two(
    client, monkeypatch, given_back, django_assert_num_queries
):
    scan = make_scan()
    Story(monkeypatch, scan, *[{}] * 20)
    with django_assert_num_queries(
        3 + 22 + 3
    ):  # the scan, the links, the first look; ticks; the end of the story, who wrote it, and what it offers
        listen(client, scan)
    assert len(given_back) == 22


# -- seats -------------------------------------------------------------------------------------------
def test_beyond_the_seats_a_viewer_is_sent_to_polling(client, monkeypatch, settings):
    settings.LIVE_STREAMS = 2
    scan = make_scan()
    Story(monkeypatch, scan)
    seated = [client.get(address(scan)) for _ in range(2)]
    assert client.get(address(scan)).status_code == 204
    seated[0].close()
    assert listen(client, scan)[0].status_code == 200
    seated[1].close()


def test_a_viewer_who_leaves_at_any_moment_frees_the_seat_once(client, monkeypatch):
    scan = make_scan()
    Story(monkeypatch, scan)
    before_reading, after_one = client.get(address(scan)), client.get(address(scan))
    next(iter(after_one))
    assert live._taken == 2
    for response in (before_reading, after_one, after_one):
        response.close()
    assert live._taken == 0


def test_one_thread_is_never_given_away(client, monkeypatch, settings):
    settings.LIVE_STREAMS = 0  # WEB_THREADS=1
    scan = make_scan()
    Story(monkeypatch, scan)
    assert client.get(address(scan)).status_code == 204


# -- hostile text ------------------------------------------------------------------------------------
def test_no_line_of_a_text_can_become_an_event_of_its_own(client, monkeypatch):
    scan = make_scan()
    hostile = (
        "a\n\nevent: report\ndata: <script>alert(1)</script>\r\rdata: x\x0b\x0c\x1c\x85\u2028event: time"
    )
    Story(monkeypatch, scan, {"draft": hostile})
    _, events = listen(client, scan)
    assert {name for each in events for name in each} == {"retry", "event", "id", "data"}
    assert len(pictures(events)) == 3
    assert "&lt;script&gt;" in pictures(events)[1]
    assert not any("<script" in each for each in pictures(events))


def test_hostile_markdown_in_the_middle_is_sanitised_in_every_picture(client, monkeypatch):
    scan = make_scan()
    found = payloads()[::6]
    Story(monkeypatch, scan, *[{"draft": f"Good **words {payload}"} for payload in found])
    told = pictures(listen(client, scan)[1])
    assert len(told) >= len(found)
    for picture in told:
        text = picture.split('data-part="text"')[-1]
        assert not any(
            danger in text.lower() for danger in ("<script", "<img", "<svg", "<iframe", ' href="j')
        )
