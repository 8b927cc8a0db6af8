"""What the NHS service's operations do when nothing is wrong, and how it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

from mocksandbox import codec
from mocksandbox.exchange import Headers, Response
from mocksandbox.fhir import issue, operation_outcome
from mocksandbox.providers.nhs import bundle
from mocksandbox.providers.nhs.diseases import stored_disease_codes, vaccine_types
from mocksandbox.providers.nhs.outcome import ERROR_CODES, FIXED_ID, PROFILE
from mocksandbox.providers.nhs.parts import NHS_NUMBER_SYSTEM
from mocksandbox.providers.nhs.record import read_once
from mocksandbox.providers.nhs.state import KIND, identifier_key, identifier_of, named_record, same_identifier
from mocksandbox.rules import Finding
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.rules.http import allowed_methods
from mocksandbox.rules.values import new_uuid
from mocksandbox.store import Partition

FHIR_JSON = "application/fhir+json"
_FHIR = ("Content-Type", FHIR_JSON)
# These refusals come from in front of the backend: another media type, and one id for all (observed, B1).
_IN_FRONT = frozenset({"nhs/unknown-route", "nhs/method-not-allowed", "nhs/bad-accept", "nhs/bad-token"})
SERVICE_METHODS = "GET, POST, DELETE, PUT"


def refuse(attempt: Attempt, findings: Sequence[Finding], profile: str, split: bool) -> Response:
    """An OperationOutcome. As the service does it, one issue holds all texts; with `split`, each finding has its own."""
    rule = findings[0].rule
    if split:
        issues = [
            issue(f.rule.issue, f.prefix + f.message, _places([f]), error=f.rule.error, system=ERROR_CODES) for f in findings
        ]
    else:
        text = findings[0].prefix + "; ".join([finding.message for finding in findings])
        issues = [issue(rule.issue, text, _places(findings), error=rule.error, system=ERROR_CODES)]
    in_front = rule.id in _IN_FRONT
    outcome = operation_outcome(issues, id=FIXED_ID if in_front else None, profile=PROFILE)
    headers = [("Content-Type", "application/json" if in_front else FHIR_JSON)]
    if rule.status == 405:
        allowed = () if in_front else allowed_methods(attempt)
        headers.append(("Allow", ", ".join(allowed) or SERVICE_METHODS))
    if rule.status == 401:
        headers.append(("WWW-Authenticate", _challenge(attempt)))
    return Response(rule.status, Headers(headers), codec.dumps(outcome))


def _challenge(attempt: Attempt) -> str:
    """Why the token is not taken (RFC 6750); the gateway's own text says only that it is not."""
    reason = str(attempt.refusal.values.get("reason", "")) if attempt.refusal else ""
    plain = "".join(char for char in reason if " " <= char <= "~" and char not in '"\\')
    return f'Bearer error="invalid_token", error_description="{plain}"' if plain else "Bearer"


def _places(findings: Sequence[Finding]) -> list[str]:
    # FHIRPath for elements; a parameter or header is named as FHIR names it (`http.NAME`, OperationOutcome.issue.expression).
    return [_expression(finding.at) for finding in findings if finding.at not in ("", "body", "path", "status", "query")]


def _expression(at: str) -> str:
    where, colon, name = at.partition(":")
    return f"http.{name}" if colon and where in ("header", "query", "form", "path") else at


def _stored(attempt: Attempt, id: str) -> tuple[bytes, dict[str, str]]:
    """A record as it is kept: as the FHIR library reads it, under its id, with the keys that it is found by."""
    read, problems = read_once(attempt)
    stored = {"resourceType": "Immunization", "id": id, **(attempt.body if problems else read)}
    stored["id"] = id
    return codec.dumps(stored), record_keys(stored)


def record_keys(body: dict[str, Any]) -> dict[str, str]:
    """What a record is found by: its identifier, its patient's NHS number, its vaccine type and day."""
    return {
        "identifier": identifier_key(*identifier_of(body)),
        "patient": _nhs_number(body),
        "type": vaccine_types().get(frozenset(stored_disease_codes(body)), ""),
        "day": _day(str(body.get("occurrenceDateTime", ""))[:10]),
    }


def _nhs_number(body: dict[str, Any]) -> str:
    for resource in body.get("contained", ()):
        if resource.get("resourceType") == "Patient":
            for item in resource.get("identifier", ()):
                if item and item.get("system") == NHS_NUMBER_SYSTEM:
                    return str(item.get("value") or "")
            break
    return ""


@lru_cache(maxsize=1024)
def _day(day: str) -> str:
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        return ""


def create(attempt: Attempt, records: Partition) -> Response:
    """201 with the new record's URL and version. The identifier of a deleted record reinstates that one."""
    found = same_identifier(attempt)
    earlier = found[0] if found else None
    id = earlier.id if earlier else new_uuid()
    version = earlier.version + 1 if earlier else 1
    _put(attempt, records, id, version)
    location = f"{attempt.request.base_url}/Immunization/{id}"
    return Response(201, Headers([("Location", location), ("E-Tag", str(version))]))


def _put(attempt: Attempt, records: Partition, id: str, version: int) -> None:
    body, keys = _stored(attempt, id)
    # Not `made`: a record that made itself has no dictionary of its own, so it is smaller, and the collector has half as many
    # objects to look at.
    records.put(Record(KIND, id, version, body, keys, recorded=attempt.now, author=attempt.caller.name))


def read(attempt: Attempt, _: Partition) -> Response:
    """200 with the record and its version."""
    record = _named(attempt)
    return Response(200, _of_version(record.version), record.body)


@lru_cache(maxsize=1024)
def _of_version(version: int) -> Headers:
    return Headers([_FHIR, ("E-Tag", str(version))])


def update(attempt: Attempt, records: Partition) -> Response:
    """200 with the new version. A deleted record is reinstated."""
    version = _named(attempt).version + 1
    _put(attempt, records, attempt.id, version)
    return Response(200, Headers([("E-Tag", str(version))]))


def delete(attempt: Attempt, records: Partition) -> Response:
    """204. The version stays as it is."""
    records.put(replace(_named(attempt), state="deleted", recorded=attempt.now, author=attempt.caller.name))
    return Response(204)


def search(attempt: Attempt, _: Partition) -> Response:
    """200 with a Bundle."""
    return Response(200, Headers([_FHIR]), bundle.answer(attempt))


def _named(attempt: Attempt) -> Record:
    record = named_record(attempt)
    assert record is not None, "the rules have seen the record"
    return record
