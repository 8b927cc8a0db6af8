"""Whether objects are objects and lists are lists, where the service looks inside without asking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

from mocksandbox.providers.nhs.fields import fields, number_of, single_number_of, singles_of, values_of
from mocksandbox.providers.nhs.parts import PROCEDURE_URL, body_of, items_of
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.gathering import AN_OBJECT, Look
from mocksandbox.rules.places import MISSING, fhirpath, get
from mocksandbox.rules.rule import Hit
from mocksandbox.rules.selectors import compile_path

# Where the service looks inside a value without asking what it is, and leaks an interpreter's message when it is something
# else: path -> what must be there. The words are ours. An empty string or object in place of a list passes unseen there,
# and is found as nhs/not-fhir.
_SHAPES: tuple[tuple[str, str], ...] = (
    ("contained[?resourceType=Patient].id", "string"),
    ("contained[?resourceType=Patient].identifier[0]", "object"),
    ("contained[?resourceType=Patient].address[*]", "object, list or string"),
    ("patient", "object"),
    ("performer", "array"),
    ("performer[*]", "object"),
    ("performer[*].actor", "object"),
    ("performer[*].actor.reference", "string"),
    ("performer[?actor.type=Organization].actor.identifier", "object"),
    ("protocolApplied[0]", "object"),
    ("protocolApplied[0].targetDisease", "array or object"),
    ("protocolApplied[0].targetDisease[*]", "object"),
    ("protocolApplied[0].targetDisease[*].coding", "array"),
    ("protocolApplied[0].targetDisease[*].coding[*]", "object"),
    ("manufacturer", "object"),
    ("site", "object"),
    ("site.coding", "array"),
    ("site.coding[*]", "object"),
    ("route", "object"),
    ("route.coding", "array"),
    ("route.coding[*]", "object"),
    ("doseQuantity", "object"),
    ("reasonCode", "array"),
    ("reasonCode[*]", "object"),
    ("reasonCode[*].coding[0]", "object"),
    ("location", "object"),
    ("location.identifier", "object"),
    ("extension[*]", "object"),
    ("extension[*].valueCodeableConcept", "object"),
    (f"extension[?url={PROCEDURE_URL}].valueCodeableConcept.coding", "array"),
    (f"extension[?url={PROCEDURE_URL}].valueCodeableConcept.coding[*]", "object"),
    ("vaccineCode", "object"),
    ("vaccineCode.coding", "array"),
    ("vaccineCode.coding[*]", "object"),
)
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "object, list or string": (dict, list, str),
    "array or object": (list, dict),
}
_PLAIN: Mapping[str, str] = {
    "object": AN_OBJECT,
    "array": "type({0}) is list",
    "string": "type({0}) is str",
    "object, list or string": "type({0}) is dict",
    "array or object": "type({0}) is list",
}
# Before the first record is looked at: what is numbered later is not among the values that were found.
_NUMBERS = {path: single_number_of(path) for path, _ in _SHAPES}
_SECOND_NAME = number_of("contained[?resourceType=Patient].name[1]")
_SAID = {"array": "must-be-an-array", "array or object": "must-be-an-array", "string": "must-be-a-string"}


WRONG_SHAPES = "_wrong_shapes"
"""Where an attempt has it whether anything in its record is of a wrong shape."""


def _fits(value: Any, shape: str) -> bool:
    return isinstance(value, _TYPES[shape]) or (shape.startswith("array") and value in ("", {}))


@cache
def _numbers(below: str) -> Sequence[tuple[int, str, type | tuple[type, ...]]]:
    """The shapes at or below an element: the number of each one's path, its name, its types."""
    return [(_NUMBERS[path], shape, _TYPES[shape]) for path, shape in _SHAPES if path.startswith(below)]


def shape_looks(mark: int) -> Sequence[Look]:
    """Looks at all that has a shape."""
    return [Look(path, mark, _PLAIN[shape], _misfit(shape)) for path, shape in _SHAPES]


def _misfit(shape: str) -> Callable[[Any, Any], bool]:
    return lambda value, _: not _fits(value, shape)


def has_wrong_shapes(attempt: Attempt, below: str = "") -> bool:
    """Whether anything at or below an element is of a wrong shape. Where nothing at all is, that is looked for once."""
    wrong: bool | None = attempt.__dict__.get(WRONG_SHAPES)
    if wrong is None:
        wrong = attempt.__dict__[WRONG_SHAPES] = _has_wrong_shapes(attempt, "")
    return wrong and _has_wrong_shapes(attempt, below)


def _has_wrong_shapes(attempt: Attempt, below: str) -> bool:
    values = singles_of(attempt)
    for number, shape, types in _numbers(below):
        for value in values[number]:
            if not isinstance(value, types) and not _fits(value, shape):
                return True
    return False


def _wrong(body: Mapping[str, Any]) -> Iterator[Hit]:
    for path, shape in _SHAPES:
        for found in compile_path(path)(body):
            if found.value is not MISSING and not _fits(found.value, shape):
                at = fhirpath(found.path, "Immunization")
                yield at, _SAID.get(shape, "must-be-an-object"), {"at": fhirpath(found.path)}


def _uncomparable_periods(attempt: Attempt) -> Iterator[Hit]:
    """Where a patient has several names, the service compares the ends of their periods with the occurrence, as texts."""
    body = body_of(attempt)
    for found in fields()["patient-names"].present(body):
        names = items_of(found.value)
        for index, name in enumerate(names if len(names) > 1 and body.get("occurrenceDateTime") else ()):
            if not isinstance(name, dict) or not {"given", "family"} <= name.keys():
                continue
            for end in ("start", "end"):
                moment = get(name, ("period", end))
                if moment is not MISSING and moment and not isinstance(moment, str):
                    path = (*found.path, index, "period", end)
                    yield fhirpath(path, "Immunization"), "must-be-a-string", {"at": fhirpath(path)}


def wrong_shapes(attempt: Attempt) -> Iterable[Hit]:
    """Every object is an object and every list a list, where the service looks inside."""
    if has_wrong_shapes(attempt):
        return chain(_wrong(body_of(attempt)), _uncomparable_periods(attempt))
    return _uncomparable_periods(attempt) if values_of(attempt)[_SECOND_NAME] else ()
