"""Opening a SQLite file as the store: what it must be, its tables, and leaving it in one piece."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from mocksandbox.errors import UsageError
from mocksandbox.store.database import Row
from mocksandbox.store.schema import VERSION, VERSION_FOUND, VERSION_MADE, tables_for
from mocksandbox.store.sqlite import SqliteDatabase

OLDEST = (3, 35)
"""The oldest version of SQLite that knows every statement (RETURNING)."""

PATIENCE = 60.0
"""How long it may take to open the file, while others do, in seconds."""

_MAGIC = b"SQLite format 3\x00"
_MOST_CHECKED = 256 * 1024 * 1024
"""The largest file, in bytes, that is read through when it is opened, to find damage."""


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
        connection = database.connect(PATIENCE, make=True)
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
