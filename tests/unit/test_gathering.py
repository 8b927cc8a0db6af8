"""All paths of an API's records in one walk: the same values as each path finds by itself."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from mocksandbox.errors import ContractError
from mocksandbox.provider import open_provider
from mocksandbox.providers.nhs.fields import current_name, posted_address
from mocksandbox.rules.gathering import AN_OBJECT, Gathering, Look
from mocksandbox.rules.places import MISSING, change, walk
from mocksandbox.rules.selectors import compile_path

NAMED = {"current": current_name, "posted": posted_address}
PATHS = [field.path for field in open_provider("nhs").fields.values() if field.parameter is None]
VALUES: tuple[Any, ...] = (MISSING, None, 5, "", "x", [], {}, [None], ["x"], [{}], [[]], {"coding": [{"system": 1}]}, {"x": 1})


def separately(path: str, body: Any) -> tuple[Any, ...]:
    return tuple(found.value for found in compile_path(path, NAMED)(body) if found.value is not MISSING)


def bodies() -> list[Any]:
    valid = open_provider("nhs").templates
    assert valid is not None
    templates = [attempt.body for attempt in valid("createImmunization")]
    random = Random(8)
    places = [(body, path) for body in templates for path, _ in walk(body) if path]
    return [
        *templates,
        *(change(*random.choice(places), lambda _: random.choice(VALUES)) for _ in range(600)),
        None,
        [],
        "x",
        5,
    ]


def test_each_path_has_the_values_that_it_finds_by_itself() -> None:
    gathering = Gathering(NAMED)
    numbers = {path: gathering.add(path) for path in PATHS}
    assert len(numbers) > 50
    for body in bodies():
        values = gathering.values(body)
        assert {path: values[number] for path, number in numbers.items()} == {path: separately(path, body) for path in PATHS}


def test_a_path_that_is_added_again_keeps_its_number_and_a_new_one_is_found_too() -> None:
    gathering = Gathering()
    first = gathering.add("a[*].b")
    assert gathering.values({"a": [{"b": 1}, {}, {"b": 2}]})[first] == (1, 2)
    second = gathering.add("a[0]")
    assert gathering.add("a[*].b") == first != second
    values = gathering.values({"a": [{"b": 1}]})
    assert (values[first], values[second]) == ((1,), ({"b": 1},))


def test_a_look_in_passing_notes_each_value_that_is_neither_plain_nor_cleared() -> None:
    gathering = Gathering(NAMED)
    number = gathering.add("a[*].b")
    asked: list[Any] = []

    def fails(value: Any, subject: Any) -> bool:
        asked.append((value, subject))
        return value == 3

    walk = gathering.looking(
        [Look("a[*].b", 7, "{0} == 1", fails), Look("a", 8, AN_OBJECT, fails), Look("c", 9, AN_OBJECT, fails)]
    )
    values, wrong = walk({"a": [{"b": 1}, {"b": 2}, {"b": 3}, {"c": 3}], "c": 3}, "me")
    assert (values[number], sorted(wrong)) == ((1, 2, 3), [7, 9])
    assert asked == [([{"b": 1}, {"b": 2}, {"b": 3}, {"c": 3}], "me"), (2, "me"), (3, "me"), (3, "me")]
    assert walk("no object", None) == (((),), [])


def test_text_of_a_path_is_never_part_of_the_function() -> None:
    gathering = Gathering()
    strange = gathering.add("a[?b='\"\n#].c")
    assert gathering.values({"a": [{"b": "'\"\n#", "c": 7}]})[strange] == (7,)


def test_a_malformed_path_is_refused_when_it_is_added() -> None:
    with pytest.raises(ContractError):
        Gathering().add("a[unknown]")
