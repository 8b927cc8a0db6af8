"""R4's rules about contained resources and what refers to them."""

from __future__ import annotations

from mocksandbox.fhir.strict.breaks import defect
from mocksandbox.fhir.strict.implants import ID, contained, implant
from mocksandbox.fhir.strict.promise import promise

_NORMAL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}
_LEFT = {"resourceType": "Patient", "id": ID, "active": True}

CONTAINED = (
    promise(
        "dangling-contained",
        "What is referred to inside a resource is contained in it",
        "It can be looked up nowhere else.",
        "ref-1",
        "invariant",
        (
            defect("nowhere", implant({"valueReference": {"reference": "#nowhere"}})),
            defect("itself", implant({"valueReference": {"reference": "#"}})),
        ),
    ),
    promise(
        "contained-unreferenced",
        "Every contained resource is referred to, or refers to what contains it",
        "Nobody can tell what it is there for.",
        "dom-3",
        "invariant",
        (defect("alone", contained(_LEFT)),),
    ),
    promise(
        "nested-contained",
        "A contained resource contains no others",
        "References by # are to what the outermost resource contains.",
        "dom-2",
        "invariant",
        (defect("patient", implant({**_LEFT, "contained": [{"resourceType": "Patient", "id": "inner", "active": True}]})),),
    ),
    promise(
        "contained-meta",
        "A contained resource has no version and no time of change",
        "It has none but those of the resource that contains it.",
        "dom-4",
        "invariant",
        (
            defect("version", implant({**_LEFT, "meta": {"versionId": "1"}})),
            defect("time", implant({**_LEFT, "meta": {"lastUpdated": "2024-01-01T00:00:00Z"}})),
        ),
    ),
    promise(
        "contained-security",
        "A contained resource has no security label",
        "Labels are read on the resource that contains it.",
        "dom-5",
        "invariant",
        (defect("label", implant({**_LEFT, "meta": {"security": [_NORMAL]}})),),
    ),
)
