"""R4's rules about the JSON of a resource: its types, which elements there are, and how often."""

from __future__ import annotations

from decimal import Decimal

from mocksandbox.fhir.strict import breaks as by
from mocksandbox.fhir.strict.breaks import defect
from mocksandbox.fhir.strict.implants import ID, contained, implant
from mocksandbox.fhir.strict.promise import promise
from mocksandbox.fhir.strict.spots import at_first, to_first

_AMBULATORY = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
_ENCOUNTER = {"resourceType": "Encounter", "id": ID, "class": _AMBULATORY}
_SILENT = {"extension": [{"url": "http://example.org/x", "valueString": "x"}]}
_UNEVEN = {"resourceType": "Patient", "id": ID, "name": [{"given": ["A"], "_given": [None, _SILENT]}]}
_AGE = {"system": "http://terminology.hl7.org/CodeSystem/usage-context-type", "code": "age"}
_MOMENT = by.of_type("dateTime", "date", "instant")

STRUCTURE = (
    promise(
        "not-a-resource",
        "A resource is of a type that R4 has",
        "Nothing else can be said of a resource whose type is not known.",
        "json.html#resources",
        "structure",
        (
            defect("without-type", by.without("resourceType")),
            defect("unknown-type", by.set_at(("resourceType",), "Vaccination")),
            defect("lower-case", lambda resource: {**resource, "resourceType": resource["resourceType"].lower()}),
            defect("contained-without-type", contained({"id": ID}, f"#{ID}")),
        ),
    ),
    promise(
        "unknown-element",
        "An object has no elements but those of its type",
        "A name that is not known is a misspelling, or means something that the receiver does not know and will lose.",
        "json.html",
        "structure",
        (
            defect("new-name", by.set_at(("vaccinator",), "x")),
            defect("of-release-5", by.of_release_5),
            defect("comments", by.set_at(("fhir_comments",), ["x"])),
            defect("in-a-part", at_first(by.plain_object, lambda value: {**value, "remark": "x"})),
            defect("sibling-of-an-object", to_first(by.plain_object, lambda spot: (f"_{spot.element.name}", {"id": "x"}))),
        ),
    ),
    promise(
        "missing-element",
        "Every element that a type must have is there",
        "What must be there is what the resource cannot be understood without.",
        "conformance-rules.html#cardinality",
        "required",
        (
            defect("absent", by.without_first(by.in_itself(by.needed))),
            defect("absent-in-a-part", by.without_first(by.in_a_part(by.needed))),
            defect("absent-in-a-contained-resource", contained(_ENCOUNTER, f"#{ID}")),
        ),
    ),
    promise(
        "missing-choice",
        "One of the elements of a choice that must be there is there",
        "What must be there is what the resource cannot be understood without.",
        "formats.html#choice",
        "required",
        (
            defect("absent", by.without_first(lambda spot: bool(spot.element.choice) and spot.element.needed)),
            defect("absent-in-an-extension", implant({"valueUsageContext": {"code": _AGE}})),
        ),
    ),
    promise(
        "two-choices",
        "Only one of the elements of a choice is there",
        "They are one element, and nobody knows which value counts.",
        "formats.html#choice",
        "structure",
        (defect("both", to_first(by.has_second_choice, by.second_choice)),),
    ),
    promise(
        "wrong-type",
        "Every value is of its element's type in JSON",
        "Readers stop at a string where a number is to be, or make something else of it.",
        "json.html#primitive",
        "structure",
        (
            defect("number-for-text", by.set_first(by.plain_text, 5)),
            defect("boolean-for-text", by.set_first(by.plain_text, True)),
            defect("object-for-text", by.set_first(by.plain_text, {"value": "x"})),
            defect("number-for-a-date", by.set_first(_MOMENT, 20240101)),
            defect("text-for-an-object", by.set_first(by.plain_object, "x")),
            defect("text-in-a-list-of-objects", at_first(by.plain_list, lambda value: [*value, "x"])),
            defect("list-in-a-list", at_first(by.plain_list, lambda value: [value])),
            defect("text-for-a-boolean", at_first(by.of_type("boolean"), lambda value: str(value).lower())),
            defect("number-for-a-boolean", by.set_first(by.of_type("boolean"), 1)),
            defect("text-for-a-whole-number", at_first(by.of_type("positiveInt", "unsignedInt"), str)),
            defect("point-in-a-whole-number", by.set_first(by.of_type("positiveInt", "unsignedInt"), Decimal("1.0"))),
            defect("text-for-a-decimal", at_first(by.of_type("decimal"), str)),
        ),
    ),
    promise(
        "null",
        "No value is null, but in a list beside extensions",
        "JSON's null has no meaning in FHIR; what has no value is left out.",
        "json.html#null",
        "structure",
        (
            defect("text", by.set_first(by.plain_text, None)),
            defect("object", by.set_first(by.plain_object, None)),
            defect("list", by.set_first(by.plain_list, None)),
            defect("in-a-list", at_first(by.plain_list, lambda value: [*value, None])),
            defect("in-a-list-of-texts", at_first(by.plain_texts, lambda value: [*value, None])),
            defect("unknown-sibling", to_first(by.plain_text, lambda spot: (f"_{spot.element.name}", None))),
        ),
    ),
    promise(
        "empty-element",
        "No string, list or object is empty",
        "What is empty says nothing; what has no value is left out.",
        "ele-1",
        "invariant",
        (
            defect("text", by.set_first(by.plain_text, "")),
            defect("object", by.set_first(by.plain_object, {})),
            defect("list", by.set_first(by.plain_list, [])),
            defect("object-in-a-list", at_first(by.plain_list, lambda value: [*value, {}])),
            defect("only-an-id", by.set_first(by.plain_object, {"id": "x"})),
            defect("sibling", to_first(by.plain_text, lambda spot: (f"_{spot.element.name}", {}))),
        ),
    ),
    promise(
        "not-a-list",
        "What may be there more than once is a list, even of one",
        "Readers expect a list, whatever is in it.",
        "json.html#repeating",
        "structure",
        (
            defect("object", at_first(by.plain_list, lambda value: value[0])),
            defect("text", by.set_first(by.plain_list, "x")),
        ),
    ),
    promise(
        "a-list",
        "What may be there once is no list",
        "Readers expect one value.",
        "json.html#repeating",
        "structure",
        (
            defect("object", at_first(by.plain_object, lambda value: [value])),
            defect("text", at_first(by.plain_text, lambda value: [value])),
            defect("empty", by.set_first(by.plain_text, [])),
        ),
    ),
    promise(
        "uneven-lists",
        "A list of values and the list of their siblings are as long as each other",
        "Which extensions are of which value is told by their place alone.",
        "json.html#primitive",
        "structure",
        (defect("longer", contained(_UNEVEN, f"#{ID}")),),
    ),
    promise(
        "too-deep",
        "Objects stand in one another to a hundred levels at most",
        "Such a resource is made to bring down its readers.",
        "extensibility.html",
        "too-costly",
        (defect("extensions", by.nested(120)),),
    ),
)
