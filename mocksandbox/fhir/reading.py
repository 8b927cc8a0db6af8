"""Reading a resource as a lenient FHIR library does: every element known and of its type, and the result normalised.

The result has the specification's order of elements; nulls, empty objects and empty lists are gone; primitives are as
`primitives` makes them. What cannot be read is listed with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from mocksandbox.fhir.elements import Element, all_elements
from mocksandbox.fhir.primitives import READERS
from mocksandbox.rules.places import MISSING, Path

# Required by FHIR and not missed by the library whose behaviour this is (observed).
_UNCHECKED = {("Extension", "url")}

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


def read_resource(resource: Mapping[str, Any], type_name: str) -> tuple[dict[str, Any], list[Problem]]:
    """The resource as read, and every problem found on the way (the result is whole only when there are none)."""
    problems: list[Problem] = []
    result = _object_reader(type_name)(resource, (), problems)
    return {"resourceType": type_name, **(result if isinstance(result, dict) else {})}, problems


@cache
def _object_reader(type_name: str) -> _Reader:
    elements = all_elements()[type_name]
    # The primitives' own readers stand here as they are: most values are primitives, and most of them are right.
    known = {
        name: (place, element.choice, None if _plain(element) else _element_reader(element), READERS.get(element.type, _nothing))
        for place, (name, element) in enumerate(elements.items())
    }
    required = [
        (name, f"_{name}") for name, element in elements.items() if element.required and (type_name, name) not in _UNCHECKED
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
        result: dict[str, Any] = {}
        inner: list[tuple[float, list[Problem]]] = []
        chosen: list[str] = []
        ordered, last = True, -1
        for key, item in value.items():
            if item is None and key in known:
                continue
            element = known.get(key)
            if element is None:
                if not _tolerated(key, item, elements, type_name, way, problems):
                    problems.append(((*_path(way), key), f"is not an element of {type_name}"))
                elif key == "fhir_comments" or (item is not None and key[0] == "_"):
                    result[key] = item
                    ordered = False
                continue
            place, choice, reader, primitive = element
            ordered = ordered and place > last
            last = place
            if choice:
                chosen.append(choice)
            if reader is None:
                try:
                    result[key] = primitive(item)
                except ValueError as error:
                    inner.append((place, [((*_path(way), key), str(error))]))
                continue
            found: list[Problem] = []
            item = reader(item, (way, key), found)
            if found:
                inner.append((place, found))
            if item and item is not MISSING:
                result[key] = item
        for name, extended in required:
            if value.get(name) is None and extended not in value:
                problems.append(((*_path(way), name), "is required"))
        if len(chosen) > 1 or not needed_choices.issubset(chosen):
            _choose(value, way, problems)
        if inner:  # in the order of the elements, after what is wrong with the object itself
            problems.extend(problem for _, found in sorted(inner, key=_place) for problem in found)
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


def _plain(element: Element) -> bool:
    """Whether an element holds one value of a primitive type."""
    return element.primitive and not element.many


def _nothing(value: Any) -> Any:
    return value


def _place(inner: tuple[float, list[Problem]]) -> float:
    return inner[0]


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
                result.append(None if read == {} else read)  # an empty object leaves its place in the list empty
        return result

    return read_list


def _single_reader(element: Element) -> _Reader:
    if element.type == "Resource":
        return _read_any_resource
    if not element.primitive:
        # Looked up on use: types refer to one another in circles.
        return lambda value, way, problems: _object_reader(element.type)(value, way, problems)
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
    result = _object_reader(type_name)(value, way, problems)
    return {"resourceType": type_name, **result} if isinstance(result, dict) else result
