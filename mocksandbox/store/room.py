"""How much the stores in memory of one process may hold together: a client that never stops must not take all memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock

from mocksandbox.errors import StoreFullError
from mocksandbox.rules.attempt import Record

MOST_RECORDS = 500_000
"""Versions of records: they take 3 to 4 kB each, as the APIs' own examples are, so about 2 GB."""

MOST_TENANTS = 10_000
"""Tenants that have records of their own: one with nothing but the seeds takes 3 to 5 kB."""

_LARGE = 16 * 1024


def weight_of(record: Record) -> int:
    """As how many versions a version counts: a large one as several, one for each 16 KiB of its body and its keys."""
    return 1 + (len(record.body) + sum(map(len, record.keys.values()))) // _LARGE


@dataclass
class Room:
    """The limits, and what is held. The tenant without a name is always let in. Safe for threads."""

    most_records: int = MOST_RECORDS
    most_tenants: int = MOST_TENANTS
    records: int = 0
    _tenants: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    @property
    def tenants(self) -> int:
        """How many tenants have records of their own, in any of the stores."""
        return len(self._tenants)

    def check(self, more: int = 1) -> None:
        """Look whether so many versions more may be held.

        Raises:
            StoreFullError: there is no room for them.
        """
        if self.records + more > self.most_records:
            raise StoreFullError(
                f"The sandbox holds {self.records} versions of records, and {self.most_records} are the most that it keeps in "
                "memory: POST /__mocksandbox/reset (?tenant=NAME) makes room; serve --max-records N sets the limit."
            )

    def check_instead(self, versions: int, tenants: int) -> None:
        """Look whether so many versions and tenants may be held in place of all that there are.

        Raises:
            StoreFullError: there is no room for them.
        """
        if versions > self.most_records or tenants > self.most_tenants:
            raise StoreFullError(
                f"These are {versions} versions of {tenants} tenants; the sandbox keeps {self.most_records} of "
                f"{self.most_tenants} in memory, unless serve --max-records N --max-tenants N says more. Nothing was changed."
            )

    def change(self, by: int) -> None:
        """Count versions that came (or, below zero, that went)."""
        with self._lock:
            self.records += by

    def enter(self, tenant: str) -> None:
        """Count a tenant of one of the stores.

        Raises:
            StoreFullError: there are as many as there may be.
        """
        with self._lock:
            if tenant and tenant not in self._tenants and len(self._tenants) >= self.most_tenants:
                raise StoreFullError(
                    f"The sandbox keeps the records of {self.most_tenants} tenants in memory, which are the most: "
                    "POST /__mocksandbox/reset?tenant=NAME forgets one; serve --max-tenants N sets the limit."
                )
            if tenant:
                self._tenants[tenant] += 1

    def leave(self, tenant: str, weight: int) -> None:
        """Count a tenant of one of the stores no more, nor its versions."""
        with self._lock:
            self.records -= weight
            if self._tenants[tenant] > 1:
                self._tenants[tenant] -= 1
            else:
                del self._tenants[tenant]
