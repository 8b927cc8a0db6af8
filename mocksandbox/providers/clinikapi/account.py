"""Who asks: the organisation behind a key, what is left of its requests, and how far its searches lag."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from mocksandbox.rules.attempt import Attempt, Caller
from mocksandbox.store import Shelf

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


MOST_TENANTS = 10_000
"""The most tenants whose requests are counted; beyond that, the count of one that has not asked for long begins again."""


@dataclass
class Windows:
    """Counts requests by tenant and name, in windows that begin with the first request after the one before is over."""

    _begun: dict[str, dict[str, tuple[datetime, int]]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def count(self, tenant: str, name: str, rate: Rate, now: datetime) -> tuple[Allowance, bool]:
        """Count one request: what is left, and whether this one was too many."""
        with self._lock:
            begun = self._begun.pop(tenant, {})
            start, used = begun[name] = _counted(begun.get(name), rate, now)
            self._begun[tenant] = begun  # behind all others
            if len(self._begun) > MOST_TENANTS:
                del self._begun[next(iter(self._begun))]
        return _left(start, used, rate, now)

    def forget(self, tenant: str | None) -> None:
        """Begin again for a tenant, or for all."""
        with self._lock:
            if tenant is None:
                self._begun.clear()
            else:
                self._begun.pop(tenant, None)


class WindowsTogether(Windows):
    """Windows that all processes of a server count together, on a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self._shelf = shelf

    def count(self, tenant: str, name: str, rate: Rate, now: datetime) -> tuple[Allowance, bool]:
        """Count one request: what is left, and whether this one was too many."""
        counted: list[tuple[datetime, int]] = []

        def count(spelled: bytes) -> bytes:
            begun = json.loads(spelled) if spelled else {}
            before = (datetime.fromisoformat(begun[name][0]), begun[name][1]) if name in begun else None
            start, used = _counted(before, rate, now)
            counted[:] = [(start, used)]
            return json.dumps({**begun, name: [start.isoformat(), used]}).encode()

        self._shelf.change(tenant, count, MOST_TENANTS)
        return _left(*counted[0], rate, now)

    def forget(self, tenant: str | None) -> None:
        """Begin again for a tenant, or for all."""
        self._shelf.drop(tenant)


def _counted(before: tuple[datetime, int] | None, rate: Rate, now: datetime) -> tuple[datetime, int]:
    """When the window began and how many requests it has had, with one more."""
    start, used = before or (now, 0)
    if now >= start + timedelta(seconds=rate.seconds) or now < start:  # a clock can be set back
        start, used = now, 0
    return start, used + 1


def _left(start: datetime, used: int, rate: Rate, now: datetime) -> tuple[Allowance, bool]:
    reset = max(1, -(-(start + timedelta(seconds=rate.seconds) - now) // timedelta(seconds=1)))
    return Allowance(rate.requests, max(0, rate.requests - used), reset), used > rate.requests
