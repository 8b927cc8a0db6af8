"""A message Bundle and the path that it is sent to, read without minding what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mocksandbox.contract import Match
from mocksandbox.resources import contracts_root
from mocksandbox.rules.attempt import Attempt

FOLDER = contracts_root() / "redox"
BASE_PATH = "/fhir/R4"
FHIR_JSON = "application/fhir+json"

IMMUNIZATION_WRITE, ENCOUNTER_WRITE = "immunizationWrite", "encounterWrite"
IMMUNIZATION_SEARCH, ENCOUNTER_SEARCH = "immunizationSearch", "encounterSearch"
WRITES = frozenset({IMMUNIZATION_WRITE, ENCOUNTER_WRITE})
SEARCHES = frozenset({IMMUNIZATION_SEARCH, ENCOUNTER_SEARCH})

MAIN = {
    IMMUNIZATION_WRITE: "Immunization",
    IMMUNIZATION_SEARCH: "Immunization",
    ENCOUNTER_WRITE: "Encounter",
    ENCOUNTER_SEARCH: "Encounter",
}
"""The type of resource that each operation is about."""

EVENTS = {IMMUNIZATION_WRITE: "Immunization-New", ENCOUNTER_WRITE: "Encounter-New"}
"""The event code of each message. There is one for new and for updated details."""

EVENT_SYSTEM = "urn:redox:event-type"

Placed = tuple[int, dict[str, Any]]
"""A resource of the Bundle with the number of its entry."""


def main_type(attempt: Attempt) -> str:
    """The type of resource that the operation is about, `""` when there is no operation."""
    return MAIN[attempt.operation.id] if attempt.operation else ""


def place(attempt: Attempt) -> tuple[str, str]:
    """The destination and the environment that the path names."""
    named = attempt.match.parameters if isinstance(attempt.match, Match) else {}
    return named.get("destinationSlug", ""), named.get("environmentFlag", "")


def entries(attempt: Attempt) -> list[Any] | None:
    """The entries of the Bundle, whatever they are; None when there is no list of them."""
    listed = attempt.body.get("entry") if isinstance(attempt.body, dict) else None
    return listed if isinstance(listed, list) else None


def resources(attempt: Attempt) -> Sequence[Placed]:
    """The resources of the Bundle, each an object that says its type; none at all unless every entry has one, so that what is
    wrong with the Bundle's form is not told again as missing contents.
    """
    listed = entries(attempt)
    found = [(index, entry["resource"]) for index, entry in enumerate(listed or ()) if _has_resource(entry)]
    return found if listed and len(found) == len(listed) else ()


def _has_resource(entry: Any) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and isinstance(resource.get("resourceType"), str)


def of_type(attempt: Attempt, resource_type: str) -> list[Placed]:
    """The Bundle's resources of a type."""
    return [(index, resource) for index, resource in resources(attempt) if resource["resourceType"] == resource_type]


def message_header(attempt: Attempt) -> Placed | None:
    """The Bundle's first MessageHeader, wherever it stands."""
    return next(iter(of_type(attempt, "MessageHeader")), None)


def identifiers(resource: Any) -> Iterator[tuple[str, str]]:
    """The identifiers of a resource that have a value: the system (`""` for none) and the value."""
    listed = resource.get("identifier") if isinstance(resource, dict) else None
    for item in listed if isinstance(listed, list) else ():
        system, value = (item.get("system"), item.get("value")) if isinstance(item, dict) else (None, None)
        if isinstance(value, str) and value:
            yield (system if isinstance(system, str) else ""), value


def preference(attempt: Attempt, name: str) -> str:
    """What the header Prefer says of a name (RFC 7240), in lower case; `""` when it says nothing."""
    for part in attempt.request.headers.get("Prefer", "").replace(";", ",").split(","):
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"').lower()
    return ""
