"""A PostgreSQL server as the store: servers on several machines share it.

Through SQLAlchemy Core and psycopg (the extra `postgres`). Writers lock the row of their tenant; readers see one moment
(REPEATABLE READ) and wait for nobody.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, TextClause, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError

from mocksandbox.errors import StoreError, UsageError
from mocksandbox.store.database import Database, Row, Section, Values
from mocksandbox.store.schema import VERSION, VERSION_FOUND, VERSION_MADE, tables_for
from mocksandbox.store.sqlite_file import check_version

_CONNECTIONS = 10
_PATIENCE = 10.0  # seconds that a thread waits for a connection, or to get one: while it waits, nobody is answered
_IDLE = 5.0  # seconds after which a connection is tried before it is used
_TABLES_LOCK = 0x6D6F636B  # any number that no other program is likely to lock: "mock"
_SETTINGS = (
    "SET lock_timeout = '10s'",
    # Where a machine has gone without a word, what it has locked is free again.
    "SET idle_in_transaction_session_timeout = '60s'",
    "SET client_min_messages = warning",
)


@cache
def _clause(statement: str) -> TextClause:
    return text(statement)


class _PostgresSection(Section):
    def __init__(self, writes: bool, connection: Connection) -> None:
        super().__init__(writes)
        self.connection = connection

    def _run(self, statement: str, values: Any) -> Any:
        try:
            return self.connection.execute(_clause(statement), values)
        except _ERRORS as error:
            self.failed = True
            raise _failure(error) from error

    def rows(self, statement: str, values: Values) -> Sequence[Row]:
        result = self._run(statement, values)
        try:
            found: Sequence[Row] = result.fetchall()
        except _ERRORS as error:
            self.failed = True
            raise _failure(error) from error
        return found

    def run(self, statement: str, values: Values) -> int:
        return int(self._run(statement, values).rowcount)

    def run_each(self, statement: str, values: Sequence[Values]) -> None:
        self._run(statement, list(values))


class PostgresDatabase(Database):
    """One database of a PostgreSQL server."""

    locking = " FOR UPDATE"
    nests = True

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self._writer = engine.execution_options(isolation_level="READ COMMITTED")
        self._reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")

    def begin(self, writes: bool) -> Section:
        """Begin a transaction, with its first statement."""
        try:
            return _PostgresSection(writes, (self._writer if writes else self._reader).connect())
        except _ERRORS as error:
            raise _failure(error) from error

    def end(self, section: Section, keep: bool) -> None:
        """End a transaction."""
        assert isinstance(section, _PostgresSection)
        connection = section.connection
        try:
            with connection:
                if keep:
                    connection.commit()
                else:
                    connection.rollback()
        except _ERRORS as error:
            raise _failure(error, doubtful=keep and section.writes) from error

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self.engine.dispose()

    def at_once(self, statement: str, values: Values) -> Sequence[Row]:
        """The rows of one statement, without a transaction around it. One that only reads is asked once more when its
        connection turns out to be dead: the server was started again, and all connections of the pool are as old.
        """
        try:
            return self._once(statement, values)
        except _ERRORS as error:
            if not (getattr(error, "connection_invalidated", False) and statement.startswith("SELECT")):
                raise _failure(error) from error
        try:
            return self._once(statement, values)
        except _ERRORS as error:
            raise _failure(error) from error

    def _once(self, statement: str, values: Values) -> Sequence[Row]:
        with self._single.connect() as connection:
            return connection.execute(_clause(statement), values).fetchall()


# What is raised for a new connection's settings is psycopg's own.
_ERRORS = (SQLAlchemyError, psycopg.Error)


def _failure(error: Exception, *, doubtful: bool = False) -> StoreError:
    """The failure without what PostgreSQL adds to it (DETAIL), which quotes rows."""
    cause = getattr(error, "orig", None) or error
    diagnosis = getattr(cause, "diag", None)
    said = getattr(diagnosis, "message_primary", None) or type(cause).__name__
    return StoreError(f"the store: {' '.join(str(said).split())}", doubtful=doubtful)


def open_postgres(url: str, shown: str) -> PostgresDatabase:
    """The database of a URL, with its tables. `shown` is the URL as it may be told.

    Raises:
        UsageError: the URL cannot be read, the server does not answer or does not let us in, or the tables are of a newer
            version.
    """
    try:
        parsed = make_url(url)
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=_CONNECTIONS,
            max_overflow=0,
            pool_timeout=_PATIENCE,
            connect_args={"connect_timeout": int(_PATIENCE / 2), "application_name": "mocksandbox"},
            hide_parameters=True,
        )
        event.listen(engine, "connect", _connected)
        event.listen(engine, "checkin", _left)
        event.listen(engine, "checkout", _taken)
        try:
            with engine.begin() as connection:
                _prepare(connection, shown)
        finally:
            engine.dispose()  # no connection may go through a fork
    except (*_ERRORS, ArgumentError, ValueError, TypeError) as error:
        raise UsageError(f"Cannot use the store {shown}: {_reason(error, url)}.") from error
    return PostgresDatabase(engine)


def _connected(connection: Any, _: Any) -> None:
    connection.autocommit = True
    for setting in _SETTINGS:
        connection.execute(setting)
    connection.autocommit = False


def _left(_: Any, record: Any) -> None:
    record.info["left"] = time.monotonic()


def _taken(connection: Any, record: Any, _: Any) -> None:
    """A connection that was not used for a while may lead nowhere: then the pool makes another."""
    if time.monotonic() - record.info.get("left", time.monotonic()) < _IDLE:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise DisconnectionError from error


def _prepare(connection: Connection, shown: str) -> None:
    connection.execute(_clause("SELECT pg_advisory_xact_lock(:key)"), {"key": _TABLES_LOCK})
    if connection.execute(_clause("SELECT to_regclass('mocksandbox_schema')")).scalar() is None:
        number = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        for statement in tables_for(number, number, "DOUBLE PRECISION", "BYTEA"):
            connection.execute(_clause(statement))
        connection.execute(_clause(VERSION_MADE), {"version": VERSION})
    check_version(connection.execute(_clause(VERSION_FOUND)).fetchall(), shown)


def _reason(error: Exception, url: str = "") -> str:
    """What went wrong, in one line and without the password."""
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    try:
        secret = str(make_url(url).password or "") if url else ""
    except (SQLAlchemyError, ValueError):
        return "the URL cannot be read; write postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    return (said.replace(secret, "…") if secret else said).rstrip(".")
