"""Where a call may go: one deployment, and why another was passed over."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from llm.configuration.snapshot import KeyConf, ModelConf, PauseView, ProviderConf

SPARE = "spare"  # another key of the account comes first, and they share its quota


@dataclass(frozen=True, slots=True)
class Deployment:
    """One (credential, model, location) that can be tried. `probes` are the ended pauses it would test."""

    provider: ProviderConf
    key: KeyConf
    model: ModelConf
    location: str = ""
    probes: tuple[PauseView, ...] = ()

    @property
    def name(self) -> tuple[str, str, str]:
        """Credential, model and location."""
        return self.key.label, self.model.name, self.location

    @property
    def scope(self) -> dict[str, Any]:
        """What a pause that covers it may name."""
        return {
            "credential": self.key.label, "account": self.key.account, "model": self.model.name,
            "location": self.location,
        }  # fmt: skip

    @property
    def label(self) -> str:
        """What a report's `provider` shows: the credential, with its location where there are several."""
        return f"{self.key.label}:{self.location}" if self.location else self.key.label


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was passed over without a request. Empty names stand for the whole provider."""

    provider: str
    why: str
    credential: str | None = None
    model: str | None = None
    until: datetime | None = None
    limit: int | None = None  # tokens that a request may have there, where it was above that


@dataclass(slots=True)
class CallSkips:
    """What one call has learned that concerns this call alone."""

    providers: set[str] = field(default_factory=set)
    models: set[tuple[str, str]] = field(default_factory=set)
    deployments: set[tuple[str, str, str]] = field(default_factory=set)  # (credential, model, location)
    silent: set[str] = field(default_factory=set)  # providers that let this call wait for nothing
