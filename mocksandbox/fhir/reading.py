"""Reading a resource as a lenient FHIR library does: every element known and of its type, and the result normalised.

The result has the specification's order of elements; nulls, empty objects and empty lists are gone (but an empty
object in a list keeps its place); primitives are as `primitives` makes them. What cannot be read is listed with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from mocksandbox.fhir.elements import UNCHECKED, Element, all_elements
from mocksandbox.fhir.primitives import READERS
from mocksandbox.rules.places import MISSING, Path

Problem = tuple[Path, str]
"""A place below the resource and a phrase that follows it."""

_Way = tuple[Any, ...]
"""The way to a value, as (the way to what holds it, key): a path is made of it only where there is a problem."""

_Reader = Callable[[Any, _Way, list[Problem]], Any]


def _path(way: _Way) -> Path:
    keys: list[str | int] = []
    while way:
        way, key = way
        keys.append(key)
    return tuple(reversed(keys))


def read_slowly(resource: Any, type_name: str) -> tuple[dict[str, Any], list[Problem]]:
    """The resource as read, and every problem found on the way (the result is whole only when there are none)."""
    problems: list[Problem] = []
    result = object_reader(type_name)(resource, (), problems)
    return {"resourceType": type_name, **(result if isinstance(result, dict) else {})}, problems


@cache
def object_reader(type_name: str) -> _Reader:
    """What reads an object of a type: from the object, the way to it and the problems found so far, to which it adds."""
    elements = all_elements()[type_name]
    known: dict[str, tuple[int, str, bool, Any]] = {}
    required = [
        (name, f"_{name}") for name, element in elements.items() if element.required and (type_name, name) not in UNCHECKED
    ]
    choices: dict[str, list[str]] = {}
    for name, element in elements.items():
        if element.choice:
            choices.setdefault(element.choice, []).append(name)
    needed_choices = {element.choice for element in elements.values() if element.choice_required}

    def read(value: Any, way: _Way, problems: list[Problem]) -> Any:
        if not isinstance(value, dict):
            problems.append((_path(way), "must be an object"))
            return MISSING
        if not known:  # on use: types refer to one another in circles
            known.update(_readers(elements))
        result: dict[str, Any] = {}
        inner: list[Problem] = []
        marks: list[tuple[int, int]] = []
        chosen: list[str] = []
        ordered, last = True, -1
        for key, item in value.items():
            element = known.get(key)
            if element is None:
                if not _tolerated(key, item, elements, type_name, way, problems):
                    problems.append(((*_path(way), key), f"is not an element of {type_name}"))
                elif key == "fhir_comments" or (item is not None and key[0] == "_"):
                    result[key] = item
                    ordered = False
                continue
            if item is None:
                continue
            place, choice, primitive, reader = element
            if place < last:
                ordered = False
            last = place
            if choice:
                chosen.append(choice)
            before = len(inner)
            if primitive:
                try:
                    result[key] = reader(item)
                    continue
                except ValueError as error:
                    inner.append(((*_path(way), key), str(error)))
            else:
                made = reader(item, (way, key), inner)
                if made and made is not MISSING:
                    result[key] = made
            if len(inner) > before:
                marks.append((place, before))
        for name, extended in required:
            if value.get(name) is None and extended not in value:
                problems.append(((*_path(way), name), "is required"))
        if len(chosen) > 1 or not needed_choices.issubset(chosen):
            _choose(value, way, problems)
        if inner:
            problems.extend(_in_order(inner, marks))
        return result if ordered else {key: result[key] for key in sorted(result, key=_order)}

    def _order(key: str) -> float:
        if key in known:
            return known[key][0]
        return known[key[1:]][0] + 0.5 if key[0] == "_" else len(known)  # what extends an element after it; comments last

    def _choose(value: dict[str, Any], way: _Way, problems: list[Problem]) -> None:
        for choice, names in choices.items():
            sent = [name for name in names if value.get(name) is not None]
            if len(sent) > 1:
                problems.append((_path(way), f"may have only one of {' and '.join(sent)}"))
            elif not sent and choice in needed_choices:
                problems.append((_path(way), f"must have one of {', '.join(names)}"))

    return read


def _readers(elements: Mapping[str, Element]) -> dict[str, tuple[int, str, bool, Any]]:
    """By element: its place in the specification's order, its choice, whether it is one primitive, and its reader. The readers
    of primitives stand here as they are: most values are primitives, and most of them are right.
    """
    return {
        name: (place, element.choice, _plain(element), READERS[element.type] if _plain(element) else _element_reader(element))
        for place, (name, element) in enumerate(elements.items())
    }


def _in_order(inner: Sequence[Problem], marks: Sequence[tuple[int, int]]) -> Iterator[Problem]:
    """What is wrong inside an object, in the order of its elements; a mark is an element's place and where its problems
    begin.
    """
    ends = [*(begin for _, begin in marks[1:]), len(inner)]
    for _, begin, end in sorted((place, begin, end) for (place, begin), end in zip(marks, ends, strict=True)):
        yield from inner[begin:end]


def _plain(element: Element) -> bool:
    """Whether an element holds one value of a primitive type."""
    return element.primitive and not element.many


def _tolerated(
    key: str, value: Any, elements: Mapping[str, Element], type_name: str, way: _Way, problems: list[Problem]
) -> bool:
    """Keys beside the elements: the type's own name, comments, and the extensions of primitives."""
    if key in ("resourceType", "resource_type"):
        if value != type_name:
            problems.append(((*_path(way), key), f"must equal {type_name!r}"))
        return True
    if key == "fhir_comments":
        if not all(isinstance(item, str) for item in (value if isinstance(value, list) else [value])):
            problems.append(((*_path(way), key), "must be a string or an array of strings"))
        return True
    element = elements.get(key[1:]) if key.startswith("_") else None
    if element is None or not element.primitive:
        return False
    items = value if element.many and isinstance(value, list) else [value]
    for item in items:
        if item is not None and (not isinstance(item, dict) or not item.keys() <= {"id", "extension", "fhir_comments"}):
            problems.append(((*_path(way), key), "must be an object with id and extension"))
            break
    return True


def _element_reader(element: Element) -> _Reader:
    single = _single_reader(element)
    if not element.many:
        return single

    def read_list(value: Any, way: _Way, problems: list[Problem]) -> Any:
        if not isinstance(value, list):
            problems.append((_path(way), "must be an array"))
            return MISSING
        result: list[Any] = []
        for index, item in enumerate(value):
            if item is None and element.primitive:
                result.append(None)
                continue
            read = single(item, (way, index), problems)
            if read is not MISSING:
                result.append(read)
        return result

    return read_list


def _single_reader(element: Element) -> _Reader:
    if element.type == "Resource":
        return _read_any_resource
    if not element.primitive:
        return object_reader(element.type)
    reader = READERS[element.type]

    def read(value: Any, way: _Way, problems: list[Problem]) -> Any:
        try:
            return reader(value)
        except ValueError as error:
            problems.append((_path(way), str(error)))
            return MISSING

    return read


def _read_any_resource(value: Any, way: _Way, problems: list[Problem]) -> Any:
    type_name = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(type_name, str) or "id" not in all_elements().get(type_name, {}):
        problems.append((_path(way), "must be a resource of a known resourceType"))
        return MISSING
    result = object_reader(type_name)(value, way, problems)
    return {"resourceType": type_name, **result} if isinstance(result, dict) else result
