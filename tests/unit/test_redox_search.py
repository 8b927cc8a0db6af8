"""What a message leaves to be found by: its patients' ids and identifiers, which are kept once however much it brings."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from mocksandbox.exchange import FORM, Headers, Request
from mocksandbox.provider import open_provider
from mocksandbox.providers.redox.parts import IMMUNIZATION_SEARCH, IMMUNIZATION_WRITE
from mocksandbox.rules.attempt import Record
from mocksandbox.sandbox import Sandbox
from mocksandbox.store.room import weight_of


def valid(operation: str) -> Request:
    provider = open_provider("redox")
    assert provider.valid is not None
    return provider.valid(operation).request


def message(identifiers: int, records: int) -> Request:
    """A valid message with so many immunizations, and so many identifiers of its patient beside `|plain`."""
    request = valid(IMMUNIZATION_WRITE)
    entries: list[Any] = []
    for entry in request.json()["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Patient":
            made = [{"system": "urn:many", "value": f"number-{number:010d}"} for number in range(identifiers)]
            entries.append({**entry, "resource": {**resource, "id": "the-patient", "identifier": [*made, {"value": "plain"}]}})
        elif resource["resourceType"] == "Immunization":
            for number in range(records):
                own = [{"system": "urn:own", "value": f"{number}"}]
                new = {**resource, "id": f"i{number}", "identifier": own, "patient": {"reference": f"Patient/named-{number}"}}
                entries.append({"fullUrl": f"https://example.org/Immunization/i{number}", "resource": new})
        else:
            entries.append(entry)
    return request.with_json({**request.json(), "entry": entries})


def found(box: Sandbox, *wanted: tuple[str, str]) -> int:
    request = valid(IMMUNIZATION_SEARCH)
    headers = Headers([("Content-Type", FORM)])
    answer = box.handle(Request("POST", request.path, headers=headers, body=urlencode(wanted).encode()))
    assert answer.status == 200, answer.body
    total: int = answer.json()["total"]
    return total


@pytest.fixture
def box() -> Sandbox:
    made = Sandbox(open_provider("redox"))
    assert made.handle(message(3, 2)).status == 200
    return made


@pytest.mark.parametrize(
    ("name", "value", "total"),
    [
        ("patient", "the-patient", 2),
        ("patient", "Patient/the-patient", 2),
        ("patient", "named-1", 1),
        ("patient", "named-1,named-0", 2),
        ("patient", "named-2", 0),
        ("patient.identifier", "urn:many|number-0000000002", 2),
        ("patient.identifier", "number-0000000002", 2),
        ("patient.identifier", "urn:many|", 2),
        ("patient.identifier", "urn:other|number-0000000002", 0),
        ("patient.identifier", "urn:many|number-0000000003", 0),
        ("patient.identifier", "|plain", 2),
        ("patient.identifier", "|number-0000000002", 0),
        ("patient.identifier", "the-patient", 0),
        ("patient.identifier", "nobody,plain", 2),
    ],
)
def test_a_patient_is_found_by_what_the_message_says_of_it(box: Sandbox, name: str, value: str, total: int) -> None:
    assert found(box, (name, value)) == total


def test_repeated_parameters_must_all_fit(box: Sandbox) -> None:
    assert found(box, ("patient", "named-1"), ("patient.identifier", "plain"), ("patient", "the-patient")) == 1
    assert found(box, ("patient", "named-1"), ("patient", "named-0")) == 0


def test_what_a_message_says_of_its_patients_is_kept_once() -> None:
    box = Sandbox(open_provider("redox"))
    assert box.store is not None
    before = len(box.store.partition("").snapshot())
    request = message(2_000, 40)
    assert box.handle(request).status == 200
    left = box.store.partition("").snapshot()
    assert len(left) == before + 42, "the records, the queue and the delivery"
    kept = sum(len(record.body) + sum(map(len, record.keys.values())) for record in left)
    assert kept < 2 * len(request.body)
    assert sum(map(weight_of, left)) > len(left), "what is large counts"


def test_large_keys_weigh_as_a_large_body_does() -> None:
    assert weight_of(Record("Thing", "1", 1, b"x" * 4000, {"identifier": "x" * 100})) == 1
    assert weight_of(Record("Thing", "1", 1, b"", {"identifier": "x" * 16 * 1024})) == 2
    assert weight_of(Record("Thing", "1", 1, b"x" * 8 * 1024, {"one": "x" * 8 * 1024})) == 2
