"""Records in memory, by tenant: fast, gone with the process, and safe for several threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import RLock

from mocksandbox.rules.attempt import Record


class Partition:
    """The records of one tenant. `exclusive` makes several calls one: what a writer has checked stays true until it writes."""

    def __init__(self, seeds: Iterable[Record] = ()) -> None:
        self._lock = RLock()
        self._newest: dict[tuple[str, str], Record] = {}
        self._older: dict[tuple[str, str], list[Record]] = {}
        self._index: dict[tuple[str, str, str], dict[str, None]] = {}
        for seed in seeds:
            self.put(seed)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Nobody else writes or reads until this is left."""
        with self._lock:
            yield

    def get(self, kind: str, id: str) -> Record | None:
        """The newest version of a record, deleted or not."""
        return self._newest.get((kind, id))

    def find(self, kind: str, key: str, value: str) -> Sequence[Record]:
        """The newest versions that have this value under this key, oldest record first."""
        with self._lock:
            return [self._newest[kind, id] for id in self._index.get((kind, key, value), ())]

    def versions(self, kind: str, id: str) -> Sequence[Record]:
        """Every version of a record, oldest first."""
        newest = self._newest.get((kind, id))
        return [*self._older.get((kind, id), ()), *([newest] if newest else ())]

    def put(self, record: Record) -> None:
        """Store a record as the newest version of its id."""
        place = (record.kind, record.id)
        with self._lock:
            before = self._newest.get(place)
            if before is not None:
                self._older.setdefault(place, []).append(before)
                for key, value in before.keys.items():
                    self._index[record.kind, key, value].pop(record.id, None)
            self._newest[place] = record
            for key, value in record.keys.items():
                self._index.setdefault((record.kind, key, value), {})[record.id] = None

    def all(self) -> Sequence[Record]:
        """The newest version of every record."""
        with self._lock:
            return list(self._newest.values())


class Scratch(Partition):
    """A partition whose writes are forgotten: it starts as another one's records and never gives anything back."""

    def __init__(self, below: Partition) -> None:
        super().__init__()
        self._below = below

    def get(self, kind: str, id: str) -> Record | None:
        """The newest version here, or below."""
        return super().get(kind, id) or self._below.get(kind, id)

    def find(self, kind: str, key: str, value: str) -> Sequence[Record]:
        """The newest versions here or below that have this value under this key."""
        here = list(super().find(kind, key, value))
        below = [record for record in self._below.find(kind, key, value) if (kind, record.id) not in self._newest]
        return [*below, *here]


class MemoryStore:
    """Partitions by tenant name, each made from the same seeds when it is first used."""

    def __init__(self, seeds: Iterable[Record] = ()) -> None:
        self._seeds = tuple(seeds)
        self._partitions: dict[str, Partition] = {}
        self._lock = RLock()

    def partition(self, tenant: str = "") -> Partition:
        """A tenant's records."""
        found = self._partitions.get(tenant)
        if found is None:
            with self._lock:
                found = self._partitions.setdefault(tenant, Partition(self._seeds))
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
