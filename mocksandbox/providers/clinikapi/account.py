"""Who asks: the organisation behind a key, what is left of its requests, and how far its searches lag."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from mocksandbox.rules.attempt import Attempt, Caller

ORGANIZATION = "org_abc123"
"""Whose records they are that are written without a known key: the organisation of the documentation's example."""

READ_SCOPE, WRITE_SCOPE = "immunizations:read", "immunizations:write"
SCOPES = frozenset({READ_SCOPE, WRITE_SCOPE})


@dataclass(frozen=True)
class Allowance:
    """How many requests a window has, how many are left of it, and in how many seconds it is over. As it is made, it is of the
    window of the documentation's example, just begun.
    """

    total: int = 500
    remaining: int = 499
    reset: int = 3600


@dataclass(frozen=True)
class Holder(Caller):
    """A caller with a key, or without one where none is needed: `rights` are the key's scopes. `lag` is in seconds."""

    organization: str = ORGANIZATION
    allowance: Allowance = Allowance()
    lag: float = 0.0


def holder_of(attempt: Attempt) -> Holder:
    """The caller of an attempt, with the defaults where it is told by nobody."""
    caller = attempt.caller
    return caller if isinstance(caller, Holder) else Holder(caller.name, caller.rights)


@dataclass(frozen=True)
class Rate:
    """So many requests in so many seconds."""

    requests: int
    seconds: int


@dataclass
class Windows:
    """Counts requests by name, in windows that begin with the first request after the one before is over."""

    _begun: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def count(self, name: str, rate: Rate, now: datetime) -> tuple[Allowance, bool]:
        """Count one request: what is left, and whether this one was too many."""
        with self._lock:
            start, used = self._begun.get(name, (now, 0))
            over = start + timedelta(seconds=rate.seconds)
            if now >= over or now < start:  # a clock can be set back
                start, used, over = now, 0, now + timedelta(seconds=rate.seconds)
            used += 1
            self._begun[name] = (start, used)
        reset = max(1, -(-(over - now) // timedelta(seconds=1)))
        return Allowance(rate.requests, max(0, rate.requests - used), reset), used > rate.requests
