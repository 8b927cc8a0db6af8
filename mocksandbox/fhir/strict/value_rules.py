"""R4's rules about single values: dates, ids, numbers, codes, references and narratives."""

from __future__ import annotations

from mocksandbox.fhir.strict import breaks as by
from mocksandbox.fhir.strict.breaks import defect
from mocksandbox.fhir.strict.implants import ID, contained, implant
from mocksandbox.fhir.strict.promise import promise
from mocksandbox.fhir.strict.spots import at_first

_DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
_MOMENT = by.of_type("dateTime", "date", "instant")
_TIMED = by.of_type("dateTime", "instant")
_DATED = by.of_type("date", "dateTime")

VALUES = (
    promise(
        "bad-date",
        "Dates and times are written as R4 writes them",
        "Readers cannot tell when something was otherwise, or read another moment.",
        "datatypes.html#dateTime",
        "value",
        (
            defect("words", by.set_first(_MOMENT, "yesterday")),
            defect("slashes", by.set_first(_MOMENT, "01/02/2024")),
            defect("month-13", by.set_first(_MOMENT, "2024-13-01")),
            defect("day-0", by.set_first(_MOMENT, "2024-01-00")),
            defect("one-digit", by.set_first(_MOMENT, "2024-1-1")),
            defect("year-0000", by.set_first(_MOMENT, "0000-01-01")),
            defect("no-zone", by.set_first(_TIMED, "2024-01-01T10:20:30")),
            defect("no-seconds", by.set_first(_TIMED, "2024-01-01T10:20Z")),
            defect("hour-24", by.set_first(_TIMED, "2024-01-01T24:00:00Z")),
            defect("offset-14-30", by.set_first(_TIMED, "2024-01-01T10:20:30+14:30")),
            defect("space-for-T", by.set_first(_TIMED, "2024-01-01 10:20:30Z")),
            defect("time-in-a-date", by.set_first(by.of_type("date"), "2024-01-01T10:20:30Z")),
            defect("time", implant({"valueTime": "10:20"})),
        ),
    ),
    promise(
        "impossible-date",
        "A day exists",
        "No program can reckon with 30 February.",
        "datatypes.html#date",
        "value",
        (
            defect("30-february", by.set_first(_DATED, "2024-02-30")),
            defect("29-february", by.set_first(_DATED, "2023-02-29")),
            defect("31-april", by.set_first(_TIMED, "2024-04-31T10:20:30Z")),
        ),
    ),
    promise(
        "bad-id",
        "An id is 1 to 64 letters, digits, hyphens and points",
        "Ids are parts of URLs.",
        "datatypes.html#id",
        "value",
        (
            defect("underscore", by.set_at(("id",), "a_1")),
            defect("too-long", by.set_at(("id",), "a" * 65)),
            defect("space", by.set_at(("id",), "a 1")),
            defect("in-a-reference", by.leading_to("Patient/a_1"), "wrong-reference-target"),
            defect("of-an-element", at_first(by.plain_object, lambda value: {**value, "id": "a 1"})),
        ),
    ),
    promise(
        "bad-code",
        "A code has no spaces at its ends and no two in a row",
        "Codes are compared letter by letter.",
        "datatypes.html#code",
        "value",
        (
            defect("space-at-the-end", by.set_at(("language",), "en ")),
            defect("two-spaces", by.set_at(("language",), "en  GB")),
            defect("blank", by.set_at(("language",), " ")),
        ),
    ),
    promise(
        "bad-uri",
        "A URI has no spaces, an OID and a UUID are written as URNs",
        "URIs are compared letter by letter.",
        "datatypes.html#uri",
        "value",
        (
            defect("space", by.set_at(("implicitRules",), "http://example.org/a b")),
            defect("blank", by.set_at(("implicitRules",), " ")),
            defect("oid", implant({"valueOid": "1.2.3"})),
            defect("uuid", implant({"valueUuid": "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"})),
        ),
    ),
    promise(
        "bad-base64",
        "Binary content is base64",
        "Other text cannot be decoded.",
        "datatypes.html#base64Binary",
        "value",
        (
            defect("other-letters", implant({"valueBase64Binary": "a-b_"})),
            defect("no-padding", implant({"valueBase64Binary": "AAA"})),
        ),
    ),
    promise(
        "out-of-range",
        "A whole number is of 32 bits, and positive where it must be",
        "Programs keep it in 32 bits.",
        "datatypes.html#integer",
        "value",
        (
            defect("zero", by.set_first(by.of_type("positiveInt"), 0)),
            defect("negative", by.set_first(by.of_type("positiveInt", "unsignedInt"), -1)),
            defect("33-bits", by.set_first(by.of_type("positiveInt", "unsignedInt"), 2**31)),
            defect("in-an-extension", implant({"valuePositiveInt": 0})),
        ),
    ),
    promise(
        "long-string",
        "A string has at most 1,048,576 characters",
        "Receivers need not keep more.",
        "datatypes.html#string",
        "too-long",
        (defect("one-more", by.set_first(by.plain_text, "x" * (1024 * 1024 + 1))),),
    ),
    promise(
        "lone-surrogate",
        "A string is made of characters",
        "Half a surrogate pair cannot be written in UTF-8, which FHIR is always sent in.",
        "json.html",
        "value",
        (defect("first-half", by.set_first(by.plain_text, "x\ud83d")),),
    ),
    promise(
        "not-in-value-set",
        "A code is from the value set that its element requires",
        "Receivers act on these codes, and know no others.",
        "terminologies.html#required",
        "code-invalid",
        (
            defect("other", by.set_first(by.bound_code, "no-such-code")),
            defect("upper-case", at_first(by.bound_code, lambda value: value.upper())),
            defect("status-of-another-resource", by.not_done),
            defect(
                "without-a-code",
                contained(
                    {
                        "resourceType": "Condition",
                        "id": ID,
                        "subject": {"reference": "Patient/1"},
                        "clinicalStatus": {"text": "active"},
                    },
                    f"#{ID}",
                ),
            ),
        ),
    ),
    promise(
        "wrong-reference-target",
        "A reference leads to a resource of a type that it may lead to",
        "Readers expect what such a resource has.",
        "references.html",
        "value",
        (
            defect("other-type", by.leading_to("Slot/1")),
            defect("other-type-elsewhere", by.leading_to("http://example.org/fhir/Slot/1")),
            defect("no-such-type", by.leading_to("Vaccination/1")),
            defect("other-type-told", at_first(by.targeted, lambda value: {**value, "type": "Slot"})),
            defect("other-type-contained", by.leading_to_implant({"resourceType": "Slot", "id": ID, **by.SLOT})),
        ),
    ),
    promise(
        "bad-narrative",
        "A narrative is XHTML with something to read, and nothing that acts",
        "It is shown to people as it is.",
        "txt-1",
        "invariant",
        (
            defect("script", by.with_narrative(_DIV.format("<script>alert(1)</script>x"))),
            defect("handler", by.with_narrative(_DIV.format('<p onclick="x()">x</p>'))),
            defect("script-in-a-link", by.with_narrative(_DIV.format('<a href="javascript:x()">x</a>'))),
            defect("form", by.with_narrative(_DIV.format("<form><input/></form>x"))),
            defect("empty", by.with_narrative(_DIV.format("<p> </p>"))),
            defect("other-namespace", by.with_narrative("<div>x</div>")),
            defect("not-xml", by.with_narrative(_DIV.format("<p>x"))),
            defect("text", by.with_narrative("x")),
            defect("entity", by.with_narrative(_DIV.format("a&nbsp;b"))),
        ),
    ),
)
