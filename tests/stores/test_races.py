"""Many writers at once on a store that processes share: in one process with a store that dawdles, then with two workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import sleep
from typing import Any

import pytest

from mocksandbox.provider import open_provider
from mocksandbox.rules.attempt import Record
from mocksandbox.sandbox import Sandbox
from mocksandbox.shared_journal import SharedJournal
from mocksandbox.store import SqlPartition, open_database
from tests.conformance.test_concurrency import RACES, gapless, mixed_traffic
from tests.stores.conftest import Opener
from tests.stores.living import Living, living

THREADS = 24
Race = Callable[..., Counter[int]]


@pytest.fixture
def dawdling(url: str, opened: Opener, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox whose store takes its time before it writes: time for others to come between a check and a write."""
    provider = open_provider("nhs")
    store = opened(url, provider.seeds())
    store.partition().all()  # the seeds need not wait
    put = SqlPartition.put

    def put_late(self: SqlPartition, record: Record) -> None:
        sleep(0.3)
        put(self, record)

    monkeypatch.setattr(SqlPartition, "put", put_late)
    return Sandbox(provider, store=store)


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions whose `exclusive` keeps nobody out."""

    @contextmanager
    def nobody_waits(self: SqlPartition) -> Iterator[None]:
        yield

    monkeypatch.setattr(SqlPartition, "exclusive", nobody_waits)


@RACES
def test_of_many_at_once_exactly_one_wins(dawdling: Sandbox, race: Race, won: int, lost: int) -> None:
    assert race(dawdling, THREADS) == {won: 1, lost: THREADS - 1}


@RACES
@pytest.mark.usefixtures("unlocked")
def test_without_the_lock_more_than_one_wins(dawdling: Sandbox, race: Race, won: int, lost: int) -> None:
    seen = race(dawdling, THREADS)
    assert seen[won] > 1
    assert set(seen) <= {won, lost}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def two_workers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """A server of two workers on a shared store."""
    from tests.stores import postgres

    if request.param == "sqlite":
        with living(f"sqlite:///{tmp_path_factory.mktemp('store') / 'records.db'}") as server:
            yield server
        return
    at: str = request.getfixturevalue("server")
    made = postgres.new_database(at)
    with living(made) as server:
        yield server
    postgres.drop_database(at, made)


@pytest.fixture
def fresh(two_workers: Living) -> Any:
    """The server with nothing but its seeds; it stands where the races have a sandbox."""
    two_workers.store.reset()
    return two_workers


@RACES
def test_of_many_clients_of_two_workers_exactly_one_wins(fresh: Any, race: Race, won: int, lost: int) -> None:
    for _ in range(3):
        fresh.store.reset()
        assert race(fresh, THREADS) == {won: 1, lost: THREADS - 1}


def test_mixed_traffic_to_two_workers_leaves_no_gap_between_versions(fresh: Any) -> None:
    database = open_database(fresh.store_url)
    assert database is not None
    journal = SharedJournal(database, 10_000, 64 * 1024 * 1024)
    journal.clear()
    told = mixed_traffic(fresh, THREADS)
    assert gapless(fresh, told)
    assert min(map(len, told.values())) > 2
    numbers = [entry.number for entry in journal.exchanges(bodies=False)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) == 8 + THREADS * 3 * 4 + sum(
        (number + step) % 4 == 0 for number in range(THREADS) for step in range(3)
    )
    database.close()
