"""R4's rules on resources that are wrong anywhere in any way: nothing is raised, all is said in words, and nothing that
another implementation refuses is let through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from importlib import import_module
from time import process_time
from typing import Any

import pytest

from mocksandbox.codec import dumps
from mocksandbox.fhir.strict import fhir_catalogue, fhir_examples
from mocksandbox.fhir.strict.hits import shown
from mocksandbox.fhir.strict.moments import certainly_after
from mocksandbox.fhir.strict.narrative import narrative_fault
from mocksandbox.rules.places import drop, put, walk

R4B = import_module("fhir.resources.R4B")
EXAMPLES = fhir_examples()
# The other implementation does not take extensions alone for one of a choice.
EXAMPLES["immunization-with-contained"]["occurrenceDateTime"] = "2024-03-01"
del EXAMPLES["immunization-with-contained"]["_occurrenceDateTime"]


def nested(levels: int, wrap: Any) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = wrap(value)
    return value


PLAIN: list[Any] = [
    None,
    [],
    {},
    "",
    " ",
    "x",
    "#x",
    "Patient/1",
    "2024",
    "2024-02-30",
    "true",
    True,
    False,
    0,
    1,
    -1,
    1.5,
    2**40,
]
SHAPED: list[Any] = [["x"], [None], [[]], [{}], {"id": "x"}, {"a": 1}, {"extension": []}, {"reference": []}, {"coding": 5}]
HOSTILE: list[Any] = [
    float("nan"),
    float("inf"),
    Decimal("Infinity"),
    Decimal("NaN"),
    Decimal("1E+99999"),
    10**5000,
    -(10**5000),
    "\ud800",
    "\x00",
    "x" * 100_000,
    "https://example.org/" + "a/" * 20_000,
    "#" * 5000,
    {"\ud800": 1, "_": 2, "": 3, "_status": {"_id": []}},
    {"resourceType": ["Patient"]},
    {"resourceType": {"a": []}, "contained": [[{}]]},
    {"system": [], "code": {}, "value": [], "use": {}, "start": [], "end": {}, "low": [], "high": {"value": "x"}},
    [{"fullUrl": [], "resource": [], "request": None, "response": 5, "search": []}],
    nested(100_000, lambda value: [value]),
    nested(100_000, lambda value: {"extension": [value]}),
    nested(100_000, lambda value: {"contained": [{"resourceType": "Patient", "id": "x", "contained": [value]}]}),
    nested(100_000, lambda value: {"resourceType": "Bundle", "entry": [{"resource": value}]}),
    nested(100_000, lambda value: {"resourceType": "Parameters", "parameter": [{"part": [{"resource": value}]}]}),
]


def changed(resource: Any, values: list[Any]) -> Iterator[tuple[str, Any]]:
    """The resource with each of these values in each place, and without what stands there."""
    for place, _ in walk(resource):
        if place:
            yield f"{place} dropped", drop(resource, place)
            for value in values:
                yield f"{place} = {shown(value)}", put(resource, place, value)


def judged(resource: Any) -> list[Any]:
    """All findings, each said in words that can be sent."""
    catalogue = fhir_catalogue()
    findings = [*catalogue.all(resource, "", "integration"), *catalogue.warnings(resource, "", "integration")]
    for finding in findings:
        assert finding.message
        assert len(finding.message) < 1500, finding.message
        json.loads(dumps({"diagnostics": finding.message, "expression": [finding.at]}))
    return findings


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_is_raised_whatever_stands_anywhere(name: str) -> None:
    for label, resource in changed(EXAMPLES[name], [*PLAIN, *SHAPED, *HOSTILE]):
        try:
            judged(resource)
        except Exception as error:
            raise AssertionError(f"{name}: {label}") from error


@pytest.mark.parametrize("value", [*PLAIN, *SHAPED, *HOSTILE], ids=lambda value: shown(value)[:30])
def test_what_is_no_resource_is_said_to_be_none(value: Any) -> None:
    assert "fhir/not-a-resource" in {finding.rule.id for finding in judged(value)} or (
        isinstance(value, dict) and value.get("resourceType") in ("Bundle", "Parameters")
    )


@pytest.mark.parametrize("kind", ["Bundle", "Parameters", "Patient", "Questionnaire"])
def test_what_is_nested_without_end_is_found_and_not_followed(kind: str) -> None:
    inner = {
        "Bundle": lambda value: {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": value}]},
        "Parameters": lambda value: {"resourceType": "Parameters", "parameter": [{"name": "x", "resource": value}]},
        "Patient": lambda value: {"url": "x", "extension": [value]},
        "Questionnaire": lambda value: {"linkId": "x", "type": "group", "item": [value]},
    }[kind]
    deep = nested(5000, inner)
    outer = {
        "Patient": {"resourceType": "Patient", "extension": [deep]},
        "Questionnaire": {"resourceType": "Questionnaire", "status": "draft", "item": [deep]},
    }.get(kind, deep)
    found = judged(outer)
    assert [finding.rule.id for finding in found if finding.rule.id == "fhir/too-deep"] == ["fhir/too-deep"]


@pytest.mark.parametrize("name", [name for name in EXAMPLES if not name.endswith("bundle")])
def test_what_another_implementation_refuses_is_not_let_through(name: str) -> None:
    resource = EXAMPLES[name]
    model = R4B.get_fhir_model_class(resource["resourceType"])
    compared = 0
    for label, broken in changed(resource, [*PLAIN, {"id": "x"}, ["x"], [None]]):
        if fhir_catalogue().all(broken, "", "integration"):
            continue  # refused by us: there is nothing to let through
        compared += 1
        try:
            model.model_validate(deepcopy(broken))
        except ValueError as error:
            raise AssertionError(f"{name}: {label} is let through, and refused there: {str(error)[:300]}") from error
    assert compared > 50


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Patient", **{f"nam{number}": 1 for number in range(50_000)}},
        {"resourceType": "Patient", "identifier": [{}] * 100_000},
        {"resourceType": "Patient", "extension": [{"url": "x", "valueReference": {"reference": "#x"}}] * 50_000},
        {"resourceType": "Patient", "contained": [{"resourceType": "Basic", "id": f"b{n}"} for n in range(20_000)]},
        {"resourceType": "Bundle", "type": "message", "entry": [{"fullUrl": "x", "request": 1}] * 50_000},
        {"resourceType": "Observation", "component": [{"code": {"coding": [{"code": "x"}]}}] * 20_000},
    ],
    ids=["unknown", "empty", "dangling", "unreferenced", "entries", "components"],
)
def test_a_body_made_of_faults_is_judged_in_time_and_in_few_words(body: dict[str, Any]) -> None:
    start = process_time()
    found = judged(body)
    assert process_time() - start < 5
    assert 1 <= len(found) < 1000


# --- The parts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "later"),
    [
        ("2024-02", "2024-01", True),
        ("2024", "2023-12-31", True),
        ("2024-01-31", "2024-01", False),
        ("2024-01", "2024-01-01", False),
        ("2024-01-02T00:00:00Z", "2024-01-01", False),  # 1 January lasts longer further west
        ("2024-01-03T00:00:00Z", "2024-01-01", True),
        ("2024-01-01", "2023-12-31T01:00:00Z", True),
        ("2024-01-01", "2023-12-31T11:00:00Z", False),  # 1 January has begun further east
        ("2024-03-01T00:00:00Z", "2024-02", False),
        ("2024-03-02T00:00:00Z", "2024-02", True),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000Z", False),
        ("2024-01-01T00:00:00.0001Z", "2024-01-01T00:00:00Z", True),
        ("2024-01-01T01:00:00+01:00", "2024-01-01T00:00:00Z", False),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", False),
        ("0001-01-01T00:00:00+14:00", "0001", False),
        ("9999-12-31T23:59:59-14:00", "9999", False),
        ("2024-02-30", "2024-01-01", False),  # no day, and no order
        ("x", "2024", False),
        (None, [], False),
    ],
)
def test_what_is_certainly_later(start: Any, end: Any, later: bool) -> None:
    assert certainly_after(start, end) is later


@pytest.mark.parametrize(
    ("inner", "fault"),
    [
        ("x", ""),
        ("<p>x</p>", ""),
        ('<img src="a.png" alt=""/>', ""),
        ("<!-- a comment -->x", ""),
        ("<!-- a comment -->", "read"),
        ("<p/>", "read"),
        ("&#8203;&amp;", ""),
        ("&nbsp;", "parsed"),
        ("<script>x</script>", "<script>"),
        ("<object>x</object>", "<object>"),
        ('<a href="JavaScript:x()">x</a>', "script in href"),
        ('<p onmouseover="x()">x</p>', "onmouseover"),
        ('<svg xmlns="http://www.w3.org/2000/svg"><text>x</text></svg>', "<svg>"),
        ("<p>x", "parsed"),
    ],
)
def test_a_narrative_is_text_with_formatting(inner: str, fault: str) -> None:
    told = narrative_fault(f'<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>')
    assert fault in told if fault else told == ""


def test_a_narrative_that_would_grow_without_bound_is_refused_at_once() -> None:
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(20))
    bomb = f'<!DOCTYPE div [<!ENTITY a0 "x">{entities}]><div xmlns="http://www.w3.org/1999/xhtml">&a20;</div>'
    assert "document type" in narrative_fault(bomb)
