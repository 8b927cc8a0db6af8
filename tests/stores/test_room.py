"""The limits of what is kept in memory: what is refused, how, and that reading takes no room."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from mocksandbox.errors import StoreFullError
from mocksandbox.provider.discovery import BUILT_IN
from mocksandbox.rules.attempt import Record
from mocksandbox.sandbox import Faults, Sandbox
from mocksandbox.sandbox import planned as planning
from mocksandbox.sandbox.failure import STORE_FULL
from mocksandbox.sandbox.shared import open_shared
from mocksandbox.server.app import create_app
from mocksandbox.server.control import times
from mocksandbox.server.settings import Settings
from mocksandbox.store import MemoryStore, Room
from tests.stores.test_failing import creating

SEEDS = (Record("A", "seed", 1, b"{}"),)


def record(id: str, body: bytes = b"{}") -> Record:
    return Record("A", id, 1, body)


def served(name: str = "nhs", **limits: int) -> tuple[Any, Sandbox, MemoryStore]:
    """An application with limits, its sandbox and that one's store."""
    app = create_app(Settings(providers=(name,), **limits))  # type: ignore[arg-type]
    box: Sandbox = app.extensions["mocksandbox"][name]
    assert isinstance(box.store, MemoryStore)
    return app, box, box.store


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_full_store_says_so_in_each_apis_own_shape(name: str) -> None:
    app, box, store = served(name, max_records=1)
    request = creating(box)
    assert box.handle(request, "a").status < 300
    held = {tenant: list(store.partition(tenant).snapshot()) for tenant in ("a", "b")}
    for tenant in ("a", "b"):
        answer = box.handle(request, tenant)
        if name == "nhs" and tenant == "a":
            assert answer.status == 422  # the record is there already: what is wrong with a request is told first
            continue
        assert (answer.status, answer.headers["X-Mocksandbox-Rules"]) == (507, STORE_FULL.id), answer.body
        said = answer.json()
        issues = said["issues"] if name == "clinikapi" else said["issue"]
        assert issues[0]["code"] == "too-costly"
        assert all(word in issues[0]["diagnostics"] for word in ("--max-records", "/__mocksandbox/reset"))
        assert box.journal.exchanges()[-1].findings[0].rule is STORE_FULL
    assert {tenant: list(store.partition(tenant).snapshot()) for tenant in ("a", "b")} == held
    assert store.tenants() == ["a"]
    app.test_client().post("/__mocksandbox/reset?tenant=a")
    assert store.room is not None
    assert (store.room.records, store.room.tenants) == (0, 0)
    assert box.handle(request, "b").status < 300


@pytest.mark.parametrize("way", ["header", "prefix", "token"])
def test_one_tenant_too_many_may_read_and_not_write(way: str) -> None:
    app, box, store = served(max_tenants=2)
    client, base = app.test_client(), box.provider.base_path
    body = creating(box).body

    def ask(method: str, tenant: str, path: str, **more: Any) -> Any:
        headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json", "X-Request-ID": "8" * 8}
        headers |= {
            "header": {"X-Mocksandbox-Tenant": tenant},
            "token": {"Authorization": f"Bearer supplier:RAVS@{tenant}"},
        }.get(way, {})
        at = f"/tenants/{tenant}{base}{path}" if way == "prefix" else f"{base}{path}"
        return client.open(at, method=method, headers=headers, **more)

    for tenant in ("a", "b"):
        assert ask("POST", tenant, "/Immunization", data=body).status_code == 201
    for number in range(50):
        assert ask("GET", f"reader-{number}", "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22").status_code == 200
    refused = ask("POST", "c", "/Immunization", data=body)
    assert refused.status_code == 507
    assert "--max-tenants" in refused.get_data(as_text=True)
    assert store.tenants() == ["a", "b"]
    assert len(store.unwritten) <= 32
    told = client.get("/__mocksandbox/health").get_json(force=True)["memory"]
    assert told == {"records": {"held": 2, "most": 500_000}, "tenants": {"held": 2, "most": 2}}
    client.post("/__mocksandbox/reset?tenant=a")
    assert ask("POST", "c", "/Immunization", data=body).status_code == 201


def test_reading_a_tenant_leaves_nothing_behind_and_two_see_the_same_one() -> None:
    store = MemoryStore(SEEDS, Room())
    gc.disable()  # nothing waits for the collector
    try:
        for number in range(1000):
            assert store.partition(str(number)).get("A", "seed") == SEEDS[0]
        assert (len(store.written), len(store.unwritten)) == (0, 32), "the newest are remembered"
    finally:
        gc.enable()
    one, other = store.partition("t"), store.partition("t")
    one.put(record("1"))
    assert other.get("A", "1") == record("1")
    assert store.partition("t") is one
    assert store.tenants() == ["t"]


def test_what_is_written_as_one_is_let_in_as_one() -> None:
    room = Room(most_records=3)
    records = MemoryStore(SEEDS, room).partition()
    with records.exclusive():
        for id in "abcd":  # the first finds room, and nobody is left with half of it
            records.put(record(id))
    assert room.records == 4
    with pytest.raises(StoreFullError, match="--max-records"):
        records.put(record("e"))
    with pytest.raises(StoreFullError), records.exclusive(), records.exclusive():
        records.put(record("e"))
    assert [each.id for each in records.all()] == ["seed", "a", "b", "c", "d"]
    records.restore([record("a")])
    assert room.records == 1
    with pytest.raises(StoreFullError):
        records.restore([record(id) for id in "abcd"])
    assert [each.id for each in records.all()] == ["a"]


def test_a_large_version_counts_as_several() -> None:
    room = Room(most_records=10)
    records = MemoryStore((), room).partition()
    records.put(record("large", b" " * 100_000))
    assert room.records == 7
    with pytest.raises(StoreFullError):
        records.put(record("another", b" " * 100_000))


def test_a_tenant_that_is_started_afresh_gives_its_room_back_once() -> None:
    room = Room()
    store, beside = MemoryStore(SEEDS, room), MemoryStore(SEEDS, room)
    held = store.partition("t")
    for each in (held, beside.partition("t"), beside.partition("u")):
        each.put(record("1"))
    assert (room.records, room.tenants) == (3, 2)
    store.reset("t")
    store.reset("t")
    held.put(record("2"))  # nobody sees it
    assert (room.records, room.tenants) == (2, 2)
    assert store.partition("t").get("A", "2") is None
    beside.reset()
    assert (room.records, room.tenants) == (0, 0)


def test_threads_of_one_new_tenant_write_to_one_partition() -> None:
    for _ in range(30):
        room = Room()
        store, start = MemoryStore(SEEDS, room), threading.Barrier(4)

        def write(number: int, store: MemoryStore = store, start: threading.Barrier = start) -> None:
            start.wait()
            store.partition("t").put(record(str(number)))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.partition("t").all()) == 5
        assert (room.records, room.tenants) == (4, 1)


def test_faults_and_clocks_are_limited_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(planning, "MOST_PLANNED", 3)
    monkeypatch.setattr(times, "MOST_CLOCKS", 3)
    shared = open_shared(f"sqlite:///{tmp_path / 'records.db'}")
    assert shared is not None
    for faults in (Faults(), shared.faults("nhs", None, False)):
        for _ in range(3):
            faults.add("500")
        with pytest.raises(StoreFullError, match="DELETE"):
            faults.add("500")
        assert len(faults.planned()) == 3
    shared.database.close()
    client = served()[0].test_client()
    statuses = [client.put(f"/__mocksandbox/clock?tenant={n}", json={"move": 1}).status_code for n in (1, 2, 3, 4, 3)]
    assert statuses == [200, 200, 200, 507, 200]
    assert [client.put(f"/__mocksandbox/faults?tenant={n}", json=[{"fault": "500"}]).status_code for n in "abcd"] == [
        200
    ] * 3 + [507]


def test_a_snapshot_that_does_not_fit_into_a_tenant_changes_none_of_its_records() -> None:
    client = create_app(Settings(providers=("nhs", "evaluation"), max_records=12)).test_client()

    def records(tenant: str) -> list[Any]:
        found: list[Any] = client.get(f"/__mocksandbox/records?tenant={tenant}").get_json(force=True)["records"]
        return found

    def restored(**many: int) -> int:
        made = [{**first[name], "id": f"{name}-{number}"} for name in many for number in range(many[name])]
        return client.post("/__mocksandbox/restore?tenant=r", json={"records": made}).status_code

    first = {record["provider"]: {**record, "version": 1} for record in records("r")}
    assert restored(nhs=4, evaluation=4) == 200
    before = records("r")
    assert len(before) == 8
    assert restored(nhs=2, evaluation=12) == 507
    assert restored(nhs=12, evaluation=2) == 507
    assert records("r") == before
    assert restored(nhs=2, evaluation=10) == 200, "in place of the eight there is room for twelve"
    assert len(records("r")) == 12


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_faults_that_are_too_many_for_one_api_change_none_of_any(
    store: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(planning, "MOST_PLANNED", 3)
    url = "memory" if store == "memory" else f"sqlite:///{tmp_path / 'records.db'}"
    client = create_app(Settings(providers=("clinikapi", "nhs"), store=url)).test_client()
    path = "/__mocksandbox/faults"

    def planned() -> Any:
        return client.get(path).get_json(force=True)["faults"]

    assert client.put(f"{path}?tenant=a", json=[{"fault": "500", "provider": "nhs"}] * 2).status_code == 200
    before = planned()
    for query in ("", "?tenant=b"):
        for many in ([{"fault": "429"}] * 2 + [{"fault": "500", "provider": "nhs"}] * 2, [{"fault": "429"}] * 4):
            answer = client.put(path + query, json={"faults": many, "seed": 1})
            assert answer.status_code == 507
            assert "Nothing was changed" in answer.text
            assert planned() == before
    assert client.put(path, json=[{"fault": "429"}] * 3).status_code == 200, "in place of those that were set"
    assert [each["provider"] for each in planned()] == ["clinikapi"] * 3 + ["nhs"] * 3


def test_a_snapshot_that_does_not_fit_is_refused_by_the_control_api() -> None:
    app, box, _ = served(max_records=8)
    client = app.test_client()
    assert box.handle(creating(box), "a").status == 201
    whole = client.post("/__mocksandbox/snapshot?tenant=a").get_json(force=True)
    whole["records"] *= 3
    before = client.post("/__mocksandbox/snapshot").get_json(force=True)["records"]
    answer = client.post("/__mocksandbox/restore", json=whole)
    assert answer.status_code == 507
    several = [{**each, "tenant": tenant} for each in whole["records"] for tenant in "abc"]
    assert client.post("/__mocksandbox/restore", json={"records": several}).status_code == 507
    assert client.post("/__mocksandbox/snapshot").get_json(force=True)["records"] == before
    assert answer.get_json(force=True)["issue"][0]["code"] == "too-costly"
