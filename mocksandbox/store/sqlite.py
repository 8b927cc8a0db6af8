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
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import RLock

from mocksandbox.errors import StoreError, UsageError
from mocksandbox.store.database import Database, Row, Section, Values
from mocksandbox.store.schema import VERSION, VERSION_FOUND, VERSION_MADE, tables_for

PATIENCE = 60.0
"""How long a writer waits for the writers of other processes, in seconds."""

OLDEST = (3, 35)
"""The oldest version of SQLite that knows every statement (RETURNING)."""

_PAUSE = 0.0002  # seconds between two tries to write
_MOST_IDLE = 8  # connections of each sort
_MAGIC = b"SQLite format 3\x00"
_MOST_CHECKED = 256 * 1024 * 1024
"""The largest file, in bytes, that is read through when it is opened, to find damage."""


class _SqliteSection(Section):
    def __init__(self, writes: bool, connection: sqlite3.Connection) -> None:
        super().__init__(writes)
        self.connection: sqlite3.Connection | None = connection

    def _run(self, statement: str, values: Values) -> sqlite3.Cursor:
        assert self.connection is not None
        if not self.connection.in_transaction:  # SQLite ends one by itself when the disk is full; nothing may go past it
            raise StoreError("the store: the transaction has failed")
        try:
            return self.connection.execute(statement, values)
        except sqlite3.Error as error:
            self.failed = True
            raise StoreError(f"the store: {error}") from error

    def rows(self, statement: str, values: Values) -> Sequence[Row]:
        return self._run(statement, values).fetchall()

    def run(self, statement: str, values: Values) -> int:
        return self._run(statement, values).rowcount

    def run_each(self, statement: str, values: Sequence[Values]) -> None:
        for each in values:
            self._run(statement, each)


class SqliteDatabase(Database):
    """One SQLite file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._process = os.getpid()
        self._idle: dict[bool, list[sqlite3.Connection]] = {True: [], False: []}
        self._writing = RLock()

    def connect(self, patience: float) -> sqlite3.Connection:
        """A new connection, whose statements wait so many seconds for those of others.

        Raises:
            sqlite3.Error: the file cannot be opened, or is no database.
        """
        made = sqlite3.connect(
            self._path, timeout=patience, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        try:
            made.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.Error:
            made.close()
            raise
        return made

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
                raise StoreError(f"the store: {error}") from error
            raise

    def end(self, section: Section, keep: bool) -> None:
        """End a transaction."""
        assert isinstance(section, _SqliteSection)
        connection, section.connection = section.connection, None
        if connection is None:
            return
        try:
            if keep or connection.in_transaction:
                connection.execute("COMMIT" if keep else "ROLLBACK")
        except sqlite3.Error as error:
            connection.close()
            raise StoreError(f"the store: {error}") from error
        else:
            self._keep(connection, section.writes)
        finally:
            if section.writes:
                self._writing.release()

    def again(self, section: Section) -> None:
        """Begin a transaction that has ended again."""
        begun = self.begin(section.writes)
        assert isinstance(section, _SqliteSection)
        assert isinstance(begun, _SqliteSection)
        section.connection = begun.connection

    def close(self) -> None:
        """Close the connections that nobody uses."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def at_once(self, statement: str, values: Values) -> Sequence[Row]:
        """The rows of one statement, without a transaction around it."""
        if self.active is not None:
            return self.active.rows(statement, values)
        connection = self._connection(writes=False)
        try:
            return connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"the store: {error}") from error
        finally:
            self._keep(connection, writes=False)

    def _look_at_process(self) -> None:
        if self._process != os.getpid():  # SQLite's connections must not be used on the other side of a fork
            self._process, self._idle, self._writing = os.getpid(), {True: [], False: []}, RLock()

    def _connection(self, writes: bool) -> sqlite3.Connection:
        self._look_at_process()
        try:
            return self._idle[writes].pop()
        except IndexError:
            return self.connect(0 if writes else PATIENCE)

    def _keep(self, connection: sqlite3.Connection, writes: bool) -> None:
        if len(self._idle[writes]) < _MOST_IDLE:
            self._idle[writes].append(connection)
        else:
            connection.close()


def _begin(connection: sqlite3.Connection) -> None:
    """Begin to write, once the other processes let us. SQLite would wait longer and longer between its tries, a hundred times
    as long as a write takes.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return


def open_sqlite(path: Path, url: str) -> SqliteDatabase:
    """The database in a file, with its tables; the file is made when there is none.

    Raises:
        UsageError: there is no such folder, the file cannot be written, is no SQLite database, is damaged, is another
            program's, or has tables of a newer version.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        found, oldest = sqlite3.sqlite_version, ".".join(map(str, OLDEST))
        raise UsageError(f"Cannot use the store {url}: this Python has SQLite {found}; {oldest} or newer is needed.")
    if path.is_dir():
        raise UsageError(f"Cannot use the store {url}: {path} is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(f"Cannot use the store {url}: the folder {path.parent} does not exist.")
    database = SqliteDatabase(path.resolve())
    connection = None
    try:
        _look_at_header(path)
        connection = database.connect(PATIENCE)
        _prepare(connection, path, url)
    except (sqlite3.Error, OSError) as error:
        raise UsageError(f"Cannot use the store {url}: {_reason(error, path)}") from error
    finally:
        if connection is not None:
            connection.close()
    return database


def _reason(error: Exception, path: Path) -> str:
    said = str(error)
    if "not a database" in said:
        return f"{path} is no SQLite database. Name another file, or move this one away."
    if "malformed" in said or "corrupt" in said:
        return f"{path} is damaged ({said}). Restore it from a copy, or move it away to start afresh."
    if "readonly" in said or "unable to open" in said:
        return f"{path} and its folder must be writable ({said})."
    return f"{said}."


def _look_at_header(path: Path) -> None:
    """SQLite takes a file that is shorter than a page for an empty one, and writes over it."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("rb") as file:
        head = file.read(512)
    if head[: len(_MAGIC)] != _MAGIC:
        raise sqlite3.DatabaseError("file is not a database")
    if len(head) < 512:
        raise sqlite3.DatabaseError("malformed: the file is cut off")


def _prepare(connection: sqlite3.Connection, path: Path, url: str) -> None:
    """Look at the file, and make what is not there yet."""
    size = path.stat().st_size
    if 0 < size <= _MOST_CHECKED:
        damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise sqlite3.DatabaseError(f"malformed: {' '.join(str(damage).split())}")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and "mocksandbox_schema" not in tables:
        raise UsageError(
            f"Cannot use the store {url}: {path} is a SQLite database of another program. Name another file, or move it away."
        )
    _write_ahead(connection)
    connection.execute("BEGIN IMMEDIATE")  # finds out, too, whether the file can be written
    if not tables and not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'mocksandbox_schema'").fetchall():
        for statement in tables_for("INTEGER PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT", "REAL", "BLOB"):
            connection.execute(statement)
        connection.execute(VERSION_MADE, {"version": VERSION})
    rows = connection.execute(VERSION_FOUND).fetchall()
    connection.execute("COMMIT")
    check_version(rows, url)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a log beside the file. SQLite itself does not wait for another process that is just doing the same."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def check_version(rows: Sequence[Row], url: str) -> None:
    """Look whether the tables are of the version that is known here.

    Raises:
        UsageError: they are not.
    """
    found = rows[0][0] if len(rows) == 1 else None
    if found == VERSION:
        return
    if isinstance(found, int) and found > VERSION:
        raise UsageError(
            f"Cannot use the store {url}: a newer mocksandbox has made it (schema {found}; this one knows {VERSION}). "
            "Upgrade mocksandbox, or name another store."
        )
    raise UsageError(f"Cannot use the store {url}: its schema {found!r} is not known here (this one knows {VERSION}).")


def merge_log(path: Path) -> None:
    """Write what is in the log beside a file into the file, and take the log away, unless somebody else has it open."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
