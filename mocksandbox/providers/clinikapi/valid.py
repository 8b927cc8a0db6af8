"""Requests that break no rule, of several shapes for each operation: from the document's own examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mocksandbox.contract import Contract
from mocksandbox.exchange import Headers, Pairs, Request
from mocksandbox.providers.clinikapi.answers import JSON
from mocksandbox.providers.clinikapi.authority import KEY_HEADER
from mocksandbox.providers.clinikapi.promise import CREATE, SEARCH, UPDATE
from mocksandbox.rules.attempt import Attempt

_STORED_ID = "7d0c2b1e-3a52-4d53-9a38-6a2f4d3b1c01"
_KEY = "clk_test_mocksandbox"
_AS_PRINTED = "asPrinted"
"""The one example of the document that is no valid request, and is there to be refused."""

_SEARCHES: tuple[Pairs, ...] = (
    (
        ("patientId", "pt_demo0001"),
        ("status", "completed"),
        ("vaccineCode", "140"),
        ("dateFrom", "2024-01-01"),
        ("dateTo", "2025-12-31"),
        ("count", "20"),
    ),
    (),
    (("patientId", "pt_demo0001"),),
    (("count", "1"), ("cursor", "1")),
    (("status", "not-done"), ("dateFrom", "2024-12-01")),
)


def templates(contract: Contract, operation_id: str) -> Sequence[Attempt]:
    """The valid requests of an operation. The first has everything that there is; a new sandbox accepts each."""
    operation = contract.operation(operation_id)
    headers = Headers([("Accept", JSON), (KEY_HEADER, _KEY)])
    path = operation.path.replace("{id}", _STORED_ID)
    request = Request(operation.method, path, headers=headers, base_url=str(contract.document["servers"][0]["url"]))
    if operation_id == SEARCH:
        requests = [replace(request, query=query) for query in _SEARCHES]
    elif operation_id in (CREATE, UPDATE):
        examples = operation.bodies[JSON].examples
        sent = request.with_header("Content-Type", JSON)
        requests = [sent.with_json(body) for name, body in examples.items() if name != _AS_PRINTED]
    else:
        requests = [request]
    if operation.method in ("PATCH", "DELETE"):
        requests.append(requests[0].with_header("If-Match", 'W/"1"'))
    match = contract.router.find(operation.method, path)
    return [Attempt(each, contract, match) for each in requests]


def about(attempt: Attempt, id: str, version: int) -> Attempt:
    """The same request about another record: its id in the path, its version in If-Match where there is one."""
    if attempt.operation is None or "{id}" not in attempt.operation.path:
        return attempt
    attempt = attempt.at_path(attempt.operation.path.replace("{id}", id))
    return attempt.with_header("If-Match", f'W/"{version}"') if "If-Match" in attempt.request.headers else attempt
