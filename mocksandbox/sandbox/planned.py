"""The faults that are set for requests to come: for which of them, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import Any

from mocksandbox.contract import Operation
from mocksandbox.errors import StoreFullError, UsageError
from mocksandbox.sandbox.faults import Asked, read_fault

MOST_PLANNED = 10_000
"""How many faults may be set for one API: every request is held against each."""

MOST_MET = 100
"""How many faults one request meets, the first that are set for it: each is an answer around that of the next."""


@dataclass
class Planned:
    """One fault that was set. `operation` empty means every one; `tenant` None means all; `count` None means until it is
    taken back; `share` is the part of the requests that meet it, drawn by chance.
    """

    asked: Asked
    operation: str = ""
    tenant: str | None = None
    count: int | None = None
    share: float = 1.0

    def concerns(self, operation: Operation | None, tenant: str) -> bool:
        """Whether a request is one of those that it was set for."""
        return (
            self.operation in ("", operation.id if operation else "")
            and self.tenant in (None, tenant)
            and self.asked.fault.fits(operation)
        )

    def summary(self) -> dict[str, Any]:
        """The fault as JSON values, as the control API takes it."""
        return {
            "fault": self.asked.text,
            "operation": self.operation,
            "tenant": self.tenant,
            "count": self.count,
            "share": self.share,
        }


@dataclass
class Faults:
    """The faults of one sandbox. The same seed gives the same draws; `sleep` is what latency waits with; `wire` says that a
    front holds the client's socket, without which nothing can be reset or truncated.
    """

    seed: int | None = None
    sleep: Callable[[float], None] = time.sleep
    wire: bool = False
    random: Random = field(init=False)
    _planned: list[Planned] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def reseed(self, seed: int | None) -> None:
        """Begin the draws again."""
        self.seed, self.random = seed, Random(seed)

    def add(
        self,
        fault: str,
        *,
        operation: str = "",
        tenant: str | None = None,
        count: int | None = None,
        share: float = 1.0,
    ) -> None:
        """Set a fault for requests to come.

        Raises:
            UsageError: there is no such fault, its parameters are wrong, or no request of the operation can meet it.
        """
        if count is not None and count < 1:
            raise UsageError(f"The fault {fault!r} is set for {count} requests; 1 is the least.")
        if not 0 < share <= 1:
            raise UsageError(f"The share of {fault!r} is {share}; it must be above 0 and not above 1.")
        self.plan(Planned(read_fault(fault), operation, tenant, count, share))

    def plan(self, planned: Planned) -> None:
        """Set a fault that was read.

        Raises:
            StoreFullError: as many are set as may be.
        """
        with self._lock:
            look_for_room(self._planned, 1)
            self._planned.append(planned)

    def look_for(self, planned: Sequence[Planned], tenant: str | None = None) -> None:
        """Look whether `plan_instead` may set these.

        Raises:
            StoreFullError: they are more than may be set; nothing was changed.
        """
        look_for_room(_others(self.planned(), tenant), len(planned))

    def plan_instead(self, planned: Sequence[Planned], tenant: str | None = None) -> None:
        """Set these faults in place of what is set: of everything, or of what is set for this tenant alone.

        Raises:
            StoreFullError: they are more than may be set; nothing was changed.
        """
        with self._lock:
            kept = _others(self._planned, tenant)
            look_for_room(kept, len(planned))
            self._planned = [*kept, *planned]

    def planned(self, tenant: str | None = None) -> list[Planned]:
        """The faults that are set: all, or those that requests of a tenant can meet."""
        with self._lock:
            return [planned for planned in self._planned if tenant is None or planned.tenant in (None, tenant)]

    def clear(self, tenant: str | None = None) -> None:
        """Take back what is set: everything, or what is set for this tenant alone."""
        self.plan_instead((), tenant)

    def meet(self, operation: Operation | None, tenant: str, preferred: str = "") -> list[Asked]:
        """The faults that a request meets: the one that it prefers, then those that are set. Each of these is counted down."""
        met = preferred_fault(operation, preferred)
        if not self._planned:
            return met
        with self._lock:
            for planned in self._planned:
                if planned.concerns(operation, tenant) and (planned.share == 1 or self.random.random() < planned.share):
                    planned.count = planned.count and planned.count - 1
                    met.append(planned.asked)
            self._planned = [planned for planned in self._planned if planned.count != 0]
        return met


def _others(planned: Iterable[Planned], tenant: str | None) -> list[Planned]:
    """What stays when the faults of a tenant, or all (None), are taken back."""
    return [each for each in planned if tenant is not None and each.tenant != tenant]


def look_for_room(planned: Sequence[object], more: int) -> None:
    """Look whether so many more faults may be set.

    Raises:
        StoreFullError: these would be more than may be.
    """
    if len(planned) + more > MOST_PLANNED:
        raise StoreFullError(
            f"{len(planned) + more} faults would be set, and {MOST_PLANNED} are the most for one API. Nothing was changed; "
            "DELETE /__mocksandbox/faults takes back what is set."
        )


def preferred_fault(operation: Operation | None, text: str) -> list[Asked]:
    """The fault of a `Prefer` header, if requests of the operation can meet it; one that cannot be understood is ignored, as
    RFC 7240 says.
    """
    if not text:
        return []
    try:
        own = read_fault(text)
    except UsageError:
        return []
    return [own] if own.fault.fits(operation) else []
