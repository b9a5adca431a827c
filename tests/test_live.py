"""A report's progress as server-sent events: what is told, when, to how many, and that nothing is started."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import DatabaseError
from django.test import AsyncRequestFactory
from django.urls import resolve, reverse
from django.utils import timezone, translation

from audit.models import Report
from audit.pages import live
from audit.report import claims, jobs
from audit.scans import service as scans
from llm.models import Call
from tests.factories import load_bank, make_scan
from tests.xss_payloads import payloads

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _bank():
    load_bank()


class Story:
    """What happens to a report from one tick to the next; stands in for the time between them."""

    def __init__(self, monkeypatch, scan, *chapters):
        self.rows = Report.objects.filter(scan=scan)
        now = timezone.now()
        self.rows.update(
            status="writing", claim="c", claimed_at=now, heartbeat_at=now, draft="", progress=[], markdown=""
        )
        self.chapters = list(chapters)
        self.ticks = 0
        monkeypatch.setattr(live, "pause", self.tick)

    async def tick(self, changed):
        self.ticks += 1
        await sync_to_async(self.tell)()

    def tell(self):
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
    response, body = async_to_sync(read)(address(scan, lang), headers)
    return response, [event(block) for block in body.decode().split("\n\n") if block.strip()]


async def ask(path, headers):
    """As guardlabs.serving asks a door."""
    request = AsyncRequestFactory().get(path, headers=headers)
    with translation.override(translation.get_language_from_path(path)):
        match = request.resolver_match = resolve(path)
        return await match.func(request, **match.kwargs)


async def read(path, headers):
    response = await ask(path, headers)
    if not response.streaming:
        return response, response.content
    return response, b"".join([piece async for piece in response])


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
    assert "<h3>Where <strong>you</strong></h3>" in told[2]
    assert "groq1 is out of tokens for today → groq2" in told[3]
    assert "Where" not in told[3]  # the text of the attempt that failed is gone
    assert "<h3>Here</h3>" in told[4]
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
    monkeypatch.setattr(live, "clock", lambda: next(clock))
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
        monkeypatch.setattr(jobs, "shown", lambda scans: (_ for _ in ()).throw(DatabaseError("locked")))

    Story(monkeypatch, scan, trouble)
    assert len(pictures(listen(client, scan)[1])) == 1
    assert "could not be read" in caplog.text


def test_one_query_a_tick_for_any_number_of_viewers(monkeypatch, django_assert_max_num_queries):
    scan = make_scan()
    other = make_scan()
    Story(monkeypatch, other)
    story = Story(monkeypatch, scan, *[{}] * 20, {"status": "ready", "markdown": "## The end"})
    story.rows = Report.objects.filter(scan__in=[scan, other])
    drawn = []
    told = live._told
    monkeypatch.setattr(live, "_told", lambda seen, draw: drawn.append(1) or told(seen, draw))

    async def all_of_them():
        paths = [address(scan), address(other)] * 25
        return await asyncio.gather(*[read(path, {}) for path in paths])

    for_each = 3  # the scan, the links, the first look
    at_the_end = 2 * 3  # for each scan: who wrote it, and what the page offers
    with django_assert_max_num_queries(50 * for_each + 21 + at_the_end):
        answers = async_to_sync(all_of_them)()
    assert all(b"The end" in body for _, body in answers)
    assert story.ticks == 21
    assert len(drawn) == 4  # two pictures of each scan, not of each viewer


def test_a_change_in_this_process_is_seen_before_the_next_tick(monkeypatch):
    scan = make_scan()
    Story(monkeypatch, scan)
    monkeypatch.undo()
    monkeypatch.setattr(live, "TICK_S", 3600.0)

    async def look():
        response = await ask(address(scan), {})
        pieces = aiter(response)
        await anext(pieces)
        await anext(pieces)
        waiting = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0)
        await sync_to_async(Report.objects.filter(scan=scan).update)(status="ready", markdown="## Done")
        await sync_to_async(live.note)(scan.pk)
        async with asyncio.timeout(20):
            return await waiting

    assert b"Done" in async_to_sync(look)()


def test_a_server_that_stops_sends_its_viewers_away(monkeypatch):
    scan = make_scan()
    Story(monkeypatch, scan, lambda: live.end())
    _, events = listen(None, scan)
    assert 'data-state="writing"' in pictures(events)[-1]


def test_without_an_event_loop_a_viewer_has_a_thread_and_is_told_the_same(client, monkeypatch):
    scan = make_scan()
    story = Story(monkeypatch, scan, {"draft": "## Where **you"}, {})
    monkeypatch.setattr(live.time, "sleep", lambda seconds: story.tell())
    monkeypatch.setattr(live, "close_old_connections", lambda: None)
    response = client.get(address(scan))
    told = b"".join(response).decode()
    assert told.count("event: report") == 3
    assert told.count("event: time") == 4
    assert "The end" in told
    last = told.rpartition("id: ")[2].partition("\n")[0]
    assert client.get(address(scan), headers={"last-event-id": last}).status_code == 204


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
