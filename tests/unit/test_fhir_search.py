"""What a FHIR search finds: each type of parameter with its prefixes and modifiers, chains, order, pages, what is included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from mocksandbox.errors import ContractError
from mocksandbox.fhir.search import Problem, Reach, criterion, narrowed, parse_query
from mocksandbox.fhir.search.escapes import plain, split
from mocksandbox.fhir.search.paths import compile_expression
from mocksandbox.fhir.search.spans import FIRST, LAST, around, span_in, span_of
from mocksandbox.providers.evaluation.table import TYPES

BASE = "http://test.example/fhir"
NOW = datetime(2024, 7, 1, tzinfo=UTC)
SNOMED = "http://snomed.info/sct"

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"type": {"coding": [{"system": "urn:t", "code": "MR"}]}, "system": "urn:mrn", "value": "A,1"}],
    "active": True,
    "name": [{"family": "Müller", "given": ["Ana María", "Sky"]}],
    "telecom": [{"system": "phone", "value": "555-1"}, {"system": "email", "value": "ana@example.org"}],
    "gender": "female",
    "birthDate": "2000-02",
    "address": [{"city": "São Paulo", "postalCode": "01000"}],
}
EVALUATION: dict[str, Any] = {
    "resourceType": "ImmunizationEvaluation",
    "id": "e1",
    "meta": {"lastUpdated": "2024-03-05T10:20:30.500Z"},
    "identifier": [{"system": "urn:ids", "value": "X-1"}, {"value": "bare"}],
    "status": "completed",
    "patient": {"reference": "Patient/p1", "identifier": {"system": "urn:mrn", "value": "77"}},
    "date": "2024-03-02",
    "targetDisease": {"coding": [{"system": SNOMED, "code": "14189004", "display": "Measles"}], "text": "Red measles"},
    "immunizationEvent": {"reference": f"{BASE}/Immunization/i1/_history/2"},
    "doseStatus": {"coding": [{"system": "urn:ds", "code": "notvalid"}, {"code": "Other"}]},
}
HELD: Mapping[tuple[str, str], Any] = {
    ("Patient", "p1"): PATIENT,
    ("Immunization", "i1"): {"resourceType": "Immunization", "id": "i1", "patient": {"reference": "Patient/p1"}},
}
REACH = Reach(BASE, NOW, lambda kind, id: HELD.get((kind, id)))


def meets(name: str, value: str, resource: Mapping[str, Any] = EVALUATION) -> bool:
    test = criterion(name, value, TYPES[resource["resourceType"]], TYPES)
    assert not isinstance(test, Problem), test
    return test(resource, REACH)


def problem(name: str, value: str, kind: str = "ImmunizationEvaluation") -> str:
    made = criterion(name, value, TYPES[kind], TYPES)
    return made.kind if isinstance(made, Problem) else ""


# Each row: prefix, what is asked, what the resource has, whether they match. From the definitions of FHIR R4, Search: prefix.
PREFIXES = [
    ("", "2024-03-02", "2024-03-02", True),
    ("", "2024-03", "2024-03-02", True),
    ("", "2024-03-02", "2024-03", False),
    ("eq", "2024-03-02", "2024-03-02T23:59:59Z", True),
    ("eq", "2024-03-02", "2024-03-03T00:30:00+01:00", True),
    ("eq", "2024-03-02T10:20Z", "2024-03-02T10:20:59Z", True),
    ("eq", "2024-03-02T10:20:30Z", "2024-03-02T10:20:30.250Z", True),
    ("eq", "2024-03-02T10:20:30.250Z", "2024-03-02T10:20:30Z", False),
    ("ne", "2024-03-02", "2024-03", True),
    ("ne", "2024-03", "2024-03-02", False),
    ("gt", "2024-03-02", "2024-03-03", True),
    ("gt", "2024-03-02", "2024-03-02", False),
    ("gt", "2024-03-02", "2024-03", True),
    ("lt", "2024-03-02", "2024-03-01", True),
    ("lt", "2024-03-02", "2024", True),
    ("lt", "2024-03-02", "2024-03-02", False),
    ("ge", "2024-03-02", "2024-03-02", True),
    ("ge", "2024-03-02", "2024-03-01", False),
    ("le", "2024-03-02", "2024-03-02T12:00:00Z", True),
    ("le", "2024-03-02", "2024-03-03", False),
    ("sa", "2024-03-02", "2024-03-03", True),
    ("sa", "2024-03-02", "2024-03", False),
    ("eb", "2024-03-02", "2024-03-01", True),
    ("eb", "2024-03-02", "2024-03", False),
    ("ap", "2024-06-01", "2024-06-03", True),
    ("ap", "2024-06-01", "2024-06-10", False),
    ("ap", "2014-07-01", "2015-01-01", True),
    ("lt", "9999-12-31", "2024", True),
    ("gt", "0001-01-01", "2024", True),
]


@pytest.mark.parametrize(("prefix", "asked", "have", "expected"), PREFIXES)
def test_a_date_is_compared_as_a_range(prefix: str, asked: str, have: str, expected: bool) -> None:
    assert meets("date", f"{prefix}{asked}", {**EVALUATION, "date": have}) is expected


@pytest.mark.parametrize(
    "text", ["", "2024-13", "2023-02-29", "24", "xx2024", "2024-03-01T25:00Z", "2024-3-1", "2024-03-01T10:20:61Z", "٢٠٢٤"]
)
def test_what_is_no_date_is_a_problem(text: str) -> None:
    assert span_of(text) is None
    assert problem("date", text or "x") == "date"


def test_a_plus_that_became_a_space_is_explained() -> None:
    made = criterion("date", "2024-03-01T10:20:30 01:00", TYPES["ImmunizationEvaluation"], TYPES)
    assert isinstance(made, Problem)
    assert "%2B" in made.says


def test_open_periods_reach_to_the_ends_of_time() -> None:
    after, before = span_in({"start": "2024-01-01"}), span_in({"end": "2024-01-01"})
    assert after is not None
    assert before is not None
    assert (after.high, before.low) == (LAST, FIRST)
    assert span_in({}) is None
    assert span_in(5) is None


def test_what_is_approximately_a_date_never_leaves_the_calendar() -> None:
    asked = span_of("0001-01-01")
    assert asked is not None
    assert around(asked, NOW).low == FIRST


TOKENS = [
    ("dose-status", "notvalid", True),
    ("dose-status", "NotValid", True),
    ("dose-status", "urn:ds|notvalid", True),
    ("dose-status", "urn:other|notvalid", False),
    ("dose-status", "|notvalid", False),
    ("dose-status", "|other", True),
    ("dose-status", "urn:ds|", True),
    ("dose-status", "urn:other|", False),
    ("dose-status", "valid,notvalid", True),
    ("dose-status:not", "notvalid", False),
    ("dose-status:not", "valid", True),
    ("dose-status:not", "valid,notvalid", False),
    ("target-disease:text", "red", True),
    ("target-disease:text", "measles", True),
    ("target-disease:text", "easles", False),
    ("status", "completed", True),
    ("status", "http://terminology.hl7.org/CodeSystem/medication-admin-status|completed", True),
    ("status", "|completed", True),
    ("status", "urn:other|completed", False),
    ("status", "|||", False),
    ("identifier", "urn:ids|X-1", True),
    ("identifier", "|bare", True),
    ("identifier", "|X-1", False),
    ("identifier:missing", "false", True),
    ("identifier:missing", "true", False),
    ("_tag:missing", "true", True),
    ("_id", "e1", True),
    ("_id", "E1", False),
    ("_id", "x,e1", True),
    ("_lastUpdated", "2024-03-05", True),
    ("_lastUpdated", "lt2024-03-05", False),
]


@pytest.mark.parametrize(("name", "value", "expected"), TOKENS)
def test_a_token_is_a_code_with_or_without_its_system(name: str, value: str, expected: bool) -> None:
    assert meets(name, value) is expected


REFERENCES = [
    ("patient", "p1", True),
    ("patient", "Patient/p1", True),
    ("patient", f"{BASE}/Patient/p1", True),
    ("patient", "http://elsewhere.example/Patient/p1", False),
    ("patient", "p2", False),
    ("patient:Patient", "p1", True),
    ("patient:identifier", "urn:mrn|77", True),
    ("patient:identifier", "78", False),
    ("immunization-event", "i1", True),
    ("immunization-event", "Immunization/i1", True),
    ("immunization-event", "Immunization/i1/_history/1", True),
    ("patient.family", "mull", True),
    ("patient.family:exact", "Muller", False),
    ("patient.identifier", r"urn:mrn|A\,1", True),
    ("patient.birthdate", "2000", True),
    ("patient:Patient.active", "true", True),
    ("immunization-event.patient.given", "ana", True),
    ("immunization-event.patient.given", "bob", False),
    ("immunization-event.status:missing", "true", True),
]


@pytest.mark.parametrize(("name", "value", "expected"), REFERENCES)
def test_a_reference_is_followed(name: str, value: str, expected: bool) -> None:
    assert meets(name, value) is expected


def test_a_chain_goes_into_what_is_contained() -> None:
    holder = {**EVALUATION, "contained": [{**PATIENT, "id": "x"}], "patient": {"reference": "#x"}}
    assert meets("patient.family", "mull", holder)
    assert not meets("patient.family", "mull", {**holder, "contained": []})


STRINGS = [
    ("family", "mül", True),
    ("family", "MUL", True),
    ("family", "ller", False),
    ("family:contains", "LLE", True),
    ("family:exact", "Müller", True),
    ("family:exact", "müller", False),
    ("given", "sky,nobody", True),
    ("name", "ana  maria", True),
    ("name", "sky", True),
    ("address", "sao", True),
    ("address-postalcode", "01", True),
    ("phone", "555-1", True),
    ("email", "555-1", False),
    ("telecom", "phone|555-1", True),
    ("gender", "female", True),
    ("identifier:of-type", r"urn:t|MR|A\,1", True),
    ("identifier:of-type", "urn:t|XX|1", False),
    ("organization:missing", "true", True),
]


@pytest.mark.parametrize(("name", "value", "expected"), STRINGS)
def test_a_string_begins_as_asked_without_regard_to_case_and_accents(name: str, value: str, expected: bool) -> None:
    assert meets(name, value, PATIENT) is expected


PROBLEMS = [
    ("colour", "x", "unknown"),
    ("status:exact", "x", "modifier"),
    ("status:in", "x", "modifier"),
    ("date:not", "2024", "modifier"),
    ("patient:Organization", "1", "modifier"),
    ("patient", "a b", "reference"),
    ("patient", "Organization/1", "reference"),
    ("status", "|", "token"),
    ("status", "a,,b", "token"),
    ("identifier:of-type", "a|b", "token"),
    ("status:missing", "maybe", "missing"),
    ("status.code", "x", "chain"),
    ("patient.colour", "x", "chain"),
    ("patient:Group.identifier", "x", "chain"),
    ("patient.birthdate", "x", "date"),
    ("patient.status:fuzzy", "x", "chain"),
]


@pytest.mark.parametrize(("name", "value", "kind"), PROBLEMS)
def test_what_cannot_be_used_is_a_problem_and_of_which_kind(name: str, value: str, kind: str) -> None:
    assert problem(name, value) == kind


ODD: list[Callable[[Any], Any]] = [
    lambda _: None,
    lambda _: 5,
    lambda _: [[]],
    lambda _: {"coding": "x"},
    lambda _: {"coding": [5, {"code": 7}]},
    lambda _: {"reference": 7},
    lambda _: {"identifier": [1]},
    lambda value: [value, None, value],
]


@pytest.mark.parametrize("odd", range(len(ODD)))
def test_no_resource_makes_a_search_fail(odd: int) -> None:
    resource = {name: value if name == "resourceType" else ODD[odd](value) for name, value in EVALUATION.items()}
    for name, value, _ in (*TOKENS, *REFERENCES):
        meets(name, value, resource)
    meets("date", "2024", resource)


def test_backslashes_take_the_meaning_of_separators_away() -> None:
    assert split(r"a\,b,c", ",") == [r"a\,b", "c"]
    assert [plain(part) for part in split(r"a\|b|c\\", "|")] == ["a|b", "c\\"]
    assert plain(r"a\xb") == r"a\xb"


def test_an_expression_goes_through_lists_and_chooses() -> None:
    read = compile_expression("telecom.where(system='phone').value | name.given")
    assert list(read(PATIENT)) == ["555-1", "Ana María", "Sky"]
    with pytest.raises(ContractError, match="not a path"):
        compile_expression("name.first()")


def query(*pairs: tuple[str, str]) -> Any:
    return parse_query(pairs, TYPES["ImmunizationEvaluation"], TYPES)


def test_a_query_keeps_what_it_used_and_says_what_it_could_not_use() -> None:
    made = query(
        ("patient", "p1"), ("colour", "red"), ("_count", "5"), ("date", ""), ("_format", "json"), ("_sort", "-date,_id")
    )
    assert made.used == [("patient", "p1"), ("_count", "5"), ("_sort", "-date,_id")]
    assert [each.kind for each in made.problems] == ["unknown"]
    assert [(parameter.name, down) for parameter, down in made.sort] == [("date", True), ("_id", False)]
    assert made.count == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_count", "-1"),
        ("_count", "٥"),
        ("_sort", "colour"),
        ("_summary", "yes"),
        ("_total", "some"),
        ("_elements", "a b"),
        ("_page", "x"),
        ("_include", "patient"),
        ("_include", "Immunization:patient"),
        ("_include", "ImmunizationEvaluation:status"),
        ("_include", "ImmunizationEvaluation:patient:Group"),
        ("_revinclude", "Immunization:patient"),
        ("_include:sometimes", "*"),
    ],
)
def test_control_parameters_are_looked_at(name: str, value: str) -> None:
    assert [each.kind for each in query((name, value)).problems] == [name.partition(":")[0]]


def test_a_control_parameter_comes_once() -> None:
    assert [each.says for each in query(("_count", "1"), ("_count", "2")).problems] == ["must not come twice"]
    assert query(("_count", "5000")).count == 1000


def test_includes_may_be_all_and_from_what_is_included() -> None:
    made = query(("_include", "*"), ("_include:iterate", "Immunization:manufacturer"))
    assert [(each.type, each.parameter.name, each.again) for each in made.includes] == [
        ("ImmunizationEvaluation", "immunization-event", False),
        ("ImmunizationEvaluation", "patient", False),
        ("Immunization", "manufacturer", True),
    ]


def test_less_of_a_resource_says_so_and_stays_valid() -> None:
    row = TYPES["ImmunizationEvaluation"]
    whole = {**EVALUATION, "text": {"status": "generated"}, "series": "x", "_series": {"id": "a"}}
    assert narrowed(whole, row, "false", ()) is whole
    for summary, elements, there, gone in [
        ("true", (), {"status", "patient", "doseStatus"}, {"identifier", "date", "text", "series", "_series"}),
        ("text", (), {"text", "status"}, {"identifier", "series"}),
        ("data", (), {"identifier", "series"}, {"text"}),
        ("false", ("series",), {"series", "_series", "status", "doseStatus"}, {"identifier", "text"}),
    ]:
        less = narrowed(whole, row, summary, elements)
        assert there <= less.keys()
        assert not gone & less.keys()
        assert [tag["code"] for tag in less["meta"]["tag"]] == ["SUBSETTED"]
        assert narrowed(less, row, summary, elements)["meta"]["tag"] == less["meta"]["tag"]
