"""The contained resources of a record, and the references to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mocksandbox.providers.nhs.parts import body_of, contained_resource, items_of
from mocksandbox.providers.nhs.shapes import has_wrong_shapes
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING, get
from mocksandbox.rules.rule import Hit


def contained_resources(attempt: Attempt) -> Iterator[Hit]:
    """`contained` is a list of resources: one Patient, at most one Practitioner, with ids of their own."""
    body = body_of(attempt)
    at, said = "Immunization.contained", {"at": "contained"}
    contained = body.get("contained", MISSING)
    if contained is MISSING:
        yield at, "mandatory", said
    elif not isinstance(contained, list):
        yield at, "must-be-an-array", said
    elif not contained:
        yield at, "must-be-a-non-empty-array", said
    elif (bad := next((item for item in contained if not isinstance(item, dict) or not item), None)) is not None or any(
        item is None for item in contained
    ):
        yield at, "must-be-an-array-of-non-empty-objects" if bad == {} else "must-be-an-array-of-objects", said
    elif any(item.get("resourceType") is None for item in contained):
        index = next(i for i, item in enumerate(contained) if item.get("resourceType") is None)
        yield f"{at}[{index}].resourceType", "contained-needs-resource-type", {}
    else:
        yield from _counts(contained) or _ids(contained)


def _counts(contained: list[dict[str, Any]]) -> list[Hit]:
    types = [item["resourceType"] for item in contained]
    hits: list[Hit] = []
    if any(kind not in ("Patient", "Practitioner") for kind in types):
        hits.append(("Immunization.contained", "contained-other-resources", {}))
    if types.count("Patient") != 1:
        hits.append(("Immunization.contained", "contained-not-one-patient", {}))
    if types.count("Practitioner") > 1:
        hits.append(("Immunization.contained", "contained-two-practitioners", {}))
    return hits


def _ids(contained: list[dict[str, Any]]) -> list[Hit]:
    ids = {item["resourceType"]: (index, item.get("id")) for index, item in enumerate(contained)}
    patient_at, patient_id = ids["Patient"]
    if patient_id is None:
        return [(f"Immunization.contained[{patient_at}].id", "contained-needs-id", {"resource": "Patient"})]
    if "Practitioner" not in ids:
        return []
    at, practitioner_id = ids["Practitioner"]
    if practitioner_id is None:
        return [(f"Immunization.contained[{at}].id", "contained-needs-id", {"resource": "Practitioner"})]
    if patient_id == practitioner_id:
        return [(f"Immunization.contained[{at}].id", "contained-same-ids", {})]
    return []


def patient_reference(attempt: Attempt) -> Iterable[Hit]:
    """`patient` refers to the contained Patient."""
    body = body_of(attempt)
    patient = body.get("patient", {})
    if not isinstance(patient, dict):
        return ()  # nhs/wrong-shape says so
    reference = patient.get("reference")
    if not isinstance(reference, str) or not reference.startswith("#"):
        return (("Immunization.patient.reference", "patient-not-referenced", {}),)
    contained = contained_resource(body, "Patient")
    id = contained[1].get("id") if contained else None
    if isinstance(id, str) and f"#{id}" != reference:
        return (("Immunization.patient.reference", "patient-reference-differs", {"reference": reference}),)
    return ()


def performer_references(attempt: Attempt) -> Iterable[Hit]:
    """A contained Practitioner is referred to exactly once by the performers, and nothing else contained is."""
    body = body_of(attempt)
    performers = items_of(body.get("performer"))
    references = [get(performer, ("actor", "reference")) for performer in performers]
    internal = [value for value in references if isinstance(value, str) and value.startswith("#")]
    contained = contained_resource(body, "Practitioner")
    at = "Immunization.performer"
    if contained is None:
        if internal:
            return ((at, "performer-reference-without-practitioner", {}),)
        return ()
    if has_wrong_shapes(attempt, "performer"):
        return ()  # nhs/wrong-shape says so
    id = str(contained[1].get("id"))
    if any(reference != f"#{id}" for reference in internal):
        return ((at, "performer-reference-differs", {}),)
    elif not internal:
        return ((at, "practitioner-not-referenced", {"id": id}),)
    elif len(internal) > 1:
        return ((at, "practitioner-referenced-twice", {"id": id}),)
    return ()


def one_organization(attempt: Attempt) -> Iterable[Hit]:
    """Exactly one performer is an Organization."""
    body = body_of(attempt)
    if has_wrong_shapes(attempt, "performer"):
        return ()
    kinds = [get(performer, ("actor", "type")) for performer in items_of(body.get("performer"))]
    if kinds.count("Organization") != 1:
        return (("Immunization.performer", "not-one-organization", {}),)
    return ()
