"""The Bundle that answers a search: what it holds, and what is changed in each record on the way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from secrets import token_hex
from typing import Any
from urllib.parse import quote_plus

from mocksandbox import codec
from mocksandbox.providers.nhs.outcome import warning
from mocksandbox.providers.nhs.parts import NHS_NUMBER_SYSTEM
from mocksandbox.providers.nhs.search import DISEASE, ELEMENTS, FROM, INCLUDE, PATIENT, TARGET, TO, Search, search_of
from mocksandbox.providers.nhs.state import KIND, found_by_identifier
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.rules.places import get
from mocksandbox.rules.rule import Hit
from mocksandbox.rules.values import new_uuid

MOST_BYTES = 1024 * 1024


def answer(attempt: Attempt) -> bytes:
    """The Bundle of a search whose rules hold, as JSON; made once for each attempt."""
    kept = attempt.__dict__.get("_bundle")
    if kept is None:
        search = search_of(attempt)
        made = _identifier_bundle(attempt, search) if search.by_identifier else _patient_bundle(attempt, search)
        kept = attempt.__dict__["_bundle"] = codec.dumps(made)
    return kept


def too_many_results(attempt: Attempt) -> Iterable[Hit]:
    """The answer is not larger than the service sends."""
    return (("query", "search.too-many", {}),) if len(answer(attempt)) > MOST_BYTES else ()


def _bundle(link: str, entries: list[dict[str, Any]], total: int) -> dict[str, Any]:
    links = [{"relation": "self", "url": link}]
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries, "total": total}


def _patient_bundle(attempt: Attempt, search: Search) -> dict[str, Any]:
    if search.has(DISEASE) and not search.diseases[0]:
        link = _link(attempt, search, frozenset())
        return _bundle(link, [{"resource": warning("search.warning-disease-unknown")}], 0)
    permitted = frozenset(name for name in search.types if attempt.caller.may(f"{name}.S"))
    records = [record for record in _matches(attempt, search) if record.keys.get("type") in permitted]
    records.sort(key=lambda record: (record.keys.get("type", ""), record.id))
    patient_url = f"urn:uuid:{new_uuid()}"
    entries = [_entry(attempt, record, patient_url) for record in records]
    if records:
        entries.append({"fullUrl": patient_url, "resource": _included(records[-1]), "search": {"mode": "include"}})
    entries += [{"resource": resource} for resource in _warnings(search, permitted)]
    return _bundle(_link(attempt, search, permitted), entries, len(records))


def _matches(attempt: Attempt, search: Search) -> Iterator[Record]:
    first, last = search.day(FROM), search.day(TO)
    earliest, latest = first.isoformat() if first else "", last.isoformat() if last else "9999-99-99"
    for record in attempt.records.find(KIND, "patient", search.nhs_number):
        if record.live and earliest <= record.keys.get("day", "") <= latest:
            yield record


def _warnings(search: Search, permitted: frozenset[str]) -> Iterator[dict[str, Any]]:
    if permitted != search.types:
        yield warning("search.warning-unauthorised", issue_code="unauthorized")
    if search.has(DISEASE):
        for raw in (raw for raw in search.get(DISEASE) if raw and raw not in search.diseases[0]):
            if raw in search.diseases[2]:
                yield warning("search.warning-disease-malformed", value=raw)
            else:
                yield warning("search.warning-disease-unsupported", code=raw.partition("|")[2].strip())
    elif search.unknown_types:
        yield warning("search.warning-targets", values=", ".join(search.unknown_types))


def _link(attempt: Attempt, search: Search, permitted: frozenset[str]) -> str:
    """The service's self link: the old name of the target first, only what was looked for."""
    patient = f"{NHS_NUMBER_SYSTEM}|{search.nhs_number}"
    if search.has(DISEASE):
        asked = ",".join(sorted(set(search.diseases[0] or search.diseases[1])))
        parameters = {DISEASE: asked, PATIENT: patient}
    else:
        targets = ",".join(sorted(permitted))
        parameters = {TARGET.lstrip("-"): targets, TARGET: targets, PATIENT: patient}
    for name in (FROM, TO):
        day = search.day(name)
        if day:
            parameters[name] = day.isoformat()
    if search.get(INCLUDE):
        parameters[INCLUDE] = search.get(INCLUDE)[0]
    asked = "&".join(
        f"{_quoted(name)}={value if _PLAIN.fullmatch(value) else quote_plus(value)}" for name, value in parameters.items()
    )
    return f"{attempt.request.base_url}/Immunization?{asked}"


_quoted = lru_cache(maxsize=64)(quote_plus)  # of the parameters' names, which are few
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")  # what quoting leaves as it is


def _entry(attempt: Attempt, record: Record, patient_url: str) -> dict[str, Any]:
    return {
        "fullUrl": f"{attempt.request.base_url}/Immunization/{record.id}",
        "resource": codec.Written(patient_url.encode().join(_shown_parts(record))),
        "search": {"mode": "match"},
    }


_PATIENT_URL = token_hex(16)
"""What stands where the patient's URL goes, in a record that is kept as it is shown; no record has it."""


def _shown_parts(record: Record) -> list[bytes]:
    """A record as a search shows it, in the pieces between which the patient's URL goes; made once for each version."""
    kept: list[bytes] | None = record.__dict__.get("_shown")
    if kept is None:
        shown = codec.dumps(_shown(record, codec.loads(record.body), _PATIENT_URL))
        kept = record.__dict__["_shown"] = shown.split(_PATIENT_URL.encode())
    return kept


def _included(record: Record) -> codec.Written:
    """The patient of a record as a search shows it; made once for each version."""
    kept: codec.Written | None = record.__dict__.get("_included")
    if kept is None:
        kept = record.__dict__["_included"] = codec.Written(codec.dumps(_patient(codec.loads(record.body))))
    return kept


def _contained(body: Mapping[str, Any], resource_type: str) -> dict[str, Any]:
    found = (item for item in body.get("contained", ()) if item.get("resourceType") == resource_type)
    return next(found, {})


def _shown(record: Record, body: dict[str, Any], patient_url: str) -> dict[str, Any]:
    """A record as a search shows it: nothing contained, the patient by NHS number only."""
    patient, practitioner = _contained(body, "Patient"), _contained(body, "Practitioner")
    numbers = [item for item in patient.get("identifier", ()) if item.get("system") == NHS_NUMBER_SYSTEM]
    shown: dict[str, Any] = {}
    for name, value in body.items():
        if name == "id":
            shown["id"] = value
            shown["meta"] = {"versionId": str(record.version)}
        elif name == "identifier":
            shown[name] = [value[0] if "use" in value[0] else {"use": "official", **value[0]}, *value[1:]]
        elif name == "patient":
            shown[name] = {"reference": patient_url, "type": "Patient"}
            if numbers:
                shown[name]["identifier"] = numbers[0]
        elif name == "performer" and practitioner:
            reference = f"#{practitioner.get('id')}"
            shown[name] = [item for item in value if get(item, ("actor", "reference")) != reference]
        elif name not in ("contained", "meta"):
            shown[name] = value
    return shown


def _patient(body: Mapping[str, Any]) -> dict[str, Any]:
    identifiers = [
        {name: value for name, value in identifier.items() if name in ("system", "value")}
        for identifier in _contained(body, "Patient").get("identifier", ())
    ]
    id = {"id": identifiers[0]["value"]} if identifiers and "value" in identifiers[0] else {}
    return {"resourceType": "Patient", **id, "identifier": identifiers}


def _identifier_bundle(attempt: Attempt, search: Search) -> dict[str, Any]:
    record = found_by_identifier(attempt)
    base = f"{attempt.request.base_url}/Immunization"
    if record is None:
        return _bundle(f"{base}?identifier=None", [], 0)
    elements = sorted(set(search.get(ELEMENTS)))
    link = f"{base}?identifier={search.get('identifier')[0]}" + (f"&_elements={','.join(elements)}" if elements else "")
    if not elements:
        return _bundle(link, [_entry(attempt, record, f"urn:uuid:{new_uuid()}")], 1)
    resource: dict[str, Any] = {"resourceType": "Immunization"}
    if "id" in elements:
        resource["id"] = record.id
    if "meta" in elements:
        resource["meta"] = {"versionId": record.version}
    return _bundle(link, [{"fullUrl": f"{base}/{record.id}", "resource": resource}], 1)
