from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from mocksandbox.rules.attempt import Record
from mocksandbox.store import Database, MemoryStore, SqlStore, Store, open_database
from tests.stores import postgres

Opener = Callable[..., Store]
SHARED = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    named = os.environ.get("MOCKSANDBOX_POSTGRES")
    if named:
        yield named
        return
    with postgres.cluster() as made:
        if made is None:
            pytest.skip(postgres.NEEDED)
        yield made.url("postgres")


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens the store of a URL; what it has opened is closed when the test is over."""
    databases: list[Database] = []

    def open(url: str, seeds: Iterable[Record] = (), provider: str = "nhs") -> Store:
        database = open_database(url)
        if database is None:
            return MemoryStore(seeds)
        databases.append(database)
        return SqlStore(database, provider, seeds)

    yield open
    for database in databases:
        database.close()


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new store that processes can share, of each kind."""
    yield from _new(request, tmp_path)


def _new(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param != "postgresql":
        yield "memory" if request.param == "memory" else f"sqlite:///{tmp_path / 'records.db'}"
        return
    at: str = request.getfixturevalue("server")
    made = postgres.new_database(at)
    yield made
    postgres.drop_database(at, made)


@pytest.fixture(params=("memory", *SHARED))
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new store, of every kind."""
    yield from _new(request, tmp_path)
