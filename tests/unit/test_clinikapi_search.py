"""ClinikAPI's searches: filters, pages that others write between, and an index that lags behind."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import open_provider
from mocksandbox.sandbox import Sandbox

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SEEDS = [f"7d0c2b1e-3a52-4d53-9a38-6a2f4d3b1c0{number}" for number in (1, 2, 3)]


@pytest.fixture
def box() -> Sandbox:
    made = Sandbox(open_provider("clinikapi"), strict=True)
    made.clock.set(NOON, freeze=True)
    return made


def send(box: Sandbox, method: str, path: str, body: Any = None, query: str = "", **headers: str) -> Response:
    pairs = [("Content-Type", "application/json"), *((name.replace("_", "-"), value) for name, value in headers.items())]
    text = b"" if body is None else json.dumps(body).encode()
    asked = tuple(parse_qsl(query, keep_blank_values=True))
    answer = box.handle(Request(method, path, asked, Headers(pairs), text))
    entry = box.journal.last()
    assert entry is not None
    assert not entry.bugs, entry.bugs
    return answer


def create(box: Sandbox, **members: Any) -> str:
    body = {"status": "completed", "vaccineCode": "140", "patientId": "pt_new", **members}
    id: str = send(box, "POST", "/immunizations", body).json()["data"]["id"]
    return id


def found(box: Sandbox, query: str = "", **headers: str) -> list[str]:
    return [record["id"] for record in page(box, query, **headers)["data"]]


def page(box: Sandbox, query: str = "", **headers: str) -> dict[str, Any]:
    answer = send(box, "GET", "/immunizations", query=query, **headers)
    assert answer.status == 200, answer.body
    data: dict[str, Any] = answer.json()["data"]
    return data


@pytest.mark.parametrize(
    ("query", "seeds"),
    [
        ("", (1, 2, 3)),
        ("patientId=pt_demo0001", (1, 2)),
        ("patientId=Patient/pt_demo0001", (1, 2)),
        ("patientId=pt_demo", ()),
        ("patientId=pt_demo0003", ()),  # another organisation's
        ("status=not-done", (3,)),
        ("vaccineCode=140", (1,)),
        ("vaccineCode=MMR", (2,)),
        ("dateFrom=2024-11-20", (2, 3)),
        ("dateTo=2024-11-20", (1, 2)),
        ("dateFrom=2024-10-03&dateTo=2024-12-04", (2,)),
        ("dateFrom=2025-01-01&dateTo=2024-01-01", ()),
        ("patientId=pt_demo0001&vaccineCode=140&status=completed", (1,)),
        ("patientId=pt_demo0001&patientId=pt_demo0002", (1, 2)),
    ],
)
def test_filters_narrow(box: Sandbox, query: str, seeds: tuple[int, ...]) -> None:
    assert found(box, query) == [SEEDS[number - 1] for number in seeds]


def test_an_occurrence_that_is_no_date_fits_no_date_filter(box: Sandbox) -> None:
    id = create(box, occurrenceDateTime="yesterday")
    assert id in found(box)
    assert id not in found(box, "dateTo=9999-12-31")
    assert id not in found(box, "dateFrom=0001-01-01")


def test_a_page_has_twenty_records_unless_told(box: Sandbox) -> None:
    for _ in range(120):
        create(box)
    assert len(found(box, "patientId=pt_new")) == 20
    assert len(found(box, "patientId=pt_new&count=100")) == 100
    assert send(box, "GET", "/immunizations", query="count=101").status == 400


def test_pages_neither_lose_nor_repeat_what_others_write_between(box: Sandbox) -> None:
    made = [create(box) for _ in range(10)]
    first = page(box, "patientId=pt_new&count=4")
    assert (first["total"], first["hasMore"]) == (10, True)
    send(box, "DELETE", f"/immunizations/{made[1]}")
    later = create(box)
    rest: list[str] = []
    cursor = first["cursor"]
    while cursor is not None:
        following = page(box, f"patientId=pt_new&count=4&cursor={cursor}")
        rest += [record["id"] for record in following["data"]]
        cursor = following.get("cursor")
        assert following["hasMore"] == (cursor is not None)
    assert [record["id"] for record in first["data"]] + rest == [*made, later]


def test_the_last_page_may_be_just_full(box: Sandbox) -> None:
    made = [create(box) for _ in range(4)]
    second = page(box, f"patientId=pt_new&count=2&cursor={page(box, 'patientId=pt_new&count=2')['cursor']}")
    assert [record["id"] for record in second["data"]] == made[2:]
    assert (second["hasMore"], "cursor" in second) == (False, False)


def test_a_search_lags_behind_writes_and_a_read_does_not(box: Sandbox) -> None:
    lag = {"Prefer": "search-lag=10"}
    id = create(box)
    path = f"/immunizations/{id}"
    assert found(box, "patientId=pt_new") == [id]
    assert found(box, "patientId=pt_new", **lag) == []
    assert send(box, "GET", path).status == 200
    box.clock.set(NOON + timedelta(seconds=9), freeze=True)
    assert found(box, "patientId=pt_new", **lag) == []
    box.clock.set(NOON + timedelta(seconds=10), freeze=True)
    assert found(box, "patientId=pt_new", **lag) == [id]

    send(box, "PATCH", path, {"status": "not-done"})
    assert found(box, "patientId=pt_new&status=completed", **lag) == [id]
    assert send(box, "GET", path).json()["data"]["status"] == "not-done"
    box.clock.set(NOON + timedelta(seconds=20), freeze=True)
    assert found(box, "patientId=pt_new&status=completed", **lag) == []
    assert found(box, "patientId=pt_new&status=not-done", **lag) == [id]

    send(box, "DELETE", path)
    assert found(box, "patientId=pt_new", **lag) == [id]
    assert send(box, "GET", path).status == 404
    box.clock.set(NOON + timedelta(seconds=30), freeze=True)
    assert found(box, "patientId=pt_new", **lag) == []


def test_the_fault_of_stale_reads_shows_the_versions_before(box: Sandbox) -> None:
    id = create(box)
    assert id not in found(box, Prefer="fault=stale-read")
    send(box, "PATCH", f"/immunizations/{id}", {"status": "not-done"})
    assert id in found(box, "status=completed", Prefer="fault=stale-read")


def test_somebody_else_may_write_first(box: Sandbox) -> None:
    id = create(box)
    path = f"/immunizations/{id}"
    conflict = send(box, "PATCH", path, {"note": "mine"}, If_Match='W/"1"', Prefer="fault=another-writer")
    assert (conflict.status, conflict.json()["code"]) == (409, "CONFLICT")
    read = send(box, "GET", path)
    assert (read.headers["ETag"], read.json()["data"]["meta"]["versionId"]) == ('W/"2"', "2")
    assert send(box, "PATCH", path, {"note": "mine"}, If_Match='"1", W/"2"').headers["ETag"] == 'W/"3"'
    assert send(box, "DELETE", path, If_Match='W/"2"').status == 409
    assert send(box, "DELETE", path, If_Match="*").status == 204


def test_a_change_of_nothing_makes_no_version(box: Sandbox) -> None:
    id = create(box)
    assert send(box, "PATCH", f"/immunizations/{id}", {}).headers["ETag"] == 'W/"1"'
