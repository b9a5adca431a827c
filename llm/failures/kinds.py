"""The words for a failed attempt: its kind, whose failure it is, and what it speaks of."""

import re
from collections.abc import Mapping
from enum import StrEnum

from llm.failures.masking import masked
from llm.failures.signals import Signals
from llm.text import mend


class Kind(StrEnum):
    """Every failed attempt has exactly one kind; the kind decides what the chain does next."""

    RATE_LIMITED_KEY = "rate_limited_key"
    RATE_LIMITED_PROVIDER = "rate_limited_provider"
    BLOCKED_PROVIDER = "blocked_provider"
    KEY_INVALID = "key_invalid"
    CREDITS_DEPLETED = "credits_depleted"
    MODEL_GONE = "model_gone"
    REQUEST_TOO_LARGE = "request_too_large"
    REQUEST_REJECTED = "request_rejected"
    PROVIDER_DOWN = "provider_down"
    CONTENT_BLOCKED = "content_blocked"
    EMPTY_OUTPUT = "empty_output"
    REJECTED_OUTPUT = "rejected_output"
    CUT_SHORT = "cut_short"  # our own or the caller's limit ended the attempt: see llm.failures.ownership


MOST_PROSE = 4000
MOST_DETAIL = 300
_CODE = re.compile(r"[a-z0-9_.:-]{1,60}")


class Owner(StrEnum):
    """Whose failure it is. Only a provider's pauses anything."""

    PROVIDER = "provider"
    CALLER = "caller"  # what was asked, how long the caller waits, or that the caller left
    OURS = "ours"  # a bug, which is in the log with its traceback


OF_THE_CALLER = {
    Kind.REQUEST_TOO_LARGE, Kind.REQUEST_REJECTED, Kind.CONTENT_BLOCKED, Kind.REJECTED_OUTPUT, Kind.CUT_SHORT,
}  # fmt: skip


class Scope(StrEnum):
    """How much of the configuration a failure speaks of, narrowest first."""

    CALL = "call"
    DEPLOYMENT = "deployment"  # (account, model, location)
    CREDENTIAL = "credential"
    ACCOUNT = "account"
    MODEL = "model"  # (model, location), whoever asks
    LOCATION = "location"
    PROVIDER = "provider"


SCOPE_OF_KIND = {
    Kind.RATE_LIMITED_KEY: Scope.DEPLOYMENT,
    Kind.RATE_LIMITED_PROVIDER: Scope.MODEL,
    Kind.BLOCKED_PROVIDER: Scope.PROVIDER,
    Kind.KEY_INVALID: Scope.CREDENTIAL,
    Kind.CREDITS_DEPLETED: Scope.ACCOUNT,
    Kind.MODEL_GONE: Scope.DEPLOYMENT,
    Kind.PROVIDER_DOWN: Scope.LOCATION,  # the provider itself where it has no locations
}


class Failure(Exception):
    """A failed attempt: what it was, whose it was, what it speaks of, and how long the provider asks us to wait.

    `retry_after_s` and `window` (minute, day, month, concurrency) are None when nothing was named.
    `silent` is set when the provider took all the time that it may take. `owner` follows from the kind.
    `lacks` is what the model cannot take of what the call needs (see llm.calls.terms), `lasting` whether from nobody;
    `signals`, what the provider said.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        owner: Owner | None = None,
        scope: Scope | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
        window: str | None = None,
        organisation: str = "",
        silent: bool = False,
        headers: Mapping[str, str] | None = None,
        lacks: str = "",
        lasting: bool = False,
        signals: Signals | None = None,
    ) -> None:
        super().__init__(str(kind))
        self.kind = kind
        self._prose = mend(detail)[:MOST_PROSE]
        self.owner = owner or (Owner.CALLER if kind in OF_THE_CALLER else Owner.PROVIDER)
        self.scope = scope or SCOPE_OF_KIND.get(kind, Scope.CALL)
        self.status = status
        self.retry_after_s = retry_after_s
        self.window = window
        # The account's own name, where it has no declared one; as long as the columns are that keep it.
        self.organisation = self.account = mend(organisation)[:120]
        self.silent = silent
        self.headers = headers or {}
        self.lacks = lacks
        self.lasting = lasting
        self.signals = signals

    @property
    def says_nothing(self) -> bool:
        """Whether the provider said nothing at all, good or bad, so that nothing follows for anybody."""
        return self.kind is Kind.CUT_SHORT or self.owner is Owner.OURS

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"

    @property
    def detail(self) -> str:
        """One line for staff. It is cut after it was masked: half a key is no longer found."""
        return self._prose[:MOST_DETAIL]

    def mask(self, key: str) -> None:
        """Takes a key out of the detail: some providers quote it back, whole, in part or encoded."""
        self._prose = masked(self._prose, key)

    def hide_prose(self) -> None:
        """Leaves of the detail what is no prose, for calls of which nothing may be kept: the status and the codes."""
        if self.signals is not None:
            codes = ", ".join(sorted(code for code in self.signals.codes if _CODE.fullmatch(code)))
            self._prose = f"HTTP {self.status}: {codes}" if codes else f"HTTP {self.status}"
            if self.status is None:
                self._prose = "no HTTP answer"
        elif self.kind is Kind.REJECTED_OUTPUT:
            self._prose = ""
