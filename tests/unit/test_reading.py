"""Reading a FHIR resource: in the specification's order, normalised, with every problem and its place."""

from __future__ import annotations

from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest

from mocksandbox import Sandbox, codec, open_provider
from mocksandbox.fhir import read_resource
from mocksandbox.rules.places import walk
from tests.conformance import recorded

RECORD: dict[str, Any] = {
    "resourceType": "Immunization",
    "status": "completed",
    "vaccineCode": {"text": "x"},
    "patient": {"reference": "#p"},
    "occurrenceDateTime": "2021-02-07T13:28:17+00:00",
}


def read(**changes: Any) -> dict[str, Any]:
    result, problems = read_resource({**RECORD, **changes}, "Immunization")
    assert problems == []
    return result


def problems(**changes: Any) -> dict[tuple[str | int, ...], str]:
    return dict(read_resource({**RECORD, **changes}, "Immunization")[1])


def test_elements_come_in_the_order_of_the_specification() -> None:
    shuffled = dict(reversed(read(id="x", lotNumber="1", identifier=[{"value": "v", "system": "s"}]).items()))
    result, _ = read_resource(shuffled, "Immunization")
    assert list(result)[:4] == ["resourceType", "id", "identifier", "status"]
    assert list(result["identifier"][0]) == ["system", "value"]


def test_nulls_and_empty_objects_and_lists_are_gone_but_the_place_of_an_object_in_a_list() -> None:
    result = read(lotNumber=None, note=[], site={}, reasonCode=[{"coding": []}], manufacturer={"display": None})
    assert result.keys() == RECORD.keys() | {"reasonCode"}
    assert result["reasonCode"] == [{}]


def test_a_null_in_a_list_of_objects_is_a_problem_and_in_one_of_primitives_is_kept() -> None:
    assert ("reasonCode", 0) in problems(reasonCode=[None])
    contained = [{"resourceType": "Patient", "name": [{"given": ["A", None]}]}]
    assert read(contained=contained)["contained"][0]["name"][0]["given"] == ["A", None]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2021", "2021"),
        ("2021-02", "2021-02"),
        ("2021-02-07", "2021-02-07"),
        ("2021-02-07T13:28:17Z", "2021-02-07T13:28:17+00:00"),
        ("2021-02-07T13:28:17.5+01:00", "2021-02-07T13:28:17.500000+01:00"),
        ("2021-02-07T13:28:17", "2021-02-07T13:28:17"),
    ],
)
def test_a_date_time_is_kept_as_iso_8601_with_an_offset(sent: str, kept: str) -> None:
    assert read(occurrenceDateTime=sent)["occurrenceDateTime"] == kept


@pytest.mark.parametrize("sent", ["yesterday", "02/2021", "2021-02-30", "2021-02-07T25:00:00Z", "", [], {}])
def test_what_is_no_date_time_is_a_problem(sent: Any) -> None:
    assert ("occurrenceDateTime",) in problems(occurrenceDateTime=sent)


def test_numbers_and_booleans_become_text_where_text_is_wanted() -> None:
    assert read(lotNumber=5)["lotNumber"] == "5"
    assert read(lotNumber=True)["lotNumber"] == "True"


def test_decimals_keep_their_digits() -> None:
    assert read(doseQuantity={"value": Decimal("0.500")})["doseQuantity"]["value"] == Decimal("0.500")


def test_an_unknown_element_is_a_problem_with_its_place() -> None:
    assert problems(vaccineCode={"coding": [{"foo": 1}]}) == {
        ("vaccineCode", "coding", 0, "foo"): "is not an element of Coding"
    }


def test_what_is_required_is_missed_unless_an_extension_stands_for_it() -> None:
    sent = {key: value for key, value in RECORD.items() if key not in ("status", "patient")}
    _, found = read_resource(sent, "Immunization")
    assert dict(found) == {("status",): "is required", ("patient",): "is required"}
    _, found = read_resource({**sent, "_status": {"extension": [{"url": "u"}]}}, "Immunization")
    assert dict(found) == {("patient",): "is required"}


def test_only_one_of_a_choice_may_be_sent_and_a_required_one_must() -> None:
    assert () in problems(occurrenceString="then")
    assert () in problems(occurrenceDateTime=None)
    assert problems(occurrenceDateTime=None, occurrenceString="then") == {}


def test_a_contained_resource_of_an_unknown_type_is_a_problem() -> None:
    for item in ({}, {"resourceType": "Nothing"}, {"resourceType": 5}, "x", None):
        assert problems(contained=[item])


def test_reading_what_was_read_changes_nothing() -> None:
    for case in recorded.cases():
        for step in case["steps"]:
            sent = step.get("json") or {}
            result, found = read_resource(sent, "Immunization")
            # What is null or empty is taken, and is gone from what is read: it may be missed then.
            if not found and not any(value is None or value == {} or value == [] for _, value in walk(sent)):
                assert read_resource(result, "Immunization") == (result, []), case["name"]


def models() -> dict[str, Any]:
    """The models of FHIR R4B: an Immunization of R4 is one of R4B."""
    names = {"Immunization": "immunization", "Bundle": "bundle", "OperationOutcome": "operationoutcome"}
    return {name: getattr(import_module(f"fhir.resources.R4B.{module}"), name) for name, module in names.items()}


def validate(answer: Any) -> None:
    """Check an answer against its model, as an outsider to this project does it."""
    for entry in answer.get("entry", ()):
        validate(entry["resource"])
    if answer["resourceType"] in models():
        models()[answer["resourceType"]].model_validate(answer)


def test_the_mocks_answers_are_fhir() -> None:
    kinds = set()
    for case in recorded.cases():
        sandbox = Sandbox(open_provider("nhs"))
        list(recorded.replay(case, sandbox.handle))
        for entry in sandbox.journal:
            if entry.exchange.response.body and "_elements" not in str(entry.exchange.request):
                answer = codec.loads(entry.exchange.response.body)
                kinds.add(answer["resourceType"])
                validate(answer)
    assert kinds == {"Immunization", "Bundle", "OperationOutcome"}
