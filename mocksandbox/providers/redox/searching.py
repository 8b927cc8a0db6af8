"""Searching what has arrived at a destination: the parameters of a form, and which records they fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

from mocksandbox.exchange import FORM
from mocksandbox.fhir.search.spans import COMPARE, Span, around, span_in, span_of
from mocksandbox.fhir.stored import shown
from mocksandbox.providers.redox.acknowledgement import resource_base
from mocksandbox.providers.redox.delivery import DELIVERY, Delivery, has_arrived
from mocksandbox.providers.redox.parts import identifiers, main_type, of_type
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.rules.places import get
from mocksandbox.store import Partition

PATIENT, IDENTIFIER, DATE, STATUS = "patient", "patient.identifier", "date", "status"
PARAMETERS = (PATIENT, IDENTIFIER, DATE, STATUS)

MOST_PARAMETERS, MOST_VALUES = 100, 1_000
"""The most parameters of one search, and the most values of them together: every record is held against each."""

STATUSES: Mapping[str, tuple[str, ...]] = {
    "Immunization": ("completed", "entered-in-error", "not-done"),
    "Encounter": (
        "planned",
        "arrived",
        "triaged",
        "in-progress",
        "onleave",
        "finished",
        "cancelled",
        "entered-in-error",
        "unknown",
    ),
}
"""The statuses that each resource can have (FHIR R4, required bindings)."""

_PATIENT_OF = {"Immunization": "patient", "Encounter": "subject"}


def asked(attempt: Attempt) -> list[tuple[str, str]]:
    """What is searched for: the parameters of the form and of the query that are known, in order, repeats kept."""
    request = attempt.request
    form = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True) if request.media_type == FORM else []
    return [(name, value) for name, value in (*form, *request.query) if name in PARAMETERS]


def day_asked(text: str) -> tuple[str, Span] | None:
    """The prefix (`eq` when there is none) and the span of a date that is searched for; None for what is no date."""
    prefix = text[:2] if text[:2] in COMPARE else ""
    span = span_of(text[len(prefix) :])
    return (prefix or "eq", span) if span else None


def record_keys(attempt: Attempt, queue: str, resource: Mapping[str, Any], made: Delivery) -> dict[str, str]:
    """What a record is found by: its queue and identifier, the patient that it names, and the delivery that brings it."""
    known = next(iter(identifiers(resource)), None)
    named = get(resource, (_PATIENT_OF[main_type(attempt)], "reference"))
    return {
        "queue": queue,
        **({"identifier": f"{queue} {known[0]}|{known[1]}"} if known else {}),
        **({"patient": named.rpartition("/")[2]} if isinstance(named, str) else {}),
        "delivery": made.id,
        "delivered": made.at,
    }


def patients_of(attempt: Attempt) -> list[str]:
    """The ids and identifiers of the patients of a message. All that it brings is found by them, for the patient that a
    resource names is often none of them. They are kept once, with the delivery: there may be many, of many resources.
    """
    patients = [patient for _, patient in of_type(attempt, "Patient")]
    ids = [str(patient["id"]) for patient in patients if isinstance(patient.get("id"), str)]
    tokens = [f"{system}|{value}" for patient in patients for system, value in identifiers(patient)]
    return list(dict.fromkeys([*ids, *tokens]))


class _Patients:
    """The ids and identifiers that a message's patients are found by."""

    def __init__(self, told: Iterable[str]) -> None:
        self.ids = frozenset(told)
        # A bar stands between system and value; what has none is an id.
        split = [(system, value) for system, bar, value in (each.rpartition("|") for each in self.ids) if bar]
        self.tokens = frozenset(split)
        self.systems = frozenset(system for system, _ in split)
        self.values = frozenset(value for _, value in split)

    def have(self, text: str) -> bool:
        """Whether one has an identifier: `system|value`, `system|`, `|value` for one without system, or `value`."""
        system, bar, value = text.rpartition("|")
        if bar:
            return (system, value) in self.tokens if value else system in self.systems
        return value in self.values if value else bool(self.tokens)


def found_bundle(attempt: Attempt, records: Partition, queue: str) -> dict[str, Any]:
    """The searchset of what fits: each record in the newest version that has arrived."""
    kind, base, wanted = main_type(attempt), resource_base(attempt), asked(attempt)
    known: dict[str, _Patients] = {}
    parts = [(name, value.split(",")) for name, value in dict.fromkeys(wanted)]
    fitting = [
        (record, body)
        for record, body in _arrived(attempt, records, kind, queue)
        if _fits(attempt, record, body, _patients(records, record, known), parts)
    ]
    entries = [
        {"fullUrl": f"{base}/{kind}/{record.id}", "resource": body, "search": {"mode": "match"}} for record, body in fitting
    ]
    link = f"{base}/{kind}" + (f"?{urlencode(wanted)}" if wanted else "")
    return {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "type": "searchset",
        "total": len(entries),
        "link": [{"relation": "self", "url": link}],
        **({"entry": entries} if entries else {}),
    }


def _arrived(attempt: Attempt, records: Partition, kind: str, queue: str) -> Iterator[tuple[Record, dict[str, Any]]]:
    for newest in records.find(kind, "queue", queue):
        versions: Iterable[Record] = (newest,)
        if not has_arrived(newest, attempt.now):
            versions = reversed(records.versions(kind, newest.id))
        record = next((version for version in versions if has_arrived(version, attempt.now)), None)
        if record is not None:
            yield record, shown(record)


def _patients(records: Partition, record: Record, known: dict[str, _Patients]) -> _Patients:
    """The patients of the message that brought a record; `known` are those of the deliveries that were looked at."""
    id = record.keys.get("delivery")
    if id is None:  # a seed, which says them itself
        return _Patients(record.keys.get("patients", "").split("\n"))
    found = known.get(id)
    if found is None:
        log = records.get(DELIVERY, id)
        found = known[id] = _Patients(log.json().get("patients", ()) if log else ())
    return found


def _fits(
    attempt: Attempt,
    record: Record,
    body: dict[str, Any],
    patients: _Patients,
    wanted: Iterable[tuple[str, Sequence[str]]],
) -> bool:
    named = record.keys.get("patient")
    tests: Mapping[str, Callable[[str], bool]] = {
        PATIENT: lambda text: (id := text.rpartition("/")[2]) == named or id in patients.ids,
        IDENTIFIER: patients.have,
        DATE: lambda text: _is_on(attempt, body, text),
        STATUS: lambda text: text == body.get("status"),
    }
    # A comma means or, a repeated parameter and (FHIR R4, Search).
    return all(any(map(tests[name], parts)) for name, parts in wanted)


def _is_on(attempt: Attempt, body: dict[str, Any], text: str) -> bool:
    day = day_asked(text)
    moment = span_in(body.get("occurrenceDateTime" if main_type(attempt) == "Immunization" else "period"))
    if day is None or moment is None:
        return False
    prefix, span = day
    return COMPARE[prefix](around(span, attempt.now) if prefix == "ap" else span, moment)
