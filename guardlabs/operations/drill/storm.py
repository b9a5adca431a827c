"""What goes wrong in one wave of a drill: faults of the simulator, drawn at random for each provider."""

from random import Random
from typing import TYPE_CHECKING, Any

from guardlabs.operations.drill.weather import Weather
from llm.simulator import behaviours as b
from llm.simulator.providers_file import PROVIDERS

if TYPE_CHECKING:
    from llm.simulator import Simulator

EDGE_SHARE, CALM_SHARE, GOOD_SHARE = 0.1, 0.3, 0.5
SLOW_DISK_SHARE, CACHE_OUTAGE_SHARE, TOKEN_FAULT_SHARE = 0.25, 0.3, 0.15
LONGEST_SCRIPT = 12
# The wave (from 0) in which a rare kind comes for certain, so that the shortest drill meets them all.
RARE = {"slow disk": 0, "token fault": 1, "cache outage": 1, "kill": 2}
JUMPS_S = (
    20.0,
    90.0,
    1_200.0,
    5 * 3600.0,
    9 * 3600.0,
    26 * 3600.0,
)  # between waves: pauses end, quotas and days are new

FAULTS = [
    b.hang(), b.slow_first_token(0.3), b.reset(), b.truncate(), b.truncate(mismatch=False), b.blank_keepalive(),
    b.blank_keepalive("close"), b.blank_keepalive("forever"), b.drip(0.05), b.empty(), b.short(), b.think_only(),
    b.midstream_death(), b.midstream_stall(), b.malformed_chunk(), b.error_in_200(), b.error_in_stream(),
    b.no_done(), b.no_done(finish=False), b.no_done(hold_open=True), b.tool_call("f", {"x": 1}),
    b.content_filter(), b.http(500), b.http(503), b.http(429, headers={"retry-after": "1"}), b.http(418),
    b.http(200, "<html>"),
]  # fmt: skip
GRANTS = [name for name, record in b.payloads().items() if "RefreshError" in record.get("exception", "")]
EDGES = [
    name
    for name, record in b.payloads().items()
    if record["expected"] == "blocked_provider" and record["status"]
]
PAYLOADS = [b.payload(name) for name in b.payloads() if name not in GRANTS]


def credentials() -> list[tuple[str, str]]:
    """(provider, what the simulator calls the key) of all of them."""
    return [
        (str(provider["slug"]), str(key.get("secret", key["label"])))
        for provider in PROVIDERS
        for key in provider["keys"]
    ]


def script(dice: Random) -> list[b.Behaviour]:
    """Good answers and faults in any order; the last repeats."""
    return [
        b.ok() if dice.random() < GOOD_SHARE else dice.choice(FAULTS + PAYLOADS)
        for _ in range(dice.randint(2, LONGEST_SCRIPT))
    ]


def comes(kind: str, share: float, wave: int, dice: Random) -> bool:
    """Whether a RARE kind comes in this wave: in its own, and in others by the dice."""
    return dice.random() < share or wave == RARE[kind]


def break_out(sim: "Simulator", weather: Weather, dice: Random, wave: int) -> dict[str, Any]:
    """Sets the weather of a wave (from 0); returns it in words. `cache` says whether a relay should be cut, too."""
    for slug in dict.fromkeys(slug for slug, _ in credentials()):
        sim.unblock_edge(slug)
        if dice.random() < EDGE_SHARE:
            sim.block_edge(slug, dice.choice(EDGES))
    for _, credential in credentials():
        sim.script(credential)
        if dice.random() > CALM_SHARE:
            sim.script(credential, *script(dice))
    sim.script("vertex", endpoint="token")
    if GRANTS and comes("token fault", TOKEN_FAULT_SHARE, wave, dice):
        sim.script("vertex", b.payload(dice.choice(GRANTS)), b.ok())
    slow = 0.01 * dice.random() if comes("slow disk", SLOW_DISK_SHARE, wave, dice) else 0.0
    down = comes("cache outage", CACHE_OUTAGE_SHARE, wave, dice)
    weather.set("disk_s", slow)
    weather.set("cache_is_down", float(down))
    return {"edges": dict(sim.edges), "slow disk": slow, "cache": down}
