"""What Redox's operations do when nothing is wrong, and how it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from mocksandbox import codec
from mocksandbox.exchange import Headers, Response
from mocksandbox.fhir import issue, operation_outcome
from mocksandbox.providers.redox import delivery
from mocksandbox.providers.redox.acknowledgement import acknowledgement
from mocksandbox.providers.redox.destinations import Destination, destination_of, queue_of
from mocksandbox.providers.redox.parts import FHIR_JSON, Placed, identifiers, main_type, of_type
from mocksandbox.providers.redox.searching import found_bundle, patients_of, record_keys
from mocksandbox.rules import Finding
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.store import Partition

_FHIR = Headers([("Content-Type", FHIR_JSON)])


def refuse(attempt: Attempt, findings: Sequence[Finding], profile: str, split: bool) -> Response:
    """An OperationOutcome (chosen: the pages do not show what a refusal looks like), with an issue for each finding."""
    issues = [issue(finding.rule.issue, finding.message, _places(finding)) for finding in findings]
    headers = [("Content-Type", FHIR_JSON)]
    status = findings[0].rule.status
    if status == 401:
        headers.append(("WWW-Authenticate", "Bearer" if findings[0].rule.issue == "login" else 'Bearer error="invalid_token"'))
    return Response(status, Headers(headers), codec.dumps(operation_outcome(issues)))


def _places(finding: Finding) -> list[str]:
    # FHIRPath for elements; a parameter or header is named as FHIR names it (`http.NAME`, OperationOutcome.issue.expression).
    where, colon, name = finding.at.partition(":")
    if colon and where in ("header", "query", "form", "path"):
        return [f"http.{name}"]
    return [] if finding.at in ("", "body", "path", "query") else [finding.at]


def write(attempt: Attempt, records: Partition) -> Response:
    """200: the message is in the queue. A resource whose identifier is known at the destination is a new version of it."""
    destination, queue = _queue(attempt)
    made = delivery.enqueue(attempt, records, queue, destination)
    written = [_put(attempt, records, queue, placed, made) for placed in of_type(attempt, main_type(attempt))]
    delivery.log(attempt, records, queue, made, written, patients_of(attempt))
    return Response(200, _FHIR, codec.dumps(acknowledgement(attempt, destination, written)))


def _queue(attempt: Attempt) -> tuple[Destination, str]:
    destination = destination_of(attempt)
    assert destination is not None, "the rules have seen the destination"
    return destination, queue_of(attempt)


def _put(attempt: Attempt, records: Partition, queue: str, placed: Placed, made: delivery.Delivery) -> Record:
    kind, resource = main_type(attempt), placed[1]
    known = _known(records, kind, queue, resource)
    id, version = (known.id, known.version + 1) if known else (str(uuid4()), 1)
    body = codec.dumps({**resource, "id": id})
    keys = record_keys(attempt, queue, resource, made)
    record = Record(kind, id, version, body, keys, recorded=attempt.now, author=attempt.caller.name)
    records.put(record)
    return record


def _known(records: Partition, kind: str, queue: str, resource: object) -> Record | None:
    """The record with one of a resource's identifiers. A resource that has none is a new one each time it comes."""
    for system, value in identifiers(resource):
        for record in records.find(kind, "identifier", f"{queue} {system}|{value}"):
            return record
    return None


def search(attempt: Attempt, records: Partition) -> Response:
    """200 with a Bundle of what has arrived at the destination."""
    return Response(200, _FHIR, codec.dumps(found_bundle(attempt, records, queue_of(attempt))))
