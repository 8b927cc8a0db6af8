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

_Reader = Callable[[Any, Path, list[Problem]], Any]


def read_resource(resource: Mapping[str, Any], type_name: str) -> tuple[dict[str, Any], list[Problem]]:
    """The resource as read, and every problem found on the way (the result is whole only when there are none)."""
    problems: list[Problem] = []
    result = _object_reader(type_name)(resource, (), problems)
    return {"resourceType": type_name, **(result if isinstance(result, dict) else {})}, problems


@cache
def _object_reader(type_name: str) -> _Reader:
    elements = all_elements()[type_name]
    readers = {name: _element_reader(element) for name, element in elements.items()}
    required = [name for name, element in elements.items() if element.required and (type_name, name) not in _UNCHECKED]
    choices: dict[str, list[str]] = {}
    for name, element in elements.items():
        if element.choice:
            choices.setdefault(element.choice, []).append(name)
    needed_choices = {element.choice for element in elements.values() if element.choice_required}

    def read(value: Any, path: Path, problems: list[Problem]) -> Any:
        if not isinstance(value, dict):
            problems.append((path, "must be an object"))
            return MISSING
        for key in value:
            if key not in readers and not _tolerated(key, value[key], elements, type_name, path, problems):
                problems.append(((*path, key), f"is not an element of {type_name}"))
        missing = (name for name in required if value.get(name) is None and f"_{name}" not in value)
        problems.extend(((*path, name), "is required") for name in missing)
        for choice, names in choices.items():
            sent = [name for name in names if value.get(name) is not None]
            if len(sent) > 1:
                problems.append((path, f"may have only one of {' and '.join(sent)}"))
            elif not sent and choice in needed_choices:
                problems.append((path, f"must have one of {', '.join(names)}"))
        result: dict[str, Any] = {}
        for name, reader in readers.items():
            item = value.get(name)
            if item is not None:
                item = reader(item, (*path, name), problems)
                if item is not MISSING and item != {} and item != []:
                    result[name] = item
            if value.get(f"_{name}") is not None:
                result[f"_{name}"] = value[f"_{name}"]
        if "fhir_comments" in value:
            result["fhir_comments"] = value["fhir_comments"]
        return result

    return read


def _tolerated(
    key: str, value: Any, elements: Mapping[str, Element], type_name: str, path: Path, problems: list[Problem]
) -> bool:
    """Keys beside the elements: the type's own name, comments, and the extensions of primitives."""
    if key in ("resourceType", "resource_type"):
        if value != type_name:
            problems.append(((*path, key), f"must equal {type_name!r}"))
        return True
    if key == "fhir_comments":
        if not all(isinstance(item, str) for item in (value if isinstance(value, list) else [value])):
            problems.append(((*path, key), "must be a string or an array of strings"))
        return True
    element = elements.get(key[1:]) if key.startswith("_") else None
    if element is None or not element.primitive:
        return False
    items = value if element.many and isinstance(value, list) else [value]
    for item in items:
        if item is not None and (not isinstance(item, dict) or not item.keys() <= {"id", "extension", "fhir_comments"}):
            problems.append(((*path, key), "must be an object with id and extension"))
            break
    return True


def _element_reader(element: Element) -> _Reader:
    single = _single_reader(element)
    if not element.many:
        return single

    def read_list(value: Any, path: Path, problems: list[Problem]) -> Any:
        if not isinstance(value, list):
            problems.append((path, "must be an array"))
            return MISSING
        result: list[Any] = []
        for index, item in enumerate(value):
            if item is None and element.primitive:
                result.append(None)
                continue
            read = single(item, (*path, index), problems)
            if read is not MISSING:
                result.append(None if read == {} else read)  # an empty object leaves its place in the list empty
        return result

    return read_list


def _single_reader(element: Element) -> _Reader:
    if element.type == "Resource":
        return _read_any_resource
    if not element.primitive:
        # Looked up on use: types refer to one another in circles.
        return lambda value, path, problems: _object_reader(element.type)(value, path, problems)
    reader = READERS[element.type]

    def read(value: Any, path: Path, problems: list[Problem]) -> Any:
        try:
            return reader(value)
        except ValueError as error:
            problems.append((path, str(error)))
            return MISSING

    return read


def _read_any_resource(value: Any, path: Path, problems: list[Problem]) -> Any:
    type_name = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(type_name, str) or "id" not in all_elements().get(type_name, {}):
        problems.append((path, "must be a resource of a known resourceType"))
        return MISSING
    result = _object_reader(type_name)(value, path, problems)
    return {"resourceType": type_name, **result} if isinstance(result, dict) else result
