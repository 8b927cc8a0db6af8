"""The rules' questions about a record that a request names: its id, its version, its identifier, and who may do what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from mocksandbox.exchange import FORM, Headers
from mocksandbox.providers.nhs.diseases import disease_codes, vaccine_type
from mocksandbox.providers.nhs.search import IDENTIFIER, search_of
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.rules.http import json_name
from mocksandbox.rules.places import MISSING
from mocksandbox.rules.rule import Hit

KIND = "Immunization"
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def identifier_of(body: Any) -> tuple[Any, Any]:
    """The system and value of a record's identifier."""
    identifiers = body.get("identifier") if isinstance(body, dict) else None
    first = identifiers[0] if isinstance(identifiers, list) and identifiers else None
    return (first.get("system", MISSING), first.get("value", MISSING)) if isinstance(first, dict) else (MISSING, MISSING)


def identifier_key(system: Any, value: Any) -> str:
    """How the service spells an identifier: `system#value`."""
    return f"{system}#{value}"


def named_record(attempt: Attempt) -> Record | None:
    """The record that the path names, deleted or not; a reserved id names none until its record comes."""
    return attempt.records.get(KIND, attempt.id)


def same_identifier(attempt: Attempt) -> Sequence[Record]:
    """The records with the identifier of the body, deleted ones too."""
    key: str | None = attempt.__dict__.get("_identifier")
    if key is None:
        key = attempt.__dict__["_identifier"] = identifier_key(*identifier_of(attempt.body))
    return attempt.records.find(KIND, "identifier", key)


def found_by_identifier(attempt: Attempt) -> Record | None:
    """The record that a search by identifier finds. Deleted ones are found too (observed, upstream VED-915)."""
    system, _, value = "".join(search_of(attempt).get(IDENTIFIER)).partition("|")
    found = attempt.records.find(KIND, "identifier", identifier_key(system, value))
    return next((record for record in found if record.state != "reserved"), None)


def bad_id(attempt: Attempt) -> Iterable[Hit]:
    """The id in the path is a FHIR id."""
    return () if _ID.fullmatch(attempt.id) else (("path:id", "bad-id", {}),)


def id_on_create(attempt: Attempt) -> Iterable[Hit]:
    """A new record has no id yet."""
    if isinstance(attempt.body, dict) and attempt.body.get("id") is not None:
        return (("Immunization.id", "id-on-create", {}),)
    return ()


def id_differs(attempt: Attempt) -> Iterable[Hit]:
    """The body has the id of the path."""
    if isinstance(attempt.body, dict) and attempt.body.get("id") != attempt.id:
        return (("Immunization.id", "id-differs", {"id": attempt.id}),)
    return ()


def version_missing(attempt: Attempt) -> Iterable[Hit]:
    """An update says which version it replaces."""
    if "E-Tag" not in attempt.request.headers:
        return (("header:E-Tag", "version-missing", {}),)
    return ()


def version_invalid(attempt: Attempt) -> Iterable[Hit]:
    """The version is a whole number from 1."""
    version = attempt.request.headers.get("E-Tag")
    if version is not None and version_number(version) is None:
        return (("header:E-Tag", "version-invalid", {"version": version}),)
    return ()


def version_number(text: str) -> int | None:
    """The number that an E-Tag header says, None when it says none. Digits of other scripts count, as they do there."""
    number = int(text) if text.isdecimal() and len(text) < 20 else 0
    return number if number > 0 else None


def version_differs(attempt: Attempt) -> Iterable[Hit]:
    """The version is the stored one; a deleted record is reinstated whatever it says."""
    record, version = named_record(attempt), version_number(attempt.request.headers.get("E-Tag", ""))
    if record is not None and record.live and version is not None and version != record.version:
        key = "version-stale" if version < record.version else "version-ahead"
        return (("header:E-Tag", key, {"id": attempt.id}),)
    return ()


def unknown_record(attempt: Attempt) -> Iterable[Hit]:
    """The record exists. A reserved id has no record yet, but an update makes it (contracts/nhs/seeds.yaml)."""
    record = named_record(attempt)
    updates = attempt.operation is not None and attempt.operation.method == "PUT"
    if record is None or (record.state == "reserved" and not updates):
        return (("path:id", "unknown-record", {"id": attempt.id}),)
    return ()


def deleted_record(attempt: Attempt) -> Iterable[Hit]:
    """The record is not deleted."""
    record = named_record(attempt)
    deleted = record is not None and record.state == "deleted"
    return (("path:id", "unknown-record", {"id": attempt.id}),) if deleted else ()


def identifier_differs(attempt: Attempt) -> Iterable[Hit]:
    """An update keeps the identifier."""
    record = named_record(attempt)
    if record is None or not isinstance(attempt.body, dict):
        return ()
    sent, stored = identifier_of(attempt.body), identifier_of(record.json())
    names = ("identifier[0].system", "identifier[0].value")
    parts = [name for name, new, old in zip(names, sent, stored, strict=True) if new != old]
    if parts:
        return ((f"Immunization.{parts[0]}", "identifier-differs", {"parts": " and ".join(parts)}),)
    return ()


def duplicate(attempt: Attempt) -> Iterable[Hit]:
    """No live record has the identifier."""
    found = same_identifier(attempt)
    if found and any(record.live for record in found):
        system, value = identifier_of(attempt.body)
        return (("Immunization.identifier[0]", "duplicate", {"system": system, "value": value}),)
    return ()


_LETTERS = {"POST": "C", "GET": "R", "PUT": "U", "DELETE": "D"}


def forbidden(attempt: Attempt) -> Iterable[Hit]:
    """The caller may do this with this vaccine type; an update needs the right for the old and the new type."""
    if attempt.operation is None or attempt.caller.rights is None:
        return ()
    letter = _LETTERS[attempt.operation.method]
    types = []
    if attempt.operation.method != "POST":
        record = named_record(attempt)
        types.append(record.keys.get("type") if record else None)
    if attempt.operation.bodies:
        types.append(vaccine_type(disease_codes(attempt)))
    if any(name is not None and not attempt.caller.may(f"{name}.{letter}") for name in types):
        return (("Immunization.protocolApplied[0].targetDisease", "forbidden", {}),)
    return ()


def identifier_search_forbidden(attempt: Attempt) -> Iterable[Hit]:
    """The caller may search for the type of the record that a search by identifier finds."""
    if attempt.caller.rights is None or not search_of(attempt).by_identifier:
        return ()
    record = found_by_identifier(attempt)
    if record is not None and not attempt.caller.may(f"{record.keys.get('type')}.S"):
        return ((f"query:{IDENTIFIER}", "forbidden", {}),)
    return ()


def refused(attempt: Attempt) -> Iterable[Hit]:
    """The caller is let in."""
    refusal = attempt.refusal
    return () if refusal is None else (("header:Authorization", refusal.key, refusal.values),)


def unknown_route(attempt: Attempt) -> Iterable[Hit]:
    """The backend knows the path (an empty id is no id there)."""
    nowhere = attempt.operation is None or (not attempt.id and attempt.operation.path.endswith("{id}"))
    return (("path", "unknown-route", {}),) if nowhere and attempt.request.method in _LETTERS else ()


def method_not_allowed(attempt: Attempt) -> Iterable[Hit]:
    """The backend knows the method."""
    return () if attempt.request.method in _LETTERS else (("path", "method-not-allowed", {}),)


_ACCEPTABLE = re.compile(r"(application/fhir\+json(;\s*version=\d+|;)?|\*/\*)", re.IGNORECASE)


def bad_accept(attempt: Attempt) -> Iterable[Hit]:
    """The gateway gives FHIR JSON only."""
    return () if attempt.request.headers.tell(_takes_fhir) else (("header:Accept", "bad-accept", {}),)


def _takes_fhir(headers: Headers) -> bool:
    accept = headers.get("Accept")
    return not accept or _ACCEPTABLE.fullmatch(accept.strip()) is not None


def not_a_form(attempt: Attempt) -> Iterable[Hit]:
    """A search by POST sends a form."""
    request = attempt.request
    if request.body and request.media_type not in ("", FORM):
        return (("header:Content-Type", "search.not-a-form", {"found": request.media_type}),)
    return ()


def not_an_object(attempt: Attempt) -> Iterable[Hit]:
    """The body is a JSON object."""
    if not attempt.request.body:
        return (("body", "missing-body", {}),)
    elif attempt.parsed[1] is None and not isinstance(attempt.body, dict):
        return (("body", "not-an-object", {"found": json_name(attempt.body)}),)
    return ()


def malformed_json(attempt: Attempt) -> Iterable[Hit]:
    """The body is JSON."""
    error = attempt.parsed[1]
    if error is not None:
        return (("body", "malformed-json", {"problem": str(error)}),)
    return ()
