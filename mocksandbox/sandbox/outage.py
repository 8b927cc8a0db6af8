"""What the log says of a store that fails: once when it begins, now and then while it lasts, and once when it is over."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from mocksandbox.errors import StoreError

_log = logging.getLogger("mocksandbox")

EVERY = 60.0
"""Seconds between two lines about one store that keeps failing."""


@dataclass
class Outage:
    """Whether the store fails just now, for reading or for writing: a full disk can still be read. Safe for threads."""

    clock: Callable[[], float] = time.monotonic
    _failed: dict[bool, int] = field(default_factory=dict)
    _told: float | None = None
    _lock: Lock = field(default_factory=Lock)

    def begins(self, what: str, error: StoreError, *, reading: bool) -> None:
        """A request has met it. `what` names the operation, and nobody's record."""
        with self._lock:
            self._failed[reading] = self._failed.get(reading, 0) + 1
            now = self.clock()
            if self._told is not None and now < self._told + EVERY:
                return
            self._told = now
        _log.error("%s failed: %s; requests are answered with 503 until the store is back", what, error)

    def ends(self, *, reading: bool) -> None:
        """A request was carried out. One that has written shows that reading works too."""
        if not self._failed:
            return
        with self._lock:
            over = self._failed.pop(reading, 0) + (0 if reading else self._failed.pop(True, 0))
            if not over or self._failed:
                return
        _log.warning("the store is back; the last outage failed %d requests", over)
