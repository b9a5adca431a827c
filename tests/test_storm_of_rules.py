"""Everything at once: whatever providers and callers do to each other, the rules of a call hold.

Every request that a provider saw is one attempt in the ledger, and the other way round; what it costs lies between
the provider's bill and the reservation; no budget and no cap is exceeded; nothing is left running; and only what
providers did wrong pauses them.
"""

import json
import random
import re
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client as Browser

from llm.adapters import adapter_for
from llm.adapters.vertex import Vertex
from llm.chain import CallerLeft, ChainExhausted, Delta, complete, stream
from llm.clients.access import Refused
from llm.configuration import snapshot
from llm.failures.kinds import OF_THE_CALLER, Kind
from llm.models import Attempt, Call, Client, Pause
from llm.pauses import breaker
from llm.simulator import behaviours as b
from llm.simulator.tokens import count_tokens
from tests.chain_setup import OSS, SMALL, make_deepseek, make_groq, make_provider, make_vertex
from tests.gateway_client import Gateway, make_client

pytestmark = pytest.mark.django_db(transaction=True)

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "look_up",
            "parameters": {"type": "object", "properties": {"q": {"type": "string"}}},
        },
    }
]
TEXT = "Write the words down on paper, twice, and keep both copies apart. " * 6
FAULTS = [
    *(b.http(status) for status in (400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 524, 529)),
    b.http(429, headers={"retry-after": "1"}), b.http(429, headers={"retry-after": "600"}), b.hang(), b.reset(),
    b.slow_first_token(0.3), b.truncate(), b.truncate(mismatch=False), b.blank_keepalive(), b.empty(), b.short(),
    b.blank_keepalive("close"), b.blank_keepalive("forever"), b.drip(0.001, "Slowly, but it comes."), b.think_only(),
    b.midstream_death(), b.midstream_death(after=1), b.midstream_stall(), b.malformed_chunk(), b.malformed_chunk(1, 40),
    b.error_in_200(), b.error_in_200(429, "slow down"), b.error_in_stream(), b.no_done(), b.no_done(finish=False),
    b.no_done(hold_open=True), b.tool_call("look_up", {"q": "seed"}), b.tool_call("unknown", {"q": "x"}),
    *(b.tool_calls(("look_up", {"q": "a"}), ("look_up", {"q": "b"}), how=how) for how in b.HOW),
    b.odd_events(), b.early_finish(), b.huge(), b.huge(400_000, packed=False), b.content_filter(),
    b.ok("I'm sorry, but I can't help with that."), b.ok(TEXT, pace=0.02), b.ok(TEXT, finish="length"),
    b.ok(TEXT, reasoning="Let me think about that first. " * 20), b.ok(TEXT, finish=None), b.ok(TEXT, pace=0.3),
    b.ok(TEXT, reasoning="Step by step. " * 30, pace=0.02), b.ok("Жаль, но это не твоё. " * 30, pace=0.01),
]  # fmt: skip
PRICES = {"price_in": Decimal("0.30"), "price_out": Decimal("1.20")}
# USD a day: less than the storm would spend, so that each is met.
DAYS = {"deepseek": Decimal("0.02"), "other": Decimal("0.015"), "vertex": Decimal("0.02")}
SHOP_DAY, CREDIT = Decimal("0.03"), Decimal("0.012")
KEYS = ("groq1", "groq2", "deepseek", "other", "another", "vertex")
NUMBER = re.compile(r"#(\d+)#")
BILLED_STATES = {200, None}  # None: it took the request, and nobody knows what it did with it


def _scripts(sim, dice, length):
    """A long day for each key: a third of the answers good, the others anything at all, recorded failures too."""
    recorded = [
        b.payload(name)
        for name, record in b.payloads().items()
        if "RefreshError" not in record.get("exception", "") and record["status"] != 200
    ]
    for key in KEYS:
        day = [
            dice.choices([b.ok(), dice.choice(FAULTS), dice.choice(recorded)], [4, 7, 1])[0]
            for _ in range(length)
        ]
        sim.script(key if key == "vertex" else f"key-of-{key}", *day, b.ok())


@pytest.fixture
def providers(sim, tmp_path):
    """Free and paid, two accounts of one, Vertex in three places; and a last one that never does anything wrong."""
    times = {"first_byte_s": 0.8, "timeout_s": 1.5}
    make_groq(sim, keys=2, models=(OSS, SMALL), **times)
    make_deepseek(sim, daily_budget_usd=DAYS["deepseek"], credit_usd=CREDIT, **times)
    pair = {"other": "first", "another": "second"}
    other = [{"name": "m", **PRICES}, {"name": "n", **PRICES}]
    make_provider(sim, "other", models=other, keys=pair, tier=2, daily_budget_usd=DAYS["other"], **times)
    make_vertex(sim, tmp_path, daily_budget_usd=DAYS["vertex"], **times)
    calm = {"name": "calm", **PRICES}
    make_provider(sim, "calm", models=[calm], keys={"calm": ""}, tier=9, first_byte_s=30, timeout_s=60)
    sim.script("key-of-calm", b.slow_first_token(0.4, TEXT))
    for kind in ("groq", "openai"):
        adapter_for(kind=kind, base_url="http://127.0.0.1:9", key="x")  # imports are no part of a call's time
    assert Vertex
    snapshot.providers()


def _wish(number, dice):
    """The arguments of one call."""
    wish = {
        "user": f"#{number}# Where should I keep my seed phrase? {'Tell me more. ' * dice.randrange(20)}",
        "max_tokens": dice.choice([None, 60, 300, 2000]),
        "max_usd": dice.choice([None, None, "0", "0.0005", "0.002", "0.02"]),
        "on_broken_stream": dice.choice(["restart", "error", "continue"]),
        "on_content_block": dice.choice(["next", "error"]),
        "keep_text": True,
    }
    wish |= {"deadline_s": seconds} if (seconds := dice.choice([None, 0.3, 1, 3])) else {"patience_s": 2}
    if dice.random() < 0.2:
        wish["params"] = {"tools": TOOLS}
    if dice.random() < 0.25:
        wish["accept"] = lambda text, dice=dice: "too plain" if dice.random() < 0.5 else None
        wish["repair"] = dice.random() < 0.5
    return wish


def _call(number, dice, client):
    """One caller of the chain: who waits, who reads a stream to its end, or who leaves somewhere."""
    wish = _wish(number, dice)
    if client is not None and dice.random() < 0.3:
        wish["client"] = client
    leaves = dice.random() < 0.25
    with suppress(ChainExhausted, CallerLeft, Refused):
        if dice.random() < 0.4:
            gone_at = time.monotonic() + dice.random()
            complete(**wish, has_left=(lambda: time.monotonic() > gone_at) if leaves else None)
            return
        events = stream(**wish)
        for seen, event in enumerate(events):
            if leaves and (seen >= dice.choice([0, 1, 3, 6]) or isinstance(event, Delta)):
                events.close()
                return


def _request(number, dice, key):
    """One caller of the gateway: plain, streamed, held back, or gone after a few bytes."""
    body = {
        "messages": [{"role": "user", "content": f"#{number}# Where should I keep my seed phrase?"}],
        "stream": dice.random() < 0.7,
        "deadline_s": dice.choice([0.3, 1, 3]),
        "max_usd": dice.choice([None, 0, 0.0005, 0.02]),
        "max_tokens": dice.choice([60, 300]),
    }
    body = {name: value for name, value in body.items() if value is not None}
    hold = {"x-guardlabs-hold": dice.choice(["true", "false"])}
    answer = Gateway(key, Browser()).post(body, **hold)
    assert answer.status_code in {200, 400, 402, 403, 429, 502, 503}, answer.content
    if answer.streaming:
        pieces = iter(answer.streaming_content)
        for _ in range(dice.choice([1, 3, 10_000])):
            if next(pieces, None) is None:
                break
        answer.close()


@pytest.mark.exhaustive
@pytest.mark.parametrize(("calls", "threads"), [(60, 8), (1500, 16)])
@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_storm_of_everything_the_ledger_is_what_providers_saw(sim, providers, calls, threads, seed):
    _scripts(sim, random.Random(seed), calls)
    _, key = make_client(data_class=Client.DataClass.PUBLIC, daily_budget_usd=SHOP_DAY, concurrency=6)
    shop = Client.objects.get(name="shop")

    def one(number):
        dice = random.Random(seed * 100_000 + number)
        try:
            if (
                dice.random() < 0.2
            ):  # as when staff look after things: nobody stays paused for the whole storm
                breaker.close(Pause.objects.filter(closed_at=None), by="staff")
            if dice.random() < 0.25:
                _request(number, dice, key)
            else:
                _call(number, dice, shop)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(calls)))

    _quiet(sim)
    assert not Call.objects.filter(outcome="running").exists()
    assert not Attempt.objects.filter(finished_at=None).exists()
    _check_attempts(sim)
    _check_caps(calls, seed)
    paused = set(Pause.objects.values_list("kind", flat=True))
    assert paused
    assert paused <= set(map(str, Kind)) - set(map(str, OF_THE_CALLER))
    assert not Pause.objects.filter(provider="calm").exists()
    _after_the_storm(sim)


def _quiet(sim):
    """Waits until the simulator has read what was sent to it by callers who did not wait."""
    seen = -1
    while seen != (seen := sim.count()):
        time.sleep(0.3)  # for its threads, which have no clock of ours


def _check_attempts(sim):
    """Request and attempt are the same, one by one and in order, and the money lies in between."""
    requests, attempts = defaultdict(list), defaultdict(list)
    for record in sim.requests:
        if record.endpoint == "chat":
            requests[NUMBER.search(json.dumps(record.body))[1]].append(record)
    for row in Attempt.objects.select_related("call").order_by("id"):
        attempts[NUMBER.search(row.call.messages[0]["content"])[1]].append(row)
    assert requests
    assert requests.keys() <= attempts.keys()
    wrong, unread = [], 0
    for number, rows in attempts.items():
        seen = requests[number]
        for row in rows:
            if seen and _names(seen[0]) == (row.credential, row.model, row.location or None):
                wrong += _wrong_money(row, seen.pop(0))
            elif row.outcome == Kind.PROVIDER_DOWN and row.latency_ms >= 700 and not row.tokens_out:
                unread += 1  # within the provider's time the simulator's threads had not come to it
            elif not _was_never_sent(row):
                wrong.append(f"#{number}: {row} {row.cost_usd} {row.detail!r} reached nobody")
        wrong += [f"#{number}: {record.credential} {record.behaviour} is in no ledger" for record in seen]
    assert wrong == []
    assert unread <= len(attempts) // 20


def _names(record):
    return record.credential.removeprefix("key-of-"), record.model, record.location


def _was_never_sent(row):
    """Nothing came, and nothing is paid: the caller or the time was gone before the request was."""
    return row.outcome in {"cancelled", Kind.CUT_SHORT} and row.tokens_out == 0


def _wrong_money(row, record):
    """What is wrong with the cost of an attempt, beside the bill of whoever was asked."""
    ran = record.status in BILLED_STATES and not record.behaviour.startswith(("error_in_200", "payload:"))
    if record.behaviour == "error_in_stream" and not record.stream:
        ran = False
    prompt = max(record.prompt_tokens, _prompt_tokens(record.body)) if ran else 0
    written = record.completion_tokens if ran else 0
    if record.stream and row.tokens_out and row.outcome in {"cancelled", Kind.CUT_SHORT}:
        written = 0  # left in the middle of it: booked is what came so far, and what was under way nobody saw
    bill = ((row.price_in or 0) * prompt + (row.price_out or 0) * written) / 10**6
    told = f"{row} for {record.behaviour} (stream {record.stream}): {row.cost_usd}, in {row.tokens_in} of {prompt}, "
    told += f"out {row.tokens_out} of {written}, reserved {row.reserved_usd}"
    if round(row.cost_usd, 6) < round(bill, 6):
        return [f"below the bill of {bill}: {told}"]
    return [f"above its reservation: {told}"] if row.cost_usd > row.reserved_usd else []


def _prompt_tokens(body):
    if "messages" in body:
        return count_tokens("\n".join(message.get("content") or "" for message in body["messages"]))
    texts = ("".join(part.get("text", "") for part in turn["parts"]) for turn in body["contents"])
    return count_tokens("\n".join(texts))


def _check_caps(calls, seed):
    """`max_usd` of each call, the provider's day, the client's day."""
    for number in range(calls):
        dice = random.Random(seed * 100_000 + number)
        cap = _cap(number, dice)
        for call in Call.objects.filter(messages__0__content__startswith=f"#{number}# "):
            assert cap is None or call.cost_usd <= Decimal(str(cap)), (
                f"#{number}: {call.cost_usd} above {cap}"
            )
    for call in Call.objects.annotate(of_attempts=Sum("attempts__cost_usd")):
        assert call.cost_usd == (call.of_attempts or 0)
        assert call.attempt_count == call.attempts.count()
    for provider, day in DAYS.items():
        spent = Attempt.objects.filter(provider=provider).aggregate(usd=Sum("cost_usd"))["usd"]
        assert 0 < spent <= min(day, CREDIT if provider == "deepseek" else day), provider
    assert Call.objects.filter(client="shop").aggregate(usd=Sum("cost_usd"))["usd"] <= SHOP_DAY


def _cap(number, dice):
    """The `max_usd` that the caller of this number had: the same dice fall the same way."""
    dice.random()
    if dice.random() < 0.25:
        dice.random(), dice.choice([0.3, 1, 3])
        return dice.choice([None, 0, 0.0005, 0.02])
    return _wish(number, dice)["max_usd"]


def _after_the_storm(sim):
    """The sun is out, nobody tidies up, and a second client asks."""
    for key in KEYS:
        sim.script(key if key == "vertex" else f"key-of-{key}", b.ok())
    gateway = Gateway(make_client("calm")[1])
    for number in range(6):
        answer = gateway.ask([{"role": "user", "content": "Good morning."}], stream=number % 2 == 0)
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code == 200
        assert b"error" not in text
