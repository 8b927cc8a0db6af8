"""The contained resources of a record, and the references to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mocksandbox.providers.nhs.fields import number_of, values_of
from mocksandbox.providers.nhs.parts import body_of
from mocksandbox.providers.nhs.shapes import has_wrong_shapes
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING
from mocksandbox.rules.rule import Hit

_PATIENT_ID = number_of("contained[?resourceType=Patient].id")
_PRACTITIONER = number_of("contained[?resourceType=Practitioner]")
_REFERENCES = number_of("performer[*].actor.reference")
_KINDS = number_of("performer[*].actor.type")


def contained_resources(attempt: Attempt) -> Iterable[Hit]:
    """`contained` is a list of resources: one Patient, at most one Practitioner, with ids of their own."""
    contained = body_of(attempt).get("contained", MISSING)
    return () if _is_plain(contained) else _faults(contained)


def _is_plain(contained: Any) -> bool:
    """Whether it is a list of a Patient and a Practitioner, each with an id of its own, in which nothing can be wrong."""
    if type(contained) is not list or len(contained) != 2:
        return False
    one, other = contained
    if type(one) is not dict or type(other) is not dict:
        return False
    kinds, ids = (one.get("resourceType"), other.get("resourceType")), (one.get("id"), other.get("id"))
    return kinds in _PAIRS and None not in ids and ids[0] != ids[1]


_PAIRS = (("Patient", "Practitioner"), ("Practitioner", "Patient"))


def _faults(contained: Any) -> Iterator[Hit]:
    at, said = "Immunization.contained", {"at": "contained"}
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
    for id in values_of(attempt)[_PATIENT_ID]:
        if isinstance(id, str) and f"#{id}" != reference:
            return (("Immunization.patient.reference", "patient-reference-differs", {"reference": reference}),)
    return ()


def performer_references(attempt: Attempt) -> Iterable[Hit]:
    """A contained Practitioner is referred to exactly once by the performers, and nothing else contained is."""
    values = values_of(attempt)
    internal = [value for value in values[_REFERENCES] if isinstance(value, str) and value.startswith("#")]
    at = "Immunization.performer"
    if not values[_PRACTITIONER]:
        if internal:
            return ((at, "performer-reference-without-practitioner", {}),)
        return ()
    id = str(values[_PRACTITIONER][0].get("id"))
    if internal == [f"#{id}"] or has_wrong_shapes(attempt, "performer"):
        return ()  # of wrong shapes nhs/wrong-shape tells
    if any(reference != f"#{id}" for reference in internal):
        return ((at, "performer-reference-differs", {}),)
    elif not internal:
        return ((at, "practitioner-not-referenced", {"id": id}),)
    elif len(internal) > 1:
        return ((at, "practitioner-referenced-twice", {"id": id}),)
    return ()


def one_organization(attempt: Attempt) -> Iterable[Hit]:
    """Exactly one performer is an Organization."""
    if values_of(attempt)[_KINDS].count("Organization") != 1 and not has_wrong_shapes(attempt, "performer"):
        return (("Immunization.performer", "not-one-organization", {}),)
    return ()
