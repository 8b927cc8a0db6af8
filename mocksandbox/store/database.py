"""A database that several processes share: transactions on it, one for each thread at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from threading import local
from typing import Any

from mocksandbox.errors import StoreError, StoreMisuseError
from mocksandbox.rules.attempt import Record

Row = Sequence[Any]
Values = Mapping[str, Any]


class Section(ABC):
    """One transaction. What it reads is of one moment; what it writes comes about at its end, or not at all.

    `seen` are newest versions that were read within it, as rows and as records, by partition, kind and id. Of partitions,
    `sure` are those that are known to be there, `absent` the names of those that are not, `locked` those that nobody else
    writes to until its end, `fresh` those that it has made and put nothing into but seeds. One in which a statement has
    `failed` is taken back.
    """

    def __init__(self, writes: bool) -> None:
        self.writes = writes
        self.failed = False
        self.seen: dict[tuple[int, str, str], tuple[Row, Record] | None] = {}
        self.sure: set[int] = set()
        self.absent: set[bytes] = set()
        self.locked: set[int] = set()
        self.fresh: set[int] = set()

    @abstractmethod
    def rows(self, statement: str, values: Values) -> Sequence[Row]:
        """The rows that a statement gives."""

    @abstractmethod
    def run(self, statement: str, values: Values) -> int:
        """How many rows a statement has changed."""

    @abstractmethod
    def run_each(self, statement: str, values: Sequence[Values]) -> None:
        """Run a statement with several sets of values."""

    def forget(self) -> None:
        """Know nothing of what was read."""
        self.seen.clear()
        self.sure.clear()
        self.absent.clear()


class Database(ABC):
    """A database. `locking` is what a SELECT ends with that keeps other writers from its rows; `nests`
    says that a statement may hold another that writes.
    """

    locking = ""
    nests = False

    def __init__(self) -> None:
        self._local = local()

    @abstractmethod
    def begin(self, writes: bool) -> Section:
        """Begin a transaction.

        Raises:
            StoreError: the database does not let it.
        """

    @abstractmethod
    def end(self, section: Section, keep: bool) -> None:
        """End a transaction; what it has written is kept, or taken back.

        Raises:
            StoreError: it could not be kept.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the connections that nobody uses. Whoever uses the database again gets a new one."""

    @abstractmethod
    def at_once(self, statement: str, values: Values) -> Sequence[Row]:
        """The rows that one statement gives which is a transaction by itself.

        Raises:
            StoreError: the database fails.
        """

    @property
    def active(self) -> Section | None:
        """The transaction that this thread is in."""
        found: Section | None = getattr(self._local, "section", None)
        return found

    @contextmanager
    def section(self, *, writes: bool) -> Generator[Section, None, None]:
        """A transaction of this thread: the one that it is in, or a new one that ends with this.

        Raises:
            StoreError: something is to be written in one that only reads, or the database fails.
        """
        active = self.active
        if active is not None:
            if writes and not active.writes:
                raise StoreMisuseError("An operation that only reads (GET, HEAD, _search) cannot write.")
            yield active
            return
        section = self.begin(writes)
        self._local.section = section
        try:
            yield section
        except BaseException:
            self._local.section = None
            self.end(section, keep=False)
            raise
        self._local.section = None
        self.end(section, keep=not section.failed)
        if section.failed:  # whoever caught that error must not believe that the rest was kept
            raise StoreError("the store: the transaction has failed")
