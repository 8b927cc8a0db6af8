"""The quick reading of a resource and the explaining one: the same result, whatever is sent."""

from __future__ import annotations

import copy
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from mocksandbox import codec
from mocksandbox.fhir import wellread
from mocksandbox.fhir.reading import read_slowly
from mocksandbox.fhir.shape_code import MOST_OBJECTS, Writer
from mocksandbox.fhir.wellread import read_resource, read_well
from tests.conformance import recorded

VALUES: list[Any] = [None, "", " ", "x", "a  b", 0, -1, 1.5, 5.0, True, [], {}, [None], [{}], ["x"], [[]], {"a": 1}]
VALUES += ["\ud800", "2021-2-7", "2021-02-07T13:28:17.271Z", "2021", 10**20, Decimal("0.50"), float("nan"), "true"]
VALUES += [["system", "code"]]
KEYS = (
    "foo",
    "_status",
    "fhir_comments",
    "resource_type",
    "id",
    "resourceType",
    "text",
    "occurrenceString",
    "value",
    "system",
)


def bodies() -> list[dict[str, Any]]:
    """Every body of the recorded cases that is an object."""
    steps = [step for case in recorded.cases() for step in case["steps"]]
    return [step["json"] for step in steps if isinstance(step.get("json"), dict)]


def inside(value: Any) -> list[tuple[Any, Any]]:
    """Every place inside a value: what holds it and its key."""
    keys: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in ((value, key), *inside(value[key]))]


def mutated(body: dict[str, Any], random: Random) -> dict[str, Any]:
    """A copy with something else in it, left out, added or in another order."""
    body = copy.deepcopy(body)
    for _ in range(random.randrange(3)):
        places = inside(body)
        if not places:
            return body
        holder, key = random.choice(places)
        way = random.randrange(5)
        if way == 0:
            del holder[key]
        elif way == 1:
            holder[key] = [holder[key]] if random.random() < 0.5 else copy.deepcopy(holder[key])
        elif way == 2 and isinstance(holder, dict):
            holder[random.choice(KEYS)] = copy.deepcopy(random.choice(VALUES))
        elif way == 3 and isinstance(holder, dict):
            items = random.sample(list(holder.items()), len(holder))
            holder.clear()
            holder.update(items)
        else:
            holder[key] = copy.deepcopy(random.choice(VALUES))
    return body


def spelled(read: Any) -> str:
    """A result with its order and the types of its values."""
    return repr(read)


def test_both_readings_agree_over_thousands_of_mutated_bodies() -> None:
    random, sent = Random(11), bodies()
    quick = rewritten = 0
    for number in range(8_000):
        body = mutated(random.choice(sent), random)
        before = spelled(body)
        slow = spelled(read_slowly(body, "Immunization"))
        assert spelled(read_resource(body, "Immunization")) == slow, body
        assert spelled(body) == before, "what was sent is not changed"
        try:
            read = read_well(body, "Immunization")
        except ValueError:
            continue
        quick += number > 1_000
        rewritten += read is not body
    assert quick > 2_000
    assert rewritten > 100


def test_what_is_stored_as_it_was_sent_is_not_copied() -> None:
    body = {"resourceType": "Patient", "id": "p", "name": [{"family": "F", "given": ["G"]}]}
    for _ in range(wellread.SIGHTINGS):
        read_well(body, "Patient")
    assert read_well(body, "Patient") is body
    for _ in range(wellread.SIGHTINGS + 2):
        moved = read_well({**body, "birthDate": "1980-2-1"}, "Patient")
    assert moved["birthDate"] == "1980-02-01"
    assert moved["name"] is body["name"]


@pytest.mark.parametrize(
    "keys", [("lotNumer",), ("resourceType",), ("doseNumberPositiveInt", "doseNumberString"), ("series",)]
)
def test_keys_that_cannot_be_right_are_not_kept(keys: tuple[str, ...]) -> None:
    shapes = wellread._shapes("ImmunizationProtocolApplied", False)
    seen = len(shapes._seen)
    with pytest.raises(wellread.NotPlainError):
        shapes[keys]
    assert len(shapes._seen) == seen


def test_shapes_are_forgotten_when_there_are_too_many() -> None:
    shapes, random = wellread._Shapes("Patient", resource=True), Random(3)
    elements = [key for key, each in shapes.elements.items() if not each.choice]
    for _ in range(2 * wellread.MOST_SHAPES):
        keys = ("resourceType", *random.sample(elements, 5))
        shapes[keys]
        shapes[keys]
        assert len(shapes) <= len(shapes._seen) <= wellread.MOST_SHAPES


def test_no_sample_makes_a_long_function() -> None:
    value: dict[str, Any] = {"url": "u", "valueString": "x"}
    for _ in range(8):
        value = {"extension": [value] * 3, "url": "u"}
    writer = Writer(wellread._of_type, wellread._resources(), wellread._read_resource)
    sample = {"resourceType": "Patient", "extension": [value] * 3}
    assert writer.function(wellread._shapes("Patient", True), sample)(sample) == sample
    assert writer.objects <= MOST_OBJECTS
    assert len(writer.names) < 50 * MOST_OBJECTS


def test_objects_of_other_shapes_than_the_sample_has_are_read_all_the_same() -> None:
    name = {"family": "F", "given": ["G"]}
    bodies: list[dict[str, Any]] = [
        {"resourceType": "Patient", "name": names, "contained": contained}
        for names, contained in (
            ([name], [{"resourceType": "Patient", "id": "a"}]),
            ([name] * 4, [{"resourceType": "Group", "id": "a"}]),
            ([{"given": ["G"], "family": 5}], [{"id": "a", "resourceType": "Patient"}]),
            ([{"use": "old"}], [{"resourceType": "Practitioner", "id": "a"}]),
            ([[name]], [["resourceType", "id"]]),
            ([], {"resourceType": "Patient", "id": "a"}),
        )
    ]
    for sample in bodies:
        wellread._shapes.cache_clear()
        wellread._resources.cache_clear()
        for _ in range(wellread.SIGHTINGS + 2):
            read_resource(sample, "Patient")
        for body in bodies:
            assert spelled(read_resource(body, "Patient")) == spelled(read_slowly(body, "Patient"))


def test_what_is_nested_too_deep_is_left_to_the_other_reading() -> None:
    value: dict[str, Any] = {"url": "u", "valueString": "x"}
    for _ in range(150):
        value = {"extension": [value], "url": "u"}
    body = {"resourceType": "Patient", "extension": [value]}
    for _ in range(wellread.SIGHTINGS + 2):
        assert codec.dumps(read_resource(body, "Patient")[0]) == codec.dumps(body)
