"""What R4 advises, or leaves open, and a sender should know: these rules refuse nothing."""

from __future__ import annotations

from decimal import Decimal

from mocksandbox.fhir.strict import breaks as by
from mocksandbox.fhir.strict.breaks import defect
from mocksandbox.fhir.strict.implants import ID, contained, implant
from mocksandbox.fhir.strict.promise import promise

ADVICE = (
    promise(
        "no-narrative",
        "A resource has a narrative",
        "It is all that people see who have no program for the resource.",
        "dom-6",
        "invariant",
        (defect("absent", by.without_text),),
        "warning",
    ),
    promise(
        "blank-string",
        "A string has something other than white space",
        "It looks as if there were a value, and there is none.",
        "datatypes.html#string",
        "value",
        (defect("spaces", by.set_first(by.plain_text, "   ")),),
        "warning",
    ),
    promise(
        "control-character",
        "A string has no control characters but tab, line feed and carriage return",
        "XML cannot carry them, so that the resource cannot be turned into XML.",
        "datatypes.html#string",
        "value",
        (defect("nul", by.set_first(by.plain_text, "x\x00")), defect("bell", by.set_first(by.plain_text, "x\x07"))),
        "warning",
    ),
    promise(
        "huge-decimal",
        "A decimal is one that programs can keep",
        "Most programs read it as infinite, or as zero.",
        "datatypes.html#decimal",
        "value",
        (
            defect("1e999", implant({"valueDecimal": Decimal("1E+999")})),
            defect("1e-999", implant({"valueDecimal": Decimal("1E-999")})),
        ),
        "warning",
    ),
    promise(
        "typeless-reference",
        "A relative reference is a type and an id",
        "Nobody can tell what any other one leads to.",
        "references.html#literal",
        "value",
        (
            defect("type-alone", implant({"valueReference": {"reference": "Patient"}})),
            defect("query", implant({"valueReference": {"reference": "a/b/c"}})),
        ),
        "warning",
    ),
    promise(
        "contained-id",
        "Every contained resource has an id of its own",
        "It is referred to by its id alone.",
        "references.html#contained",
        "value",
        (
            defect("absent", contained({"resourceType": "Patient", "active": True})),
            defect("twice", by.contained_twice),
        ),
        "warning",
    ),
    promise(
        "not-in-extensible-value-set",
        "A code is from an extensible value set where that has a fitting one",
        "Receivers know these codes best; others may mean what one of these means.",
        "terminologies.html#extensible",
        "code-invalid",
        (
            defect(
                "other-system",
                contained(
                    {
                        "resourceType": "Patient",
                        "id": ID,
                        "maritalStatus": {"coding": [{"system": "http://example.org/x", "code": "M"}]},
                    },
                    f"#{ID}",
                ),
            ),
        ),
        "warning",
    ),
    promise(
        "unknown-code",
        "A code of a code system that R4 publishes is one that this has",
        "It is misspelt, or of a later version that receivers may not know.",
        "codesystem.html",
        "code-invalid",
        (
            defect(
                "misspelt",
                implant({"valueCoding": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActSite", "code": "LEFT"}}),
            ),
        ),
        "warning",
    ),
    promise(
        "not-a-time",
        "A duration is counted in a unit of time",
        "m is the metre; the minute is min.",
        "drt-1",
        "code-invalid",
        (defect("metre", implant({"valueDuration": {"value": 15, "system": "http://unitsofmeasure.org", "code": "m"}})),),
        "warning",
    ),
)
