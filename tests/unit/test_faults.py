"""Each fault in the sandbox without sockets, the plan that sets them, and the safety rail."""

from __future__ import annotations

import logging
from dataclasses import replace
from statistics import median
from typing import Any
from uuid import uuid4

import pytest

from mocksandbox import Request, Response
from mocksandbox.errors import UsageError
from mocksandbox.exchange import Headers
from mocksandbox.provider import open_provider
from mocksandbox.providers.nhs.promise import CREATE, READ, UPDATE
from mocksandbox.rules.places import change
from mocksandbox.sandbox import Faults, Sandbox
from mocksandbox.sandbox.faults import FAULTS, LONGEST, read_fault

SEEDED = "12a33650-6f94-4e8f-a971-1c5c41da5b22"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
REAL = "9434765919"
"""A right number in the range that is given to real people."""


class Bench:
    """A sandbox with a client, and the waits that it would have made."""

    def __init__(self, *, seed: int = 1, wire: bool = False, profile: str = "integration", **options: Any) -> None:
        self.waits: list[float] = []
        self.faults = Faults(seed, sleep=self.waits.append, wire=wire)
        self.sandbox = Sandbox(open_provider("nhs"), profile, faults=self.faults, **options)

    def send(self, operation: str, fault: str = "", tenant: str = "", **changes: Any) -> Response:
        made = open_provider("nhs").valid
        assert made is not None
        request = replace(made(operation).request, **changes)
        return self.sandbox.handle(request.with_header("Prefer", f"fault={fault}") if fault else request, tenant)

    def create(self, fault: str = "", body: Any = None) -> Response:
        return self.send(CREATE, fault, body=Request("POST", "/").with_json(body or record()).body)

    def read(self, id: str = SEEDED, fault: str = "", tenant: str = "") -> Response:
        return self.send(READ, fault, tenant, path=f"/Immunization/{id}")

    def update(self, id: str, body: Any, version: int, fault: str = "") -> Response:
        request = Request("PUT", f"/Immunization/{id}").with_json({**body, "id": id})
        headers = Headers([("Content-Type", "application/fhir+json"), ("E-Tag", str(version))])
        return self.send(UPDATE, fault, path=request.path, body=request.body, headers=headers)

    @property
    def noted(self) -> str:
        entry = self.sandbox.journal.last()
        assert entry is not None
        return entry.fault


def record(**elements: Any) -> Any:
    made = open_provider("nhs").valid
    assert made is not None
    body = change(made(CREATE).body, ("identifier", 0, "value"), lambda _: str(uuid4()))
    return {**body, **elements}


def with_number(number: Any) -> Any:
    body = record()
    index = next(i for i, item in enumerate(body["contained"]) if item["resourceType"] == "Patient")
    return change(body, ("contained", index, "identifier", 0, "value"), lambda _: number)


def id_of(created: Response) -> str:
    return created.headers["Location"].rpartition("/")[2]


def issue_of(response: Response) -> Any:
    return response.json()["issue"][0]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_fixed_latency_waits_as_long_as_it_says(bench: Bench) -> None:
    assert bench.read(fault="latency:200ms").status == 200
    assert bench.read(fault="latency:1.5s").status == 200
    assert bench.read(fault="latency").status == 200
    assert bench.waits == [0.2, 1.5, 1.0]


def test_no_latency_is_longer_than_the_longest(bench: Bench) -> None:
    bench.read(fault="latency:90s")
    bench.read(fault="latency:lognormal:29s:5")
    assert bench.waits[0] == LONGEST
    assert max(bench.waits) <= LONGEST


def test_a_uniform_latency_stays_between_its_bounds(bench: Bench) -> None:
    for _ in range(50):
        bench.read(fault="latency:uniform:10ms:30ms")
    assert all(0.01 <= wait <= 0.03 for wait in bench.waits)
    assert len(set(bench.waits)) == 50


def test_a_lognormal_latency_has_its_median_and_a_long_tail(bench: Bench) -> None:
    for _ in range(300):
        bench.read(fault="latency:lognormal:100ms:0.5")
    assert median(bench.waits) == pytest.approx(0.1, rel=0.15)
    assert max(bench.waits) > 0.2


def test_the_same_seed_draws_the_same_latencies() -> None:
    waits = []
    for seed in (7, 7, 8):
        bench = Bench(seed=seed)
        for _ in range(5):
            bench.read(fault="latency:uniform:0:1s")
        waits.append(bench.waits)
    assert waits[0] == waits[1] != waits[2]


def test_behind_a_front_latency_is_left_to_the_front() -> None:
    bench = Bench(wire=True)
    assert bench.read(fault="latency:250ms").delay == 0.25
    assert bench.waits == []


def test_429_says_when_to_try_again_and_does_nothing(bench: Bench) -> None:
    body = record()
    refused = bench.create("429:3", body)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "3")
    assert (issue_of(refused)["code"], issue_of(refused)["details"]["coding"][0]["code"]) == ("throttled", "TOO_MANY_REQUESTS")
    assert bench.create(body=body).status == 201


def test_500_is_the_services_own_exception_and_does_nothing(bench: Bench) -> None:
    body = record()
    refused = bench.create("500", body)
    assert (refused.status, issue_of(refused)["code"]) == (500, "exception")
    assert issue_of(refused)["details"]["coding"][0]["code"] == "EXCEPTION"
    assert bench.create(body=body).status == 201


@pytest.mark.parametrize("name", ["reset", "truncate"])
def test_without_the_clients_socket_a_cut_is_refused_with_the_remedy_and_does_nothing(bench: Bench, name: str) -> None:
    body = record()
    refused = bench.create(name, body)
    assert refused.status == 503
    assert "mocksandbox serve" in issue_of(refused)["diagnostics"]
    assert bench.create(body=body).status == 201


@pytest.mark.parametrize("name", ["reset", "truncate"])
def test_with_it_a_cut_comes_after_the_effect(name: str) -> None:
    bench = Bench(wire=True)
    body = record()
    assert bench.create(name, body).cut == name
    assert bench.create(body=body).status == 422


def test_a_wrong_content_type_leaves_the_body_alone(bench: Bench) -> None:
    plain = bench.read()
    for fault, media_type in (("wrong-content-type", "text/html"), ("wrong-content-type:text/plain", "text/plain")):
        answer = bench.read(fault=fault)
        assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, media_type, plain.body)


def test_after_a_timeout_the_retry_meets_the_record_that_was_written(bench: Bench) -> None:
    body = record()
    timeout = bench.create("timeout-after-write", body)
    assert (timeout.status, issue_of(timeout)["code"]) == (504, "timeout")
    retry = bench.create(body=body)
    assert (retry.status, issue_of(retry)["details"]["coding"][0]["code"]) == (422, "DUPLICATE")


def test_a_stale_read_gives_the_version_before(bench: Bench) -> None:
    body = record(lotNumber="OLD")
    id = id_of(bench.create(body=body))
    assert bench.read(id, "stale-read").status == 404, "a new record has not arrived yet"
    assert bench.update(id, {**body, "lotNumber": "NEW"}, 1).status == 200
    stale, fresh = bench.read(id, "stale-read"), bench.read(id)
    assert (stale.headers["E-Tag"], stale.json()["lotNumber"]) == ("1", "OLD")
    assert (fresh.headers["E-Tag"], fresh.json()["lotNumber"]) == ("2", "NEW")


def test_a_stale_search_shows_the_version_before(bench: Bench) -> None:
    body = record(lotNumber="OLD")
    id = id_of(bench.create(body=body))
    bench.update(id, {**body, "lotNumber": "NEW"}, 1)
    identifier = body["identifier"][0]
    query = (("identifier", f"{identifier['system']}|{identifier['value']}"),)
    found = bench.send("searchImmunizationGet", "stale-read", query=query).json()
    assert found["entry"][0]["resource"]["lotNumber"] == "OLD"


def test_after_another_writer_the_update_meets_a_newer_version(bench: Bench) -> None:
    body = record()
    id = id_of(bench.create(body=body))
    refused = bench.update(id, body, 1, "another-writer")
    assert refused.status == 400
    assert "has changed since the last retrieve" in issue_of(refused)["diagnostics"]
    assert bench.read(id).headers["E-Tag"] == "2"
    assert bench.update(id, body, 2).status == 200


def test_another_writer_is_there_in_a_sandbox_that_forgets_too() -> None:
    bench = Bench(profile="sandbox")
    # The example of a read is no valid update as it stands: its performer does not name the practitioner.
    body = {**record(), "identifier": bench.read().json()["identifier"]}
    assert bench.update(SEEDED, body, 1).status == 200
    assert bench.update(SEEDED, body, 1, "another-writer").status == 400
    assert bench.read().headers["E-Tag"] == "1"


def test_a_fault_that_cannot_happen_to_a_request_leaves_it_alone(bench: Bench) -> None:
    assert bench.create("stale-read").status == 201
    assert bench.noted == ""
    assert bench.read(fault="another-writer").headers["E-Tag"] == "1"
    assert bench.noted == ""


@pytest.mark.parametrize(
    "fault", ["nonsense", "429:soon", "429:1:2", "latency:-1s", "latency:uniform:2s:1s", "500:1", "wrong-content-type:x"]
)
def test_a_preference_that_cannot_be_understood_is_ignored(bench: Bench, fault: str) -> None:
    assert bench.read(fault=fault).status == 200
    assert bench.noted == ""
    with pytest.raises(UsageError):
        read_fault(fault)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_every_fault_is_in_the_journal_under_its_name(name: str) -> None:
    bench = Bench(strict=True)
    operation = UPDATE if name == "another-writer" else READ
    bench.send(operation, name)
    assert bench.noted == name
    assert bench.sandbox.journal.last().bugs == ()  # type: ignore[union-attr]


def test_an_unknown_fault_is_told_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="Did you mean 'latency'"):
        Faults().add("latancy")


def test_a_fault_is_set_for_the_next_requests_of_an_operation(bench: Bench) -> None:
    bench.faults.add("429", operation=READ, count=2)
    assert bench.create().status == 201
    assert [bench.read().status for _ in range(3)] == [429, 429, 200]
    assert bench.faults.planned() == []


def test_a_fault_without_a_count_stays_until_it_is_taken_back(bench: Bench) -> None:
    bench.faults.add("500")
    assert [bench.read().status, bench.create().status, bench.send(READ, path="/nowhere").status] == [500, 500, 500]
    bench.faults.clear()
    assert bench.read().status == 200


def test_a_fault_of_one_tenant_leaves_the_others_alone(bench: Bench) -> None:
    bench.faults.add("500", tenant="a")
    assert (bench.read(tenant="a").status, bench.read(tenant="b").status) == (500, 200)
    bench.faults.clear("b")
    assert bench.read(tenant="a").status == 500
    bench.faults.clear("a")
    assert bench.read(tenant="a").status == 200


def test_several_faults_meet_the_same_request(bench: Bench) -> None:
    bench.faults.add("latency:10ms")
    bench.faults.add("wrong-content-type")
    assert bench.read(fault="latency:20ms").headers["Content-Type"] == "text/html"
    assert sorted(bench.waits) == [0.01, 0.02]
    assert bench.noted == "latency:20ms, latency:10ms, wrong-content-type"


def test_a_share_of_the_requests_is_drawn_from_the_seed() -> None:
    drawn = []
    for _ in range(2):
        bench = Bench(seed=5)
        bench.faults.add("500", share=0.3)
        drawn.append([bench.read().status for _ in range(100)])
    assert drawn[0] == drawn[1]
    assert 15 < drawn[0].count(500) < 45


@pytest.mark.parametrize("options", [{"count": 0}, {"share": 0}, {"share": 1.5}])
def test_a_count_and_a_share_that_make_no_sense_are_refused(options: Any) -> None:
    with pytest.raises(UsageError):
        Faults().add("500", **options)


def test_the_platforms_own_routes_meet_no_fault_and_are_no_near_misses(bench: Bench) -> None:
    bench.faults.add("500")
    assert bench.sandbox.handle(Request("GET", "/_ping")).status == 200
    assert bench.sandbox.journal.near_misses() == []


def test_ping_is_for_everybody(bench: Bench) -> None:
    answer = bench.sandbox.handle(Request("GET", "/_ping"))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert set(answer.json()) == {"version", "revision", "releaseId", "commitId"}


def test_status_is_for_who_has_a_key(bench: Bench) -> None:
    refused = bench.sandbox.handle(Request("GET", "/_status"))
    assert (refused.status, refused.headers["Content-Type"], refused.body) == (401, "text/plain", b"")
    answer = bench.sandbox.handle(Request("GET", "/_status", headers=Headers([("apikey", "any")])))
    said = answer.json()
    assert (answer.status, said["status"]) == (200, "pass")
    assert set(said["checks"]["healthcheck"]) == {"status", "timeout", "responseCode", "outcome", "links"}


REAL_BODIES = {
    "patient": with_number(REAL),
    "spaced": with_number("943 476 5919"),
    "number": with_number(int(REAL)),
    "check digit slipped": with_number("9434765918"),
    "reference": record(patient={"identifier": {"system": NHS_NUMBER, "value": REAL}}),
}


@pytest.mark.parametrize("body", REAL_BODIES.values(), ids=REAL_BODIES)
def test_the_rail_refuses_a_real_person_and_keeps_nothing(body: Any) -> None:
    bench = Bench(only_synthetic=True)
    refused = bench.create(body=body)
    assert (refused.status, issue_of(refused)["code"]) == (403, "forbidden")
    assert issue_of(refused)["details"]["coding"][0]["code"] == "FORBIDDEN"
    assert "9990000000 to 9999999999" in issue_of(refused)["diagnostics"]
    assert issue_of(refused)["expression"]
    assert_nothing_kept(bench, refused)


def assert_nothing_kept(bench: Bench, refused: Response) -> None:
    entry = bench.sandbox.journal.last()
    assert entry is not None
    told = f"{refused} {entry}"
    assert REAL not in told
    assert "943 476" not in told
    assert "9434765918" not in told


@pytest.mark.parametrize(
    "changes",
    [
        {"query": (("patient.identifier", f"{NHS_NUMBER}|{REAL}"), ("-immunization.target", "RSV"))},
        {"query": (("patient.identifier", REAL),)},
        {"query": (("identifier", f"{NHS_NUMBER}|{REAL}"),)},
        {"path": f"/Patient/{REAL}"},
        {"path": f"/Immunisation/{REAL}"},
        {"method": "POST", "path": "/Immunization", "body": b'{"half": "943 476 5919'},
        {
            "method": "POST",
            "path": "/Immunization/_search",
            "body": f"patient.identifier={NHS_NUMBER}%7C{REAL}".encode(),
            "headers": Headers([("Content-Type", "application/x-www-form-urlencoded")]),
        },
    ],
)
def test_the_rail_looks_at_queries_forms_paths_and_broken_bodies(changes: Any) -> None:
    bench = Bench(only_synthetic=True)
    refused = bench.send("searchImmunizationGet", **changes)
    assert refused.status == 403
    assert_nothing_kept(bench, refused)


@pytest.mark.parametrize("number", ["9990000018", "9000000009", "9449310475"])
def test_the_rail_lets_made_up_people_pass(number: str) -> None:
    assert Bench(only_synthetic=True).create(body=with_number(number)).status == 201


def test_the_rail_leaves_a_number_that_is_no_number_to_the_rules() -> None:
    assert Bench(only_synthetic=True).create(body=with_number("12345")).status == 400


def test_the_rail_stands_deep_bodies() -> None:
    deep = b'{"a":' * 900 + b"1" + b"}" * 900
    assert Bench(only_synthetic=True).send(CREATE, body=deep).status == 400


def test_without_the_rail_any_right_number_is_taken(bench: Bench) -> None:
    assert bench.create(body=with_number(REAL)).status == 201


def test_a_failure_inside_is_logged_without_what_the_request_brought(caplog: pytest.LogCaptureFixture) -> None:
    def fail(attempt: Any, records: Any) -> Response:
        raise ValueError(f"{REAL} {attempt.request.path}")

    provider = replace(open_provider("nhs"), effects={READ: fail})
    sandbox = Sandbox(provider)
    with caplog.at_level(logging.ERROR, "mocksandbox"):
        assert sandbox.handle(Request("GET", f"/Immunization/{SEEDED}")).status == 500
    assert "readImmunization" in caplog.text
    assert "test_faults.py" in caplog.text
    assert REAL not in caplog.text
    assert SEEDED not in caplog.text
