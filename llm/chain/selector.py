"""What a call tries next: the first deployment of the plan as it is at that moment, and how long it may take."""

import asyncio
import math
import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from django.conf import settings
from django.utils import timezone

from llm import clock
from llm.adapters import Timing
from llm.calls.deployment import CallSkips, Deployment, Skipped
from llm.calls.fitting import fitted, is_elastic
from llm.calls.spec import CallSpec
from llm.chain import slow_start
from llm.chain.plan import HALF_OPEN_KINDS, NO_METER, Planner, offered, refusal, usd_left
from llm.configuration import snapshot
from llm.configuration.snapshot import PauseView, ProviderConf
from llm.failures import waits
from llm.failures.kinds import Kind
from llm.limits.learned import known
from llm.limits.quota import LedgerMeter
from llm.models import Pause
from llm.pauses import breaker

LEAST_SHARE_S = 5.0  # what every later provider keeps of the deadline, where it is long enough
LEAST_ATTEMPT_S = 0.2  # less is not worth a request
MOST_WAITS = 3  # for what is back in time, in one call
LEAST_WAIT_S = 0.05
UNASKED_WAIT_S = 15.0  # the longest for a caller who named no deadline
REST_S = (0.1, 0.4)  # before what refused us quickly is asked once more
MOST_SILENCES = 2
CLAIM_GRACE_S = 5.0  # before a test that does not end is taken for one that lost its worker
NEWS_S = 2.0  # between looks of those whom news of this process wake
SHORTEST_LOOK_S, LONGEST_LOOK_S, LONGEST_WAIT_S = 0.02, 0.25, 30.0  # while others find out
MOST_ANSWER_S = 600.0  # of a plain answer, however long the caller's own deadline is


def free_wait_s() -> float:
    """The longest wait, in seconds, for a free deployment rather than paying."""
    return float(getattr(settings, "LLM_FREE_WAIT_S", 3))


def site_budget_usd() -> Decimal | None:
    """What all paid providers together may cost a day, in USD; None is no limit."""
    budget = getattr(settings, "LLM_DAILY_BUDGET_USD", None)
    return None if budget is None else Decimal(str(budget))


@dataclass
class Selector:
    """Chooses for one call. Moments are those of `clock.monotonic()`.

    end: of the call; infinity for a stream without a deadline of the caller's
    begin_by: until when attempts may begin; later than that only words that already flow go on
    own_deadline: whether the caller named the deadline
    """

    want: CallSpec
    end: float
    begin_by: float
    own_deadline: bool = False
    streamed: bool = False
    skips: CallSkips = field(default_factory=CallSkips)
    skipped: dict[tuple[str, str | None, str | None], Skipped] = field(default_factory=dict)
    providers: tuple[ProviderConf, ...] = ()
    meter: LedgerMeter = field(init=False, repr=False)  # of the last look
    planner: Planner | None = None  # of the last look
    looked: bool = False
    known: dict[int, tuple[datetime | None, int]] = field(default_factory=dict)  # see `learn`
    again: set[tuple[str, str, str]] = field(default_factory=set)  # what may be asked once more, at the end
    rested: bool = False  # before that
    waits: int = 0
    silences: int = 0  # tests of what had let calls wait for nothing
    waited_s: float = 0  # for what others find out
    for_others: bool = False  # whether the wait that the last look asked for is one
    news_of: str = ""  # of which provider it is; empty: of any

    def left_s(self) -> float:
        """Seconds in which an attempt may still begin."""
        return self.begin_by - clock.monotonic()

    def extend(self, patience_s: float) -> None:
        """After words have flowed: whoever takes over has as long as the first one had."""
        self.begin_by = min(self.end, max(self.begin_by, clock.monotonic() + patience_s))

    def look(self) -> Deployment | float | None:
        """What to try now, or the seconds to wait before the next look; None when nothing is left, or no time.

        Within the transaction that reserves it. Notes what it passes over.
        """
        self.for_others = False
        return self._look() if self.left_s() >= LEAST_ATTEMPT_S else None

    def _look(self) -> Deployment | float | None:
        now = timezone.now()
        current = snapshot.read()
        self.providers = offered(current.providers, self.want)
        if not self.looked and current.pauses:
            self.known = {
                pause.id: (pause.until, pause.streak) for held in current.pauses.values() for pause in held
            }
        self.looked = True
        self.meter = LedgerMeter(now, known(current.learned))
        planner = self.planner = Planner(
            self.providers, current.pauses, self.meter, self.want, self.skips, now, site_budget_usd()
        )
        passed: list[Skipped] = []
        tested = False
        for step in planner.steps():
            if isinstance(step, Skipped):
                self.skipped.setdefault((step.provider, step.credential, step.model), step)
                passed.append(step)
                continue
            if not step.provider.free and (wait_s := self._wait_for_free(passed, now)) is not None:
                return wait_s
            if step.probes and any(pause.kind in HALF_OPEN_KINDS for pause in step.probes):
                if self._is_patient(step) and self._claim(step):
                    return step
                tested = tested or self._is_patient(step)
                continue
            if self._is_full(step) and (wait_s := self._wait_for_others(step.provider.slug)) is not None:
                return wait_s
            return step
        if (wait_s := self._wait_for_free(passed, now)) is not None:
            return wait_s
        return self._last_resort(planner, passed, tested=tested)

    # -- when nothing is left ----------------------------------------------------------------------

    def learn(self, pause: Pause) -> None:
        """Takes note of a pause that this call has brought about.

        A guess that is as the call found it, or left it, may be asked early. One that has changed since was tested
        by somebody else meanwhile: that is an answer, too.
        """
        self.known[pause.pk] = pause.until, pause.streak

    def _last_resort(
        self, planner: Planner, passed: list[Skipped], *, tested: bool
    ) -> Deployment | float | None:
        """While there is time, a guess is no reason to ask nobody.

        First what is paused on a guess, the one that ends soonest; then once more what refused us quickly; then
        what another call is testing is waited for, and what ends in time. What the provider stated is kept.
        """
        doubtful = {p.id: p for held in planner.pauses.values() for p in held if _is_doubtful(p, planner.now)}
        for deployment in self._behind(planner, doubtful):
            guesses = [pause for pause in deployment.probes if pause.id in doubtful]
            as_known = all(self.known.get(pause.id) == (pause.until, pause.streak) for pause in guesses)
            if as_known and self._is_patient(deployment):
                if self._claim(deployment, early=True):
                    return deployment
                tested = True
            tested = tested or any(p.probe_until and p.probe_until > planner.now for p in guesses)
        if self.again and not self.rested:
            self.rested = True
            self.skips.deployments -= self.again
            return random.uniform(*REST_S)
        if tested and (wait_s := self._wait_for_others()) is not None:
            return wait_s
        moments = {pause.until for pause in doubtful.values()}
        stated = [skip.until for skip in passed if skip.until is not None and skip.until not in moments]
        ends = [(until - planner.now).total_seconds() for until in stated]
        left = self.left_s()
        at_most = left - min(LEAST_SHARE_S, left / 2)
        if not self.own_deadline:  # who named none may rather want to hear until when
            at_most = min(at_most, UNASKED_WAIT_S)
        return self._wait(min(ends, default=math.inf), at_most=at_most)

    def _behind(self, planner: Planner, doubtful: dict[int, PauseView]) -> list[Deployment]:
        """What could be tried if these guesses were wrong, the one that ends soonest first, free ones before paid."""
        if not doubtful and not self.skips.silent:
            return []
        without = {
            slug: [pause for pause in held if pause.id not in doubtful]
            for slug, held in planner.pauses.items()
        }
        found = []
        for step in replace(planner, pauses=without, skips=replace(self.skips, silent=set())).steps():
            if isinstance(step, Deployment):
                held = [
                    p
                    for p in doubtful.values()
                    if p.provider == step.provider.slug and p.covers(**step.scope)
                ]
                found.append(replace(step, probes=(*step.probes, *held)))

        def place(one: Deployment) -> tuple[bool, datetime]:
            ends = [pause.until for pause in one.probes if pause.until is not None]
            return not one.provider.free, max(ends, default=planner.now)

        return sorted(found, key=place)

    # -- one at a time -----------------------------------------------------------------------------

    def _claim(self, deployment: Deployment, *, early: bool = False) -> bool:
        """Of all calls one at a time tests whether a suspect is back."""
        until = timezone.now() + timedelta(seconds=deployment.provider.timeout_s + CLAIM_GRACE_S)
        probes = [pause for pause in deployment.probes if early or pause.kind in HALF_OPEN_KINDS]
        if not breaker.claim_probes(probes, until, early=early):
            return False
        self.silences += _is_silent(deployment)
        return True

    def _is_patient(self, deployment: Deployment) -> bool:
        """Whether this call has waited for nothing too often to test one more that had been silent."""
        return not _is_silent(deployment) or self.silences < MOST_SILENCES

    def _is_full(self, deployment: Deployment) -> bool:
        provider = deployment.provider
        patience_s = provider.first_byte_s if self.streamed else provider.timeout_s
        limit_s = LONGEST_WAIT_S
        if slow_start.is_alive(provider.slug):  # most likely sound: not more than half of the time for it
            limit_s = min(limit_s, self.left_s())
        return self.waited_s < limit_s and slow_start.is_full(provider, patience_s=patience_s)

    def _wait_for_others(self, slug: str = "") -> float | None:
        """Seconds until the next look at what another call finds out; None when it takes too long.

        slug: of a provider on which others wait already, perhaps in this process alone, so news of it wake us.
        """
        if self.waited_s >= LONGEST_WAIT_S:
            return None
        wait_s = min(max(self.waited_s / 4, SHORTEST_LOOK_S), LONGEST_LOOK_S)
        self.news_of = slug
        if slow_start.is_alive(slug) and clock.sleep is asyncio.sleep:
            wait_s = min(NEWS_S, self.left_s() / 2)
        self.waited_s += wait_s
        self.for_others = True
        return wait_s

    def is_paused(self, deployment: Deployment) -> bool:
        """Whether somebody has paused it meanwhile."""
        held = snapshot.open_pauses().get(deployment.provider.slug, [])
        now = timezone.now()
        return any(p.covers(**deployment.scope) and waits.holds(p, now) for p in held)

    # -- time --------------------------------------------------------------------------------------

    def spent(self, cost_usd: Decimal | None) -> None:
        """Takes what an attempt has cost from what the call may still cost."""
        if cost_usd and self.want.max_usd is not None:
            self.want = replace(self.want, max_usd=self.want.max_usd - cost_usd)

    def fitted(self, deployment: Deployment, want: CallSpec) -> CallSpec:
        """What this deployment is asked: `max_tokens` lowered to what it can give, and final."""
        limits, tokens_left = self.meter.limits(deployment), None
        if is_elastic(deployment, want, limits):
            tokens_left = self.meter.tokens_left(deployment, want)
        budget = site_budget_usd() if self.planner is None else self.planner.site_budget_usd
        left = usd_left(deployment, want, self.meter, budget)
        lowered = fitted(deployment, want, limits, tokens_left=tokens_left, usd_left=left)
        return lowered if lowered.named else replace(lowered, named=True)

    def timing(self, provider: ProviderConf, *, streamed: bool) -> Timing:
        """How long an attempt may take: its share of the deadline is all but what usable successors must keep.

        A stream must show a sign of life within `first_byte_s`, then it may last as long as it is never silent for
        `timeout_s`. A plain answer has `timeout_s`; where nobody is left to take over, what remains of the deadline
        that the caller named, if that is more.
        """
        now, left = clock.monotonic(), self.left_s()
        most = max(len(self.providers) - 1, 0)  # successors, or fewer: they are counted only where that tells
        first_s, end, longer = min(provider.first_byte_s, _share_s(left, most)), self.end, None
        if not streamed:
            whole = partial(self._whole_end, provider, now, left)
            end = whole(most)
            longer = None if end == whole(0) else whole
        elif first_s < provider.first_byte_s:
            first_s = min(provider.first_byte_s, _share_s(left, self._usable_after(provider)))
        return Timing(
            first_token=now + first_s, end=end, longer=longer, idle_s=provider.timeout_s,
            first_byte_s=provider.first_byte_s, timeout_s=provider.timeout_s, heard=now,
        )  # fmt: skip

    def _whole_end(self, provider: ProviderConf, now: float, left: float, later: int | None = None) -> float:
        """Until when a plain answer that begins now may take, with so many successors; None: they are counted."""
        if later is None:
            later = self._usable_after(provider)
        alone = self.own_deadline and not later
        limit_s = max(provider.timeout_s, min(left, MOST_ANSWER_S)) if alone else provider.timeout_s
        return now + min(limit_s, _share_s(left, later))

    def _usable_after(self, provider: ProviderConf) -> int:
        """How many providers behind this one the call may still use, as the last look found it."""
        if self.planner is None:
            return 0
        planner = replace(self.planner, meter=NO_METER)  # a quota that is spent now may have room by then
        return sum(planner.may_use(other) for other in planner.after(provider.slug))

    def _is_free(self, slug: str) -> bool:
        return any(provider.free for provider in self.providers if provider.slug == slug)

    def _wait_for_free(self, passed: list[Skipped], now: datetime) -> float | None:
        """Seconds until a free deployment is back in a moment, when all else costs money or nothing is left."""
        back = [skip.until for skip in passed if skip.until is not None and self._is_free(skip.provider)]
        ends = [(until - now).total_seconds() for until in back]
        return self._wait(
            min(ends, default=math.inf), at_most=min(free_wait_s(), self.left_s() - LEAST_SHARE_S)
        )

    def _wait(self, seconds: float, *, at_most: float) -> float | None:
        """The seconds, if they are few enough; what this call found paused by then may be tried again."""
        if seconds > at_most or self.waits >= MOST_WAITS:
            return None
        self.waits += 1
        self.skips.deployments.clear()
        return max(seconds, LEAST_WAIT_S)

    # -- room --------------------------------------------------------------------------------------

    def refusal(self, deployment: Deployment, want: CallSpec) -> Skipped | None:
        """Why a deployment that no look has just chosen for this may not be used: it has no room, or no money."""
        reason = refusal(deployment, want, self.meter.at(timezone.now()), site_budget_usd())
        if reason or deployment.probes or slow_start.is_alive(deployment.provider.slug):
            return reason
        if self._is_full(deployment):
            return Skipped(deployment.provider.slug, "tested by others")
        return None

    def pass_over(self, deployment: Deployment, reason: Skipped) -> None:
        """Does not try it in this call any more."""
        self.skipped.setdefault((reason.provider, reason.credential, reason.model), reason)
        self.skips.deployments.add(deployment.name)


def _share_s(left: float, later: int) -> float:
    """What an attempt may have of the seconds that are left, when so many other providers may come after it."""
    return left - later * min(LEAST_SHARE_S, left / (later + 1))


def _is_silent(deployment: Deployment) -> bool:
    return any(pause.silent for pause in deployment.probes)


def _is_doubtful(pause: PauseView, now: datetime) -> bool:
    """Whether a pause is a guess that may be wrong: not what a provider stated, nor what is known to fail."""
    if pause.source != Pause.Source.GUESS or pause.kind not in breaker.DOUBTFUL or pause.until is None:
        return False
    # A guess that is longer than guesses are knows of something, such as the end of a day.
    return (pause.until - now).total_seconds() <= breaker.GUESSES[Kind(pause.kind)].most_s * 1.1
