"""What every store offers: records of tenants, whose versions are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

from mocksandbox.rules.attempt import Record


class Partition(ABC):
    """The records of one tenant of one provider. Each method may be called by several threads at once."""

    @abstractmethod
    def exclusive(self) -> AbstractContextManager[object]:
        """Several calls as one: nobody else writes here until this is left, so that what a writer has checked stays true.
        What is written comes about when it is left; with an error nothing does, where the store can take it back.
        """

    @abstractmethod
    def steady(self) -> AbstractContextManager[object]:
        """What is read until this is left is of one moment. Nothing may be written within; writers need not wait."""

    @abstractmethod
    def get(self, kind: str, id: str) -> Record | None:
        """The newest version of a record, deleted or not."""

    @abstractmethod
    def find(self, kind: str, key: str, value: str) -> Sequence[Record]:
        """The newest versions that have this value under this key, in the order in which the records came to have it."""

    @abstractmethod
    def versions(self, kind: str, id: str) -> Sequence[Record]:
        """Every version of a record, oldest first."""

    @abstractmethod
    def put(self, record: Record) -> None:
        """Store a record as the newest version of its id."""

    @abstractmethod
    def all(self) -> Sequence[Record]:
        """The newest version of every record, in the order in which the records came."""

    def named(self, id: str) -> Sequence[Record]:
        """The newest versions of the records of any kind under an id."""
        return [record for record in self.all() if record.id == id]

    @abstractmethod
    def snapshot(self) -> Sequence[Record]:
        """Every version of every record, each record's oldest first: what `restore` takes."""

    @abstractmethod
    def restore(self, records: Iterable[Record]) -> None:
        """Hold these versions and nothing else."""


class Store(ABC):
    """Partitions by tenant name, each made from the same seeds when it is first written to."""

    @abstractmethod
    def partition(self, tenant: str = "") -> Partition:
        """A tenant's records."""

    @abstractmethod
    def reset(self, tenant: str | None = None) -> None:
        """Forget what was stored since the seeds, for one tenant or for all (None)."""

    @abstractmethod
    def tenants(self) -> Sequence[str]:
        """The tenants that have been written to, in order."""
