"""A SQLite file as the store: several processes of one machine share it, and nothing has to be installed.

The file is in write-ahead mode: readers see the state of one moment and wait for nobody; writers wait for one another.
A transaction is handed to the operating system before it is acknowledged (synchronous=NORMAL), so a killed process loses
nothing. When the machine itself loses power the last transactions before it may be missing, and the file is whole all the
same; FULL would spare them at the price of waiting for the disk in each write, which a sandbox need not pay.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock
from typing import TypeVar

from mocksandbox.errors import StoreError
from mocksandbox.store.database import Database, Row, Section, Values

T = TypeVar("T")

LOCK_PATIENCE = 10.0
"""How long a writer waits for the writers of other processes, in seconds: one thread answers, and nobody else is answered."""

_PAUSE = 0.0002  # seconds between two tries to write
_MOST_IDLE = 8  # connections of each sort


class _Connection(sqlite3.Connection):
    """A connection that knows which file it leads to, whatever stands at its path by now."""

    file: tuple[int, int] | None = None


class _SqliteSection(Section):
    def __init__(self, writes: bool, connection: _Connection) -> None:
        super().__init__(writes)
        self.connection = connection

    def _run(self, statement: str, values: Values) -> sqlite3.Cursor:
        return self._tried(self.connection.execute, statement, values)

    def _tried(self, call: Callable[[str, T], sqlite3.Cursor], statement: str, values: T) -> sqlite3.Cursor:
        if not self.connection.in_transaction:  # SQLite ends one by itself when the disk is full; nothing may go past it
            raise StoreError("the store: the transaction has failed")
        try:
            return call(statement, values)
        except sqlite3.Error as error:
            self.failed = True
            raise _failure(error) from error

    def rows(self, statement: str, values: Values) -> Sequence[Row]:
        try:
            return self._run(statement, values).fetchall()
        except sqlite3.Error as error:
            self.failed = True
            raise _failure(error) from error

    def run(self, statement: str, values: Values) -> int:
        return self._run(statement, values).rowcount

    def run_each(self, statement: str, values: Sequence[Values]) -> None:
        self._tried(self.connection.executemany, statement, values)


class SqliteDatabase(Database):
    """One SQLite file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._process = os.getpid()
        self._idle: dict[bool, list[_Connection]] = {True: [], False: []}
        self._writing = RLock()

    def connect(self, patience: float, *, make: bool = False) -> _Connection:
        """A new connection, whose statements wait so many seconds for those of others. A file that is not there is made only
        where that is asked for: one that was taken away is no empty store.

        Raises:
            sqlite3.Error: the file cannot be opened, or is no database.
        """
        made = sqlite3.connect(
            f"{self._path.as_uri()}?mode={'rwc' if make else 'rw'}",
            timeout=patience,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            factory=_Connection,
            uri=True,
        )
        made.file = self._file()
        try:
            made.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.Error:
            made.close()
            raise
        return made

    def _file(self) -> tuple[int, int] | None:
        """Which file is at the path now; none while there is none."""
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def begin(self, writes: bool) -> Section:
        """Begin a transaction. Writers of this process stand in line; those of others are waited for."""
        self._look_at_process()
        if writes:
            self._writing.acquire()
        connection = None
        try:
            connection = self._connection(writes)
            if writes:
                _begin(connection)
            else:
                connection.execute("BEGIN")
            return _SqliteSection(writes, connection)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if writes:
                self._writing.release()
            if isinstance(error, sqlite3.Error):
                raise _failure(error) from error
            raise

    def end(self, section: Section, keep: bool) -> None:
        """End a transaction."""
        assert isinstance(section, _SqliteSection)
        connection = section.connection
        try:
            if keep or connection.in_transaction:
                connection.execute("COMMIT" if keep else "ROLLBACK")
        except sqlite3.Error as error:
            connection.close()
            certain = _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY)  # these are found before anything is kept
            raise _failure(error, doubtful=keep and section.writes and not certain) from error
        else:
            self._keep(connection, section.writes)
        finally:
            if section.writes:
                self._writing.release()

    def close(self) -> None:
        """Close the connections that nobody uses."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def at_once(self, statement: str, values: Values) -> Sequence[Row]:
        """The rows of one statement, without a transaction around it."""
        if self.active is not None:
            return self.active.rows(statement, values)
        connection = None
        try:
            connection = self._connection(writes=False)
            rows = connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise _failure(error) from error
        self._keep(connection, writes=False)
        return rows

    def _look_at_process(self) -> None:
        if self._process != os.getpid():  # SQLite's connections must not be used on the other side of a fork
            self._process, self._idle, self._writing = os.getpid(), {True: [], False: []}, RLock()

    def _connection(self, writes: bool) -> _Connection:
        self._look_at_process()
        now = self._file()
        while True:
            try:
                idle = self._idle[writes].pop()
            except IndexError:
                made = self.connect(LOCK_PATIENCE)  # another process may just be closing the file
                if writes:
                    made.execute("PRAGMA busy_timeout = 0")  # `_begin` waits by itself
                return made
            if idle.file == now is not None:
                return idle
            idle.close()  # what is written to a file that was taken away is lost

    def _keep(self, connection: _Connection, writes: bool) -> None:
        if len(self._idle[writes]) < _MOST_IDLE:
            self._idle[writes].append(connection)
        else:
            connection.close()


def _code(error: sqlite3.Error) -> int:
    """SQLite's own code of an error, without what it adds to it; 0 where the error is not SQLite's."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _failure(error: sqlite3.Error, *, doubtful: bool = False) -> StoreError:
    # SQLite names tables and columns, never values; Python quotes a text that is no UTF-8.
    said = "a text in it is damaged" if "decode" in str(error) else str(error)
    return StoreError(f"the store: {said}", doubtful=doubtful)


def _begin(connection: sqlite3.Connection) -> None:
    """Begin to write, once the other processes let us. SQLite would wait longer and longer between its tries, a hundred times
    as long as a write takes.
    """
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return
