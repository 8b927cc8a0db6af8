"""Valid requests for each operation, from contracts/evaluation/templates.yaml: what defects are applied to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from mocksandbox.contract import Contract
from mocksandbox.exchange import FORM, Headers, Request
from mocksandbox.fhir.server import interaction as names
from mocksandbox.fhir.server.preferences import FHIR_JSON
from mocksandbox.providers.evaluation.bodies import bundles, template
from mocksandbox.rules.attempt import Attempt

_PATIENT = "patient-1"


def templates(contract: Contract, operation_id: str) -> Sequence[Attempt]:
    """Requests that break no rule in a new sandbox, of different shape; the first is the one that is taken for all."""
    operation = contract.operation(operation_id)
    asked = names.interaction_of(operation)
    headers = Headers([("Accept", FHIR_JSON)])
    path = operation.path.replace("{vid}", "1")
    request = Request(operation.method, path, headers=headers, base_url=str(contract.document["servers"][0]["url"]))
    return [_attempt(contract, each) for each in _requests(request, asked)]


def _requests(request: Request, asked: names.Interaction) -> Iterable[Request]:
    if asked.name == names.CAPABILITIES:
        return [request]
    if asked.name == names.TRANSACTION:
        return [_with(request, body) for body in bundles()]
    own = template(asked.type)
    seed = _PATIENT if asked.name == names.COMPARTMENT else own["seed"]
    request = replace(request, path=request.path.replace("{id}", seed))
    query = tuple((str(name), str(value)) for name, value in own["query"])
    if asked.name in (names.CREATE, names.VALIDATE):
        return [_with(request, body) for body in own["bodies"]]
    if asked.name == names.UPDATE:
        matched = request.with_header("If-Match", 'W/"1"')
        return [_with(matched, {"resourceType": asked.type, "id": seed, **body}) for body in own["bodies"]]
    if asked.name == names.SEARCH and request.method == "POST":
        return [replace(request, body=urlencode(query).encode()).with_header("Content-Type", FORM)]
    return [replace(request, query=query)] if asked.name == names.SEARCH else [request]


def _with(request: Request, body: Any) -> Request:
    return request.with_json(body).with_header("Content-Type", FHIR_JSON)


def _attempt(contract: Contract, request: Request) -> Attempt:
    return Attempt(request, contract, contract.router.find(request.method, request.path))


def about(attempt: Attempt, id: str, version: int) -> Attempt:
    """The same request about another record: its id in the path and the body, its version in the path and If-Match."""
    if attempt.operation is None or "{id}" not in attempt.operation.path:
        return attempt
    changed = attempt.at_path(attempt.operation.path.replace("{id}", id).replace("{vid}", str(version)))
    if isinstance(attempt.body, dict) and "id" in attempt.body:
        changed = changed.with_body({**attempt.body, "id": id})
    return changed.with_header("If-Match", f'W/"{version}"') if "If-Match" in attempt.request.headers else changed
