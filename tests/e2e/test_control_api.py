"""The control API over HTTP, and the front that cuts connections."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection, IncompleteRead
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from mocksandbox.journal import Journal
from mocksandbox.provider import Provider, open_provider
from mocksandbox.provider.discovery import BUILT_IN
from mocksandbox.rules.places import change
from mocksandbox.sandbox import Sandbox
from mocksandbox.sandbox.faults import FAULTS
from mocksandbox.server.app import create_app
from mocksandbox.server.control import records
from mocksandbox.server.control.guide import ROUTES, Route
from mocksandbox.server.settings import Settings
from tests.e2e.live import FHIR_JSON, Server, serving

CONTROL = "/__mocksandbox"
BASE = "/immunisation-fhir-api/FHIR/R4"
SEEDED = "12a33650-6f94-4e8f-a971-1c5c41da5b22"
READ = f"{BASE}/Immunization/{SEEDED}"


class Client:
    """A client of the application, of its control API and of the API that it mocks."""

    def __init__(self, **settings: Any) -> None:
        self.app = create_app(Settings(("nhs",), **settings))
        self.http: FlaskClient = self.app.test_client()

    def control(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """A request to the control API whose answer has this status; gives the JSON of the answer."""
        sent: dict[str, Any] = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer = self.http.open(CONTROL + path, method=method, **sent)
        assert answer.status_code == status, answer.text
        return answer.get_json(force=True)

    def mistake(self, method: str, path: str, body: Any = None, status: int = 400) -> str:
        """A request to the control API that is a mistake; gives the words of the refusal."""
        outcome = self.control(method, path, body, status)
        assert outcome["resourceType"] == "OperationOutcome"
        said: str = outcome["issue"][0]["diagnostics"]
        return said

    def create(self, tenant: str = "", body: Any = None, **headers: str) -> Any:
        sent = json.dumps(body or record())
        return self.http.post(
            f"{BASE}/Immunization", data=sent, content_type=FHIR_JSON, headers={"X-Mocksandbox-Tenant": tenant, **headers}
        )

    def read(self, url: str = READ, tenant: str = "", **headers: str) -> Any:
        return self.http.get(url, headers={"X-Mocksandbox-Tenant": tenant, **headers})


def record(**elements: Any) -> Any:
    made = open_provider("nhs").valid
    assert made is not None
    body = change(made("createImmunization").body, ("identifier", 0, "value"), lambda _: str(uuid4()))
    return {**body, **elements}


def path_of(created: Any) -> str:
    path: str = urlsplit(created.headers["Location"]).path
    return path


@pytest.fixture
def client() -> Client:
    return Client()


def test_health_says_what_is_served(client: Client) -> None:
    said = client.control("GET", "/health")
    assert said["status"] == "pass"
    assert said["providers"]["nhs"]["base_path"] == BASE


def test_the_guide_names_every_route(client: Client) -> None:
    rules = [rule for rule in client.http.application.url_map.iter_rules() if rule.rule.startswith(CONTROL)]
    there = {(method, rule.rule) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    told = client.control("GET", "")["routes"]
    assert {(route["method"], route["path"]) for route in told} == there


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method}{route.path}")
def test_the_guide_is_true(client: Client, route: Route) -> None:
    for body in route.bodies or (None,):
        if route.method != "POST" or body is not None:
            client.control(route.method, route.path, body)
    known = ", ".join(sorted(route.parameters)) or "none"
    if route.path != "/health":
        said = client.mistake(route.method, f"{route.path}?nothing=1", next(iter(route.bodies), None))
        assert f"there is no parameter 'nothing'. Known: {known}." in said


def test_scenarios_say_how_to_force_them(client: Client) -> None:
    scenarios = client.control("GET", "/scenarios?provider=nhs")["scenarios"]
    assert {"id", "operation", "row", "status", "force"} <= set(scenarios[0])
    one = next(scenario for scenario in scenarios if scenario["operation"] == "readImmunization" and scenario["status"] == 404)
    assert client.read(**one["force"]).status_code == 404


def test_the_journal_is_filtered(client: Client) -> None:
    client.read()
    client.read(tenant="a")
    client.create(body=record(status="wrong"))
    client.read(Prefer="fault=429:3")

    def numbers(query: str) -> list[int]:
        return [entry["number"] for entry in client.control("GET", f"/journal?{query}")["entries"]]

    assert numbers("") == [1, 2, 3, 4]
    assert numbers("provider=nhs&operation=createImmunization") == [3]
    assert numbers("tenant=a") == [2]
    assert numbers("tenant=") == [1, 3, 4]
    assert numbers("status=200") == [1, 2]
    assert numbers("status=4xx") == [3, 4]
    assert numbers("fault=429") == [4]
    assert numbers("since=2") == [3, 4]
    assert numbers("limit=1") == [4]
    assert numbers("limit=0") == []
    rule = client.control("GET", "/journal?since=2")["entries"][0]["findings"][0]["rule"]
    assert numbers(f"rule={rule}") == [3]
    assert client.control("GET", "/journal?limit=0")["count"] == 4


def test_the_journal_has_bodies_only_when_asked(client: Client) -> None:
    body = record()
    client.create(body=body, Authorization="Bearer supplier:RAVS")
    assert "request" not in client.control("GET", "/journal")["entries"][0]
    entry = client.control("GET", "/journal?bodies=1")["entries"][0]
    assert json.loads(entry["request"]["body"]) == body
    assert "supplier:RAVS" not in json.dumps(entry)


def test_near_misses_come_with_their_reason(client: Client) -> None:
    client.read(f"{BASE}/Immunisation/{SEEDED}")
    client.read()
    said = client.control("GET", "/journal/near-misses")
    assert said["count"] == 1
    assert "/Immunization/{id}" in said["entries"][0]["near"][0]


def test_the_journal_is_forgotten_by_tenant_or_whole(client: Client) -> None:
    for tenant in ("a", "b", "b"):
        client.read(tenant=tenant)
    client.control("DELETE", "/journal?tenant=b")
    assert client.control("GET", "/journal")["count"] == 1
    client.control("DELETE", "/journal")
    assert client.control("GET", "/journal")["count"] == 0


def test_a_reset_forgets_everything_of_one_tenant(client: Client) -> None:
    made = {tenant: path_of(client.create(tenant)) for tenant in ("a", "b")}
    client.control("PUT", "/faults?tenant=a", {"fault": "500", "operation": "createImmunization"})
    client.control("PUT", "/clock?tenant=a", {"move": "P1D"})
    client.control("POST", "/reset?tenant=a")
    assert client.read(made["a"], "a").status_code == 404
    assert client.read(made["b"], "b").status_code == 200
    assert client.control("GET", "/journal?tenant=a&operation=createImmunization")["count"] == 0
    assert client.control("GET", "/faults")["faults"] == []
    assert client.control("GET", "/clock?tenant=a")["now"][:16] == client.control("GET", "/clock")["now"][:16]


def test_a_reset_forgets_everything_of_all(client: Client) -> None:
    made = path_of(client.create("a"))
    client.control("PUT", "/clock", {"move": "P1D", "freeze": True})
    client.control("POST", "/reset")
    assert client.read(made, "a").status_code == 404
    assert client.control("GET", "/clock")["frozen"] is False
    assert client.read().status_code == 200


def test_the_journal_of_several_apis_is_cleared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    http, cleared = create_app(Settings(("nhs", "redox", "clinikapi"))).test_client(), list[str | None]()
    monkeypatch.setattr(Journal, "clear", lambda _, *, tenant: cleared.append(tenant))
    for query in ("", "?tenant=a"):
        assert http.post(f"{CONTROL}/reset{query}").status_code == 200
    assert cleared == [None, "a"]


def test_what_creates_records_is_looked_up_once_however_many_they_are(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    looked, creating = list[str](), records._creating

    def noted(provider: Provider) -> dict[str, str]:
        looked.append(provider.name)
        return creating(provider)

    monkeypatch.setattr(records, "_creating", noted)
    assert client.control("POST", "/seed", [record() for _ in range(5)])["created"] == 5
    assert looked == ["nhs"]


def test_seeds_are_stored_as_if_they_were_created(client: Client) -> None:
    said = client.control("POST", "/seed?tenant=a", {"provider": "nhs", "records": [record(), record()]})
    assert (said["created"], [result["status"] for result in said["results"]]) == (2, [201, 201])
    path = urlsplit(said["results"][1]["location"]).path
    assert client.read(path, "a").status_code == 200
    assert client.read(path).status_code == 404
    assert client.control("GET", "/journal?operation=createImmunization")["count"] == 0


def test_seeds_need_no_token_and_meet_no_fault() -> None:
    client = Client(auth="token")
    client.control("PUT", "/faults", {"fault": "500"})
    assert client.control("POST", "/seed", [record()])["created"] == 1


def test_of_seeds_with_one_that_is_refused_none_is_stored(client: Client) -> None:
    good = record()
    said = client.mistake("POST", "/seed", [good, record(status="wrong"), record(lotNumber=5)])
    assert said.startswith("records[1]: answered 400")
    assert "1 more" in said
    assert client.control("POST", "/seed", [good])["created"] == 1


def test_a_sandbox_that_forgets_takes_no_seeds() -> None:
    assert "--profile integration" in Client(profile="sandbox").mistake("POST", "/seed", [record()])


def test_a_snapshot_brings_every_version_back(client: Client) -> None:
    body = record(lotNumber="OLD")
    path = path_of(client.create(body=body))
    changed = json.dumps({**body, "id": path.rpartition("/")[2], "lotNumber": "NEW"})
    assert client.http.put(path, data=changed, content_type=FHIR_JSON, headers={"E-Tag": "1"}).status_code == 200
    before = client.read(path)
    snapshot = client.control("POST", "/snapshot")
    assert snapshot["journal"][0]["operation"] == "createImmunization"
    client.http.delete(path)
    extra = path_of(client.create())
    client.control("POST", "/restore", snapshot)
    after = client.read(path)
    assert (after.status_code, after.headers["E-Tag"], after.data) == (200, "2", before.data)
    assert client.read(path, Prefer="fault=stale-read").get_json(force=True)["lotNumber"] == "OLD"
    assert client.read(extra).status_code == 404
    assert client.create(body=body).status_code == 422
    assert client.control("POST", "/snapshot")["records"] == snapshot["records"]


def test_a_snapshot_of_a_new_server_has_its_seeds(client: Client) -> None:
    assert SEEDED in {entry["id"] for entry in client.control("POST", "/snapshot")["records"]}


def test_a_snapshot_of_one_tenant_goes_into_another(client: Client) -> None:
    path = path_of(client.create("a"))
    other = path_of(client.create("b"))
    snapshot = client.control("POST", "/snapshot?tenant=a")
    client.control("POST", "/restore?tenant=c", snapshot)
    assert [client.read(path, tenant).status_code for tenant in ("a", "b", "c")] == [200, 404, 200]
    client.control("POST", "/restore", snapshot)
    assert client.read(other, "b").status_code == 200


def test_a_restored_record_keeps_its_numbers_as_they_were_written(client: Client) -> None:
    body = json.dumps(record()).replace('"value": 0.5', '"value": 0.500')
    sent = client.http.post(f"{BASE}/Immunization", data=body, content_type=FHIR_JSON)
    before = client.read(path_of(sent)).data
    answer = client.http.post(f"{CONTROL}/snapshot")
    assert client.http.post(f"{CONTROL}/restore", data=answer.data, content_type="application/json").status_code == 200
    assert client.read(path_of(sent)).data == before


def test_the_rail_guards_the_side_doors() -> None:
    client = Client(only_synthetic=True)
    index = next(i for i, item in enumerate(record()["contained"]) if item["resourceType"] == "Patient")
    real = change(record(), ("contained", index, "identifier", 0, "value"), lambda _: "9434765919")
    assert "made-up" in client.mistake("POST", "/seed", [real])
    snapshot = client.control("POST", "/snapshot?tenant=")
    snapshot["records"][0]["body"] = real
    said = client.mistake("POST", "/restore", snapshot)
    assert said.startswith("records[0].body")
    assert "9434765919" not in said


def test_faults_are_set_listed_and_taken_back(client: Client) -> None:
    spec = {"fault": "429:3", "operation": "readImmunization", "count": 2}
    said = client.control("PUT", "/faults", {"faults": [spec], "seed": 4})
    assert said["faults"][0] == {**spec, "tenant": None, "share": 1.0, "provider": "nhs"}
    assert {known["name"] for known in said["known"]} == set(FAULTS)
    assert [known["name"] for known in said["known"] if not known["available"]] == ["reset", "truncate"]
    first = client.read()
    assert (first.status_code, first.headers["Retry-After"]) == (429, "3")
    assert client.control("GET", "/faults")["faults"][0]["count"] == 1
    assert [client.read().status_code for _ in range(2)] == [429, 200]
    client.control("PUT", "/faults", [{"fault": "500"}])
    client.control("DELETE", "/faults")
    assert client.read().status_code == 200


def test_faults_of_one_tenant_leave_the_others_alone(client: Client) -> None:
    client.control("PUT", "/faults?tenant=a", {"fault": "500"})
    client.control("PUT", "/faults?tenant=b", {"fault": "429"})
    assert [client.read(tenant=tenant).status_code for tenant in ("a", "b", "c")] == [500, 429, 200]
    assert [planned["fault"] for planned in client.control("GET", "/faults?tenant=a")["faults"]] == ["500"]
    client.control("DELETE", "/faults?tenant=a")
    assert [client.read(tenant=tenant).status_code for tenant in ("a", "b")] == [200, 429]


def test_faults_with_one_mistake_change_nothing(client: Client) -> None:
    client.control("PUT", "/faults", {"fault": "500"})
    client.mistake("PUT", "/faults", {"faults": [{"fault": "429"}, {"fault": "nonsense"}]})
    assert [planned["fault"] for planned in client.control("GET", "/faults")["faults"]] == ["500"]


def test_a_fault_of_another_provider_than_the_query_names_is_refused() -> None:
    client = Client()
    client.http = create_app(Settings(("nhs", "redox"))).test_client()
    said = client.mistake("PUT", "/faults?provider=nhs", [{"fault": "500"}, {"fault": "500", "provider": "redox"}])
    assert said == "[1].provider: must be nhs, as ?provider= says, or be left out."


_LONG = "x" * 100_000


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/clock", {_LONG: 1}),
        ("PUT", "/clock", {"set": _LONG}),
        ("PUT", "/clock", {"move": _LONG}),
        ("PUT", "/faults", [{"fault": _LONG}]),
        ("PUT", "/faults", [{"fault": f"429:{_LONG}"}]),
        ("PUT", "/faults", [{"fault": "500", "operation": _LONG}]),
        ("PUT", "/faults", [{"fault": "500", "provider": _LONG}]),
        ("POST", "/seed", [{"resourceType": _LONG}]),
        ("POST", "/restore", {"records": [{_LONG: 1}]}),
        ("GET", f"/journal?limit={_LONG}", None),
        ("GET", f"/journal?bodies={_LONG}", None),
        ("GET", f"/journal?status={_LONG}", None),
        ("GET", f"/journal?{_LONG}=1", None),
    ],
)
def test_what_is_said_back_of_a_long_name_is_its_beginning(client: Client, method: str, path: str, body: Any) -> None:
    said = client.mistake(method, path, body)
    assert "x" * 150 in said
    assert len(said) < 1000


def test_the_clock_moves_stops_and_comes_back(client: Client) -> None:
    def now(query: str = "") -> datetime:
        return datetime.fromisoformat(client.control("GET", f"/clock{query}")["now"])

    def away() -> float:
        return (now() - datetime.now(UTC)).total_seconds()

    client.control("PUT", "/clock", {"move": "P1D"})
    assert away() == pytest.approx(86400, abs=5)
    client.control("PUT", "/clock", {"move": -3600})
    assert away() == pytest.approx(82800, abs=5)
    client.control("PUT", "/clock", {"move": "-PT22H60M"})
    assert away() == pytest.approx(0, abs=5)
    client.control("PUT", "/clock", {"set": "2030-01-02T03:04:05Z", "freeze": True})
    assert [now().isoformat() for _ in range(2)] == ["2030-01-02T03:04:05+00:00"] * 2
    client.control("PUT", "/clock", {"move": 1.5})
    assert now().isoformat() == "2030-01-02T03:04:06.500000+00:00"
    client.control("PUT", "/clock", {"freeze": False})
    assert now().isoformat() > "2030-01-02T03:04:06.500000+00:00"
    client.control("DELETE", "/clock")
    assert away() == pytest.approx(0, abs=5)


def test_a_tenant_has_a_time_of_its_own(client: Client) -> None:
    client.control("PUT", "/clock?tenant=a", {"set": "2030-01-01", "freeze": True})
    client.create("a")
    client.create("b")
    entries = client.control("GET", "/journal")["entries"]
    assert [entry["at"][:4] == "2030" for entry in entries] == [True, False]
    records = client.control("POST", "/snapshot?tenant=a")["records"]
    assert records[-1]["recorded"].startswith("2030-01-01")


MISTAKES: list[tuple[str, str, Any, int, str]] = [
    ("GET", "/nowhere", None, 404, "/__mocksandbox/journal"),
    ("DELETE", "/health", None, 405, "GET"),
    ("PUT", "/journal", None, 405, "DELETE"),
    ("GET", "/journal?stauts=200", None, 400, "status"),
    ("GET", "/journal?status=ok", None, 400, "4xx"),
    ("GET", "/journal?since=yesterday", None, 400, "whole number"),
    ("GET", "/journal?limit=-1", None, 400, "whole number"),
    ("GET", "/journal?bodies=yes", None, 400, "1 or 0"),
    ("GET", "/journal?provider=nsh", None, 400, "nhs"),
    ("DELETE", "/journal?operation=x", None, 400, "tenant"),
    ("POST", "/reset?tennant=a", None, 400, "tenant"),
    ("PUT", "/faults", None, 415, "application/json"),
    ("PUT", "/faults", 5, 400, "faults"),
    ("PUT", "/faults", {}, 400, "fault: is missing"),
    ("PUT", "/faults", {"fault": 429}, 400, "fault: must be a string"),
    ("PUT", "/faults", {"fault": "latensy"}, 400, "Did you mean 'latency'"),
    ("PUT", "/faults", {"faults": [{"fault": "nonsense"}]}, 400, "another-writer"),
    ("PUT", "/faults", {"faults": [{"fault": "429:x"}]}, 400, "429[:SECONDS]"),
    ("PUT", "/faults", {"faults": [{"fault": "500", "operation": "read"}]}, 400, "readImmunization"),
    ("PUT", "/faults", {"faults": [{"fault": "stale-read", "operation": "createImmunization"}]}, 400, "no request of"),
    ("PUT", "/faults", {"faults": [{"fault": "500", "count": 0}]}, 400, "faults[0].count"),
    ("PUT", "/faults", {"faults": [{"fault": "500", "share": True}]}, 400, "faults[0].share"),
    ("PUT", "/faults", {"faults": [{"fault": "500", "often": 1}]}, 400, "share"),
    ("PUT", "/faults", {"faults": [], "seed": "x"}, 400, "seed"),
    ("PUT", "/clock", {}, 400, "set"),
    ("PUT", "/clock", {"set": "tomorrow"}, 400, "2026-01-01T00:00:00Z"),
    ("PUT", "/clock", {"set": "9999-12-31"}, 400, "1900 to 2199"),
    ("PUT", "/clock", {"set": "0001-01-01T00:00:00+14:00"}, 400, "1900 to 2199"),
    ("PUT", "/clock", {"move": "P1M"}, 400, "P1D"),
    ("PUT", "/clock", {"move": "PT"}, 400, "P1D"),
    ("PUT", "/clock", {"move": 10**400}, 400, "1900 to 2199"),
    ("PUT", "/clock", {"move": True}, 400, "seconds"),
    ("PUT", "/clock", {"freeze": 1}, 400, "true or false"),
    ("PUT", "/clock", [], 400, "object"),
    ("POST", "/seed", {"records": {}}, 400, "records: must be a list"),
    ("POST", "/seed", {"record": []}, 400, "records"),
    ("POST", "/seed", [5], 400, "records[0]"),
    ("POST", "/seed", [{"resourceType": "Patient"}], 400, "records[0].resourceType"),
    ("POST", "/seed", {"records": [], "provider": "redux"}, 400, "nhs"),
    ("POST", "/restore", {}, 400, "records: is missing"),
    ("POST", "/restore", {"records": [{}]}, 400, "records[0].provider"),
    ("POST", "/restore", {"records": [None]}, 400, "records[0]"),
    ("POST", "/restore", {"records": [], "now": 1}, 400, "now"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "remedy"), MISTAKES)
def test_a_mistake_is_named_with_its_place_and_its_remedy(
    client: Client, method: str, path: str, body: Any, status: int, remedy: str
) -> None:
    assert remedy in client.mistake(method, path, body, status)


@pytest.mark.parametrize("version", [-1, 1.5, "1", True, None, 10**30])
def test_a_snapshot_with_a_wrong_version_is_refused(client: Client, version: Any) -> None:
    path = path_of(client.create())
    snapshot = client.control("POST", "/snapshot")
    snapshot["records"][-1]["version"] = version
    last = len(snapshot["records"]) - 1
    assert f"records[{last}].version" in client.mistake("POST", "/restore", snapshot)
    assert client.read(path).status_code == 200


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"records": [' + b'{"resourceType":' * 5000, "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"records": [{"resourceType": "Immunization", "a": ' + b"[" * 900 + b"]" * 900 + b"}]}", "application/json", 400),
        (b"fault=429", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/seed"), ("POST", "/restore"), ("PUT", "/faults"), ("PUT", "/clock")])
def test_a_body_that_is_no_json_is_refused(
    client: Client, method: str, path: str, data: bytes, content_type: str, status: int
) -> None:
    answer = client.http.open(CONTROL + path, method=method, data=data, content_type=content_type)
    assert answer.status_code == status
    assert answer.content_type == FHIR_JSON
    assert answer.get_json(force=True)["resourceType"] == "OperationOutcome"


def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    client.app.config["MAX_CONTENT_LENGTH"] = 10
    answer = client.http.post(f"{CONTROL}/seed", data=b"[" + b" " * 20 + b"]", content_type="application/json")
    assert answer.status_code == 413
    assert answer.get_json(force=True)["issue"][0]["code"] == "too-long"


# --- over sockets


@pytest.fixture(scope="module")
def faulty() -> Iterator[Server]:
    """A server that holds its clients' connections."""
    with serving("--seed", "5", "--only-synthetic") as server:
        yield server


def test_a_reset_comes_after_the_effect(faulty: Server) -> None:
    body = {**record(), "lotNumber": "RESET"}
    with pytest.raises(ConnectionResetError):
        faulty.send("POST", "/Immunization", body, Prefer="fault=reset")
    assert faulty.send("POST", "/Immunization", body).status == 422


def test_a_truncated_body_is_shorter_than_it_says(faulty: Server) -> None:
    with pytest.raises(IncompleteRead) as cut:
        faulty.send("GET", f"/Immunization/{SEEDED}", Prefer="fault=truncate")
    assert len(cut.value.partial) > 100


def test_latency_holds_up_its_own_client_only(faulty: Server) -> None:
    slow = threading.Thread(target=faulty.send, args=("GET", f"/Immunization/{SEEDED}"), kwargs={"Prefer": "fault=latency:2s"})
    started = time.monotonic()
    slow.start()
    assert faulty.send("GET", f"/Immunization/{SEEDED}").status == 200
    assert time.monotonic() - started < 1.5
    slow.join()
    assert time.monotonic() - started >= 2


def test_a_wait_is_all_that_a_late_answer_has_of_its_own(faulty: Server) -> None:
    connection = HTTPConnection(urlsplit(faulty.url).netloc, timeout=20)
    try:
        for method, path, body, status in (
            ("GET", f"/Immunization/{SEEDED}", None, 200),
            ("POST", "/Immunization", json.dumps(record()), 201),
            ("HEAD", f"/Immunization/{SEEDED}", None, None),
            ("POST", "/Immunization", json.dumps(record(note=[{"text": "x" * 300_000}])), None),
            ("GET", "/Immunization", None, 400),
        ):
            connection.request(method, f"{BASE}{path}", body, {"Content-Type": FHIR_JSON, "Prefer": "fault=latency:1ms"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status or (status is None and answer.status < 500)
    finally:
        connection.close()
    created = faulty.send("POST", "/Immunization", record())
    assert created.headers["location"].startswith(faulty.base)


def test_a_real_person_is_refused_over_http(faulty: Server) -> None:
    query = "patient.identifier=https://fhir.nhs.uk/Id/nhs-number|9434765919&-immunization.target=RSV"
    assert faulty.send("GET", f"/Immunization?{query}").status == 403


def test_without_the_clients_socket_a_reset_is_refused_with_the_remedy(client: Client) -> None:
    answer = client.read(Prefer="fault=reset")
    assert answer.status_code == 503
    assert "mocksandbox serve" in answer.get_json(force=True)["issue"][0]["diagnostics"]


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_request_meets_a_hundred_faults_at_the_most(name: str) -> None:
    box = Sandbox(open_provider(name))
    assert box.provider.valid is not None
    for _ in range(1_000):
        box.faults.add("latency:0ms")
    answer = box.handle(box.provider.valid(box.provider.contract.operations[0].id).request)
    assert answer.status < 500, answer.body
    entry = box.journal.last()
    assert entry is not None
    assert entry.fault.count("latency") == 100


def test_a_tenant_in_the_path_is_the_one_that_its_name_is_decoded_to(client: Client) -> None:
    created = client.http.post(f"/tenants/a%20b{BASE}/Immunization", data=json.dumps(record()), content_type=FHIR_JSON)
    assert created.status_code == 201
    assert "/tenants/a%20b/" in created.headers["Location"]
    assert client.read(path_of(created).removeprefix("/tenants/a%20b"), tenant="a b").status_code == 200
    assert {entry["tenant"] for entry in client.control("GET", "/journal")["entries"]} == {"a b"}


def test_a_tenants_name_is_not_long(client: Client) -> None:
    name = "n" * 256
    assert client.read(tenant=name).status_code == 200
    assert client.read(f"/tenants/{name}x{READ}").status_code == 400
    too_long = client.read(tenant=f"{name}x")
    assert (too_long.status_code, too_long.get_json(force=True)["issue"][0]["code"]) == (400, "too-long")
    for method, path, body in (
        ("PUT", f"/clock?tenant={name}x", {"freeze": True}),
        ("PUT", "/faults", {"fault": "500", "tenant": f"{name}x"}),
        ("POST", "/restore", {"records": [], "tenant": f"{name}x"}),
    ):
        assert "at most 256 characters" in client.mistake(method, path, body)
