"""Partitions that show another one otherwise than it is."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from mocksandbox.rules.attempt import Record
from mocksandbox.store.memory import MemoryPartition
from mocksandbox.store.partition import Partition


class Scratch(MemoryPartition):
    """A partition whose writes are forgotten: it starts as another one's records and never gives anything back."""

    def __init__(self, below: Partition) -> None:
        super().__init__()
        self._below = below

    @contextmanager
    def exclusive(self) -> Generator[None, None, None]:
        """What is below stays as it is until this is left, and nobody else writes here."""
        with self._below.steady(), self._lock:
            yield

    steady = exclusive

    def get(self, kind: str, id: str) -> Record | None:
        """The newest version here, or below."""
        return super().get(kind, id) or self._below.get(kind, id)

    def find(self, kind: str, key: str, value: str) -> Sequence[Record]:
        """The newest versions here or below that have this value under this key."""
        here = list(super().find(kind, key, value))
        below = [record for record in self._below.find(kind, key, value) if (kind, record.id) not in self._newest]
        return [*below, *here]

    def versions(self, kind: str, id: str) -> Sequence[Record]:
        """The versions below, then those here."""
        return [*self._below.versions(kind, id), *super().versions(kind, id)]

    def all(self) -> Sequence[Record]:
        """The newest version of every record, here or below."""
        return [*(record for record in self._below.all() if (record.kind, record.id) not in self._newest), *super().all()]

    def written(self) -> Sequence[Record]:
        """Every version that was written here, each record's oldest first: what a transaction passes on when it ends well."""
        with self._lock:
            return [version for kind, id in self._newest for version in super(Scratch, self).versions(kind, id)]


class Stale(MemoryPartition):
    """A partition as a reader sees it who lags behind: each record as it was before its newest version, and one that has only
    one version not yet at all.
    """

    def __init__(self, ahead: Partition) -> None:
        super().__init__()
        self._ahead = ahead

    @contextmanager
    def exclusive(self) -> Generator[None, None, None]:
        """What is ahead stays as it is until this is left."""
        with self._ahead.steady():
            yield

    steady = exclusive

    def get(self, kind: str, id: str) -> Record | None:
        """The version before the newest."""
        return next(iter(self._ahead.versions(kind, id)[-2:-1]), None)

    def find(self, kind: str, key: str, value: str) -> Sequence[Record]:
        """The records that have this value now, as they were before."""
        earlier = (self.get(kind, record.id) for record in self._ahead.find(kind, key, value))
        return [record for record in earlier if record is not None]

    def versions(self, kind: str, id: str) -> Sequence[Record]:
        """Every version but the newest."""
        return self._ahead.versions(kind, id)[:-1]
