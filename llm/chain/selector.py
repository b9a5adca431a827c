"""What a call tries next: the first deployment of the plan as it is at that moment, and how long it may take."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from llm import clock
from llm.adapters import Timing
from llm.chain.plan import (
    HALF_OPEN_KINDS,
    NO_METER,
    CallSkips,
    Deployment,
    Planner,
    Skipped,
    Want,
    fitted,
    is_elastic,
    refusal,
    usd_left,
)
from llm.configuration import snapshot
from llm.configuration.snapshot import ProviderConf
from llm.failures import pauses
from llm.failures import probes as edges
from llm.limits.quota import LedgerMeter, remember_tight, taught

LEAST_SHARE_S = 5.0  # what every later provider keeps of the deadline, where it is long enough
LEAST_ATTEMPT_S = 0.2  # less is not worth a request
MOST_WAITS = 3  # for a free deployment, in one call
MOST_ANSWER_S = 600.0  # of a plain answer, however long the caller's own deadline is


def free_wait_s() -> float:
    """The longest wait, in seconds, for a free deployment rather than paying."""
    return float(getattr(settings, "LLM_FREE_WAIT_S", 3))


def site_budget_usd() -> Decimal | None:
    """What all paid providers together may cost a day, in USD; None is no limit."""
    budget = getattr(settings, "LLM_DAILY_BUDGET_USD", None)
    return None if budget is None else Decimal(str(budget))


@dataclass
class Chooser:
    """Chooses for one call. Moments are those of `clock.monotonic()`.

    end: of the call; infinity for a stream without a deadline of the caller's
    begin_by: until when attempts may begin; later than that only words that already flow go on
    own_deadline: whether the caller named the deadline
    """

    want: Want
    end: float
    begin_by: float
    own_deadline: bool = False
    skips: CallSkips = field(default_factory=CallSkips)
    skipped: dict[tuple[str, str | None, str | None], Skipped] = field(default_factory=dict)
    providers: tuple[ProviderConf, ...] = ()
    meter: LedgerMeter = field(default_factory=lambda: LedgerMeter(timezone.now(), {}))
    planner: Planner | None = None  # of the last look
    waits: int = 0
    looked: bool = False

    def left_s(self) -> float:
        """Seconds in which an attempt may still begin."""
        return self.begin_by - clock.monotonic()

    def extend(self, patience_s: float) -> None:
        """After words have flowed: whoever takes over has as long as the first one had."""
        self.begin_by = min(self.end, max(self.begin_by, clock.monotonic() + patience_s))

    def next(self, sleep: Callable[[float], None]) -> Deployment | None:
        """The deployment to try now; None when nothing is left, or no time. Notes what it passes over."""
        now = timezone.now()
        current = snapshot.read()
        if current.pauses and edges.probe_ended(current.providers, current.pauses, self.left_s() / 4):
            current = snapshot.read()
        self.providers = current.providers
        # What the first look finds is judged again before it is reserved, and that is nearly always all of it.
        hopeful = not (self.looked or current.pauses)
        self.looked = True
        self.meter = LedgerMeter(now, taught() if current.anything_taught else {}, hopeful=hopeful)
        planner = self.planner = Planner(
            self.providers, current.pauses, self.meter, self.want, self.skips, now, site_budget_usd()
        )
        back_soon: list[float] = []
        for step in planner.steps():
            if isinstance(step, Skipped):
                self.skipped.setdefault((step.provider, step.credential, step.model), step)
                if step.until is not None and self._is_free(step.provider):
                    back_soon.append((step.until - now).total_seconds())
            elif self.left_s() < LEAST_ATTEMPT_S:
                return None
            elif not step.provider.free and self._wait_for_free(back_soon, sleep):
                return self.next(sleep)
            elif self._may_probe(step, now):
                return step
        return self.next(sleep) if self._wait_for_free(back_soon, sleep) else None

    def refusal(self, deployment: Deployment, want: Want) -> Skipped | None:
        """Asked again under the lock: is there still room, and money?"""
        now = timezone.now()
        reason = refusal(deployment, want, self.meter.at(now), site_budget_usd())
        if reason:
            remember_tight(deployment, now)
        return reason

    def spent(self, cost_usd: Decimal | None) -> None:
        """Takes what an attempt has cost from what the call may still cost."""
        if cost_usd and self.want.max_usd is not None:
            self.want = replace(self.want, max_usd=self.want.max_usd - cost_usd)

    def fitted(self, deployment: Deployment, want: Want) -> Want:
        """What this deployment is asked: `max_tokens` lowered to what it can give, and final."""
        limits, tokens_left = self.meter.limits(deployment), None
        if is_elastic(deployment, want, limits):
            tokens_left = self.meter.tokens_left(deployment, want)
        left = usd_left(deployment, want, self.meter, site_budget_usd())
        lowered = fitted(deployment, want, limits, tokens_left=tokens_left, usd_left=left)
        return replace(lowered, named=True)

    def timing(self, provider: ProviderConf, *, streamed: bool) -> Timing:
        """How long an attempt may take: its share of the deadline is all but what usable successors must keep.

        A stream must show a sign of life within `first_byte_s`, then it may last as long as it is never silent for
        `timeout_s`. A plain answer has `timeout_s`; where nobody is left to take over, what remains of the deadline
        that the caller named, if that is more.
        """
        now, left, later = clock.monotonic(), self.left_s(), self._usable_after(provider)
        share = left - later * min(LEAST_SHARE_S, left / (later + 1))
        limit_s = provider.timeout_s
        if self.own_deadline and not later:
            limit_s = max(limit_s, min(left, MOST_ANSWER_S))
        return Timing(
            first_token=now + min(provider.first_byte_s, share),
            end=self.end if streamed else now + min(limit_s, share),
            idle_s=provider.timeout_s,
            first_byte_s=provider.first_byte_s,
            timeout_s=provider.timeout_s,
        )

    def _usable_after(self, provider: ProviderConf) -> int:
        """How many providers behind this one the call may still use, as the last look found it."""
        if self.planner is None:
            return 0
        planner = replace(self.planner, meter=NO_METER)  # a quota that is spent now may have room by then
        return sum(planner.may_use(other) for other in planner.after(provider.slug))

    def _is_free(self, slug: str) -> bool:
        return any(provider.free for provider in self.providers if provider.slug == slug)

    def _wait_for_free(self, back_soon: list[float], sleep: Callable[[float], None]) -> bool:
        """Waits for a free deployment that is back in a moment, when all else costs money or nothing is left."""
        wait_s = min(back_soon, default=float("inf"))
        if wait_s > free_wait_s() or wait_s > self.left_s() - LEAST_SHARE_S or self.waits >= MOST_WAITS:
            return False
        self.waits += 1
        sleep(max(wait_s, 0.05))
        self.skips.deployments.clear()
        return True

    def _may_probe(self, deployment: Deployment, now: datetime) -> bool:
        """Of an ended pause only one call at a time tests whether it is over."""
        probes = [pause for pause in deployment.probes if pause.kind in HALF_OPEN_KINDS]
        if not probes or pauses.claim_probes(probes, now + timedelta(seconds=deployment.provider.timeout_s)):
            return True
        self.skips.deployments.add((deployment.key.label, deployment.model.name, deployment.location))
        return False
