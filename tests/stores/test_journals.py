"""The journal: what it keeps, what it drops, and what it shows; in memory, and in every store that processes share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest

from mocksandbox.exchange import Exchange, Headers, Request, Response
from mocksandbox.journal import Entry, Journal
from mocksandbox.provider import open_provider
from mocksandbox.rules import Finding
from mocksandbox.shared_journal import SharedJournal
from mocksandbox.store import Database, open_database

Make = Callable[..., Journal]


@pytest.fixture
def make(any_url: str) -> Iterator[Make]:
    """Makes the journal of one process; in a shared store, two are the same."""
    made: list[Database] = []

    def one(most_entries: int = 10_000, most_bytes: int = 64 * 1024 * 1024) -> Journal:
        database = open_database(any_url)
        if database is None:
            return Journal(most_entries, most_bytes)
        made.append(database)
        return SharedJournal(database, most_entries, most_bytes)

    yield one
    for database in made:
        database.close()


def record(journal: Journal, size: int = 0, operation: str = "read", request: Request | None = None, **details: Any) -> Entry:
    exchange = Exchange(request or Request("GET", "/x", body=b"a" * size), Response(200))
    at = datetime(2025, 1, 1, tzinfo=UTC)
    return journal.record(at=at, provider="nhs", operation=operation, exchange=exchange, **details)


def test_the_oldest_entries_are_dropped_and_counted(make: Make) -> None:
    journal = make(most_entries=3)
    for _ in range(5):
        record(journal)
    assert [entry.number for entry in journal] == [3, 4, 5]
    assert (len(journal), journal.dropped) == (3, 2)


def test_the_bytes_of_bodies_are_bounded(make: Make) -> None:
    journal = make(most_bytes=100)
    for _ in range(10):
        record(journal, size=30)
    assert [entry.number for entry in journal] == [8, 9, 10]
    assert journal.dropped == 7


@pytest.mark.parametrize(
    "large",
    [
        Request("GET", "/x", headers=Headers([("X", "v" * 9_000)])),
        Request("GET", "/x", headers=Headers([(f"h{number}", "") for number in range(60)])),
        Request("GET", "/" + "x" * 9_000),
        Request("GET", "/x", tuple((f"p{number}", "") for number in range(60))),
        Request("GET", "/x", base_url="http://" + "h" * 9_000),
    ],
    ids=["long header", "many headers", "path", "query", "host"],
)
def test_a_head_that_is_larger_than_heads_are_is_counted_too(make: Make, large: Request) -> None:
    journal = make(most_bytes=100_000)
    for _ in range(30):
        record(journal, request=large)
    assert 1 < len(journal) < 12
    journal.clear()
    for _ in range(30):
        record(journal, request=Request("GET", "/x", headers=Headers([("User-Agent", "u" * 1_000)])))
    assert len(journal) == 30


def test_what_was_found_wrong_is_counted_too(make: Make) -> None:
    journal = make(most_bytes=100_000)
    rule = next(iter(open_provider("nhs").catalogue))
    for _ in range(10):
        record(journal, findings=[Finding(rule, f"at[{number}]", "is wrong") for number in range(100)])
    assert 1 < len(journal) < 4


def test_one_entry_over_the_bound_is_kept_until_the_next(make: Make) -> None:
    journal = make(most_bytes=100)
    record(journal, size=500)
    assert len(journal) == 1
    record(journal, size=10)
    assert [entry.number for entry in journal] == [2]


def test_what_stays_when_others_go_is_not_weighed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(most_bytes=100)
    for number in range(6):
        record(journal, size=10 + number, tenant="ab"[number % 2])
    with monkeypatch.context() as patched:
        patched.setattr("mocksandbox.journal.weight_of", lambda _: pytest.fail("weighed again"))
        journal.clear(tenant="a")
    assert [entry.number for entry in journal] == [2, 4, 6]
    for _ in range(2):
        record(journal, size=31)
    assert [entry.number for entry in journal] == [4, 6, 7, 8], "of 11, 13, 15, 31 and 31 bytes the oldest must go"


def test_clearing_gives_the_bytes_back(make: Make) -> None:
    journal = make(most_bytes=100)
    record(journal, size=90, tenant="a")
    record(journal, size=10, tenant="b")
    journal.clear(lambda entry: entry.tenant == "a")
    record(journal, size=90)
    assert [entry.number for entry in journal] == [2, 3]
    journal.clear()
    assert (len(journal), journal.last()) == (0, None)
    assert record(journal).number == 4


def test_entries_are_asked_for_by_condition_and_operation(make: Make) -> None:
    journal = make()
    record(journal, operation="create")
    record(journal, operation="")
    record(journal, operation="read")
    newest, created = journal.last(), journal.last("create")
    assert newest is not None
    assert created is not None
    assert (newest.number, created.number) == (3, 1)
    assert journal.last("delete") is None
    assert [entry.number for entry in journal.near_misses()] == [2]
    assert [entry.number for entry in journal.exchanges(lambda entry: entry.number > 1)] == [2, 3]


def test_a_summary_shows_no_body_and_never_a_token() -> None:
    request = Request("GET", "/x", headers=Headers([("Authorization", "Bearer secret")]), body=b"a body")
    entry = Entry(1, datetime(2025, 1, 1, tzinfo=UTC), "nhs", "read", Exchange(request, Response(200), 0.0012))
    short, long = entry.summary(), entry.summary(bodies=True)
    assert "a body" not in str(short)
    assert long["request"]["body"] == "a body"
    assert "secret" not in str(long)
    assert (short["status"], short["milliseconds"], short["at"]) == (200, 1.2, "2025-01-01T00:00:00+00:00")


def test_entries_of_several_threads_are_numbered_once_each(make: Make) -> None:
    journal = make(most_entries=500)
    threads = [Thread(target=lambda: [record(journal) for _ in range(100)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = len(journal)
    assert 490 < kept <= 500  # one that is shared forgets some at a time
    assert [entry.number for entry in journal] == list(range(801 - kept, 801))
    assert journal.dropped == 800 - kept


def test_an_entry_comes_back_as_it_was(make: Make) -> None:
    journal = make()
    request = Request(
        "POST", "/x\ud800", (("a", "1"), ("a", "")), Headers([("X", "\x00"), ("x", "é")]), b"\xff\x00", "http://localhost/b"
    )
    exchange = Exchange(request, Response(422, Headers([("E-Tag", "1")]), b'{"a": 0.500}'), 0.00123)
    rule = next(iter(open_provider("nhs").catalogue))
    details = {
        "at": datetime(2025, 1, 1, 1, 2, 3, 4, tzinfo=UTC),
        "provider": "nhs",
        "operation": "create",
        "exchange": exchange,
        "tenant": "\ud800\x00",
        "findings": [Finding(rule, "Immunization.id", "\udfff is wrong", "Validation errors: ")],
        "differences": ["one", "another"],
        "bugs": [Finding(rule, "", "a bug")],
        "near": ["near"],
        "scenario": "s",
        "fault": "429:3",
    }
    said = journal.record(**details)
    (entry,) = journal.exchanges(tenant="\ud800\x00")
    assert said == Entry(1, **details)
    assert (entry.number, entry.at, entry.exchange, entry.tenant) == (1, details["at"], exchange, details["tenant"])
    assert [(f.at, f.message, f.prefix) for f in entry.findings] == [(f.at, f.message, f.prefix) for f in said.findings]
    for name in ("id", "title", "why", "source", "stage", "status", "issue", "error", "severity"):
        assert getattr(entry.findings[0].rule, name) == getattr(rule, name)
    assert entry.summary(bodies=True) == said.summary(bodies=True)


def test_entries_are_asked_for_by_tenant_and_number(make: Make) -> None:
    journal = make()
    for tenant in ("a", "b", "a", "", "a"):
        record(journal, tenant=tenant, size=3)
    assert [entry.number for entry in journal.exchanges(tenant="a")] == [1, 3, 5]
    assert [entry.number for entry in journal.exchanges(since=3)] == [4, 5]
    assert [entry.number for entry in journal.exchanges(lambda entry: entry.number < 4, tenant="a", since=1)] == [3]
    assert [entry.number for entry in journal.exchanges(tenant="nobody", bodies=False)] == []
    journal.clear(tenant="a")
    assert [entry.number for entry in journal] == [2, 4]
    journal.clear(lambda entry: entry.number == 4, tenant=None)
    assert [entry.number for entry in journal] == [2]
    assert len(journal) == 1
    assert record(journal).number == 6


@pytest.mark.parametrize("processes", [2])
def test_processes_number_their_entries_together(url: str, processes: int) -> None:
    databases = [open_database(url) for _ in range(processes)]
    journals = [SharedJournal(database, 50, 10_000) for database in databases if database]
    threads = [Thread(target=lambda made=made: [record(made, size=10) for _ in range(40)]) for made in journals * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for journal in journals:
        assert [entry.number for entry in journal] == list(range(111, 161))
        assert (len(journal), journal.dropped) == (50, 110)
    for database in databases:
        assert database is not None
        database.close()
