"""Valid requests of each operation: the document's own examples, printed, minimal and full, and searches for a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

from mocksandbox.contract import Contract
from mocksandbox.exchange import FORM, Headers, Request
from mocksandbox.providers.redox.parts import FHIR_JSON, WRITES
from mocksandbox.providers.redox.searching import DATE, IDENTIFIER, PATIENT, STATUS, STATUSES
from mocksandbox.rules.attempt import Attempt

_PLACE = {"{destinationSlug}": "redox-fhir-sandbox", "{environmentFlag}": "Development"}
_SEEDED = "urn:redox:health-one:MR|0000000002"


def valid_attempt(contract: Contract, operation_id: str) -> Attempt:
    """A request that breaks no rule, for a new sandbox: the example as it is printed, or a search for a seed's patient."""
    return templates(contract, operation_id)[0]


def templates(contract: Contract, operation_id: str) -> Sequence[Attempt]:
    """The valid request of an operation, and those of other shapes."""
    operation = contract.operation(operation_id)
    path = operation.path
    for placeholder, value in _PLACE.items():
        path = path.replace(placeholder, value)
    base = str(contract.document["servers"][0]["url"])
    request = Request(operation.method, path, headers=Headers([("Accept", FHIR_JSON)]), base_url=base)
    if operation_id in WRITES:
        typed = request.with_header("Content-Type", FHIR_JSON)
        requests = [typed.with_json(example) for example in operation.bodies[FHIR_JSON].examples.values()]
    else:
        typed = request.with_header("Content-Type", FORM)
        kind = path.split("/")[3]
        requests = [replace(typed, body=urlencode(search).encode()) for search in _searches(kind)]
    match = contract.router.find(operation.method, path)
    return [Attempt(each, contract, match) for each in requests]


def _searches(kind: str) -> Sequence[Sequence[tuple[str, str]]]:
    status = STATUSES[kind][0] if kind == "Immunization" else "finished"
    return (
        [(IDENTIFIER, _SEEDED)],
        [(PATIENT, "Patient/seeded-patient")],
        [(IDENTIFIER, _SEEDED), (DATE, "ge2023-01-01"), (STATUS, status)],
    )
