"""Records in a database: the same for every database that knows the statements in `schema`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

from mocksandbox.errors import StoreError
from mocksandbox.rules.attempt import Record
from mocksandbox.store import schema
from mocksandbox.store.database import Database, Row, Section, Values
from mocksandbox.store.memory import MemoryPartition
from mocksandbox.store.partition import Partition, Store
from mocksandbox.store.rows import digest, keys_of, read, record_of, row_of, written

_PATIENCE = 100
"""How often a partition is made anew when others take it away at the same time."""


class SqlPartition(Partition):
    """The records of one tenant of one provider, in a database. One that nothing was written to is not kept there: whoever
    only reads sees the seeds, and leaves nothing behind.

    The number of the partition is looked up once. Only when nothing is found, and before anything is written, it is asked
    whether the partition is still there: another process may have started it afresh, under another number.
    """

    def __init__(self, database: Database, provider: str, tenant: str, seeds: MemoryPartition) -> None:
        self._database = database
        self._name = digest(provider, tenant)
        self._names = {"name": self._name, "provider": written(provider), "tenant": written(tenant)}
        self._seeds = seeds
        self._number: int | None = None

    @contextmanager
    def exclusive(self) -> Generator[None, None, None]:
        """Nobody else writes here until this is left, in no process; then all that was written comes about at once.

        Raises:
            StoreError: the database fails, or others have kept it for too long.
        """
        outermost = self._database.active is None
        with self._database.section(writes=True) as section:
            number = self._lock(section)
            yield
            if outermost and number in section.fresh and not section.failed:  # what was asked for was refused
                _clear(section, number, schema.PARTITION_GONE)

    @contextmanager
    def steady(self) -> Generator[None, None, None]:
        """What is read is of one moment. Nobody waits for it."""
        with self._database.section(writes=False):
            yield

    def get(self, kind: str, id: str) -> Record | None:
        """The newest version of a record, deleted or not."""
        active = self._database.active
        if active is not None and self._number is not None and (self._number, kind, id) in active.seen:
            seen = active.seen[self._number, kind, id]
        else:
            rows = self._rows(schema.GET, name=digest(kind, id))
            if rows is None:
                return self._seeds.get(kind, id)
            seen = (rows[0], record_of(rows[0])) if rows else None
            if active is not None and self._number is not None:
                active.seen[self._number, kind, id] = seen
        return seen[1] if seen else None

    def find(self, kind: str, key: str, value: str) -> Sequence[Record]:
        """The newest versions that have this value under this key, in the order in which the records came to have it."""
        rows = self._rows(schema.FIND, sought=digest(kind, key, value))
        return self._seeds.find(kind, key, value) if rows is None else list(map(record_of, rows))

    def versions(self, kind: str, id: str) -> Sequence[Record]:
        """Every version of a record, oldest first."""
        rows = self._rows(schema.HISTORY, name=digest(kind, id))
        return self._seeds.versions(kind, id) if rows is None else list(map(record_of, rows))

    def all(self) -> Sequence[Record]:
        """The newest version of every record, in the order in which the records came."""
        rows = self._rows(schema.ALL)
        return self._seeds.all() if rows is None else list(map(record_of, rows))

    def named(self, id: str) -> Sequence[Record]:
        """The newest versions of the records of any kind under an id."""
        rows = self._rows(schema.NAMED, id=written(id))
        return self._seeds.named(id) if rows is None else list(map(record_of, rows))

    def snapshot(self) -> Sequence[Record]:
        """Every version of every record, each record's oldest first."""
        rows = self._rows(schema.SNAPSHOT)
        return self._seeds.snapshot() if rows is None else list(map(record_of, rows))

    def put(self, record: Record) -> None:
        """Store a record as the newest version of its id."""
        with self._database.section(writes=True) as section:
            number = self._lock(section)
            section.fresh.discard(number)
            self._put(section, number, record)

    def restore(self, records: Iterable[Record]) -> None:
        """Hold these versions and nothing else."""
        with self._database.section(writes=True) as section:
            number = self._lock(section)
            section.fresh.discard(number)
            _clear(section, number)
            section.seen.clear()
            for record in records:
                self._put(section, number, record)

    def _rows(self, statement: str, **values: Any) -> Sequence[Row] | None:
        """The rows that a statement finds here; None when nothing has been written, so that the seeds are all there is."""
        with self._database.section(writes=False) as section:
            if self._name in section.absent:
                return None
            if self._number is not None:
                rows = section.rows(statement, {"partition": self._number, **values})
                if rows or self._number in section.sure:
                    return rows
            if not self._is_there(section):
                if not section.writes:
                    section.absent.add(self._name)
                    return None
                self._lock(section)
            return section.rows(statement, {"partition": self._number, **values})

    def _is_there(self, section: Section) -> bool:
        found = section.rows(schema.PARTITION, {"name": self._name})
        self._number = int(found[0][0]) if found else None
        if self._number is not None:
            section.sure.add(self._number)
        return bool(found)

    def _lock(self, section: Section) -> int:
        """Keep others from writing here, and make the partition with its seeds when it is not there; its number."""
        known = self._number
        if known is not None and known in section.locked:
            return known
        for _ in range(_PATIENCE):
            found = section.rows(schema.PARTITION + self._database.locking, {"name": self._name})
            if found:
                number = self._number = int(found[0][0])
                section.sure.add(number)
                section.locked.add(number)
                return number
            if section.run(schema.PARTITION_MADE, self._names) == 1:
                number = int(section.rows(schema.PARTITION, {"name": self._name})[0][0])
                for seed in self._seeds.snapshot():
                    self._put(section, number, seed)
                section.fresh.add(number)
        raise StoreError("The records are taken away by others again and again.")

    def _put(self, section: Section, number: int, record: Record) -> None:
        place = {"partition": number, "name": digest(record.kind, record.id)}
        key = (number, record.kind, record.id)
        if key in section.seen:
            seen = section.seen.pop(key)
            before = seen[0] if seen else None
        else:
            before = next(iter(section.rows(schema.GET, place)), None)
        first = None
        old: set[tuple[str, str]] = set()
        if before is not None:
            first, old = before[1] or before[0], set(keys_of(before).items())
            section.run(schema.OLDER, {"number": before[0]})
        section.run(schema.PUT, {**place, "place": first, **row_of(record)})
        # Only what changed: a record keeps its place among those that have the same value.
        new = [pair for pair in record.keys.items() if pair not in old]
        gone = old - set(record.keys.items())
        for statement, pairs in ((schema.UNSOUGHT, list(gone)), (schema.SOUGHT, new)):
            if pairs:
                section.run_each(statement, [{**place, "sought": digest(record.kind, *pair)} for pair in pairs])


class SqlStore(Store):
    """The records of one provider in a database, by tenant."""

    def __init__(self, database: Database, provider: str, seeds: Iterable[Record] = ()) -> None:
        self._database = database
        self._provider = provider
        self._seeds = MemoryPartition(seeds)
        self._partitions: dict[str, SqlPartition] = {}

    def partition(self, tenant: str = "") -> SqlPartition:
        """A tenant's records."""
        found = self._partitions.get(tenant)
        if found is None:
            if len(self._partitions) >= _MOST_REMEMBERED:
                self._partitions.clear()
            found = self._partitions[tenant] = SqlPartition(self._database, self._provider, tenant, self._seeds)
        return found

    def reset(self, tenant: str | None = None) -> None:
        """Forget what was stored since the seeds, for one tenant or for all (None)."""
        with self._database.section(writes=True) as section:
            if tenant is None:
                asked, values = schema.PARTITIONS, _values(provider=written(self._provider))
            else:
                asked, values = schema.PARTITION, _values(name=digest(self._provider, tenant))
            for (number,) in section.rows(asked + self._database.locking, values):
                _clear(section, number, schema.PARTITION_GONE)
            section.forget()
            section.locked.clear()

    def tenants(self) -> Sequence[str]:
        """The tenants that have been written to, in order."""
        with self._database.section(writes=False) as section:
            found = section.rows(schema.TENANTS, {"provider": written(self._provider)})
        return sorted(read(tenant) for (tenant,) in found)


def _clear(section: Section, number: int, *more: str) -> None:
    """Take the records of a partition away; then what else is said."""
    for statement in (*schema.RECORDS_GONE, *more):
        section.run(statement, {"partition": number})


def _values(**values: Any) -> Values:
    return values


_MOST_REMEMBERED = 10_000
"""How many tenants' partitions a process remembers the numbers of."""
