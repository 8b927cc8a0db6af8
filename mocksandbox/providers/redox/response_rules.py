"""What every answer of Redox keeps, beyond its document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from mocksandbox import codec
from mocksandbox.exchange import Exchange
from mocksandbox.fhir import issue, operation_outcome
from mocksandbox.providers.redox.parts import EVENT_SYSTEM, FHIR_JSON, SEARCHES, WRITES, identifiers
from mocksandbox.rules import ALL, Defect, Hit, Rule
from mocksandbox.rules.places import get

_SCHEMAS = "openapi.yaml#/components/schemas"


def _json(body: bytes) -> Any:
    try:
        return codec.loads(body)
    except ValueError:
        return None


def _differs(at: str, problem: str) -> Hit:
    return at, "response.differs", {"at": at, "problem": problem}


def _not_an_outcome(exchange: Exchange) -> Iterator[Hit]:
    body = _json(exchange.response.body)
    if 400 <= exchange.response.status < 500 and get(body, ("resourceType",)) != "OperationOutcome":
        yield _differs("body", "must be an OperationOutcome, for it is a refusal")


def _echoed_person(exchange: Exchange) -> Iterator[Hit]:
    """A refusal must not repeat what a patient is identified by."""
    text = exchange.response.body.decode("utf-8", "replace") if exchange.response.status >= 400 else ""
    if any(len(value) > 5 and re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text) for value in _patients(exchange)):
        yield _differs("body", "repeats a patient's identifier")


def _patients(exchange: Exchange) -> Iterator[str]:
    sent = _json(exchange.request.body)
    listed = get(sent, ("entry",))
    for entry in listed if isinstance(listed, list) else ():
        resource = get(entry, ("resource",))
        if get(resource, ("resourceType",)) == "Patient":
            yield from (value for _, value in identifiers(resource))


def _base_of(exchange: Exchange) -> str:
    """The URL below which the destination's resources are."""
    return f"{exchange.request.base_url}{exchange.request.path.rpartition('/')[0]}"


def _other_location(exchange: Exchange) -> Iterator[Hit]:
    body = _json(exchange.response.body)
    if get(body, ("type",)) == "transaction-response":
        for index, entry in enumerate(body.get("entry") or ()):
            location = get(entry, ("response", "location"))
            if not isinstance(location, str) or not location.startswith(f"{_base_of(exchange)}/"):
                yield _differs(f"Bundle.entry[{index}].response.location", "must be below the URL that was written to")


def _other_message(exchange: Exchange) -> Iterator[Hit]:
    """A message in answer names the message that it answers."""
    sent, body = _json(exchange.request.body), _json(exchange.response.body)
    if get(body, ("type",)) == "message":
        named = get(body, ("entry", 0, "resource", "response", "identifier"))
        asked = get(sent, ("entry", 0, "resource", "id"))
        if isinstance(asked, str) and named != asked:
            yield _differs("Bundle.entry[0].resource.response.identifier", "must be the id of the message that it answers")


def _wrong_total(exchange: Exchange) -> Iterator[Hit]:
    body = _json(exchange.response.body)
    if exchange.response.status == 200 and isinstance(body, dict):
        found = body.get("entry", [])
        if isinstance(found, list) and body.get("total") != len(found):
            yield _differs("Bundle.total", "must be how many resources were found")


def _other_resource(exchange: Exchange) -> Iterator[Hit]:
    body = _json(exchange.response.body)
    wanted = exchange.request.path.split("/")[-2]
    listed = get(body, ("entry",)) if exchange.response.status == 200 else None
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        if get(entry, ("resource", "resourceType")) != wanted:
            yield _differs(f"Bundle.entry[{index}].resource", f"must be of the type that was searched for, {wanted}")


def redox_response_rules() -> tuple[Rule[Exchange], ...]:
    """The rules, in no particular order: all are looked at."""
    return (
        _rule(
            "refusal-not-an-outcome",
            "Every refusal is an OperationOutcome",
            "Clients read the reason from there.",
            f"{_SCHEMAS}/OperationOutcome",
            _not_an_outcome,
            Defect("problem-json", lambda e: _answered(e, 400, {"title": "Bad Request"}), frozenset({"http/response-body"})),
        ),
        _rule(
            "echoed-person",
            "A refusal does not repeat a patient's identifier",
            "Refusals end in logs, where no patient belongs.",
            f"{_SCHEMAS}/OperationOutcome/properties/issue/items/properties/diagnostics",
            _echoed_person,
            Defect("echo", _echo),
            operations=WRITES,
        ),
        _rule(
            "other-location",
            "A location is below the URL that was written to",
            "It is where the client will look for what it has written.",
            f"{_SCHEMAS}/TransactionAnswer",
            _other_location,
            Defect("other-server", lambda e: _answered(e, 200, _transaction("https://other.example/fhir/R4"))),
            Defect("other-destination", lambda e: _answered(e, 200, _transaction(f"{e.request.base_url}/other/Staging"))),
            operations=WRITES,
        ),
        _rule(
            "other-message",
            "A message in answer names the message that it answers",
            "Answers may come in any order.",
            f"{_SCHEMAS}/MessageAnswer",
            _other_message,
            Defect("other-id", lambda e: _answered(e, 200, _message("another-message"))),
            operations=WRITES,
        ),
        _rule(
            "wrong-total",
            "The total is how many resources were found",
            "Clients count on it to know that they have all.",
            f"{_SCHEMAS}/SearchAnswer/properties/total",
            _wrong_total,
            Defect("one-more", lambda e: _edited(e, lambda body: {**body, "total": body["total"] + 1})),
            operations=SEARCHES,
        ),
        _rule(
            "other-resource",
            "A search finds resources of its own type",
            "Clients read them as such.",
            f"{_SCHEMAS}/SearchAnswer/properties/entry",
            _other_resource,
            Defect("patient", lambda e: _edited(e, _with_a_patient), frozenset({"http/response-body"})),
            operations=SEARCHES,
        ),
    )


def _answered(exchange: Exchange, status: int, body: Any) -> Exchange:
    changed = replace(exchange.response, status=status, body=codec.dumps(body)).with_header("Content-Type", FHIR_JSON)
    return replace(exchange, response=changed)


def _edited(exchange: Exchange, edit: Callable[[Any], Any]) -> Exchange:
    return _answered(exchange, exchange.response.status, edit(codec.loads(exchange.response.body)))


def _with_a_patient(body: Any) -> Any:
    entries = body.get("entry", [])
    if not entries:
        return body
    first = {**entries[0], "resource": {**entries[0]["resource"], "resourceType": "Patient"}}
    return {**body, "entry": [first, *entries[1:]]}


def _echo(exchange: Exchange) -> Exchange:
    value = next(_patients(exchange))
    return _answered(exchange, 400, operation_outcome([issue("invalid", f"The patient {value} is not known.")]))


def _transaction(base: str) -> dict[str, Any]:
    response = {"status": "201 Created", "location": f"{base}/Immunization/1/_history/1"}
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": response}]}


def _message(identifier: str) -> dict[str, Any]:
    header = {
        "resourceType": "MessageHeader",
        "id": "answer",
        "eventCoding": {"system": EVENT_SYSTEM, "code": "Immunization-New"},
        "source": {"endpoint": "urn:uuid:00000000-0000-4000-8000-000000000001"},
        "response": {"identifier": identifier, "code": "ok"},
    }
    entry = [{"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000002", "resource": header}]
    return {"resourceType": "Bundle", "type": "message", "timestamp": "2024-01-01T00:00:00Z", "entry": entry}


def _rule(
    name: str,
    title: str,
    why: str,
    source: str,
    find: Callable[[Exchange], Iterator[Hit]],
    *defects: Defect[Exchange],
    operations: frozenset[str] = frozenset(),
) -> Rule[Exchange]:
    return Rule(
        id=f"redox/{name}",
        title=title,
        why=why,
        source=source,
        operations=operations,
        stage="response",
        status=0,
        issue="",
        error="",
        find=find,
        defects=defects,
        profiles=ALL,
    )
