"""The journal: what it keeps, what it drops, and what it shows."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Thread
from typing import Any

from mocksandbox.exchange import Exchange, Headers, Request, Response
from mocksandbox.journal import Entry, Journal


def record(journal: Journal, size: int = 0, operation: str = "read", **details: Any) -> Entry:
    exchange = Exchange(Request("GET", "/x", body=b"a" * size), Response(200))
    at = datetime(2025, 1, 1, tzinfo=UTC)
    return journal.record(at=at, provider="nhs", operation=operation, exchange=exchange, **details)


def test_the_oldest_entries_are_dropped_and_counted() -> None:
    journal = Journal(most_entries=3)
    for _ in range(5):
        record(journal)
    assert [entry.number for entry in journal] == [3, 4, 5]
    assert (len(journal), journal.dropped) == (3, 2)


def test_the_bytes_of_bodies_are_bounded() -> None:
    journal = Journal(most_bytes=100)
    for _ in range(10):
        record(journal, size=30)
    assert [entry.number for entry in journal] == [8, 9, 10]
    assert journal.dropped == 7


def test_one_entry_over_the_bound_is_kept_until_the_next() -> None:
    journal = Journal(most_bytes=100)
    record(journal, size=500)
    assert len(journal) == 1
    record(journal, size=10)
    assert [entry.number for entry in journal] == [2]


def test_clearing_gives_the_bytes_back() -> None:
    journal = Journal(most_bytes=100)
    record(journal, size=90, tenant="a")
    record(journal, size=10, tenant="b")
    journal.clear(lambda entry: entry.tenant == "a")
    record(journal, size=90)
    assert [entry.number for entry in journal] == [2, 3]
    journal.clear()
    assert (len(journal), journal.last()) == (0, None)
    assert record(journal).number == 4


def test_entries_are_asked_for_by_condition_and_operation() -> None:
    journal = Journal()
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


def test_entries_of_several_threads_are_numbered_once_each() -> None:
    journal = Journal(most_entries=500)
    threads = [Thread(target=lambda: [record(journal) for _ in range(100)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry.number for entry in journal] == list(range(301, 801))
    assert journal.dropped == 300
