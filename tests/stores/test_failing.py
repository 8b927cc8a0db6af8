"""A store that fails while it is served from: 503 in each API's own shape, nothing half done, and all well once it is back."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mocksandbox.errors import StoreError
from mocksandbox.exchange import Request, Response
from mocksandbox.provider import open_provider
from mocksandbox.provider.discovery import BUILT_IN
from mocksandbox.sandbox import Sandbox
from mocksandbox.sandbox.failure import STORE_FAILS
from mocksandbox.sandbox.outage import EVERY, Outage
from mocksandbox.sandbox.shared import Shared, open_shared
from mocksandbox.server.app import create_app
from mocksandbox.server.settings import Settings
from mocksandbox.store import sqlite
from mocksandbox.store.sqlite import SqliteDatabase


@contextmanager
def served(url: str, name: str = "nhs", **options: Any) -> Iterator[tuple[Sandbox, Shared]]:
    """One provider's sandbox on a store, and the store."""
    app = create_app(Settings(providers=(name,), store=url, **options))
    box: Sandbox = app.extensions["mocksandbox"][name]
    shared = open_shared(url)
    assert shared is not None
    assert box.board is not None
    shared = Shared(box.board._database, box.board, shared.clock, shared.clocks)
    try:
        yield box, shared
    finally:
        shared.database.close()


def creating(box: Sandbox) -> Request:
    """A request that its API takes and that writes."""
    for operation in box.provider.contract.operations:
        if operation.method == "POST" and operation.bodies and not operation.path.endswith("_search"):
            assert box.provider.valid is not None
            if (made := box.provider.valid(operation.id)) is not None:
                return made.request
    raise AssertionError(box.provider.name)


def is_refused(box: Sandbox, answer: Response) -> None:
    """The answer says that the store fails, in the API's own shape."""
    assert answer.status == 503, answer.body
    assert (answer.headers["Retry-After"], answer.headers["X-Mocksandbox-Rules"]) == ("5", STORE_FAILS.id)
    said = answer.json()
    issues = said["issues"] if box.provider.name == "clinikapi" else said["issue"]
    assert [each["code"] for each in issues] == ["transient"]
    if box.provider.name == "clinikapi":
        assert said["code"] == "SERVICE_UNAVAILABLE"
    assert "Nothing was stored" in issues[0]["diagnostics"]
    assert "sqlite" not in answer.body.decode().lower()


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_file_that_is_taken_away_and_put_back(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "records.db"
    with served(f"sqlite:///{file}", name) as (box, _):
        assert box.store is not None
        request = creating(box)
        with caplog.at_level(logging.WARNING):
            file.rename(tmp_path / "away.db")
            for _ in range(5):
                is_refused(box, box.handle(request))
            assert not file.exists()  # no empty one was made in its place
            (tmp_path / "away.db").rename(file)
            assert box.handle(request).status < 300
        said = [record.getMessage() for record in caplog.records]
        assert [line for line in said if "failed: the store" in line] == said[:1]
        assert sum("the store is back;" in line for line in said) == 1
        assert sum("journal" in line for line in said) == 2
        assert box.journal.exchanges()[-1].exchange.response.status < 300


def test_a_full_disk_refuses_writes_and_is_read_from(tmp_path: Path) -> None:
    with served(f"sqlite:///{tmp_path / 'records.db'}") as (box, shared):
        request = creating(box)
        assert box.handle(request, "before").status == 201
        assert box.store is not None
        before = len(box.store.partition().all())
        with shared.database.section(writes=True) as section:
            pages = section.rows("PRAGMA page_count", {})[0][0]
            section.rows(f"PRAGMA max_page_count = {pages}", {})
        refused = [box.handle(request, f"tenant-{number}") for number in range(30)]
        assert refused[-1].status == 503
        for answer in refused:
            if answer.status != 201:
                is_refused(box, answer)
        assert box.handle(Request("GET", f"/Immunization/{box.store.partition().all()[0].id}")).status == 200
        assert len(box.store.partition().all()) == before
        with shared.database.section(writes=True) as section:
            section.rows("PRAGMA max_page_count = 1000000", {})
        assert box.handle(request, "after").status == 201


def test_a_file_that_is_locked_for_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "LOCK_PATIENCE", 0.1)
    file = tmp_path / "records.db"
    with served(f"sqlite:///{file}") as (box, _):
        request = creating(box)
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            is_refused(box, box.handle(request))
            other.execute("ROLLBACK")
        assert box.handle(request).status == 201


def test_a_file_that_is_damaged_in_use(tmp_path: Path) -> None:
    file = tmp_path / "records.db"
    with served(f"sqlite:///{file}") as (box, shared):
        assert box.handle(creating(box)).status == 201
        shared.database.close()
        with closing(sqlite3.connect(file)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = file.stat().st_size
        with file.open("r+b") as opened:
            opened.seek(4096)
            opened.write(b"\xa5" * (size - 4096))
        for request in (creating(box), Request("GET", "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22")):
            is_refused(box, box.handle(request))


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE mocksandbox_versions SET keys = '{'",
        "UPDATE mocksandbox_versions SET recorded = 'once'",
        "UPDATE mocksandbox_versions SET id = CAST(x'ff41' AS TEXT)",
        "DROP TABLE mocksandbox_versions",
    ],
)
def test_rows_that_are_damaged(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "records.db"
    with served(f"sqlite:///{file}") as (box, _):
        assert box.handle(creating(box)).status == 201
        with closing(sqlite3.connect(file)) as other, other:
            other.execute(damage)
        answer = box.handle(Request("GET", "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22"))
        is_refused(box, answer)


@pytest.mark.parametrize("body", [b'{"id": "', b"[]", b"", b"\xff"])
@pytest.mark.parametrize("name", BUILT_IN)
def test_bodies_that_are_damaged(name: str, body: bytes) -> None:
    box = Sandbox(open_provider(name), "integration")
    provider = box.provider
    assert box.store is not None
    assert provider.valid is not None
    assert box.handle(creating(box)).status < 300
    records = box.store.partition()
    found = [replace(record, body=body) for record in records.snapshot()]
    statuses = []
    for operation in provider.contract.operations:
        attempt = provider.valid(operation.id)
        about = [provider.about(attempt, each.id, each.version) for each in found] if provider.about else []
        for asked in [attempt, *about]:
            records.restore(found)
            answer = box.handle(asked.request)
            statuses.append(answer.status)
            if answer.status >= 500:
                is_refused(box, answer)
    assert 503 in statuses


def test_a_transaction_whose_end_is_not_known_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(f"sqlite:///{tmp_path / 'records.db'}") as (box, _):
        request = creating(box)
        ends = SqliteDatabase.end

        def lost(self: SqliteDatabase, section: Any, keep: bool) -> None:
            ends(self, section, keep)
            if keep and section.writes:
                raise StoreError("the store: disk I/O error", doubtful=True)

        monkeypatch.setattr(SqliteDatabase, "end", lost)
        answer = box.handle(request)
        assert answer.status == 503
        assert "may have been stored" in answer.json()["issue"][0]["diagnostics"]


def test_the_control_api_and_the_token_route_say_it_too(tmp_path: Path) -> None:
    file = tmp_path / "records.db"
    app = create_app(Settings(store=f"sqlite:///{file}"))
    box: Sandbox = app.extensions["mocksandbox"]["nhs"]
    client = app.test_client()
    assert client.get("/__mocksandbox/health").status_code == 200
    file.rename(tmp_path / "away.db")
    for method, path in (("GET", "/health"), ("GET", "/journal"), ("POST", "/reset"), ("GET", "/records")):
        answer = client.open(f"/__mocksandbox{path}", method=method)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.get_json(force=True)["issue"][0]["code"] == "transient"
    asked = Request("POST", "/oauth2/token")
    told = box.route(lambda _, __: Response(200, asked.headers, b""), asked)
    assert (told.status, told.headers["Retry-After"], told.json()["error"]) == (503, "5", "temporarily_unavailable")
    (tmp_path / "away.db").rename(file)
    assert client.get("/__mocksandbox/health").status_code == 200
    assert box.route(lambda _, __: Response(200, asked.headers, b""), asked).status == 200
    assert box.route(lambda _, __: 1 / 0, asked).status == 500  # type: ignore[arg-type,return-value]
    assert box.board is not None
    box.board._database.close()


def test_the_log_tells_of_an_outage_once_and_of_its_end(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    outage = Outage(lambda: now[0])
    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            outage.begins("create", StoreError("the store: full"), reading=False)
            outage.ends(reading=True)  # a full disk can be read
        assert len(caplog.records) == 1
        now[0] = EVERY
        outage.begins("create", StoreError("the store: full"), reading=False)
        assert len(caplog.records) == 2
        outage.ends(reading=False)
        outage.ends(reading=False)
    assert [record.getMessage() for record in caplog.records][2:] == [
        "the store is back; the last outage failed 1001 requests"
    ]


def test_postgres_connections_that_were_cut_are_not_noticed_by_readers(server: str) -> None:
    import psycopg

    from tests.stores import postgres

    url = postgres.new_database(server)
    try:
        with served(url) as (box, _):
            request = creating(box)
            assert box.handle(request).status == 201
            with psycopg.connect(server, autocommit=True) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    (url.split("/")[3].split("?")[0],),
                )
            read = Request("GET", "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22")
            assert box.handle(read).status == 200
            assert box.handle(request).status != 500
    finally:
        postgres.drop_database(server, url)


def test_postgres_that_waits_for_a_lock_too_long_and_tells_no_row(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import psycopg

    from mocksandbox.store import postgres as opening
    from tests.stores import postgres

    monkeypatch.setattr(opening, "_SETTINGS", ("SET lock_timeout = '100ms'",))
    url = postgres.new_database(server)
    try:
        with served(url) as (box, shared):
            request = creating(box)
            assert box.handle(request).status == 201
            with psycopg.connect(url) as other:
                other.execute("SELECT * FROM mocksandbox_partitions FOR UPDATE")
                is_refused(box, box.handle(request))
            assert box.handle(request).status in (201, 422)

            def twice() -> None:
                with shared.database.section(writes=True) as section:
                    section.run("CREATE TEMPORARY TABLE t (name TEXT UNIQUE)", {})
                    for _ in range(2):
                        section.run("INSERT INTO t VALUES (:name)", {"name": "a-persons-name"})

            with pytest.raises(StoreError) as raised:
                twice()
            assert "unique" in str(raised.value)
            assert "a-persons-name" not in str(raised.value)
    finally:
        postgres.drop_database(server, url)


def test_threads_meet_it_alike(tmp_path: Path) -> None:
    file = tmp_path / "records.db"
    with served(f"sqlite:///{file}") as (box, _):
        request = creating(box)
        file.rename(tmp_path / "away.db")
        statuses: list[int] = []
        threads = [threading.Thread(target=lambda: statuses.append(box.handle(request).status)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [503] * 8
