"""Records are written once as a search shows them: how many are kept so, and that what is kept is never out of date."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from mocksandbox import Request
from mocksandbox.exchange import Headers
from mocksandbox.provider import open_provider
from mocksandbox.providers.nhs import answers, shown
from mocksandbox.rules.attempt import Record
from mocksandbox.sandbox import Sandbox

JSON = Headers([("Content-Type", "application/fhir+json"), ("Accept", "application/fhir+json")])
BASE_URL = "http://127.0.0.1:8080/nhs"


def body(**changes: Any) -> dict[str, Any]:
    """The document's own example of a record."""
    valid = open_provider("nhs").valid
    assert valid is not None
    return {**deepcopy(valid("createImmunization").body), **changes}


def stored(id: str, **changes: Any) -> Record:
    """A version as the store has it."""
    whole = {"resourceType": "Immunization", "id": id, **body(**changes)}
    return Record("Immunization", id, 1, answers.codec.dumps(whole), answers.record_keys(whole))


def searched(sandbox: Sandbox, base_url: str = BASE_URL, tenant: str = "") -> list[dict[str, Any]]:
    """The records that a search for the example's patient and type finds."""
    keys = stored("1").keys
    query = (
        ("patient.identifier", f"https://fhir.nhs.uk/Id/nhs-number|{keys['patient']}"),
        ("-immunization.target", keys["type"]),
    )
    response = sandbox.handle(Request("GET", "/Immunization", query, JSON, base_url=base_url), tenant)
    assert response.status == 200
    return [entry for entry in response.json()["entry"] if entry["resource"]["resourceType"] == "Immunization"]


def written(sandbox: Sandbox, tenant: str = "", **changes: Any) -> str:
    """The id of a new record."""
    response = sandbox.handle(Request("POST", "/Immunization", (), JSON, base_url=BASE_URL).with_json(body(**changes)), tenant)
    assert response.status == 201
    return response.headers["Location"].rpartition("/")[2]


def test_a_version_is_written_once_and_kept() -> None:
    record = stored("1")
    assert shown.shown(record) is shown.shown(record)
    assert shown.shown(replace(record)) is not shown.shown(record)


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "MOST_KEPT", 3)
    shown._kept.clear()
    records = [stored(str(number)) for number in range(5)]
    before = [shown.shown(record) for record in records]
    after = [shown.shown(record) for record in reversed(records)]
    assert [old is new for old, new in zip(before, reversed(after), strict=True)] == [False, False, True, True, True]
    assert before == list(reversed(after))
    assert len(shown._kept) == 3


def test_a_large_one_is_not_kept() -> None:
    large, small = stored("1", lotNumber="x" * shown.MOST_BYTES), stored("2", lotNumber="x")
    assert shown.shown(large) is not shown.shown(large)
    assert shown.shown(small) is shown.shown(small)


def test_what_is_kept_keeps_no_version_alive() -> None:
    shown._kept.clear()
    shown.shown(stored("1"))
    (kept,) = shown._kept
    assert kept() is None


def test_an_update_a_deletion_and_a_restore_are_seen_at_once() -> None:
    sandbox = Sandbox(open_provider("nhs"))
    before = sandbox.store.partition().snapshot() if sandbox.store else ()
    assert sandbox.store is not None
    id = written(sandbox, lotNumber="first")
    kept = sandbox.store.partition().snapshot()
    assert [(entry["resource"]["lotNumber"], entry["resource"]["meta"]) for entry in searched(sandbox)] == [
        ("first", {"versionId": "1"})
    ]
    change = Request("PUT", f"/Immunization/{id}", (), JSON.and_([("E-Tag", "1")]))
    assert sandbox.handle(change.with_json({**body(lotNumber="second"), "id": id})).status == 200
    assert [(entry["resource"]["lotNumber"], entry["resource"]["meta"]) for entry in searched(sandbox)] == [
        ("second", {"versionId": "2"})
    ]
    assert sandbox.handle(Request("DELETE", f"/Immunization/{id}", (), JSON)).status == 204
    assert searched(sandbox) == []
    sandbox.store.partition().restore(kept)
    assert [entry["resource"]["lotNumber"] for entry in searched(sandbox)] == ["first"]
    sandbox.store.partition().restore(before)
    assert searched(sandbox) == []


def test_each_answer_has_the_url_that_its_client_used_and_its_tenant_s_records() -> None:
    sandbox = Sandbox(open_provider("nhs"))
    here, there = written(sandbox, lotNumber="here"), written(sandbox, "team", lotNumber="there")
    for base_url in (BASE_URL, "https://sandbox.example/FHIR/R4", 'http://h\u00e9.example/"\\'):
        for tenant, id, lot in (("", here, "here"), ("team", there, "there")):
            (entry,) = searched(sandbox, base_url, tenant)
            assert (entry["fullUrl"], entry["resource"]["lotNumber"]) == (f"{base_url}/Immunization/{id}", lot)


@pytest.mark.parametrize("number", [0, 1], ids=["first", "last"])
def test_an_empty_identifier_of_the_patient_is_left_out(number: int) -> None:
    # The FHIR library reads an empty object as a gap in the list, and the document's own schema allows it.
    sandbox = Sandbox(open_provider("nhs"), "documented")
    contained = body()["contained"]
    patient = next(resource for resource in contained if resource["resourceType"] == "Patient")
    whole = deepcopy(patient["identifier"])
    patient["identifier"].insert(number, {})
    written(sandbox, contained=contained)
    (entry,) = searched(sandbox)
    assert entry["resource"]["patient"]["identifier"] == whole[0]
