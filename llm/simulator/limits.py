"""Quotas of simulated accounts.

The rules, so that an oracle can be computed without this module:

- requests and tokens a minute are counted in a sliding window: a call leaves it 60 s after its arrival;
- requests and tokens a day are counted from midnight UTC, by arrival;
- a call holds its prompt tokens + max_tokens (`DEFAULT_MAX_TOKENS` without one) until it ends, then what it
  used; one that was answered with an error used no tokens, but one request;
- a refused call counts nothing; one that can never fit the minute's tokens is refused as too large.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from math import ceil

from llm.simulator.shared import Entry, SharedLimit

MINUTE, DAY = 60.0, 86400.0
_TINY = 1e-6  # the resolution of epoch seconds in a float


@dataclass(slots=True, kw_only=True)
class Limit:
    """What an account may do; None is without limit."""

    rpm: int | None = None
    tpm: int | None = None
    rpd: int | None = None
    tpd: int | None = None


@dataclass(slots=True, kw_only=True)
class Denial:
    """Why a call is refused. window: rpm | tpm | rpd | tpd; wait_s is None when waiting will not help."""

    account: str
    window: str
    limit: int
    used: int
    requested: int
    wait_s: float | None


@dataclass(slots=True, kw_only=True)
class ProviderStatus:
    """An account's quota as headers tell it: the day's requests, the minute's tokens, seconds until full."""

    limit_requests: int = 10_000_000
    remaining_requests: int = 9_999_999
    reset_requests_s: float = 0.00864
    limit_tokens: int = 100_000_000
    remaining_tokens: int = 99_999_000
    reset_tokens_s: float = 0.0006


@dataclass(slots=True)
class _Entry:
    at: float
    tokens: int


@dataclass(slots=True)
class _Meter:
    """What one account used of one model (or of all)."""

    limit: Limit = field(default_factory=Limit)
    minute: deque[_Entry] = field(default_factory=deque)
    day: int = 0
    day_requests: int = 0
    day_tokens: int = 0

    def advance(self, now: float) -> None:
        while self.minute and self.minute[0].at + MINUTE <= now + _TINY:
            self.minute.popleft()
        if (today := int(now // DAY)) != self.day:
            self.day, self.day_requests, self.day_tokens = today, 0, 0

    def denials(self, account: str, tokens: int, now: float) -> list[Denial]:
        """Every limit that the call would break."""
        midnight = (now // DAY + 1) * DAY - now
        minute_tokens = sum(entry.tokens for entry in self.minute)
        checks = (
            ("rpd", self.limit.rpd, self.day_requests, 1),
            ("tpd", self.limit.tpd, self.day_tokens, tokens),
            ("rpm", self.limit.rpm, len(self.minute), 1),
            ("tpm", self.limit.tpm, minute_tokens, tokens),
        )
        found = []
        for window, limit, used, requested in checks:
            if limit is None or used + requested <= limit:
                continue
            if window in {"rpd", "tpd"}:
                wait: float | None = midnight
            elif requested > limit:
                wait = None
            else:
                wait = self._wait(used + requested - limit, now, count_tokens=window == "tpm")
            found.append(Denial(account=account, window=window, limit=limit, used=used,
                                requested=requested, wait_s=wait))  # fmt: skip
        return found

    def _wait(self, excess: int, now: float, *, count_tokens: bool) -> float:
        """Seconds until enough calls have left the window."""
        for entry in self.minute:
            excess -= entry.tokens if count_tokens else 1
            if excess <= 0:
                return max(0.0, entry.at + MINUTE - now)
        return MINUTE


class Hold:
    """What a call in flight has reserved."""

    __slots__ = ("day", "entry", "meters", "shared")

    def __init__(self, meters: list[_Meter], entry: _Entry, day: int, shared: Entry) -> None:
        self.meters, self.entry, self.day, self.shared = meters, entry, day, shared


class Limits:
    """The meters of all accounts. Thread-safe. Times are epoch seconds."""

    def __init__(self) -> None:
        self._meters: dict[tuple[str, str | None], _Meter] = {}
        self._shared: list[SharedLimit] = []
        self._lock = threading.Lock()

    def set(self, account: str, model: str | None, limit: Limit) -> None:
        """Limits an account: for one model, or (None) for all its models together. What was used stays."""
        with self._lock:
            self._meters.setdefault((account, model), _Meter()).limit = limit

    def share(self, limit: SharedLimit) -> None:
        """Adds a limit of another shape; see `shared.py`."""
        with self._lock:
            self._shared.append(limit)

    def clear(self) -> None:
        with self._lock:
            self._meters.clear()
            self._shared.clear()

    def models(self, account: str) -> list[str]:
        """The models for which this account has a limit of its own."""
        return [model for owner, model in list(self._meters) if owner == account and model is not None]

    def admit(
        self, account: str, model: str, tokens: int, now: float, *, provider: str = "", tokens_in: int = 0
    ) -> Hold | Denial | None:
        """Takes a call in (None: nothing limits it) or says which limit it would break for the longest."""
        if not self._meters and not self._shared:
            return None
        with self._lock:
            meters = self._of(account, model, now)
            shared = [limit for limit in self._shared if limit.covers(provider, model)]
            if not meters and not shared:
                return None
            denials = [denial for meter in meters for denial in meter.denials(account, tokens, now)]
            denials += _denials(shared, account, model, tokens_in, tokens - tokens_in, now)
            if denials:
                return max(denials, key=lambda denial: DAY * 2 if denial.wait_s is None else denial.wait_s)
            entry = _Entry(now, tokens)
            for meter in meters:
                meter.minute.append(entry)
                meter.day_requests += 1
                meter.day_tokens += tokens
            call = Entry(now, tokens_in, tokens - tokens_in)
            for limit in shared:
                limit.pool(account, model).append((call, model))
            return Hold(meters, entry, meters[0].day if meters else 0, call)

    def settle(self, hold: Hold, used: int, used_in: int = 0) -> None:
        """Replaces what a call had reserved by what it used."""
        with self._lock:
            hold.shared.tokens_in, hold.shared.tokens_out, hold.shared.open = used_in, used - used_in, False
            for meter in hold.meters:
                if meter.day == hold.day:
                    meter.day_tokens += used - hold.entry.tokens
            hold.entry.tokens = used

    def standing(self, account: str, model: str, now: float) -> ProviderStatus:
        """The tightest quota that applies."""
        standing = ProviderStatus()
        with self._lock:
            for meter in self._of(account, model, now):
                limit = meter.limit
                if limit.rpd is not None and limit.rpd < standing.limit_requests:
                    standing.limit_requests = limit.rpd
                    standing.remaining_requests = max(0, limit.rpd - meter.day_requests)
                    standing.reset_requests_s = (now // DAY + 1) * DAY - now
                if limit.tpm is not None and limit.tpm < standing.limit_tokens:
                    used = sum(entry.tokens for entry in meter.minute)
                    standing.limit_tokens = limit.tpm
                    standing.remaining_tokens = max(0, limit.tpm - used)
                    standing.reset_tokens_s = meter.minute[-1].at + MINUTE - now if meter.minute else 0.0
        return standing

    def _of(self, account: str, model: str, now: float) -> list[_Meter]:
        found = [self._meters[key] for key in ((account, model), (account, None)) if key in self._meters]
        for meter in found:
            meter.advance(now)
        return found


def _denials(
    shared: list[SharedLimit], account: str, model: str, tokens_in: int, tokens_out: int, now: float
) -> list[Denial]:
    found = []
    for limit in shared:
        used, need = limit.used(account, model, now), limit.need(model, tokens_in, tokens_out)
        if used + need > limit.amount + 1e-9:
            wait_s = (
                None if need > limit.amount else limit.wait_s(account, model, used + need - limit.amount, now)
            )
            found.append(Denial(
                account=account, window=f"{limit.unit} per {limit.per or 'time'}", limit=limit.amount,
                used=ceil(used), requested=ceil(need), wait_s=wait_s,
            ))  # fmt: skip
    return found


def go_duration(seconds: float) -> str:
    """A time span as Groq writes it, rounded up to milliseconds: 2m59.56s, 7.66s, 644ms, 12h."""
    if seconds < 1:
        milliseconds = ceil(seconds * 100_000 - 1e-3) / 100
        return f"{milliseconds:g}ms" if milliseconds > 0 else "0s"
    minutes, rest = divmod(ceil(seconds * 1000 - 1e-3), 60_000)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (rest / 1000, "s"))
    return "".join(f"{value:g}{unit}" for value, unit in parts if value)
