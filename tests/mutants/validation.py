"""What the server under test asks of a record: one named check after another, each of which can be switched off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from tests.mutants.fhir import ABSENT, read_resource

SNOMED = "http://snomed.info/sct"
NHS = "https://fhir.nhs.uk/Id/nhs-number"
PROCEDURE = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-VaccinationProcedure"
_FILE = Path(__file__).parents[2] / "contracts" / "nhs" / "vaccines.yaml"
TYPES = {
    frozenset(each["code"] for each in spec["diseases"]): name
    for name, spec in yaml.safe_load(_FILE.read_text("utf-8"))["types"].items()
}
Bugs = frozenset[str]
Spot = tuple[str, Any]


def spots(body: Any, path: str) -> list[Spot]:
    """The places that a path names with their values; the last key may be absent."""
    found: list[Spot] = [("", body)]
    for key, selector in re.findall(r"\.?([A-Za-z]\w*)|\[([^\]]+)\]", path):
        after: list[Spot] = []
        for at, value in found:
            if key and isinstance(value, dict):
                after.append((f"{at}.{key}".lstrip("."), value.get(key, ABSENT)))
            elif selector and isinstance(value, list):
                after += [(f"{at}[{index}]", value[index]) for index in _selected(value, selector, body)]
        found = after
    return found


def _selected(items: list[Any], selector: str, body: Any) -> list[int]:
    if selector == "*":
        return list(range(len(items)))
    if selector.isdecimal():
        return [int(selector)] if int(selector) < len(items) else []
    if selector == "current":
        return [] if not items else [_current(items, body.get("occurrenceDateTime"))]
    if selector == "posted":
        having = [i for i, item in enumerate(items) if isinstance(item, dict) and "postalCode" in item]
        return ([i for i in having if items[i]["postalCode"]] or having)[:1]
    name, _, wanted = selector.lstrip("?").partition("=")
    for index, item in enumerate(items):
        for part in name.split("."):
            item = item.get(part) if isinstance(item, dict) else None
        if item == wanted:
            return [index]
    return []


def _current(names: list[Any], occurrence: Any) -> int:
    if len(names) == 1:
        return 0
    whole = [(i, name) for i, name in enumerate(names) if isinstance(name, dict) and "given" in name and "family" in name]
    now = [(i, name) for i, name in whole if _covers(name.get("period"), occurrence)]
    for fits in (lambda use: use == "official", lambda use: use != "old"):
        for index, name in now:
            if fits(name.get("use")):
                return index
    return now[0][0] if now else 0


def _covers(period: Any, occurrence: Any) -> bool:
    if not isinstance(period, dict) or not isinstance(occurrence, str):
        return True
    start, end = period.get("start"), period.get("end")
    late = isinstance(start, str) and bool(start) and occurrence < start
    return not late and not (isinstance(end, str) and bool(end) and occurrence > end)


Test = Callable[[Any], bool]


def text(most: int = 0, among: tuple[str, ...] = ()) -> Test:
    def good(value: Any) -> bool:
        if not isinstance(value, str) or not value or value.isspace():
            return False
        return (not most or len(value) <= most) and (not among or value in among)

    return good


def listing(length: int = 0, most: int = 0, objects: bool = False, each: Test | None = None) -> Test:
    def good(value: Any) -> bool:
        if not isinstance(value, list) or not value or (length and len(value) != length) or (most and len(value) > most):
            return False
        if objects and not all(isinstance(item, dict) and item for item in value):
            return False
        return each is None or all(map(each, value))

    return good


def nhs_number(bugs: Bugs) -> Test:
    def good(value: Any) -> bool:
        if not isinstance(value, str) or len(value) != 10 or not value.isdecimal():
            return False
        if "check-digit-not-checked" in bugs:
            return True
        total = sum(int(digit) * weight for digit, weight in zip(value, range(10, 1, -1), strict=False))
        check = (11 - total % 11) % 11
        if "check-digit-modulus-10" in bugs:
            check = (10 - total % 10) % 10
        return check == int(value[9])

    return good


_D5 = [
    [
        (i + j) % 5 if i < 5 and j < 5 else (i + j) % 5 + 5 if i < 5 else (i - j) % 5 + 5 if j < 5 else (i - j) % 5
        for j in range(10)
    ]
    for i in range(10)
]
_TURN = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def snomed(bugs: Bugs) -> Test:
    def good(value: Any) -> bool:
        if not isinstance(value, str) or not value.isdecimal() or value[0] == "0" or not 6 <= len(value) <= 18:
            return False
        if "snomed-partition-not-checked" not in bugs and value[-3:-1] not in ("00", "10"):
            return False
        check = 0
        for position, char in enumerate(reversed(value)):
            digit = int(char)
            for _ in range(position % 8):
                digit = _TURN[digit]
            check = _D5[check][digit]
        return check == 0 or "snomed-check-digit-not-checked" in bugs

    return good


def _parsed(value: str, form: str) -> datetime | None:
    try:
        read = datetime.strptime(value, form)
        if read.tzinfo:
            read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return read


def day(future: bool, bugs: Bugs) -> Test:
    def good(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        read = _parsed(value, "%Y-%m-%d")
        if read is None:
            return "partial-birth-date" in bugs and re.fullmatch(r"\d{4}(-\d\d)?", value) is not None
        return future or "birth-date-in-the-future" in bugs or read.date() <= datetime.now(UTC).date()

    return good


def moment(british: bool, bugs: Bugs) -> Test:
    forms = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")

    def good(value: Any) -> bool:
        for form in forms if isinstance(value, str) else ():
            read = _parsed(value, form)
            if read is None:
                continue
            now = datetime.now(UTC)
            if read > (now if read.tzinfo else now.replace(tzinfo=None)) and "future-moments" not in bugs:
                continue
            abroad = read.tzinfo and not value.endswith(("+00:00", "+01:00", "+0000", "+0100"))
            if not (british and abroad and "any-offset" not in bugs):
                return True
        return british and "no-offset" in bugs and isinstance(value, str) and _parsed(value, "%Y-%m-%dT%H:%M:%S") is not None

    return good


def number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return False
    return not isinstance(value, float) or value - value == 0


def dose(bugs: Bugs) -> Test:
    highest = 10 if "dose-ten" in bugs else 8 if "dose-nine-refused" in bugs else 9
    return lambda value: type(value) is int and 1 <= value <= highest


def unique_systems(value: Any) -> bool:
    seen = set()
    for coding in value if isinstance(value, list) else ():
        system = coding.get("system") if isinstance(coding, dict) else None
        if not isinstance(system, str):
            return True
        if system in seen and system != SNOMED:
            return False
        seen.add(system)
    return True


PATIENT, PRACTITIONER = "contained[?resourceType=Patient]", "contained[?resourceType=Practitioner]"
ORGANIZATION = "performer[?actor.type=Organization].actor.identifier"
PROCEDURES = f"extension[?url={PROCEDURE}].valueCodeableConcept.coding[?system={SNOMED}]"
VACCINE = f"vaccineCode.coding[?system={SNOMED}]"
DISEASES = "protocolApplied[0].targetDisease[*]"


def value_checks(bugs: Bugs) -> list[tuple[str, str, Test]]:
    """Every check of a single value: its name, where, and what a good value is."""
    names_most = 36 if "family-name-36" in bugs else 34 if "family-name-34" in bugs else 35
    given_most = 6 if "six-given-names" in bugs else 4 if "five-given-names-refused" in bugs else 5
    genders: tuple[str, ...] = ("male", "female", "other", "unknown")
    genders = genders[:-1] if "gender-unknown-refused" in bugs else genders
    gender = text(among=genders)
    if "gender-any-case" in bugs:
        gender = lambda value: isinstance(value, str) and value.lower() in genders  # noqa: E731
    family = text(names_most)
    if "umlaut-refused" in bugs:
        family = lambda value: text(names_most)(value) and value.isascii()  # noqa: E731
    return [
        ("patient-identifiers", f"{PATIENT}.identifier", listing(1)),
        ("patient-identifier-system", f"{PATIENT}.identifier[0].system", lambda v: v == NHS),
        ("nhs-number", f"{PATIENT}.identifier[?system={NHS}].value", nhs_number(bugs)),
        ("patient-names", f"{PATIENT}.name", listing(objects=True)),
        ("patient-given", f"{PATIENT}.name[current].given", listing(most=given_most, each=text(180))),
        ("patient-family", f"{PATIENT}.name[current].family", family),
        ("birth-date", f"{PATIENT}.birthDate", day(False, bugs)),
        ("gender", f"{PATIENT}.gender", gender),
        ("addresses", f"{PATIENT}.address", listing()),
        ("postal-code", f"{PATIENT}.address[posted].postalCode", text()),
        ("occurrence", "occurrenceDateTime", moment(True, bugs)),
        ("organization-code", f"{ORGANIZATION}.value", text()),
        ("identifiers", "identifier", listing(1, objects=True)),
        ("identifier-value", "identifier[0].value", text()),
        ("identifier-system", "identifier[0].system", text()),
        ("status", "status", text(among=("completed", "not-done") if "not-done-accepted" in bugs else ("completed",))),
        ("practitioner-names", f"{PRACTITIONER}.name", listing(objects=True)),
        ("practitioner-given", f"{PRACTITIONER}.name[current].given", listing(each=text())),
        ("practitioner-family", f"{PRACTITIONER}.name[current].family", text()),
        ("recorded", "recorded", moment("recorded-british-only" in bugs, bugs)),
        ("primary-source", "primarySource", lambda v: isinstance(v, bool)),
        ("protocols", "protocolApplied", listing(1)),
        ("dose-number", "protocolApplied[0].doseNumberPositiveInt", dose(bugs)),
        ("dose-text", "protocolApplied[0].doseNumberString", text()),
        ("disease-code", f"{DISEASES}.coding[?system={SNOMED}].code", text()),
        ("manufacturer", "manufacturer.display", text()),
        ("lot-number", "lotNumber", text(20 if "lot-number-20" in bugs else 0)),
        ("expiration-date", "expirationDate", day(True, frozenset())),
        ("site-codings", "site.coding", unique_systems),
        ("site-code", f"site.coding[?system={SNOMED}].code", text()),
        ("site-display", f"site.coding[?system={SNOMED}].display", text()),
        ("route-codings", "route.coding", unique_systems),
        ("route-code", f"route.coding[?system={SNOMED}].code", text()),
        ("route-display", f"route.coding[?system={SNOMED}].display", text()),
        ("dose-value", "doseQuantity.value", lambda v: number(v) and ("whole-doses-only" not in bugs or v == int(v))),
        ("dose-unit-code", "doseQuantity.code", text()),
        ("dose-unit-system", "doseQuantity.system", text()),
        ("dose-unit", "doseQuantity.unit", text()),
        ("reason-codings", "reasonCode[*].coding", listing()),
        ("reason-code", "reasonCode[*].coding[0].code", text()),
        ("organization-system", f"{ORGANIZATION}.system", text()),
        ("location-code", "location.identifier.value", text()),
        ("location-system", "location.identifier.system", text()),
        ("extensions", "extension", listing(1)),
        ("extension-url", "extension[0].url", text(among=(PROCEDURE,))),
        ("procedure-code", f"{PROCEDURES}.code", snomed(bugs)),
        ("procedure-display", f"{PROCEDURES}.display", text()),
        ("vaccine-code", f"{VACCINE}.code", snomed(bugs)),
        ("vaccine-display", f"{VACCINE}.display", text()),
    ]


MANDATORY = {
    "missing-given": f"{PATIENT}.name[current].given",
    "missing-family": f"{PATIENT}.name[current].family",
    "missing-birth-date": f"{PATIENT}.birthDate",
    "missing-gender": f"{PATIENT}.gender",
    "missing-postal-code": f"{PATIENT}.address[posted].postalCode",
    "missing-organization-code": f"{ORGANIZATION}.value",
    "missing-organization-system": f"{ORGANIZATION}.system",
    "missing-identifier-value": "identifier[0].value",
    "missing-identifier-system": "identifier[0].system",
    "missing-recorded": "recorded",
    "missing-primary-source": "primarySource",
    "missing-procedure-code": f"{PROCEDURES}.code",
    "missing-location-code": "location.identifier.value",
    "missing-location-system": "location.identifier.system",
}
ALLOWED = {
    "Immunization": [
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
    ],
    "Patient": ["resourceType", "id", "identifier", "name", "gender", "birthDate", "address"],
    "Practitioner": ["resourceType", "id", "name"],
}
SHAPES = [
    (f"{PATIENT}.id", str),
    (f"{PATIENT}.identifier[0]", dict),
    (f"{PATIENT}.address[*]", (dict, list, str)),
    ("patient", dict),
    ("performer", list),
    ("performer[*]", dict),
    ("performer[*].actor", dict),
    ("performer[*].actor.reference", str),
    (ORGANIZATION, dict),
    ("protocolApplied[0]", dict),
    ("protocolApplied[0].targetDisease", (list, dict)),
    (DISEASES, dict),
    (f"{DISEASES}.coding", list),
    (f"{DISEASES}.coding[*]", dict),
    *(
        (name, dict)
        for name in ("manufacturer", "site", "route", "doseQuantity", "location", "location.identifier", "vaccineCode")
    ),
    *((f"{name}.coding", list) for name in ("site", "route", "vaccineCode")),
    *((f"{name}.coding[*]", dict) for name in ("site", "route", "vaccineCode")),
    ("reasonCode", list),
    ("reasonCode[*]", dict),
    ("reasonCode[*].coding[0]", dict),
    ("extension[*]", dict),
    ("extension[*].valueCodeableConcept", dict),
    (f"extension[?url={PROCEDURE}].valueCodeableConcept.coding", list),
    (f"extension[?url={PROCEDURE}].valueCodeableConcept.coding[*]", dict),
]


def contained_faults(body: dict[str, Any]) -> Iterator[Spot]:
    items = body.get("contained")
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) and item for item in items):
        yield "contained", "contained-list"
        return
    kinds = [item.get("resourceType") for item in items]
    if any(kind not in ("Patient", "Practitioner") for kind in kinds):
        yield "contained", "contained-other-resource"
    if kinds.count("Patient") != 1:
        yield "contained", "contained-one-patient"
    if kinds.count("Practitioner") > 1:
        yield "contained", "contained-one-practitioner"
    ids = [item.get("id") for item in items if item.get("resourceType") in ("Patient", "Practitioner")]
    if any(id is None for id in ids):
        yield "contained[0].id", "contained-ids"
    elif any(ids.count(id) > 1 for id in ids):
        yield "contained[0].id", "contained-same-ids"


def reference_faults(body: dict[str, Any]) -> Iterator[Spot]:
    patient = spots(body, f"{PATIENT}.id")
    reference = spots(body, "patient.reference")
    referred = reference[0][1] if reference else ABSENT
    if (
        "patient" not in body
        or (reference and (not isinstance(referred, str) or not referred.startswith("#")))
        or (isinstance(referred, str) and patient and isinstance(patient[0][1], str) and referred != f"#{patient[0][1]}")
    ):
        yield "patient.reference", "patient-reference"
    internal = [v for _, v in spots(body, "performer[*].actor.reference") if isinstance(v, str) and v.startswith("#")]
    practitioner = spots(body, f"{PRACTITIONER}.id")
    if not practitioner:
        if internal:
            yield "performer", "performer-references"
    elif internal != [f"#{practitioner[0][1]}"]:
        yield "performer", "performer-references"
    organizations = [v for _, v in spots(body, "performer[*].actor.type") if v == "Organization"]
    if len(organizations) != 1:
        yield "performer", "one-organization"


def disease_faults(body: dict[str, Any]) -> Iterator[Spot]:
    at = "protocolApplied[0].targetDisease"
    found = spots(body, at)
    diseases = found[0][1] if found else ABSENT
    if not isinstance(diseases, list) or not diseases:
        if not (isinstance(body.get("protocolApplied"), list) and body["protocolApplied"] and not found):
            yield at, "target-diseases"
        return
    for place, codings in spots(body, f"{DISEASES}.coding"):
        if not isinstance(codings, list) or sum(isinstance(c, dict) and c.get("system") == SNOMED for c in codings) != 1:
            yield place, "one-snomed-coding"
    codes = [v for _, v in spots(body, f"{DISEASES}.coding[?system={SNOMED}].code")]
    if any(code is ABSENT or code is None for code in codes):
        yield f"{at}[0].coding", "disease-code-missing"
    elif all(isinstance(code, str) for code in codes) and (len(set(codes)) != len(codes) or frozenset(codes) not in TYPES):
        yield at, "disease-combination"


def other_faults(body: dict[str, Any], bugs: Bugs) -> Iterator[Spot]:
    if body.get("resourceType") != "Immunization":
        yield "resourceType", "resource-type"
    for key in body:
        if key not in ALLOWED["Immunization"]:
            yield key, "unknown-element"
    for index, item in enumerate(body["contained"]):
        for key in item:
            if key not in ALLOWED[item["resourceType"]]:
                yield f"contained[{index}].{key}", "unknown-element-contained"
    for at, first in spots(body, f"{PATIENT}.identifier[0]"):
        if isinstance(first, dict) and "extension" in first:
            yield f"{at}.extension", "identifier-extension"
    quantity = body.get("doseQuantity")
    if isinstance(quantity, dict) and quantity.get("code") is not None and quantity.get("system") is None:
        yield "doseQuantity.system", "code-without-system"
    for path, kind in SHAPES:
        for at, value in spots(body, path):
            if value is not ABSENT and not isinstance(value, kind):
                yield at, "shapes"
    for _, names in spots(body, f"{PATIENT}.name"):
        for index, name in enumerate(names if isinstance(names, list) and len(names) > 1 else ()):
            if isinstance(name, dict) and {"given", "family"} <= name.keys() and isinstance(name.get("period"), dict):
                for end in ("start", "end"):
                    if name["period"].get(end) and not isinstance(name["period"][end], str):
                        yield f"contained.name[{index}].period.{end}", "shapes"


def procedure_faults(body: dict[str, Any]) -> Iterator[Spot]:
    items = body.get("extension", ABSENT)
    for item in items if isinstance(items, list) else [{}]:
        if isinstance(item, dict) and not (
            isinstance(item.get("valueCodeableConcept"), dict) and "coding" in item["valueCodeableConcept"]
        ):
            yield "extension.valueCodeableConcept.coding", "procedure-missing"


def faults_of(body: dict[str, Any], bugs: Bugs) -> list[Spot]:
    """Every place where a record is wrong with the name of the check, those that decide first before others."""

    def on(found: Iterator[Spot]) -> list[Spot]:
        return [(at, name) for at, name in found if f"off:{name}" not in bugs]

    found = on(contained_faults(body))
    if found:
        return found
    if not isinstance(body.get("contained"), list) or not all(
        isinstance(item, dict) and item.get("resourceType") in ALLOWED for item in body["contained"]
    ):
        return []
    if "identifier" not in body and "off:identifier-missing" not in bugs:
        found = [("identifier", "identifier-missing")]
    found += on(procedure_faults(body))
    for name, path, good in value_checks(bugs):
        if f"off:{name}" not in bugs:
            found += [(at, name) for at, value in spots(body, path) if value is not ABSENT and not good(value)]
    found += on(other_faults(body, bugs)) + on(reference_faults(body)) + on(disease_faults(body))
    wrong: list[str] = []
    read_resource("Immunization", body, "Immunization", wrong)
    if "off:fhir" not in bugs:
        found += [(at, "fhir") for at in wrong]
    for name, path in MANDATORY.items():
        if f"off:{name}" not in bugs and all(value is ABSENT or value is None for _, value in spots(body, path)):
            found.append((path.split("[?")[0] + "." + path.rpartition(".")[2], name))
    return found


CHECKS = (
    *(name for name, _, _ in value_checks(frozenset())),
    *MANDATORY,
    *(
        "contained-list",
        "contained-other-resource",
        "contained-one-patient",
        "contained-one-practitioner",
        "contained-ids",
    ),
    *[
        "contained-same-ids",
        "patient-reference",
        "performer-references",
        "one-organization",
        "target-diseases",
        "one-snomed-coding",
    ],
    *(
        "disease-code-missing",
        "disease-combination",
        "resource-type",
        "unknown-element",
        "unknown-element-contained",
    ),
    *(
        "identifier-extension",
        "code-without-system",
        "shapes",
        "procedure-missing",
        "identifier-missing",
        "fhir",
    ),
)
"""The names of all checks: each can be switched off as `off:NAME`."""
