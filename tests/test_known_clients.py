"""A client that a process has read before need not be read again, and what became of it counts at once all the same."""

import asyncio
import json
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.test import AsyncRequestFactory
from django.utils import timezone

from llm.clients import access, known
from llm.gateway import views
from llm.ledger import books
from llm.models import Call, Client
from tests.chain_setup import make_groq
from tests.gateway_client import make_client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _served(settings):
    """As in a server: on a loop, with the bookkeeper."""
    settings.LLM_BOOKS = "bookkeeper"
    known._kept.clear()
    yield
    books.bookkeeper.stop()


@pytest.fixture
def key(sim):
    make_groq(sim, keys=1)
    return make_client()[1]


def asked(key, *between):
    """The statuses of requests on one loop, with something done between each two."""

    async def once():
        request = AsyncRequestFactory().post(
            "/v1/chat/completions",
            json.dumps({"messages": [{"role": "user", "content": "x"}]}),
            content_type="application/json",
            headers={"authorization": f"Bearer {key}"},
        )
        return (await views.chat(request)).status_code

    async def all_of_them():
        found = [await once()]
        for step in between:
            await sync_to_async(step)()
            found.append(await once())
        return found

    return async_to_sync(all_of_them)()


def test_it_is_read_once_while_nothing_changes(key, monkeypatch):
    read, first = [], access.authenticate
    monkeypatch.setattr(access, "authenticate", lambda key: read.append(1) or first(key))
    assert asked(key, *[lambda: None] * 3) == [200] * 4
    assert len(read) == 1


def test_a_revoked_key_is_refused_at_once_and_nothing_is_sent(key, sim):
    assert asked(key, lambda: access.revoke(Client.objects.all())) == [200, 401]
    assert sim.count() == 1
    assert Call.objects.count() == 1


def test_a_key_that_is_revoked_while_it_is_read_is_refused(key, monkeypatch):
    first = access.authenticate

    def revoked_meanwhile(key):
        client = first(key)
        access.revoke(Client.objects.all())
        return client

    monkeypatch.setattr(access, "authenticate", revoked_meanwhile)
    assert asked(key, lambda: None) == [401, 401]


def test_another_key_a_limit_and_a_deletion_count_at_once(key):
    def renew():
        access.renew_key(Client.objects.get())

    assert asked(key, renew) == [200, 401]
    fresh = access.renew_key(Client.objects.get())
    assert asked(fresh, lambda: Client.objects.update(rpm=1), lambda: Client.objects.all().delete()) == [
        200,
        429,
        401,
    ]


def test_a_key_that_expires_is_not_known_any_more(key):
    assert asked(key) == [200]
    client = known.find(key)
    client.expires_at = timezone.now() - timedelta(seconds=1)
    assert known.find(key) is None


def test_many_at_once_with_a_changed_client_are_all_answered(key):
    async def burst():
        request = lambda: AsyncRequestFactory().post(  # noqa: E731
            "/v1/chat/completions", json.dumps({"messages": [{"role": "user", "content": "x"}]}),
            content_type="application/json", headers={"authorization": f"Bearer {key}"},
        )  # fmt: skip
        await views.chat(request())
        await sync_to_async(Client.objects.update)(max_usd="0.5")
        return [
            answer.status_code for answer in await asyncio.gather(*[views.chat(request()) for _ in range(8)])
        ]

    assert async_to_sync(burst)() == [200] * 8
