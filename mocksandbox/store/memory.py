"""Records in memory, by tenant: fast, gone with the process, and safe for several threads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from threading import RLock
from typing import Protocol
from weakref import WeakValueDictionary, ref

from mocksandbox.rules.attempt import Record
from mocksandbox.store.partition import Partition, Store
from mocksandbox.store.room import Room, weight_of


class Gate(Protocol):
    """Who is asked before a partition takes anything in, and counts what it takes."""

    def admit(self, records: Sequence[Record], instead: bool) -> None:
        """Let these in, beside what there is or `instead` of it; raises StoreFullError when there is no room."""
        ...

    def count(self, record: Record) -> None:
        """One of those that were let in is there."""
        ...


class MemoryPartition(Partition):
    """The records of one tenant, in dictionaries."""

    def __init__(self, seeds: Iterable[Record] = ()) -> None:
        self._lock = RLock()
        self._newest: dict[tuple[str, str], Record] = {}
        self._older: dict[tuple[str, str], list[Record]] = {}
        self._index: dict[tuple[str, str, str], dict[str, None]] = {}
        self.gate: Gate | None = None
        self._depth = 0
        self._admitted = False
        for seed in seeds:
            self.put(seed)

    def exclusive(self) -> AbstractContextManager[object]:
        """Nobody else writes or reads until this is left. What is written within is let in as one: with its first version."""
        return self

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        self._admitted = self._admitted and self._depth > 0
        self._lock.release()

    def steady(self) -> AbstractContextManager[object]:
        """Nobody else writes until this is left."""
        return self._lock

    def get(self, kind: str, id: str) -> Record | None:
        """The newest version of a record, deleted or not."""
        return self._newest.get((kind, id))

    def find(self, kind: str, key: str, value: str) -> Sequence[Record]:
        """The newest versions that have this value under this key, in the order in which the records came to have it."""
        with self._lock:
            found = self._index.get((kind, key, value))
            return [self._newest[kind, id] for id in found] if found else ()

    def versions(self, kind: str, id: str) -> Sequence[Record]:
        """Every version of a record, oldest first."""
        with self._lock:
            newest = self._newest.get((kind, id))
            return [*self._older.get((kind, id), ()), *([newest] if newest else ())]

    def put(self, record: Record) -> None:
        """Store a record as the newest version of its id.

        Raises:
            StoreFullError: there is no room for it; nothing was changed, since `exclusive` was entered.
        """
        place = kind, id = record.kind, record.id
        index = self._index
        with self._lock:
            if self.gate is not None:
                if not self._admitted:
                    self.gate.admit((record,), instead=False)
                    self._admitted = self._depth > 0
                self.gate.count(record)
            before = self._newest.get(place)
            if before is not None:
                self._older.setdefault(place, []).append(before)
                # Only what changed: a record keeps its place among those that have the same value.
                for key, value in before.keys.items() - record.keys.items():
                    del index[kind, key, value][id]
            self._newest[place] = record
            for key, value in record.keys.items():
                entry = (kind, key, value)
                found = index.get(entry)
                if found is None:
                    index[entry] = {id: None}
                else:
                    found[id] = None

    def all(self) -> Sequence[Record]:
        """The newest version of every record."""
        with self._lock:
            return list(self._newest.values())

    def snapshot(self) -> Sequence[Record]:
        """Every version of every record, each record's oldest first: what `restore` takes."""
        with self._lock:
            return [version for kind, id in self._newest for version in self.versions(kind, id)]

    def restore(self, records: Iterable[Record]) -> None:
        """Hold these versions and nothing else.

        Raises:
            StoreFullError: there is no room for them; nothing was changed.
        """
        with self.exclusive():
            if self.gate is not None:
                records = list(records)
                self.gate.admit(records, instead=True)
                self._admitted = True
            self._newest.clear()
            self._older.clear()
            self._index.clear()
            for record in records:
                self.put(record)


_RECENT = 32
"""How many tenants that nothing was written to are remembered: whoever reads often is not set up for each request."""


class MemoryStore(Store):
    """Partitions by tenant name, each made from the same seeds. One that nothing was written to is not kept: whoever only
    reads leaves nothing behind. `room` is what the store may take, together with others; without one there is no limit.
    """

    def __init__(self, seeds: Iterable[Record] = (), room: Room | None = None) -> None:
        self.room = room
        self._seeds = tuple(seeds)
        self.written: dict[str, MemoryPartition] = {}
        self.unwritten: WeakValueDictionary[str, MemoryPartition] = WeakValueDictionary()
        self.recent: dict[str, MemoryPartition] = {}
        self.lock = RLock()

    def partition(self, tenant: str = "") -> MemoryPartition:
        """A tenant's records."""
        found = self.written.get(tenant) or self.recent.get(tenant)
        if found is None:
            with self.lock:
                found = self.written.get(tenant) or self.unwritten.get(tenant)
                if found is None:
                    found = self.unwritten[tenant] = MemoryPartition(self._seeds)
                    found.gate = _Place(self, tenant, found)
                    while len(self.recent) >= _RECENT:
                        del self.recent[next(iter(self.recent))]
                    self.recent[tenant] = found
        return found

    def reset(self, tenant: str | None = None) -> None:
        """Forget what was stored since the seeds, for one tenant or for all (None)."""
        with self.lock:
            for name in list(self.written) if tenant is None else [tenant] if tenant in self.written else ():
                gate = self.written.pop(name).gate
                assert isinstance(gate, _Place)
                gate.leave()

    def weight(self, tenant: str) -> int:
        """As how many versions the records of a tenant count (`weight_of`); those of one that wrote nothing count nothing."""
        with self.lock:
            gate = self.written[tenant].gate if tenant in self.written else None
        return gate.weight if isinstance(gate, _Place) else 0

    def tenants(self) -> Sequence[str]:
        """The tenants that have been written to."""
        return sorted(self.written)


class _Place(Gate):
    """A tenant's place in a store, which it gets when something is written for the first time."""

    def __init__(self, store: MemoryStore, tenant: str, partition: MemoryPartition) -> None:
        self._store, self._tenant = store, tenant
        self._partition = ref(partition)
        self.weight = 0
        self._taken = self._left = False

    def admit(self, records: Sequence[Record], instead: bool) -> None:
        room = self._store.room
        if self._left:  # somebody has started the tenant afresh, and what is written here is seen by nobody else
            return
        if room is not None:
            room.check(sum(map(weight_of, records)) - (self.weight if instead else 0))
        if not self._taken:
            with self._store.lock:
                if room is not None:
                    room.enter(self._tenant)
                partition = self._partition()
                assert partition is not None
                self._store.written[self._tenant] = partition
                self._store.unwritten.pop(self._tenant, None)
                self._store.recent.pop(self._tenant, None)
                self._taken = True
        if instead and room is not None:
            room.change(-self.weight)
            self.weight = 0

    def count(self, record: Record) -> None:
        room = self._store.room
        if room is not None and not self._left:
            weight = weight_of(record)
            self.weight += weight
            room.change(weight)

    def leave(self) -> None:
        """Give the place back."""
        self._left = True
        if self._store.room is not None:
            self._store.room.leave(self._tenant, self.weight)
