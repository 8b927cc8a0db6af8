"""Create, update and delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from mocksandbox.exchange import Response
from mocksandbox.fhir.outcome import operation_outcome
from mocksandbox.fhir.search import ResourceType
from mocksandbox.fhir.server.answers import answer, location, version_headers
from mocksandbox.fhir.server.preferences import preferred
from mocksandbox.fhir.stored import kept, shown
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.store import Partition

Issues = list[dict[str, Any]]

_ASSIGNED = "_assigned_id"


def assign(attempt: Attempt, id: str) -> None:
    """Say under which id an attempt to create is to be stored: a transaction knows before it creates anything."""
    attempt.__dict__[_ASSIGNED] = id


def create(attempt: Attempt, records: Partition, row: ResourceType, issues: Issues, same: Sequence[Record]) -> Response:
    """201 with the new record, or 200 with the same one that `If-None-Exist` has found."""
    if same:
        return _written(attempt, 200, same[0], issues)
    id = attempt.__dict__.get(_ASSIGNED) or str(uuid4())
    return _written(attempt, 201, _put(attempt, records, row, id, 1), issues)


def update(attempt: Attempt, records: Partition, row: ResourceType, issues: Issues) -> Response:
    """200 with the new version; 201 when there was none, or none any more."""
    before = records.get(row.name, attempt.id)
    version = before.version + 1 if before else 1
    status = 200 if before is not None and before.live else 201
    return _written(attempt, status, _put(attempt, records, row, attempt.id, version), issues)


def _put(attempt: Attempt, records: Partition, row: ResourceType, id: str, version: int) -> Record:
    record = kept(row.name, id, version, attempt.body, attempt.now, attempt.caller.name)
    records.put(record)
    return record


def delete(attempt: Attempt, records: Partition, row: ResourceType) -> Response:
    """204. The deletion is a version; what is not there, or not there any more, is not deleted again."""
    record = records.get(row.name, attempt.id)
    if record is None:
        return answer(attempt, 204)
    if record.live:
        version, author = record.version + 1, attempt.caller.name
        record = replace(record, version=version, state="deleted", recorded=attempt.now, author=author)
        records.put(record)
    return answer(attempt, 204, None, version_headers(record)[:1])


def _written(attempt: Attempt, status: int, record: Record, issues: Issues) -> Response:
    """What a writer gets back (`Prefer: return=…`): the resource unless something else is preferred."""
    headers = [("Location", location(attempt, record)), *version_headers(record)]
    wanted = preferred(attempt, "return")
    if wanted == "minimal":
        return answer(attempt, status, None, headers)
    body = operation_outcome(issues) if wanted == "OperationOutcome" else shown(record)
    return answer(attempt, status, body, headers)
