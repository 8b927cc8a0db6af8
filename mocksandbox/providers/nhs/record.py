"""The checks of the record as a whole: its elements, what stops the service at once, FHIR itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mocksandbox.fhir import Problem, read_resource
from mocksandbox.providers.nhs.fields import fields, number_of, values_of
from mocksandbox.providers.nhs.parts import body_of, items_of, walked_by_service
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING, fhirpath, get
from mocksandbox.rules.rule import Hit

ALLOWED: Mapping[str, frozenset[str]] = {
    "Immunization": frozenset(
        [
            "resourceType",
            "meta",
            "narrative",
            "contained",
            "id",
            "extension",
            "identifier",
            "status",
            "vaccineCode",
            "patient",
            "occurrenceDateTime",
            "recorded",
            "primarySource",
            "manufacturer",
            "location",
            "lotNumber",
            "expirationDate",
            "site",
            "route",
            "doseQuantity",
            "performer",
            "reasonCode",
            "protocolApplied",
        ]
    ),
    "Patient": frozenset(["resourceType", "id", "identifier", "name", "gender", "birthDate", "address"]),
    "Practitioner": frozenset(["resourceType", "id", "name"]),
}
"""The elements that the service takes (observed, B6)."""


def resource_type(attempt: Attempt) -> Iterable[Hit]:
    """`resourceType` is Immunization."""
    if body_of(attempt).get("resourceType") != "Immunization":
        return (("Immunization.resourceType", "wrong-resource-type", {}),)
    return ()


def unknown_elements(attempt: Attempt) -> Sequence[Hit]:
    """Only elements that the service takes, in the record and in the contained resources."""
    body = body_of(attempt)
    hits: list[Hit] = []
    if not ALLOWED["Immunization"].issuperset(body):
        hits += _unknown(body, "Immunization", "Immunization")
    for index, resource in enumerate(items_of(body.get("contained"))):
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if kind in _CONTAINED and not ALLOWED[kind].issuperset(resource):
            hits += _unknown(resource, f"Immunization.contained[{index}]", kind)
    return hits


_CONTAINED = ("Patient", "Practitioner")


def _unknown(resource: Mapping[str, Any], at: str, kind: str) -> Iterator[Hit]:
    for key in resource:
        if key not in ALLOWED[kind]:
            yield f"{at}.{key}", "not-an-allowed-element", {"element": key, "resource": kind}


_FIRST_EXTENSION = number_of(f"{fields()['patient-identifiers'].path}[0].extension")


def identifier_extension(attempt: Attempt) -> Iterable[Hit]:
    """The patient's identifier carries no extension."""
    return _extensions(attempt) if values_of(attempt)[_FIRST_EXTENSION] else ()


def _extensions(attempt: Attempt) -> Iterator[Hit]:
    for found in fields()["patient-identifiers"].present(body_of(attempt)):
        first = get(found.value, (0,))
        if isinstance(first, dict) and "extension" in first:
            field = fields()["patient-identifiers"]
            at = f"{field.at(found)}[0].extension"
            yield at, "must-not-include-an-extension", {"at": f"{field.spelled(found)}[0]"}


def code_with_system(attempt: Attempt) -> Iterable[Hit]:
    """A dose's code comes with its system."""
    dose = body_of(attempt).get("doseQuantity")
    if isinstance(dose, dict) and dose.get("code") is not None and dose.get("system") is None:
        return (("Immunization.doseQuantity.system", "code-needs-system", {}),)
    return ()


def identifier_missing(attempt: Attempt) -> Iterable[Hit]:
    """The record has an identifier."""
    if "identifier" not in body_of(attempt):
        return (("Immunization.identifier", "mandatory", {"at": "identifier"}),)
    return ()


def procedure_missing(attempt: Attempt) -> Iterable[Hit]:
    """The record has an extension with the procedure's codings."""
    extensions = body_of(attempt).get("extension", MISSING)
    return () if type(extensions) is list and all(map(_has_codings, extensions)) else _procedure_faults(extensions)


def _has_codings(extension: Any) -> bool:
    concept = extension.get("valueCodeableConcept") if type(extension) is dict else None
    return type(concept) is dict and "coding" in concept


def _procedure_faults(extensions: Any) -> Iterator[Hit]:
    field = fields()["procedure-code"]
    if extensions is MISSING:
        yield "Immunization.extension", "mandatory", {"at": "extension"}
        return
    concept = field.says.partition(".coding")[0]
    # A string is a list of characters to the service, and an object the list of its keys; neither holds a concept.
    for index, extension in enumerate(walked_by_service(extensions)):
        at = f"Immunization.extension[{index}].valueCodeableConcept"
        if not isinstance(extension, (dict, list, str)):
            return  # nhs/wrong-shape says so
        if "valueCodeableConcept" not in extension:
            yield at, "mandatory", {"at": concept}
            return
        if not isinstance(extension, dict):
            return
        value: Any = extension["valueCodeableConcept"]
        if isinstance(value, (dict, list, str)) and "coding" not in value:
            yield f"{at}.coding", "mandatory", {"at": f"{concept}.coding"}
            return


def read_once(attempt: Attempt) -> tuple[dict[str, Any], list[Problem]]:
    """The record as the FHIR library reads it, with the problems; read once for each attempt."""
    kept = attempt.__dict__.get("_read")
    if kept is None:
        kept = attempt.__dict__["_read"] = read_resource(body_of(attempt), "Immunization")
    return kept


def not_fhir(attempt: Attempt) -> Iterable[Hit]:
    """The record is a FHIR R4 Immunization, as the service's FHIR library reads one."""
    if body_of(attempt).get("resourceType") != "Immunization":
        return ()
    problems = read_once(attempt)[1]
    return _told(problems) if problems else ()


def _told(problems: Sequence[Problem]) -> Iterator[Hit]:
    for path, problem in problems:
        yield fhirpath(path, "Immunization"), "not-fhir", {"at": fhirpath(path) or "The record", "problem": problem}
