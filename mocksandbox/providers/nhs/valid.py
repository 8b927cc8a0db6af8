"""Valid requests of each operation: one from the document's own examples, which defects are applied to, and others of
other shapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from mocksandbox.contract import Contract, read_mapping
from mocksandbox.exchange import FORM, Headers, Request
from mocksandbox.providers.nhs.answers import FHIR_JSON
from mocksandbox.providers.nhs.fields import FOLDER
from mocksandbox.providers.nhs.parts import NHS_NUMBER_SYSTEM
from mocksandbox.providers.nhs.promise import CREATE, DELETE, READ, SEARCH_GET, SEARCH_POST, UPDATE
from mocksandbox.providers.nhs.search import PATIENT, TARGET
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import drop, put

_DOCUMENTED_ID = "12a33650-6f94-4e8f-a971-1c5c41da5b22"


def valid_attempt(contract: Contract, operation_id: str) -> Attempt:
    """A request that breaks no rule, for a new sandbox."""
    operation = contract.operation(operation_id)
    query = ((PATIENT, f"{NHS_NUMBER_SYSTEM}|9000000009"), (TARGET, "RSV"))
    headers = Headers([("Accept", FHIR_JSON)])
    request = Request(operation.method, operation.path, headers=headers, base_url=str(contract.document["servers"][0]["url"]))
    if operation_id in (READ, DELETE):
        request = replace(request, path=f"/Immunization/{_DOCUMENTED_ID}")
    elif operation_id == SEARCH_GET:
        request = replace(request, query=query)
    elif operation_id == SEARCH_POST:
        request = replace(request, body=urlencode(query).encode()).with_header("Content-Type", FORM)
    elif operation_id in (CREATE, UPDATE):
        example = operation.bodies[FHIR_JSON].examples["default"]
        request = request.with_json(example).with_header("Content-Type", FHIR_JSON)
        if operation_id == UPDATE:
            request = replace(request, path=f"/Immunization/{example['id']}").with_header("E-Tag", "1")
    return Attempt(request, contract, contract.router.find(request.method, request.path))


def templates(contract: Contract, operation_id: str) -> Sequence[Attempt]:
    """The valid request of an operation, and those of other shapes (contracts/nhs/templates.yaml)."""
    first = valid_attempt(contract, operation_id)
    table = read_mapping(FOLDER / "templates.yaml")
    if operation_id in (CREATE, UPDATE):
        return [first, *_records(first, table["records"])]
    if operation_id in (SEARCH_GET, SEARCH_POST):
        return [first, *(_searching(first, [(name, value) for name, value in each["query"]]) for each in table["searches"])]
    return [first]


def _records(first: Attempt, shapes: Any) -> Iterator[Attempt]:
    for shape in shapes:
        body = first.body
        for path, value in shape.get("with", ()):
            body = put(body, tuple(path), value)
        for path in shape.get("without", ()):
            body = drop(body, tuple(path))
        yield first.with_body(body)


def _searching(first: Attempt, query: Sequence[tuple[str, str]]) -> Attempt:
    if first.request.method == "POST":
        return first.with_raw(urlencode(query).encode())
    return first.with_query(tuple(query))


def about(attempt: Attempt, id: str, version: int) -> Attempt:
    """The same request about another record: its id in the path and the body, its version in the header E-Tag."""
    if attempt.operation is None or "{id}" not in attempt.operation.path:
        return attempt
    attempt = attempt.at_path(attempt.operation.path.replace("{id}", id))
    if isinstance(attempt.body, dict) and "id" in attempt.body:
        attempt = attempt.with_body({**attempt.body, "id": id})
    return attempt.with_header("E-Tag", str(version)) if "E-Tag" in attempt.request.headers else attempt
