"""An immunization as it is sent, made into the FHIR R4 resource that answers give. The mapping is inferred (SOURCES.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from mocksandbox import codec
from mocksandbox.rules.attempt import Record

KIND = "Immunization"
TENANT_SYSTEM = "https://clinikapi.com/tenant"
_LARGEST = 2**31 - 1
"""The largest positiveInt of FHIR R4."""


def instant(moment: datetime) -> str:
    """A time as the API writes it: `2025-01-15T09:15:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _concept(text: Any) -> dict[str, Any]:
    return {"text": text}


def _vaccine(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return _concept(value)
    coding = {name: value[name] for name in ("system", "code", "display") if name in value}
    return {"coding": [coding], **({"text": value["display"]} if "display" in value else {})}


def _reference(kind: str) -> Callable[[Any], dict[str, Any]]:
    # Who sends a reference, `Organization/1`, gets it as it is.
    return lambda id: {"reference": id if "/" in id else f"{kind}/{id}"}


def _performer(value: Mapping[str, Any]) -> dict[str, Any]:
    function = {"function": _concept(value["function"])} if "function" in value else {}
    return {**function, "actor": _reference("Practitioner")(value["actorId"])}


def _kept(*names: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda value: {name: value[name] for name in names if name in value}


def _counted(name: str, value: Any) -> dict[str, Any]:
    """A number of doses: FHIR has positive integers and texts for it, and the API takes any number."""
    if isinstance(value, int) and 1 <= value <= _LARGEST:
        return {f"{name}PositiveInt": value}
    return {f"{name}String": str(value)}


def _protocol(value: Mapping[str, Any]) -> dict[str, Any]:
    made = _kept("series")(value)
    if "targetDisease" in value:
        made["targetDisease"] = [_concept(disease) for disease in value["targetDisease"]]
    for name in ("doseNumber", "seriesDoses"):
        if name in value:
            made |= _counted(name, value[name])
    return made


def _each(make: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    return lambda values: [make(value) for value in values]


def _same(value: Any) -> Any:
    return value


_ELEMENTS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "status": ("status", _same),
    "statusReason": ("statusReason", _concept),
    "vaccineCode": ("vaccineCode", _vaccine),
    "patientId": ("patient", _reference("Patient")),
    "encounterId": ("encounter", _reference("Encounter")),
    "occurrenceDateTime": ("occurrenceDateTime", _same),
    "recorded": ("recorded", _same),
    "primarySource": ("primarySource", _same),
    "manufacturer": ("manufacturer", lambda name: {"display": name}),
    "lotNumber": ("lotNumber", _same),
    "expirationDate": ("expirationDate", _same),
    "site": ("site", _concept),
    "route": ("route", _concept),
    "doseQuantity": ("doseQuantity", _kept("value", "unit")),
    "performer": ("performer", _each(_performer)),
    "note": ("note", lambda note: [{"text": note}]),
    "reasonCode": ("reasonCode", _each(_concept)),
    "isSubpotent": ("isSubpotent", _same),
    "reaction": ("reaction", _each(_kept("date", "reported"))),
    "protocolApplied": ("protocolApplied", _each(_protocol)),
}
"""The members of a request in FHIR's order: each with its element and what is made of its value."""


def elements_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The FHIR elements of the members that were sent. What the API does not know is dropped; an empty list is no element."""
    made = {element: make(body[member]) for member, (element, make) in _ELEMENTS.items() if member in body}
    return {element: value for element, value in made.items() if value != []}


def new_record(body: Mapping[str, Any], id: str, organization: str, now: datetime, author: str | None = None) -> Record:
    """The first version of a record. Its occurrence is now when nobody says otherwise (public: the SDK's types)."""
    resource = {"resourceType": KIND, "id": id, "meta": {}, **elements_of({"occurrenceDateTime": instant(now), **body})}
    return _record(resource, 1, organization, now, author)


def changed_record(record: Record, body: Mapping[str, Any], now: datetime, author: str | None = None) -> Record:
    """The next version of a record, with the members that were sent in place of what it had."""
    resource = {**record.json(), **elements_of(body)}
    return _record(resource, record.version + 1, record.keys["organization"], now, author)


def _record(resource: dict[str, Any], version: int, organization: str, now: datetime, author: str | None) -> Record:
    tag = {"system": TENANT_SYSTEM, "code": organization}
    resource["meta"] = {"versionId": str(version), "lastUpdated": instant(now), "tag": [tag]}
    coding: dict[str, Any] = next(iter(resource["vaccineCode"].get("coding", ())), {})
    keys = {
        "organization": organization,
        "patient": resource["patient"]["reference"],
        "status": resource["status"],
        "vaccine": coding.get("code", resource["vaccineCode"].get("text", "")),
        "day": _day(resource["occurrenceDateTime"]),
    }
    return Record(KIND, resource["id"], version, codec.dumps(resource), keys, recorded=now, author=author)


def _day(moment: str) -> str:
    """The day of an occurrence; empty when it is no date, which the API takes too."""
    try:
        return date.fromisoformat(moment[:10]).isoformat()
    except ValueError:
        return ""
