"""Every store keeps the same promises: the same tests for memory, SQLite and PostgreSQL."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier, Thread
from typing import Any

import pytest

from mocksandbox.errors import StoreError
from mocksandbox.rules.attempt import Record
from mocksandbox.store import Partition, Scratch, SqlStore, Stale, Store
from tests.stores.conftest import Opener

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
SEEDS = (Record("Patient", "seed-1", 1, b'{"seed":1}', {"name": "a"}), Record("Patient", "seed-2", 1, b"{}", {"name": "b"}))


def record(id: str, version: int = 1, kind: str = "Immunization", state: str = "live", **keys: str) -> Record:
    return Record(kind, id, version, f'{{"id":"{id}","version":{version}}}'.encode(), keys, state)


@pytest.fixture
def store(any_url: str, opened: Opener) -> Store:
    return opened(any_url, SEEDS)


@pytest.fixture
def records(any_url: str, opened: Opener) -> Partition:
    return opened(any_url).partition()


EXACT = {
    "bytes that are no UTF-8": Record("A", "1", 1, b"\xff\x00\xfe"),
    "no bytes": Record("A", "1", 1, b""),
    "numbers as they were written": Record("A", "1", 1, b'{"value": 0.500, "much": 1e999, "long": 123456789012345678901}'),
    "NUL": Record("A", "a\x00b", 1, b"\x00", {"k\x00": "v\x00"}, author="\x00"),
    "half of a surrogate pair": Record("A", "\ud800", 1, b"{}", {"k": "\udfff", "\ud83d": "\ud83d\ude00"}, author="\udc00"),
    "the mark itself": Record("A", "\x1a0000\x1a", 1, b"{}", {"k": "\x1a001a"}, author="\x1a"),
    "other scripts": Record("Ä", "Ωμέγα", 1, "Ѿ".encode(), {"名": "前", "👶": "💉"}, author="Ñandú"),
    "long texts": Record("A", "i" * 10_000, 1, b"x" * 300_000, {"k" * 5000: "v" * 50_000}),
    "quotes and signs": Record("A", "'; DROP TABLE x; --", 1, b"{}", {":name": "%s %(a)s ? $1 \\"}, author="a'b\"c"),
    "a moment": Record("A", "1", 1, b"{}", recorded=NOON),
    "a moment with an offset": Record("A", "1", 1, b"{}", recorded=NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))),
    "states and authors": Record("A", "1", 2**53 - 1, b"{}", {"": ""}, "reserved", NOON, ""),
}


@pytest.mark.parametrize("exact", EXACT.values(), ids=list(EXACT))
def test_a_record_comes_back_as_it_was(records: Partition, exact: Record) -> None:
    records.put(exact)
    assert records.get(exact.kind, exact.id) == exact
    assert records.all() == records.snapshot() == records.versions(exact.kind, exact.id) == records.named(exact.id) == [exact]
    assert list(records.all()[0].keys.items()) == list(exact.keys.items())
    for key, value in exact.keys.items():
        assert records.find(exact.kind, key, value) == [exact]
    before = records.snapshot()
    records.restore(before)
    assert records.snapshot() == before


def test_what_is_not_there_is_not_found(records: Partition) -> None:
    assert records.get("Immunization", "1") is None
    assert list(records.find("Immunization", "a", "b")) == []
    assert list(records.versions("Immunization", "1")) == []
    assert list(records.all()) == list(records.named("1")) == list(records.snapshot()) == []


def test_the_newest_version_is_found_and_the_older_are_kept(records: Partition) -> None:
    first, second, gone = record("1", 1, a="x"), record("1", 2, a="x"), record("1", 2, state="deleted", a="x")
    for each in (first, second, gone):
        records.put(each)
    assert records.get("Immunization", "1") == gone
    assert records.versions("Immunization", "1") == [first, second, gone]
    assert records.find("Immunization", "a", "x") == [gone]
    assert records.all() == [gone]


def test_kinds_and_ids_are_told_apart(records: Partition) -> None:
    both = [record("1", kind="A", k="v"), record("1", kind="B", k="v")]
    for each in both:
        records.put(each)
    assert records.named("1") == both
    assert [records.find(kind, "k", "v") for kind in "AB"] == [[both[0]], [both[1]]]
    assert records.get("A1", "") is None


def test_records_are_found_in_the_order_in_which_they_came_to_have_a_value(records: Partition) -> None:
    for id in ("c", "a", "b"):
        records.put(record(id, k="v"))
    records.put(record("c", 2, k="v"))  # keeps its place
    assert [each.id for each in records.find("Immunization", "k", "v")] == ["c", "a", "b"]
    records.put(record("c", 3, k="other"))
    assert [each.id for each in records.find("Immunization", "k", "v")] == ["a", "b"]
    records.put(record("c", 4, k="v"))  # comes anew
    assert [(each.id, each.version) for each in records.find("Immunization", "k", "v")] == [("a", 1), ("b", 1), ("c", 4)]
    assert [each.id for each in records.all()] == ["c", "a", "b"]
    assert [(each.id, each.version) for each in records.snapshot()] == [
        *(("c", version) for version in (1, 2, 3, 4)),
        ("a", 1),
        ("b", 1),
    ]


def test_a_key_that_a_version_lacks_finds_it_no_more(records: Partition) -> None:
    records.put(record("1", a="x", b="y"))
    records.put(record("1", 2, b="y", c="z"))
    assert list(records.find("Immunization", "a", "x")) == []
    assert [len(records.find("Immunization", *pair)) for pair in (("b", "y"), ("c", "z"))] == [1, 1]


def test_a_snapshot_goes_back_whole(records: Partition) -> None:
    for version in (1, 2, 3):
        records.put(record("1", version, k=str(version)))
        records.put(record("2", version, k="same"))
    before = records.snapshot()
    records.put(record("3", k="same"))
    records.put(record("1", 4, k="4"))
    records.restore(before)
    assert records.snapshot() == before
    assert records.get("Immunization", "3") is None
    assert [each.id for each in records.find("Immunization", "k", "same")] == ["2"]
    assert list(records.find("Immunization", "k", "4")) == []
    records.restore([])
    assert list(records.snapshot()) == []


def test_tenants_have_the_seeds_and_nothing_of_one_another(store: Store) -> None:
    store.partition("a").put(record("1"))
    assert [each.id for each in store.partition("a").all()] == ["seed-1", "seed-2", "1"]
    assert list(store.partition("b").all()) == list(SEEDS)
    assert store.partition("b").find("Patient", "name", "b") == [SEEDS[1]]
    assert store.tenants() == ["a"]  # reading makes no tenant


def test_who_writes_nothing_leaves_nothing_behind(store: Store) -> None:
    for tenant in ("", "a"):
        records = store.partition(tenant)
        with records.steady():
            assert list(records.snapshot()) == list(SEEDS)
        with records.exclusive():
            assert records.get("Patient", "seed-2") == SEEDS[1]
            with records.exclusive():
                assert [each.id for each in records.named("seed-2")] == ["seed-2"]
        assert list(records.versions("Patient", "seed-2")) == [SEEDS[1]]
    assert store.tenants() == []
    store.partition("a").put(record("1"))
    with store.partition("a").exclusive():
        pass
    assert store.tenants() == ["a"]
    assert [each.id for each in store.partition("a").all()] == ["seed-1", "seed-2", "1"]


@pytest.mark.parametrize("tenant", ["", "a\x00b", "\ud800", "ü" * 5000, "' OR 1=1 --"])
def test_a_tenant_has_any_name(store: Store, tenant: str) -> None:
    store.partition(tenant).put(record("1"))
    assert store.tenants() == [tenant]
    store.reset(tenant)
    assert store.partition(tenant).get("Immunization", "1") is None


def test_one_tenant_starts_afresh_or_all_do(store: Store) -> None:
    for tenant in ("a", "b"):
        store.partition(tenant).put(record("1"))
        store.partition(tenant).put(record("seed-1", 2, kind="Patient"))
    store.reset("a")
    assert list(store.partition("a").snapshot()) == list(SEEDS)
    assert len(store.partition("b").all()) == 3
    store.reset()
    assert store.tenants() == []
    assert list(store.partition("b").all()) == list(SEEDS)
    store.reset("never seen")
    assert store.tenants() == []


def test_a_scratch_gives_nothing_back(store: Store) -> None:
    below = store.partition()
    scratch = Scratch(below)
    with scratch.exclusive():
        scratch.put(record("seed-1", 2, kind="Patient", name="a"))
        scratch.put(record("1"))
    assert [each.version for each in scratch.versions("Patient", "seed-1")] == [1, 2]
    assert [each.id for each in scratch.all()] == ["seed-2", "seed-1", "1"]
    assert list(below.snapshot()) == list(SEEDS)


def test_a_stale_reader_lags_behind(records: Partition) -> None:
    records.put(record("1", 1, k="v"))
    records.put(record("1", 2, k="v"))
    records.put(record("2", 1, k="v"))
    stale = Stale(records)
    with stale.steady():
        assert [each.version for each in stale.find("Immunization", "k", "v")] == [1]
        assert stale.get("Immunization", "2") is None
        assert [each.version for each in stale.versions("Immunization", "1")] == [1]


def test_writers_may_nest_and_see_what_they_wrote(records: Partition) -> None:
    with records.exclusive():
        records.put(record("1", 1, k="v"))
        with records.exclusive():
            assert records.get("Immunization", "1") == record("1", 1, k="v")
            records.put(record("1", 2, k="v"))
        with records.steady():
            assert [each.version for each in records.versions("Immunization", "1")] == [1, 2]
        assert records.find("Immunization", "k", "v") == [record("1", 2, k="v")]
    assert records.get("Immunization", "1") == record("1", 2, k="v")


def test_of_many_writers_one_after_the_other_goes(records: Partition) -> None:
    threads, rounds = 8, 10
    start = Barrier(threads)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            start.wait(30)
            for _ in range(rounds):
                with records.exclusive():
                    before = records.get("Immunization", "1")
                    records.put(record("1", before.version + 1 if before else 1))
        except BaseException as failure:
            failures.append(failure)

    together(work, threads)
    assert failures == []
    assert [each.version for each in records.versions("Immunization", "1")] == list(range(1, threads * rounds + 1))


def together(work: Any, threads: int) -> None:
    started = [Thread(target=work) for _ in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(60)


@pytest.fixture
def twice(url: str, opened: Opener) -> tuple[SqlStore, SqlStore]:
    """A shared store, opened twice as two processes would."""
    first, second = opened(url, SEEDS), opened(url, SEEDS)
    assert isinstance(first, SqlStore)
    assert isinstance(second, SqlStore)
    return first, second


def test_one_process_sees_what_another_has_written(twice: tuple[SqlStore, SqlStore]) -> None:
    one, other = (each.partition("t") for each in twice)
    assert list(other.all()) == list(SEEDS)
    one.put(record("1", 1, k="v"))
    assert other.get("Immunization", "1") == record("1", 1, k="v")
    other.put(record("1", 2, k="v"))
    assert [each.version for each in one.versions("Immunization", "1")] == [1, 2]
    assert twice[1].tenants() == ["t"]


def test_one_process_sees_that_another_has_started_afresh(twice: tuple[SqlStore, SqlStore]) -> None:
    one, other = (each.partition("t") for each in twice)
    one.put(record("1"))
    assert other.get("Immunization", "1") is not None
    twice[0].reset("t")
    assert other.get("Immunization", "1") is None
    assert other.get("Patient", "seed-1") == SEEDS[0]
    twice[1].reset()
    assert one.find("Patient", "name", "a") == [SEEDS[0]]
    twice[1].reset()
    one.put(record("2"))
    assert [each.id for each in other.all()] == ["seed-1", "seed-2", "2"]


def test_seeds_are_planted_once_whoever_comes_first(twice: tuple[SqlStore, SqlStore]) -> None:
    start = Barrier(8)
    found: list[int] = []

    def work() -> None:
        number = start.wait(30)
        found.extend(len(twice[number % 2].partition(tenant).all()) for tenant in ("a", "b", "c"))

    together(work, 8)
    assert found == [2] * 24
    assert [len(twice[0].partition(tenant).snapshot()) for tenant in "abc"] == [2, 2, 2]


def test_what_is_open_is_seen_by_nobody_else_and_taken_back_with_an_error(twice: tuple[SqlStore, SqlStore]) -> None:
    one, other = (each.partition() for each in twice)
    one.put(record("1", 1, k="v"))
    elsewhere: list[Any] = []

    def fail() -> None:
        with one.exclusive():
            one.put(record("1", 2, k="w"))
            one.put(record("2"))
            thread = Thread(target=lambda: elsewhere.extend(other.get("Immunization", id) for id in "12"))
            thread.start()  # a reader need not wait for the writer
            thread.join(30)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert elsewhere == [record("1", 1, k="v"), None]
    assert one.get("Immunization", "1") == record("1", 1, k="v")
    assert list(one.find("Immunization", "k", "w")) == []
    assert one.get("Immunization", "2") is None


def test_a_reader_sees_one_moment(twice: tuple[SqlStore, SqlStore]) -> None:
    one, other = (each.partition() for each in twice)
    one.put(record("1"))
    with one.steady():
        assert one.get("Immunization", "1") == record("1")
        thread = Thread(target=lambda: [other.put(record("1", 2)), other.put(record("2"))])
        thread.start()  # a writer need not wait for the reader
        thread.join(30)
        assert not thread.is_alive()
        assert one.get("Immunization", "1") == record("1")
        assert one.versions("Immunization", "1") == [record("1")]
        assert one.get("Immunization", "2") is None
    assert one.get("Immunization", "1") == record("1", 2)


def test_who_only_reads_cannot_write(twice: tuple[SqlStore, SqlStore]) -> None:
    records = twice[0].partition()
    with records.steady(), pytest.raises(StoreError, match="only reads"):
        records.put(record("1"))
    assert records.get("Immunization", "1") is None


def test_two_processes_write_one_after_the_other(twice: tuple[SqlStore, SqlStore]) -> None:
    start = Barrier(6)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            records = twice[start.wait(30) % 2].partition("t")
            for _ in range(10):
                with records.exclusive():
                    before = records.get("Immunization", "1")
                    records.put(record("1", before.version + 1 if before else 1, k=str(before.version % 3 if before else 0)))
        except BaseException as failure:
            failures.append(failure)

    together(work, 6)
    assert failures == []
    assert [each.version for each in twice[0].partition("t").versions("Immunization", "1")] == list(range(1, 61))


def test_providers_share_a_database_and_no_records(url: str, opened: Opener) -> None:
    nhs, redox = opened(url, SEEDS, "nhs"), opened(url, (), "redox")
    nhs.partition().put(record("1"))
    assert list(redox.partition().all()) == []
    redox.reset()
    assert nhs.partition().get("Immunization", "1") == record("1")
    assert (nhs.tenants(), redox.tenants()) == ([""], [])


def test_records_outlive_who_wrote_them(url: str, opened: Opener) -> None:
    opened(url, SEEDS).partition("t").put(record("1", k="v"))
    assert [each.id for each in opened(url, SEEDS).partition("t").all()] == ["seed-1", "seed-2", "1"]


def test_a_failure_that_somebody_catches_is_no_success(url: str, opened: Opener) -> None:
    store = opened(url)
    assert isinstance(store, SqlStore)
    records, database = store.partition(), store._database

    def write() -> None:
        with records.exclusive():
            records.put(record("1"))
            with suppress(StoreError), database.section(writes=True) as section:
                section.run("UPDATE nothing_of_this_name SET x = 1", {})

    with pytest.raises(StoreError, match="the transaction has failed"):
        write()
    assert records.get("Immunization", "1") is None
    records.put(record("1"))
    assert records.get("Immunization", "1") == record("1")
