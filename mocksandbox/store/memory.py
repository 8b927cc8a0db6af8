"""Records in memory, by tenant: fast, gone with the process, and safe for several threads."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
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
    def exclusive(self) -> Generator[None, None, None]:
        """Nobody else writes or reads until this is left."""
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

    def named(self, id: str) -> Sequence[Record]:
        """The newest versions of the records of any kind under an id."""
        return [record for record in self.all() if record.id == id]

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


class Stale(Partition):
    """A partition as a reader sees it who lags behind: each record as it was before its newest version, and one that has only
    one version not yet at all.
    """

    def __init__(self, ahead: Partition) -> None:
        super().__init__()
        self._ahead = ahead

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
