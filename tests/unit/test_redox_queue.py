"""Destinations as their file says them, and what becomes of a message in a destination's queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mocksandbox.errors import ContractError
from mocksandbox.providers.redox.delivery import TRIES, tries
from mocksandbox.providers.redox.destinations import Destination, destinations, read_destinations
from mocksandbox.providers.redox.people import allows

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_destination_is_known_by_slug_and_by_id() -> None:
    known = destinations()
    assert known["redox-fhir-sandbox"] is known[known["redox-fhir-sandbox"].id]
    assert known["redox-fhir-sandbox"].environments == ("Development",)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{}", "/destinations"),
        ("destinations: []", "/destinations"),
        ("destinations: {a: 1}", "/destinations/a"),
        ("destinations: {a: {environments: [Development], colour: red}}", "/destinations/a"),
        ("destinations: {a: {}}", "/destinations/a/environments"),
        ("destinations: {a: {environments: []}}", "/destinations/a/environments"),
        ("destinations: {a: {environments: [1]}}", "/destinations/a/environments"),
        ("destinations: {a: {environments: [D], handling: loose}}", "/destinations/a/handling"),
        ("destinations: {a: {environments: [D], answer: none}}", "/destinations/a/answer"),
        ("destinations: {a: {environments: [D], delay: soon}}", "/destinations/a/delay"),
        ("destinations: {a: {environments: [D], delay: true}}", "/destinations/a/delay"),
        ("destinations: {a: {environments: [D], failures: -1}}", "/destinations/a/failures"),
        ("destinations: {a: {environments: [D], failures: sometimes}}", "/destinations/a/failures"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "destinations.yaml"
    file.write_text(text)
    with pytest.raises(ContractError) as caught:
        read_destinations(file)
    assert (caught.value.path, caught.value.pointer) == (str(file), place)


def told(**changes: object) -> list[tuple[float, bool]]:
    destination = Destination("a", "", ("Development",), **changes)  # type: ignore[arg-type]
    return [((moment - START).total_seconds(), taken) for moment, taken in tries(destination, START)]


def test_a_message_is_taken_at_once_or_after_a_delay() -> None:
    assert told() == [(0, True)]
    assert told(delay=30.0) == [(30, True)]


def test_pauses_grow_until_it_is_taken() -> None:
    assert told(failures=4, delay=5.0) == [(5, False), (20, False), (50, False), (110, False), (230, True)]


def test_pauses_grow_to_an_hour_and_no_further() -> None:
    moments = [seconds for seconds, _ in told(failures=12)]
    assert moments[-1] - moments[-2] == timedelta(hours=1).total_seconds()


def test_what_is_never_taken_is_tried_some_times() -> None:
    found = told(failures=None)
    assert len(found) == TRIES
    assert not any(taken for _, taken in found)


@pytest.mark.parametrize("number", ["101010001", "000123456", "666123456", "900123456", "999999999", "123006789", "123450000"])
def test_numbers_that_nobody_has_are_allowed(number: str) -> None:
    assert allows(number)


@pytest.mark.parametrize("number", ["123456789", "219099999", "078051120", "665123456", "899123456"])
def test_other_social_security_numbers_are_not(number: str) -> None:
    assert not allows(number)
