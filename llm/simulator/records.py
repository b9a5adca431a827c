"""What the simulator received: exact counts of everything, and the latest requests in full."""

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

KEEP = 10_000


@dataclass(slots=True, kw_only=True)
class Record:
    """One received request. It is recorded on arrival, and completed before the client can see the end."""

    time: float  # epoch seconds of the simulator's clock
    endpoint: str  # chat | models | token
    provider: str
    credential: str
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case; keys are not masked
    body: Mapping[str, Any] = field(default_factory=dict)
    account: str = ""
    model: str | None = None
    location: str | None = None
    stream: bool = False
    behaviour: str = ""  # a behaviour's name (payload:<id>), or ok, denied, blocked, unauthorised, invalid
    status: int | None = None  # None: no answer (yet)
    prompt_tokens: int = 0
    cached_tokens: int = 0  # of the prompt's, as the answer states them
    completion_tokens: int = 0  # what was sent of an answer that broke off

    @property
    def user_agent(self) -> str:
        return self.headers.get("user-agent", "")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Log:
    """All records. Thread-safe. The counts are exact; of the records themselves, the last KEEP remain."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[Record] = deque(maxlen=KEEP)
        self._counts: Counter[tuple[str, str, str, str | None]] = Counter()

    def add(self, record: Record) -> None:
        with self._lock:
            self._records.append(record)
            self._counts[(record.endpoint, record.provider, record.credential, record.model)] += 1

    def keep_all(self) -> None:
        """Forgets no record by itself, for whoever clears them now and then."""
        with self._lock:
            self._records = deque(self._records)

    def clear(self) -> None:
        with self._lock:
            self._records.clear()
            self._counts.clear()

    def all(self) -> list[Record]:
        with self._lock:
            return list(self._records)

    def rows(self) -> list[dict[str, Any]]:
        """The counts, one row for each endpoint, provider, credential and model."""
        with self._lock:
            counts = list(self._counts.items())
        names = ("endpoint", "provider", "credential", "model")
        return [{**dict(zip(names, key, strict=True)), "count": count} for key, count in counts]

    def count(self, **wanted: str | None) -> int:
        """How many requests had these values; None means any."""
        sought = {name: value for name, value in wanted.items() if value is not None}
        return sum(row["count"] for row in self.rows() if sought.items() <= row.items())
