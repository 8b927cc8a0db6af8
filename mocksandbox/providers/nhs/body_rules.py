"""The rules about the record that is sent, in the order in which the service looks.

What is wrong in an earlier stage hides everything later: first the contained resources, then the identifier and the procedure
(whose absence stops the service at once), then every single value, then FHIR itself, the combination of diseases, and last
what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from mocksandbox.providers.nhs import checks, contained, diseases, moments, record
from mocksandbox.providers.nhs import defects as by
from mocksandbox.providers.nhs.checks import NOT_FHIR
from mocksandbox.providers.nhs.parts import NHS_NUMBER_SYSTEM, PROCEDURE_URL, SNOMED
from mocksandbox.providers.nhs.promise import OF_RECORDS, OF_VALUES, mandatory, promise, value
from mocksandbox.providers.nhs.shapes import wrong_shapes
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING, get, put
from mocksandbox.rules.rule import Hit, Rule

SCHEMA = "http/schema"
_SCHEMA = "openapi.json#/paths/~1Immunization/post/requestBody/content/application~1fhir+json/schema/properties"

# What is broken with it when the contained patient cannot be found, or the organization, or the disease.
_NO_PATIENT = (
    "nhs/missing-patient-given-names",
    "nhs/missing-patient-family-name",
    "nhs/missing-birth-date",
    "nhs/missing-gender",
    "nhs/missing-postal-code",
)
_REFERENCES = "nhs/bad-performer-references"
_NO_CONTAINED = (*_NO_PATIENT, _REFERENCES, SCHEMA)
_NO_ORGANIZATION = ("nhs/missing-organization-code", "nhs/missing-organization-system")
_NO_IDENTIFIER = ("nhs/missing-identifier-value", "nhs/missing-identifier-system", "nhs/identifier-changed")
_NO_CODE = "nhs/missing-disease-code"
_CHANGED = {"*": ("nhs/identifier-changed",)}


def _null(*also: str) -> Mapping[str, tuple[str, ...]]:
    """What a null in place of a value breaks too: it counts as missing."""
    return {"null": also}


def _lost(*also: str) -> Mapping[str, tuple[str, ...]]:
    """What is broken too when a list cannot be read: all that is asked of its items."""
    unreadable = ("null", "text", "number", "boolean", "object", "unwrapped", "empty", "text-item", "empty-object")
    return dict.fromkeys(unreadable, also)


def _less(resource: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: item for key, item in resource.items() if key not in keys}


def _twice(resource_type: str) -> Any:
    def edit(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found = next((item for item in items if item["resourceType"] == resource_type), None)
        return [*items, {**found, "id": f"{found['id']}-2"}] if found else items

    return edit


def _same_ids(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**item, "id": "Same1"} for item in items]


CONTAINED = promise(
    "bad-contained",
    "contained holds one Patient, at most one Practitioner, and nothing else",
    "Everything about the patient is read from there; the service looks at nothing else before it is right.",
    f"{_SCHEMA}/contained",
    contained.contained_resources,
    (
        by.without("absent", ("contained",), *_NO_CONTAINED),
        by.set_to("null", ("contained",), None, *_NO_CONTAINED),
        by.set_to("text", ("contained",), "x", NOT_FHIR, *_NO_CONTAINED),
        by.set_to("empty", ("contained",), [], *_NO_CONTAINED),
        by.set_to("text-item", ("contained",), ["x"], NOT_FHIR, *_NO_CONTAINED),
        by.set_to("empty-object", ("contained",), [{}], NOT_FHIR, *_NO_CONTAINED),
        by.in_contained(
            "no-resource-type", "Patient", lambda item: _less(item, "resourceType"), NOT_FHIR, SCHEMA, *_NO_PATIENT
        ),
        by.in_contained("no-patient", "Patient", lambda _: MISSING, *_NO_PATIENT),
        by.body("two-patients", ("contained",), _twice("Patient")),
        by.body("two-practitioners", ("contained",), _twice("Practitioner")),
        by.body(
            "other-resource", ("contained",), lambda items: [*items, {"resourceType": "Group", "id": "g"}], NOT_FHIR, SCHEMA
        ),
        by.in_contained("patient-without-id", "Patient", lambda item: _less(item, "id"), SCHEMA),
        by.in_contained("practitioner-without-id", "Practitioner", lambda item: _less(item, "id"), _REFERENCES, SCHEMA),
        by.body("same-ids", ("contained",), _same_ids, "nhs/bad-patient-reference", _REFERENCES),
    ),
    stage="structure",
)

IDENTIFIER_MISSING = promise(
    "missing-identifier",
    "identifier is there",
    "The supplier's own identifier is what duplicates are found by. Its absence hides every other fault.",
    f"{_SCHEMA}/identifier",
    record.identifier_missing,
    (by.without("absent", ("identifier",), SCHEMA, *_NO_IDENTIFIER),),
    stage="identifier",
)

PROCEDURE_MISSING = promise(
    "missing-procedure",
    "extension has the codings of the vaccination procedure",
    "The procedure is mandatory. Its absence hides every other fault.",
    f"{_SCHEMA}/extension",
    record.procedure_missing,
    (
        by.without("absent", ("extension",), SCHEMA, "nhs/missing-procedure-code"),
        by.without("no-concept", ("extension", 0, "valueCodeableConcept"), SCHEMA, "nhs/missing-procedure-code"),
        by.without("no-codings", ("extension", 0, "valueCodeableConcept", "coding"), SCHEMA, "nhs/missing-procedure-code"),
        by.set_to("text", ("extension",), "x", SCHEMA, "nhs/missing-procedure-code", "nhs/bad-extensions", NOT_FHIR),
    ),
    stage="procedure",
)

RESOURCE_TYPE = promise(
    "wrong-resource-type",
    "resourceType is Immunization",
    "The service takes no other resource.",
    "openapi.json#/paths/~1Immunization/post/description",
    record.resource_type,
    (
        by.without("absent", ("resourceType",), SCHEMA),
        by.set_to("other", ("resourceType",), "Patient", SCHEMA),
        by.set_to("lower-case", ("resourceType",), "immunization", SCHEMA),
        by.set_to("number", ("resourceType",), 5, SCHEMA),
        by.set_to("null", ("resourceType",), None, SCHEMA),
    ),
    stage="values",
)

UNKNOWN_ELEMENT = promise(
    "unknown-element",
    "Only elements that the service takes",
    "The service has its own short list of elements for the record, the Patient and the Practitioner; FHIR has more.",
    "messages.yaml#not-an-allowed-element",
    record.unknown_elements,
    (
        by.set_to("note", ("note",), [{"text": "x"}]),
        by.set_to("text", ("text",), {"status": "generated", "div": "<div/>"}),
        by.set_to("misspelled", ("lotNumer",), "AB12", NOT_FHIR),
        by.in_contained("patient-telecom", "Patient", lambda item: {**item, "telecom": [{"value": "x"}]}),
        by.in_contained("patient-extension", "Patient", lambda item: {**item, "extension": [{"url": "http://x.example"}]}),
        by.in_contained("practitioner-identifier", "Practitioner", lambda item: {**item, "identifier": [{"value": "x"}]}),
    ),
    stage="values",
)

PATIENT_REFERENCE = promise(
    "bad-patient-reference",
    "patient.reference is # and the id of the contained Patient",
    "The record names its patient only by this reference.",
    f"{_SCHEMA}/patient",
    contained.patient_reference,
    (
        by.without("absent", ("patient",), NOT_FHIR, SCHEMA),
        by.without("no-reference", ("patient", "reference"), SCHEMA),
        by.set_to("null", ("patient", "reference"), None, SCHEMA),
        by.set_to("empty", ("patient", "reference"), "", NOT_FHIR),
        by.set_to("number", ("patient", "reference"), 5, SCHEMA),
        by.body("no-hash", ("patient", "reference"), lambda reference: reference.lstrip("#")),
        by.set_to("external", ("patient", "reference"), "Patient/9990000018"),
        by.set_to("other-id", ("patient", "reference"), "#NoSuchPatient"),
    ),
    stage="values",
)


PERFORMER_REFERENCES = promise(
    "bad-performer-references",
    "performer refers to the contained Practitioner exactly once, and to nothing else contained",
    "A practitioner whom nobody refers to, or a reference to nobody, makes the record ambiguous.",
    f"{_SCHEMA}/performer",
    contained.performer_references,
    (
        by.body("twice", ("performer",), lambda items: [*items, *(i for i in items if "reference" in i["actor"])]),
        by.body("not-referenced", ("performer",), lambda items: [i for i in items if "reference" not in i["actor"]]),
        by.body("dangling", ("performer",), lambda items: [*items, {"actor": {"reference": "#NoSuchPractitioner"}}]),
        by.body("to-the-patient", ("performer",), lambda items: [*items, {"actor": {"reference": "#Pat1"}}]),
        by.in_contained("practitioner-removed", "Practitioner", lambda _: MISSING),
    ),
    stage="values",
)


def _with_extension(patient: dict[str, Any]) -> dict[str, Any]:
    if not patient.get("identifier"):
        return patient
    return {**patient, "identifier": [{**patient["identifier"][0], "extension": [{"url": "http://x.example"}]}]}


IDENTIFIER_EXTENSION = promise(
    "patient-identifier-extension",
    "The patient's identifier has no extension",
    "The NHS number verification status is no longer taken.",
    "messages.yaml#must-not-include-an-extension",
    record.identifier_extension,
    (by.in_contained("extension", "Patient", _with_extension),),
    stage="values",
)


PERFORMERS = promise(
    "bad-performers",
    "Exactly one performer has an actor of type Organization",
    "The organization is who answers for the vaccination.",
    f"{_SCHEMA}/performer/items/properties/actor/properties/type",
    contained.one_organization,
    (
        by.body("none", ("performer",), lambda items: [i for i in items if "type" not in i["actor"]], *_NO_ORGANIZATION),
        by.body("two", ("performer",), lambda items: [*items, *(i for i in items if "type" in i["actor"])]),
        by.body("lower-case", ("performer",), lambda items: [_typed(i, "organization") for i in items], *_NO_ORGANIZATION),
        by.body(
            "british-spelling", ("performer",), lambda items: [_typed(i, "Organisation") for i in items], *_NO_ORGANIZATION
        ),
        by.without("absent", ("performer",), _REFERENCES, SCHEMA, *_NO_ORGANIZATION),
    ),
    stage="values",
)


def _typed(performer: dict[str, Any], name: str) -> dict[str, Any]:
    actor = performer["actor"]
    return {**performer, "actor": {**actor, "type": name}} if "type" in actor else performer


TARGET_DISEASES = promise(
    "bad-target-diseases",
    "protocolApplied[0].targetDisease is there, and each element has a coding",
    "The diseases decide the vaccine type, which decides everything else.",
    f"{_SCHEMA}/protocolApplied/items/properties/targetDisease",
    diseases.target_diseases,
    (
        by.without("absent", ("protocolApplied", 0, "targetDisease"), SCHEMA),
        by.without("no-protocol", ("protocolApplied",), SCHEMA),
        by.without("no-coding", ("protocolApplied", 0, "targetDisease", 0, "coding"), _NO_CODE, SCHEMA),
    ),
    stage="values",
)

_DISEASE = ("protocolApplied", 0, "targetDisease", 0)
ONE_SNOMED_CODING = promise(
    "bad-target-disease-codings",
    "Each target disease has exactly one SNOMED CT coding",
    "Two would name two diseases, none no disease.",
    f"{_SCHEMA}/protocolApplied/items/properties/targetDisease/items/properties/coding",
    diseases.one_snomed_coding,
    (
        by.set_to("other-system", (*_DISEASE, "coding", 0, "system"), "http://x.example", _NO_CODE),
        by.without("no-system", (*_DISEASE, "coding", 0, "system"), _NO_CODE, SCHEMA),
        by.set_to("empty", (*_DISEASE, "coding"), [], _NO_CODE),
        by.body("twice", (*_DISEASE, "coding"), lambda codings: [*codings, *codings]),
    ),
    stage="values",
)

CODE_WITH_SYSTEM = promise(
    "dose-code-without-system",
    "doseQuantity.code comes with doseQuantity.system",
    "A code means nothing without its system (FHIR qty-3).",
    "messages.yaml#code-needs-system",
    record.code_with_system,
    (
        by.without("no-system", ("doseQuantity", "system")),
        by.set_to("null-system", ("doseQuantity", "system"), None, "nhs/bad-dose-system"),
    ),
    stage="values",
)

WRONG_SHAPE = promise(
    "wrong-shape",
    "Objects are objects and lists are lists",
    "The service looks inside without asking, and answers with an interpreter's message; here the place is named.",
    "messages.yaml#must-be-an-object",
    wrong_shapes,
    tuple(
        by.set_to(f"{path[-1]}-{name}", path, made, NOT_FHIR, *also)
        for path, also in (
            (("patient",), ()),
            (("performer",), _NO_ORGANIZATION),
            (("manufacturer",), ()),
            (("site",), ()),
            (("route",), ()),
            (("doseQuantity",), ()),
            (("location",), ("nhs/missing-location-code", "nhs/missing-location-system")),
            (("location", "identifier"), ("nhs/missing-location-code", "nhs/missing-location-system")),
            (("reasonCode",), ()),
            (("vaccineCode",), ()),
            ((*_DISEASE, "coding"), (_NO_CODE,)),
            (("protocolApplied", 0), ()),
        )
        for name, made in (("number", 5), ("boolean", True), ("text", "x"))
    ),
    stage="values",
)

_BLANK = "A blank or non-text value is of no use to anybody who reads the record; leave the element out instead."
_ORGANIZATION = "Who answers for the vaccination must be found by the code."


def _dose_number_as_text(body: Any) -> Any:
    """The record with its dose number as a text, of which it may have either."""
    protocol = get(body, ("protocolApplied", 0))
    if not isinstance(protocol, dict):
        return body
    return put(body, ("protocolApplied", 0), {**_less(protocol, "doseNumberPositiveInt"), "doseNumberString": "1"})


VALUES: tuple[Rule[Attempt], ...] = (
    RESOURCE_TYPE,
    UNKNOWN_ELEMENT,
    PATIENT_REFERENCE,
    PERFORMER_REFERENCES,
    IDENTIFIER_EXTENSION,
    value("patient-identifiers", checks.listing(length=1), "The patient has one identifier, the NHS number."),
    value("patient-identifier-system", checks.text("uri"), _BLANK, {"*": ("nhs/wrong-nhs-number-system",)}),
    value(
        "patient-identifier-system",
        checks.equals(NHS_NUMBER_SYSTEM),
        "No other identifier of a patient is taken.",
        id="wrong-nhs-number-system",
    ),
    value("nhs-number", checks.nhs_number(), "A wrong digit files the vaccination under another patient, or none."),
    value(
        "patient-names",
        checks.listing(objects=True),
        "Without a name the patient cannot be told apart.",
        _lost("nhs/missing-patient-given-names", "nhs/missing-patient-family-name"),
    ),
    value(
        "patient-given-names",
        checks.listing(most=5, texts=True, most_characters=180),
        "The demographic service holds no more than five names of 180 characters.",
        _null("nhs/missing-patient-given-names"),
    ),
    value(
        "patient-family-name",
        checks.text(most=35),
        "The demographic service holds no more than 35 characters.",
        _null("nhs/missing-patient-family-name"),
    ),
    value(
        "birth-date",
        moments.day(future=False),
        "The patient is found by it, so it must be a whole date.",
        _null("nhs/missing-birth-date"),
    ),
    value(
        "gender",
        checks.text("code", choices=("male", "female", "other", "unknown")),
        "FHIR has these four codes, in lower case.",
        _null("nhs/missing-gender"),
    ),
    value("patient-addresses", checks.listing(), "An empty list says nothing.", _lost("nhs/missing-postal-code")),
    value("postal-code", checks.text(), _BLANK, _null("nhs/missing-postal-code")),
    value(
        "occurrence",
        moments.moment(british=True),
        "The moment of the vaccination in the United Kingdom's own time.",
        _null(NOT_FHIR),
    ),
    PERFORMERS,
    value("organization-code", checks.text(), _ORGANIZATION, _null("nhs/missing-organization-code")),
    value(
        "identifiers",
        checks.listing(length=1, objects=True),
        "One record has one identifier of its supplier.",
        _lost(*_NO_IDENTIFIER),
    ),
    value(
        "identifier-value", checks.text(), "Duplicates are found by it.", {**_CHANGED, **_null("nhs/missing-identifier-value")}
    ),
    value(
        "identifier-system",
        checks.text("uri"),
        "Duplicates are found by it.",
        {**_CHANGED, **_null("nhs/missing-identifier-system")},
    ),
    value(
        "status",
        checks.text("code", choices=("completed",)),
        "Only vaccinations that were given are recorded.",
        _null(NOT_FHIR),
    ),
    value("practitioner-names", checks.listing(objects=True), "An empty list says nothing."),
    value("practitioner-given-names", checks.listing(texts=True), _BLANK),
    value("practitioner-family-name", checks.text(), _BLANK),
    value(
        "recorded",
        moments.moment(british=False),
        "When the record was made, as an unambiguous moment.",
        _null("nhs/missing-recorded"),
    ),
    value(
        "primary-source",
        checks.boolean(),
        "Whether the record comes from whoever gave the vaccine.",
        _null("nhs/missing-primary-source"),
    ),
    value(
        "protocols",
        checks.listing(length=1),
        "One record is about one dose of one protocol.",
        dict.fromkeys(("object", "unwrapped", "empty"), ("nhs/bad-target-diseases",)),
    ),
    value("dose-number", checks.dose_number(9), "The position of the dose in its course."),
    value("dose-number-text", checks.text(), _BLANK, _null(NOT_FHIR), prepare=_dose_number_as_text),
    TARGET_DISEASES,
    ONE_SNOMED_CODING,
    value(
        "target-disease-code",
        checks.text("code"),
        "The code decides the vaccine type.",
        {**_null(_NO_CODE), **dict.fromkeys(("empty", "blank"), ("nhs/unknown-disease-combination",))},
    ),
    value("manufacturer", checks.text(), _BLANK),
    value("lot-number", checks.text(), "A recall finds the vaccinated by it."),
    value("expiration-date", moments.day(future=True), "A whole date, as printed on the pack."),
    value("site-codings", checks.unique_systems(), "Two codes of one system contradict each other."),
    value("site-code", checks.text("code"), _BLANK),
    value("site-display", checks.text(), _BLANK),
    value("route-codings", checks.unique_systems(), "Two codes of one system contradict each other."),
    value("route-code", checks.text("code"), _BLANK),
    value("route-display", checks.text(), _BLANK),
    value("dose-value", checks.number(), "An amount is a number; its unit stands beside it."),
    value("dose-code", checks.text("code"), _BLANK),
    value("dose-system", checks.text("uri"), _BLANK, _null("nhs/dose-code-without-system")),
    CODE_WITH_SYSTEM,
    value("dose-unit", checks.text(), _BLANK),
    value("reason-codings", checks.listing(), "An empty list says nothing."),
    value("reason-code", checks.text("code"), _BLANK),
    value("organization-system", checks.text("uri"), _ORGANIZATION, _null("nhs/missing-organization-system")),
    value("location-code", checks.text(), _BLANK, _null("nhs/missing-location-code")),
    value("location-system", checks.text("uri"), _BLANK, _null("nhs/missing-location-system")),
    value(
        "extensions",
        checks.listing(length=1),
        "The procedure is the only extension that is taken.",
        {
            **_lost("nhs/missing-procedure-code"),
            **dict.fromkeys(("text", "object", "unwrapped"), ("nhs/missing-procedure", "nhs/missing-procedure-code")),
        },
    ),
    value(
        "extension-url",
        checks.text("uri", choices=(PROCEDURE_URL,)),
        "The procedure is the only extension that is taken.",
        {"*": ("nhs/missing-procedure-code",)},
    ),
    value(
        "procedure-code",
        checks.snomed(),
        "A code that fails its check digit is a typing mistake.",
        _null("nhs/missing-procedure-code"),
    ),
    value("procedure-display", checks.text(), _BLANK),
    value("vaccine-code", checks.snomed(), "A code that fails its check digit is a typing mistake."),
    value("vaccine-display", checks.text(), _BLANK),
    WRONG_SHAPE,
)

NOT_FHIR_RULE = promise(
    "not-fhir",
    "The record is a FHIR R4 Immunization",
    "The service stores what its FHIR library reads: no element that FHIR does not know there, and none of another type.",
    "case:rule/fhir-model:unknown-nested-in-vaccine-code",
    record.not_fhir,
    (
        by.without("no-status", ("status",)),
        by.without("no-vaccine-code", ("vaccineCode",)),
        by.without("no-occurrence", ("occurrenceDateTime",)),
        by.without("no-dose-number", ("protocolApplied", 0, "doseNumberPositiveInt")),
        by.set_to("both-dose-numbers", ("protocolApplied", 0, "doseNumberString"), "1"),
        by.set_to("unknown-element", ("vaccineCode", "foo"), 1),
        by.set_to("unknown-in-a-list", ("performer", 0, "actor", "foo"), 1),
        by.set_to("narrative", ("narrative",), "x"),
        by.set_to("object-for-text", ("location", "type"), {}),
        by.set_to("bad-date", ("meta",), {"lastUpdated": "yesterday"}),
        by.set_to("object-for-codings", ("vaccineCode", "coding"), {}),
    ),
    stage="model",
)

DISEASE_CODE = promise(
    "missing-disease-code",
    "Each target disease has a code",
    "Without it the vaccine type cannot be told.",
    "messages.yaml#mandatory-disease-code",
    diseases.disease_code_missing,
    (
        by.without("no-code", (*_DISEASE, "coding", 0, "code")),
        by.set_to("no-diseases", ("protocolApplied", 0, "targetDisease"), []),
    ),
    stage="disease-code",
)

DISEASE_COMBINATION = promise(
    "unknown-disease-combination",
    "The target diseases are those of one of the 19 vaccine types",
    "Vaccine types are defined by their exact set of diseases.",
    f"{_SCHEMA}/protocolApplied/items/properties/targetDisease",
    diseases.disease_combination,
    (
        by.set_to("unknown-code", (*_DISEASE, "coding", 0, "code"), "363346000"),
        by.body("twice", ("protocolApplied", 0, "targetDisease"), lambda items: [*items, *items]),
        by.body("two-vaccines", ("protocolApplied", 0, "targetDisease"), lambda items: [*items, _disease("56717001")]),
    ),
    stage="disease-combination",
)


def _disease(code: str) -> dict[str, Any]:
    return {"coding": [{"system": SNOMED, "code": code}]}


MANDATION: tuple[Rule[Attempt], ...] = (
    mandatory("patient-given-names", "Without a name the patient cannot be told apart."),
    mandatory("patient-family-name", "Without a name the patient cannot be told apart."),
    mandatory("birth-date", "The patient is found by it."),
    mandatory("gender", "The patient is found by it; `unknown` is a value."),
    mandatory("postal-code", "The patient is found by it; ZZ99 3VZ is for no fixed abode, ZZ99 3WZ for not known."),
    mandatory("organization-code", _ORGANIZATION),
    mandatory("organization-system", _ORGANIZATION),
    mandatory("identifier-value", "Duplicates are found by it.", *_CHANGED["*"]),
    mandatory("identifier-system", "Duplicates are found by it.", *_CHANGED["*"]),
    mandatory("recorded", "When the record was made tells newer from older."),
    mandatory("primary-source", "Whether the record comes from whoever gave the vaccine."),
    mandatory("procedure-code", "What was done, as a SNOMED CT code."),
    mandatory("location-code", "Where it was done; X99999 where no code is known."),
    mandatory("location-system", "Where it was done; X99999 where no code is known."),
)


def _of_records(rule: Rule[Attempt]) -> Rule[Attempt]:
    """The rule, silent when the body is no object: then there is no record that could break it."""
    find = rule.find
    if find in OF_VALUES:
        return rule

    def of_record(attempt: Attempt) -> Iterable[Hit]:
        return find(attempt) if isinstance(attempt.body, dict) else ()

    OF_RECORDS[of_record] = find
    return replace(rule, find=of_record)


BODY_RULES: tuple[Rule[Attempt], ...] = tuple(
    map(
        _of_records,
        (
            CONTAINED,
            IDENTIFIER_MISSING,
            PROCEDURE_MISSING,
            *VALUES,
            NOT_FHIR_RULE,
            DISEASE_CODE,
            DISEASE_COMBINATION,
            *MANDATION,
        ),
    )
)

BODY_STAGES = (
    "structure",
    "identifier",
    "procedure",
    "values",
    "model",
    "disease-code",
    "disease-combination",
    "mandation",
)
