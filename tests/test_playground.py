"""The playground asks the chain as a client would, tells what happens as it happens, and shows no key."""

import asyncio
import json

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import RequestFactory

from llm.admin import playground
from llm.models import Call
from llm.simulator import payload
from tests.chain_setup import make_deepseek, make_groq

pytestmark = pytest.mark.django_db
ASK = "/admin/llm/provider/playground/ask/"
PAGE = "/admin/llm/provider/playground/"


def told(client, **given):
    answer = client.post(ASK, {"door": "chat", "model": "auto", "user": "Hello?", "max_tokens": 50, **given})
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("text/event-stream")
    return read(b"".join(answer.streaming_content).decode())


def read(text):
    events = [block.split("\n") for block in text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in events]


def test_attempts_text_footer_and_receipt(sim, admin_client):
    from llm.ledger import receipts

    make_groq(sim, keys=2)
    sim.script("key-of-groq1", payload("groq-429-tpd-1"))
    events = told(admin_client)
    names = [name for name, _data in events]
    assert names[:3] == ["attempt", "failed", "attempt"]
    assert names[-1] == "done"
    assert events[1][1]["why"] == "quota used up"
    done = events[-1][1]
    assert "".join(data["text"] for name, data in events if name == "text") == done["text"]
    assert done["headers"]["x-guardlabs-provider"] == "groq2"
    assert done["headers"]["x-guardlabs-attempts"] == "2"
    assert receipts.verify(done["receipt"]).belongs_to(done["text"])
    assert "key-of-groq" not in json.dumps(events)
    assert Call.objects.get().purpose == "playground"


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("auto", ["groq1", "deepseek"]), ("free", ["groq1"]), ("deepseek", ["deepseek"]),
        ("deepseek/deepseek-flash", ["deepseek"]), ("deepseek-flash", ["deepseek"]), ("nothing-like-it", []),
    ],
)  # fmt: skip
def test_the_model_chooses_who_is_asked(sim, admin_client, model, asked):
    make_groq(sim, keys=1)
    make_deepseek(sim)
    sim.script("key-of-groq1", payload("groq-429-tpd-1"))
    events = told(admin_client, model=model)
    assert [data["credential"] for name, data in events if name == "attempt"] == asked


def test_nobody_there_is_said_with_reasons(sim, admin_client):
    make_deepseek(sim)
    events = told(admin_client, free="on")
    assert events[-1][0] == "lost"
    assert any("costs money" in line for line in events[-1][1]["skipped"])


def test_data_that_must_not_be_kept_is_not(sim, admin_client):
    row = make_groq(sim, keys=1)
    row.trains_on_prompts = False
    row.save()
    told(admin_client, data_class="internal", user="MARKED-WORDS")
    assert "MARKED-WORDS" not in str(Call.objects.values())


@pytest.mark.parametrize(
    "given", [{"user": ""}, {"max_tokens": 0}, {"door": "window"}, {"max_tokens": 10**9}]
)
def test_nonsense_is_refused_before_anything_is_sent(sim, admin_client, given):
    make_groq(sim, keys=1)
    answer = admin_client.post(ASK, {"door": "chat", "model": "auto", "user": "x", "max_tokens": 5, **given})
    assert (answer.status_code, bool(answer.json()["errors"])) == (400, True)
    assert sim.requests == []


def test_only_who_may_test_providers_gets_in(sim, client):
    user = get_user_model().objects.create_user("vera", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_provider"))
    client.force_login(user)
    assert client.get(PAGE).status_code == 403
    assert client.post(ASK, {"door": "chat", "user": "x"}).status_code == 403
    assert client.get(ASK).status_code in (403, 405)


def test_the_page_opens_without_inline_code(sim, admin_client):
    import re

    html = admin_client.get(PAGE).content.decode()
    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*src)", html)


@pytest.mark.django_db(transaction=True)
def test_on_an_event_loop_events_come_one_by_one(sim, admin_user):
    make_groq(sim, keys=1)
    request = RequestFactory().post(ASK, {"door": "chat", "model": "auto", "user": "x", "max_tokens": 5})
    request.user, request.scope = admin_user, {}
    answer = playground.ask(request)
    assert answer.is_async

    async def gather():
        return "".join([piece.decode() async for piece in answer.streaming_content])

    assert [name for name, _data in read(asyncio.run(gather()))][-1] == "done"
