"""What one process of a server sets, all of them know: faults, clocks, tokens, used ids, requests left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from flask.testing import FlaskClient

from mocksandbox.errors import UsageError
from mocksandbox.provider import open_provider
from mocksandbox.provider.tokens import KEPT_FOR, Access, KeptTogether, Used, kept_access, kept_ids
from mocksandbox.providers.clinikapi import account
from mocksandbox.providers.clinikapi.account import Rate, Windows, WindowsTogether
from mocksandbox.rules.attempt import Caller
from mocksandbox.rules.places import change
from mocksandbox.sandbox import Sandbox
from mocksandbox.sandbox.shared import Shared, open_shared
from mocksandbox.server.app import create_app
from mocksandbox.server.settings import Settings
from mocksandbox.store import Board, Note

CONTROL = "/__mocksandbox"
BASE = "/immunisation-fhir-api/FHIR/R4"
READ = f"{BASE}/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

Process = FlaskClient


@pytest.fixture
def process(url: str) -> Iterator[Callable[..., Process]]:
    """Makes one process of a server: an application of its own on the same store."""
    made: list[Any] = []

    def one(*providers: str, **settings: Any) -> Process:
        app = create_app(Settings(providers or ("nhs",), store=url, **settings))
        made.append(app)
        return app.test_client()

    yield one
    for app in made:
        for box in app.extensions["mocksandbox"].values():
            box.board._database.close()


@pytest.fixture
def two(process: Callable[..., Process]) -> tuple[Process, Process]:
    return process(seed=7), process(seed=7)


@pytest.fixture
def shared(url: str) -> Iterator[Callable[[], Shared]]:
    made: list[Shared] = []

    def one() -> Shared:
        found = open_shared(url)
        assert found is not None
        made.append(found)
        return found

    yield one
    for each in made:
        each.database.close()


def control(to: Process, method: str, path: str, body: Any = None) -> Any:
    sent: dict[str, Any] = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
    answer = to.open(CONTROL + path, method=method, **sent)
    assert answer.status_code == 200, answer.text
    return answer.get_json(force=True)


def record(identifier: str) -> bytes:
    made = open_provider("nhs").valid
    assert made is not None
    return json.dumps(change(made("createImmunization").body, ("identifier", 0, "value"), lambda _: identifier)).encode()


def test_a_fault_set_in_one_process_is_met_in_all_and_counted_together(two: tuple[Process, Process]) -> None:
    one, other = two
    assert other.get(READ).status_code == 200
    control(
        one,
        "PUT",
        "/faults",
        {"faults": [{"fault": "429:3", "count": 3}, {"fault": "500", "operation": "createImmunization"}]},
    )
    assert [each.get(READ).status_code for each in (other, one, other, one, other)] == [429, 429, 429, 200, 200]
    assert [each["fault"] for each in control(other, "GET", "/faults")["faults"]] == ["500"]
    control(other, "DELETE", "/faults")
    assert control(one, "GET", "/faults")["faults"] == []


def test_faults_of_a_tenant_are_that_tenants(two: tuple[Process, Process]) -> None:
    one, other = two
    control(one, "PUT", "/faults?tenant=a", [{"fault": "500"}])
    control(other, "PUT", "/faults?tenant=b", [{"fault": "429"}])
    tenants = [{"X-Mocksandbox-Tenant": name} for name in ("a", "b", "c")]
    assert [other.get(READ, headers=headers).status_code for headers in tenants] == [500, 429, 200]
    control(one, "DELETE", "/faults?tenant=b")
    assert [one.get(READ, headers=headers).status_code for headers in tenants] == [500, 200, 200]


def test_faults_and_clocks_are_written_in_one_step_however_many_they_are(
    process: Callable[..., Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, changed = process("nhs", "clinikapi"), list[str]()
    real = Board.change

    def noted(board: Board, name: str, change: Callable[[Note], Note]) -> None:
        changed.append(name)
        real(board, name, change)

    monkeypatch.setattr(Board, "change", noted)
    control(one, "PUT", "/faults", [{"fault": "429", "count": 1}] * 30)
    assert changed == ["faults/nhs", "faults/clinikapi"]
    assert len(control(one, "GET", "/faults")["faults"]) == 60
    changed.clear()
    for query in ("", "?tenant=a"):
        control(one, "PUT", f"/clock{query}", {"move": 5})
        control(one, "DELETE", f"/clock{query}")
    assert changed == ["clock", "clock", "clocks", "clocks", "clocks"]


def test_a_seed_makes_the_draws_repeatable_whichever_process_draws(two: tuple[Process, Process]) -> None:
    def drawn(seed: int, order: str) -> list[int]:
        control(two[0], "PUT", "/faults", {"faults": [{"fault": "500", "share": 0.5}], "seed": seed})
        return [two[int(number)].get(READ).status_code for number in order]

    first = drawn(1, "0101010101010101")
    assert set(first) == {200, 500}
    assert drawn(1, "1110001110001110") == first
    assert drawn(2, "0101010101010101") != first


def test_without_a_seed_about_so_many_meet_a_fault(process: Callable[..., Process]) -> None:
    one = process()
    control(one, "PUT", "/faults", [{"fault": "500", "share": 0.5}])
    met = [one.get(READ).status_code for _ in range(100)].count(500)
    assert 20 < met < 80


def test_a_clock_moved_in_one_process_is_moved_in_all(two: tuple[Process, Process]) -> None:
    one, other = two
    control(one, "PUT", "/clock", {"set": "2030-01-01T00:00:00Z", "freeze": True})
    assert control(other, "GET", "/clock")["now"] == "2030-01-01T00:00:00+00:00"
    control(other, "PUT", "/clock?tenant=a", {"move": "P1D"})
    assert control(one, "GET", "/clock?tenant=a") == {"now": "2030-01-02T00:00:00+00:00", "frozen": True, "tenant": "a"}
    other.get(READ, headers={"X-Mocksandbox-Tenant": "a"})
    other.get(READ)
    told = [entry["at"] for entry in control(one, "GET", "/journal")["entries"]]
    assert told == ["2030-01-02T00:00:00+00:00", "2030-01-01T00:00:00+00:00"]
    control(one, "DELETE", "/clock?tenant=a")
    assert control(other, "GET", "/clock?tenant=a")["now"] == "2030-01-01T00:00:00+00:00"
    control(other, "PUT", "/clock", {"move": 90})
    assert control(one, "GET", "/clock")["now"] == "2030-01-01T00:01:30+00:00"
    control(other, "DELETE", "/clock")
    now = datetime.fromisoformat(control(one, "GET", "/clock")["now"])
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_running_clock_goes_on_in_all(two: tuple[Process, Process]) -> None:
    control(two[0], "PUT", "/clock", {"set": "2030-01-01T00:00:00Z"})
    first, second = (datetime.fromisoformat(control(each, "GET", "/clock")["now"]) for each in two)
    assert datetime(2030, 1, 1, tzinfo=UTC) < first < second < datetime(2030, 1, 1, tzinfo=UTC) + timedelta(minutes=1)


def test_records_and_journal_are_one(two: tuple[Process, Process]) -> None:
    one, other = two
    made = one.post(f"{BASE}/Immunization", data=record("a"), content_type="application/fhir+json")
    assert made.status_code == 201
    id = made.headers["Location"].rpartition("/")[2]
    assert other.get(f"{BASE}/Immunization/{id}").headers["E-Tag"] == "1"
    assert other.post(f"{BASE}/Immunization", data=record("a"), content_type="application/fhir+json").status_code == 422
    assert other.post(f"{BASE}/Immunisation", data=record("a"), content_type="application/fhir+json").status_code == 404
    told = control(one, "GET", "/journal?bodies=1")["entries"]
    assert [(entry["number"], entry["status"]) for entry in told] == [(1, 201), (2, 200), (3, 422), (4, 404)]
    assert told[0]["request"]["body"] == record("a").decode()
    assert [entry["number"] for entry in control(other, "GET", "/journal?status=4xx&since=1&limit=1")["entries"]] == [4]
    assert [entry["number"] for entry in control(one, "GET", "/journal?rule=nhs/duplicate-identifier")["entries"]] == [3]
    assert [entry["number"] for entry in control(one, "GET", "/journal/near-misses")["entries"]] == [4]


def test_reset_starts_all_processes_afresh(two: tuple[Process, Process]) -> None:
    one, other = two
    other.post(f"{BASE}/Immunization", data=record("a"), content_type="application/fhir+json")
    control(one, "PUT", "/clock", {"set": "2030-01-01T00:00:00Z"})
    control(one, "PUT", "/faults", [{"fault": "500"}])
    control(other, "POST", "/reset")
    assert control(one, "GET", "/faults")["faults"] == []
    assert not control(one, "GET", "/clock")["now"].startswith("2030")
    assert control(one, "GET", "/journal")["entries"] == []
    assert "a" not in {each["body"]["identifier"][0]["value"] for each in control(one, "GET", "/records")["records"]}


def test_a_snapshot_of_one_process_is_restored_by_another(two: tuple[Process, Process]) -> None:
    one, other = two
    one.post(f"{BASE}/Immunization", data=record("a"), content_type="application/fhir+json")
    snapshot = control(other, "POST", "/snapshot")
    control(one, "POST", "/reset")
    control(other, "POST", "/restore", snapshot)
    assert control(one, "POST", "/snapshot")["records"] == snapshot["records"]


def test_a_seed_that_is_refused_leaves_nothing(two: tuple[Process, Process]) -> None:
    before = control(two[1], "POST", "/snapshot")["records"]
    bad = [json.loads(record("a")), {**json.loads(record("b")), "status": "wrong"}]
    answer = two[0].post(f"{CONTROL}/seed", data=json.dumps(bad), content_type="application/json")
    assert answer.status_code == 400
    assert control(two[1], "POST", "/snapshot")["records"] == before
    assert control(two[0], "POST", "/seed", bad[:1])["created"] == 1
    assert len(control(two[1], "GET", "/records")["records"]) == len(before) + 1


def test_a_message_sent_to_one_process_is_queued_behind_another_s(process: Callable[..., Process]) -> None:
    one, other = process("redox"), process("redox")
    valid = open_provider("redox").valid
    assert valid is not None
    operations = open_provider("redox").contract.operations
    sent = valid(next(each.id for each in operations if each.path.endswith("$write"))).request
    path = open_provider("redox").base_path + sent.path
    for each in (one, other, one):
        answer = each.post(path, data=sent.body, headers=[*sent.headers.pairs], query_string=dict(sent.query))
        assert answer.status_code == 200, answer.text
    queues = control(other, "GET", "/records?kind=Queue")["records"]
    assert [(queue["version"], queue["body"]["messages"]) for queue in queues] == [(3, 3)]


def test_a_token_given_by_one_process_is_known_to_all(shared: Callable[[], Shared]) -> None:
    one, other = (kept_access(_options(made)) for made in (shared(), shared()))
    access = Access(Caller("MAVIS", frozenset({"COVID.C", "FLU.R"})), NOON)
    assert one.put("token", access, NOON - timedelta(minutes=5))
    assert other.get("token") == access
    assert other.get("another") is None
    anybody = Access(Caller(None, None), NOON)
    assert other.put("open", anybody, NOON - timedelta(minutes=5))
    assert one.get("open") == anybody


def _options(made: Shared) -> Any:
    from mocksandbox.provider import AuthOptions

    return AuthOptions(shelf=made.shelf).of("nhs")


def test_an_id_is_used_once_whichever_process_it_comes_to(shared: Callable[[], Shared]) -> None:
    kept = [kept_ids(_options(made)) for made in (shared(), shared())]
    start = Barrier(8)
    won: list[bool] = []

    def work(number: int) -> None:
        start.wait(30)
        won.append(kept[number % 2].put("client\njti", Used(NOON), NOON - timedelta(minutes=1)))

    threads = [Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(won) == [False] * 7 + [True]
    assert kept[0].put("client\njti", Used(NOON + timedelta(minutes=9)), NOON)  # the first has ended


def test_what_is_kept_is_bounded(shared: Callable[[], Shared]) -> None:
    made = shared()
    kept = KeptTogether[Used](
        made.shelf("numbers"), lambda used: used.until.isoformat().encode(), lambda spelled: Used(_moment(spelled)), most=3
    )
    for number in range(1000):
        assert kept.put(str(number), _until(1000 - number), NOON)
        if number > 10 and number % 100 != 0:
            continue
        assert len(kept) == min(number + 1, 3)
    assert [kept.get(str(number)) for number in (996, 997, 998, 999)] == [None, *map(_until, (3, 2, 1))]
    assert not kept.put("999", _until(5000), NOON)
    assert kept.put("999", _until(5000), NOON + timedelta(seconds=1)), "the first has ended"
    assert kept.get("999") == _until(5000)
    assert len(kept) == 3


def test_what_was_kept_for_long_enough_is_forgotten(shared: Callable[[], Shared], monkeypatch: pytest.MonkeyPatch) -> None:
    kept, real = kept_ids(_options(shared())), [1e9]
    monkeypatch.setattr("mocksandbox.store.shelf.time", lambda: real[0])
    kept.put("old", _until(9), NOON)
    real[0] += KEPT_FOR
    kept.put("new", _until(9), NOON)
    assert [kept.get(key) is None for key in ("old", "new")] == [True, False]


def test_another_tenants_clock_ends_nothing(shared: Callable[[], Shared]) -> None:
    one, other = (kept_ids(_options(made)) for made in (shared(), shared()))
    assert one.put("client\njti", Used(NOON), NOON - timedelta(minutes=5))
    for moved in (timedelta(days=3650), -timedelta(days=3650)):
        assert other.put(f"client\n{moved}", Used(NOON + moved), NOON + moved - timedelta(minutes=5))
        assert not one.put("client\njti", Used(NOON), NOON - timedelta(minutes=4))


def _until(second: int) -> Used:
    return Used(NOON + timedelta(seconds=second))


def _moment(spelled: bytes) -> datetime:
    return datetime.fromisoformat(spelled.decode())


def test_requests_are_counted_together(shared: Callable[[], Shared]) -> None:
    one, other, alone = WindowsTogether(shared().shelf("w")), WindowsTogether(shared().shelf("w")), Windows()
    rate = Rate(3, 60)
    moments = [NOON + timedelta(seconds=second) for second in (0, 1, 2, 3, 59, 60, 61, -5)]
    told = [(one, other)[number % 2].count("t", "key", rate, moment) for number, moment in enumerate(moments)]
    assert told == [alone.count("t", "key", rate, moment) for moment in moments]
    assert one.count("t", "another", rate, NOON)[0].remaining == 2
    assert one.count("u", "another", rate, NOON)[0].remaining == 2
    other.forget("t")
    assert [one.count(tenant, "another", rate, NOON)[0].remaining for tenant in "tu"] == [2, 1]
    other.forget(None)
    assert [one.count(tenant, "another", rate, NOON)[0].remaining for tenant in "tu"] == [2, 2]


def test_the_tenants_that_are_counted_together_are_bounded(
    shared: Callable[[], Shared], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "MOST_TENANTS", 2)
    monkeypatch.setattr("mocksandbox.store.shelf.time", iter(range(9)).__next__)
    windows, rate = WindowsTogether(shared().shelf("w")), Rate(1, 60)
    told = [windows.count(tenant, "a", rate, NOON)[1] for tenant in ("one", "two", "one", "three", "one", "two")]
    assert told == [False, False, True, False, True, False]


def test_a_wrong_fault_is_refused_here_too(shared: Callable[[], Shared]) -> None:
    faults = shared().faults("nhs", None, False)
    with pytest.raises(UsageError):
        faults.add("latancy")
    assert faults.planned() == []


def test_the_sandbox_of_python_shares_too(shared: Callable[[], Shared]) -> None:
    made = [shared(), shared()]
    provider = open_provider("nhs")
    boxes = [
        Sandbox(provider, store=each.store(provider), clock=each.clock, clocks=each.clocks, board=each.board) for each in made
    ]
    boxes[0].clock.set(NOON, freeze=True)
    made[1].board.look()
    assert boxes[1].clock.now() == NOON
    boxes[1].clock.move(timedelta(days=1))
    assert boxes[1].clock.now() == NOON + timedelta(days=1)
