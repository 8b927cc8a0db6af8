"""A record as a search shows it, written once for each stored version.

The service shows less than it keeps: nothing contained, and of the patient the NHS number only. What changes from answer to
answer, the URL of the server and the one that is made up for the patient, is put between pieces that are kept as bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any
from weakref import ref

from mocksandbox import codec
from mocksandbox.providers.nhs.parts import NHS_NUMBER_SYSTEM
from mocksandbox.rules.attempt import Record
from mocksandbox.rules.places import get

_PATIENT_URL = token_hex(16)
"""What stands where the patient's URL goes while a record is written; no record has it."""


@dataclass(frozen=True)
class Shown:
    """A version of a record as JSON. `pieces` is the rest of its entry in a Bundle after the URL of all Immunizations; between
    them goes the patient's URL. `patient` is the rest of the entry of its patient after that URL.
    """

    pieces: tuple[bytes, ...]
    patient: bytes


MOST_KEPT, MOST_BYTES = 4096, 16 * 1024
"""How many versions are kept as they are shown, and how large one may be: the sandbox's limits on its memory do not count
them. The rest is written again for each answer.
"""

_kept: deque[ref[Record]] = deque()


def shown(record: Record) -> Shown:
    """A record as a search shows it. It is kept with the version, and so never outlives it."""
    made: Shown | None = record.__dict__.get("_shown")
    if made is None:
        made = _written(record)
        if len(record.body) <= MOST_BYTES:
            record.__dict__["_shown"] = made
            _kept.append(ref(record))
            if len(_kept) > MOST_KEPT and (oldest := _kept.popleft()()) is not None:
                oldest.__dict__.pop("_shown", None)
    return made


def _written(record: Record) -> Shown:
    body = record.json()
    id, resource = codec.dumps(record.id), codec.dumps(_resource(record, body))
    entry = b"/" + id[1:] + b',"resource":' + resource + b',"search":{"mode":"match"}}'
    patient = b'","resource":' + codec.dumps(_patient(body)) + b',"search":{"mode":"include"}}'
    return Shown(tuple(entry.split(_PATIENT_URL.encode())), patient)


def _contained(body: Mapping[str, Any], resource_type: str) -> dict[str, Any]:
    found = (item for item in body.get("contained", ()) if item.get("resourceType") == resource_type)
    return next(found, {})


def _resource(record: Record, body: dict[str, Any]) -> dict[str, Any]:
    """The record with nothing contained, and with the patient by NHS number only."""
    practitioner = _contained(body, "Practitioner")
    numbers = [item for item in _identifiers(body) if item.get("system") == NHS_NUMBER_SYSTEM]
    made: dict[str, Any] = {}
    for name, value in body.items():
        if name == "id":
            made["id"] = value
            made["meta"] = {"versionId": str(record.version)}
        elif name == "identifier":
            made[name] = [value[0] if "use" in value[0] else {"use": "official", **value[0]}, *value[1:]]
        elif name == "patient":
            made[name] = {"reference": _PATIENT_URL, "type": "Patient"}
            if numbers:
                made[name]["identifier"] = numbers[0]
        elif name == "performer" and practitioner:
            reference = f"#{practitioner.get('id')}"
            made[name] = [item for item in value if get(item, ("actor", "reference")) != reference]
        elif name not in ("contained", "meta"):
            made[name] = value
    return made


def _patient(body: Mapping[str, Any]) -> dict[str, Any]:
    identifiers = [
        {name: value for name, value in identifier.items() if name in ("system", "value")} for identifier in _identifiers(body)
    ]
    id = {"id": identifiers[0]["value"]} if identifiers and "value" in identifiers[0] else {}
    return {"resourceType": "Patient", **id, "identifier": identifiers}


def _identifiers(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The identifiers of the patient; an empty object is kept (fhir/reading), and is none."""
    return [item for item in _contained(body, "Patient").get("identifier", ()) if item]
