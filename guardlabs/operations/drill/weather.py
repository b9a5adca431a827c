"""What all processes of a drill share through a file in memory: how far the clock has moved, and what is broken."""

import mmap
import struct
import time
from datetime import timedelta
from pathlib import Path

from django.db.backends.signals import connection_created
from django.utils import timezone

NUMBERS = ("ahead_s", "disk_s", "cache_is_down")
WRITES = ("INSERT", "UPDATE", "DELETE")
_SIZE = struct.calcsize("d")


class Weather:
    """Numbers at fixed places of a file: seconds ahead of the real clock, seconds a write takes, 0 or 1."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_SIZE * len(NUMBERS)))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE * len(NUMBERS))

    def get(self, name: str) -> float:
        return float(struct.unpack_from("d", self._map, NUMBERS.index(name) * _SIZE)[0])

    def set(self, name: str, value: float) -> None:
        struct.pack_into("d", self._map, NUMBERS.index(name) * _SIZE, value)

    def time(self) -> float:
        """Epoch seconds of the drill."""
        return time.time() + self.get("ahead_s")

    def rule(self) -> None:
        """From here on this process lives in the drill's time, and its database has the drill's disk."""
        real_now = timezone.now
        timezone.now = lambda: real_now() + timedelta(seconds=self.get("ahead_s"))

        def slow(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
            if (delay := self.get("disk_s")) and sql.lstrip().upper().startswith(WRITES):
                time.sleep(delay)
            return execute(sql, params, many, context)

        def attach(connection, **kwargs):  # type: ignore[no-untyped-def]
            if slow not in connection.execute_wrappers:
                connection.execute_wrappers.append(slow)

        connection_created.connect(attach, weak=False)
