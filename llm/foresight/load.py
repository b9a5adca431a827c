"""The calls of a day, for the forecast: how many, how large, when. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Ask:
    """The size of one call in tokens, and how many seconds its answer takes."""

    tokens_in: int
    max_tokens: int
    tokens_out: int
    seconds: float = 6.0


@dataclass(frozen=True, slots=True)
class Load:
    """Calls of a day: how many, of which sizes (drawn evenly), and how they spread over the 24 hours (UTC)."""

    calls: int
    asks: Sequence[Ask]
    by_hour: Sequence[float] = (1.0,) * 24

    def arrivals(self, start: datetime, end: datetime, dice: random.Random) -> list[tuple[datetime, Ask]]:
        """When calls come between two moments, in order."""
        found: list[datetime] = []
        hour = start.replace(minute=0, second=0, microsecond=0)
        whole, owed = sum(self.by_hour), 0.0
        while hour < end:
            owed += self.calls * self.by_hour[hour.hour] / whole
            while len(found) < round(owed):
                found.append(hour + timedelta(seconds=dice.random() * 3600))
            hour += timedelta(hours=1)
        moments = sorted(moment for moment in found if start <= moment < end)
        # Evenly over all samples, also where there are fewer calls than samples: these are sorted by their age.
        sizes = [self.asks[number * len(self.asks) // len(moments)] for number in range(len(moments))]
        dice.shuffle(sizes)
        return list(zip(moments, sizes, strict=True))
