"""What a call tries next: the first deployment of the plan as it is at that moment, and how long it may take."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from llm.adapters import Timing
from llm.chain.plan import HALF_OPEN_KINDS, CallSkips, Deployment, Planner, Skipped, Want, refusal
from llm.configuration import snapshot
from llm.configuration.snapshot import ProviderConf
from llm.failures import pauses
from llm.failures import probes as edges
from llm.limits.quota import LedgerMeter, remember_tight, taught

LEAST_SHARE_S = 5.0  # what every later provider keeps of the deadline, where it is long enough
LEAST_ATTEMPT_S = 0.2  # less is not worth a request
MOST_WAITS = 3  # for a free deployment, in one call


def free_wait_s() -> float:
    """The longest wait, in seconds, for a free deployment rather than paying."""
    return float(getattr(settings, "LLM_FREE_WAIT_S", 3))


def site_budget_usd() -> Decimal | None:
    """What all paid providers together may cost a day, in USD; None is no limit."""
    budget = getattr(settings, "LLM_DAILY_BUDGET_USD", None)
    return None if budget is None else Decimal(str(budget))


@dataclass
class Chooser:
    """Chooses for one call, until `end` (a `time.monotonic()`)."""

    want: Want
    end: float
    sleep: Callable[[float], None]
    skips: CallSkips = field(default_factory=CallSkips)
    skipped: dict[tuple[str, str | None, str | None], Skipped] = field(default_factory=dict)
    providers: tuple[ProviderConf, ...] = ()
    meter: LedgerMeter = field(default_factory=lambda: LedgerMeter(timezone.now(), {}))
    waits: int = 0
    looked: bool = False

    def left_s(self) -> float:
        return self.end - time.monotonic()

    def next(self) -> Deployment | None:
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
        planner = Planner(
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
            elif not step.provider.free and self._wait_for_free(back_soon):
                return self.next()
            elif self._may_probe(step, now):
                return step
        return self.next() if self._wait_for_free(back_soon) else None

    def refusal(self, deployment: Deployment, want: Want) -> Skipped | None:
        """Asked again under the lock: is there still room, and money?"""
        now = timezone.now()
        reason = refusal(deployment, want, self.meter.at(now), site_budget_usd())
        if reason:
            remember_tight(deployment, now)
        return reason

    def timing(self, provider: ProviderConf) -> Timing:
        """An attempt's share of the deadline: all but what the providers after this one must keep."""
        now, left = time.monotonic(), self.left_s()
        slugs = [other.slug for other in self.providers]
        later = sum(
            1
            for other in self.providers[slugs.index(provider.slug) + 1 :]
            if other.keys
            and other.slug not in self.skips.providers
            and (self.want.providers is None or other.slug in self.want.providers)
        )
        share = left - later * min(LEAST_SHARE_S, left / (later + 1))
        end = now + min(provider.timeout_s, share)
        return Timing(
            first_token=min(now + provider.first_byte_s, end),
            end=end,
            first_byte_s=provider.first_byte_s,
            timeout_s=provider.timeout_s,
        )

    def _is_free(self, slug: str) -> bool:
        return any(provider.free for provider in self.providers if provider.slug == slug)

    def _wait_for_free(self, back_soon: list[float]) -> bool:
        """Waits for a free deployment that is back in a moment, when all else costs money or nothing is left."""
        wait_s = min(back_soon, default=float("inf"))
        if wait_s > free_wait_s() or wait_s > self.left_s() - LEAST_SHARE_S or self.waits >= MOST_WAITS:
            return False
        self.waits += 1
        self.sleep(max(wait_s, 0.05))
        self.skips.deployments.clear()
        return True

    def _may_probe(self, deployment: Deployment, now: datetime) -> bool:
        """Of an ended pause only one call at a time tests whether it is over."""
        probes = [pause for pause in deployment.probes if pause.kind in HALF_OPEN_KINDS]
        if not probes or pauses.claim_probes(probes, now + timedelta(seconds=deployment.provider.timeout_s)):
            return True
        self.skips.deployments.add((deployment.key.label, deployment.model.name, deployment.location))
        return False
