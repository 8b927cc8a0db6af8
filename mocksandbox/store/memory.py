"""Records in memory, by tenant: fast, gone with the process, and safe for several threads."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from threading import RLock

from mocksandbox.rules.attempt import Record
from mocksandbox.store.partition import Partition, Store


class MemoryPartition(Partition):
    """The records of one tenant, in dictionaries."""

    def __init__(self, seeds: Iterable[Record] = ()) -> None:
        self._lock = RLock()
        self._newest: dict[tuple[str, str], Record] = {}
        self._older: dict[tuple[str, str], list[Record]] = {}
        self._index: dict[tuple[str, str, str], dict[str, None]] = {}
        for seed in seeds:
            self.put(seed)

    @contextmanager
    def exclusive(self) -> Generator[None, None, None]:
        """Nobody else writes or reads until this is left."""
        with self._lock:
            yield

    @contextmanager
    def steady(self) -> Generator[None, None, None]:
        """Nobody else writes until this is left."""
        with self._lock:
            yield

    def get(self, kind: str, id: str) -> Record | None:
        """The newest version of a record, deleted or not."""
        return self._newest.get((kind, id))

    def find(self, kind: str, key: str, value: str) -> Sequence[Record]:
        """The newest versions that have this value under this key, in the order in which the records came to have it."""
        with self._lock:
            return [self._newest[kind, id] for id in self._index.get((kind, key, value), ())]

    def versions(self, kind: str, id: str) -> Sequence[Record]:
        """Every version of a record, oldest first."""
        with self._lock:
            newest = self._newest.get((kind, id))
            return [*self._older.get((kind, id), ()), *([newest] if newest else ())]

    def put(self, record: Record) -> None:
        """Store a record as the newest version of its id."""
        place = (record.kind, record.id)
        with self._lock:
            before = self._newest.get(place)
            if before is not None:
                self._older.setdefault(place, []).append(before)
                # Only what changed: a record keeps its place among those that have the same value.
                for key, value in before.keys.items() - record.keys.items():
                    del self._index[record.kind, key, value][record.id]
            self._newest[place] = record
            for key, value in record.keys.items():
                self._index.setdefault((record.kind, key, value), {})[record.id] = None

    def all(self) -> Sequence[Record]:
        """The newest version of every record."""
        with self._lock:
            return list(self._newest.values())

    def snapshot(self) -> Sequence[Record]:
        """Every version of every record, each record's oldest first: what `restore` takes."""
        with self._lock:
            return [version for kind, id in self._newest for version in self.versions(kind, id)]

    def restore(self, records: Iterable[Record]) -> None:
        """Hold these versions and nothing else."""
        with self._lock:
            self._newest.clear()
            self._older.clear()
            self._index.clear()
            for record in records:
                self.put(record)


class MemoryStore(Store):
    """Partitions by tenant name, each made from the same seeds when it is first used."""

    def __init__(self, seeds: Iterable[Record] = ()) -> None:
        self._seeds = tuple(seeds)
        self._partitions: dict[str, MemoryPartition] = {}
        self._lock = RLock()

    def partition(self, tenant: str = "") -> MemoryPartition:
        """A tenant's records."""
        found = self._partitions.get(tenant)
        if found is None:
            with self._lock:
                found = self._partitions.setdefault(tenant, MemoryPartition(self._seeds))
        return found

    def reset(self, tenant: str | None = None) -> None:
        """Forget what was stored since the seeds, for one tenant or for all (None)."""
        with self._lock:
            if tenant is None:
                self._partitions.clear()
            else:
                self._partitions.pop(tenant, None)

    def tenants(self) -> Sequence[str]:
        """The tenants that have been used."""
        return sorted(self._partitions)
