"""Reading a resource quickly where nothing is wrong with it: the same result as `reading` gives, without its explanations.

Most objects of a type have the same keys in the same order. What the keys alone decide (whether they are elements of the type,
in the specification's order, whether one is missing, or two stand for one choice) is decided once for each such shape; what is
left is one function for the shape (`shape_code`) that looks at the values. What is already as it would be stored is given
back as it is, not copied. Whatever is out of the ordinary is left to `reading`, which then reads the resource from its start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from mocksandbox.fhir.elements import UNCHECKED, all_elements
from mocksandbox.fhir.reading import Problem, object_reader, read_slowly
from mocksandbox.fhir.shape_code import Writer

Read = Callable[[dict[str, Any]], dict[str, Any]]
"""The reading of an object of one shape. Raises `ValueError` when a value is not plain."""

MOST_SHAPES = 256
"""So many shapes of a type are kept; then all are forgotten: no client can fill the memory with shapes."""

SIGHTINGS = 16
"""So many objects of a shape are read step by step: a function costs as much as some dozens of them, and most shapes of broken
requests come once.
"""


class NotPlainError(ValueError):
    """Something that the quick reading leaves to the other."""


def read_resource(resource: Mapping[str, Any], type_name: str) -> tuple[dict[str, Any], list[Problem]]:
    """The resource as read, and every problem found on the way (the result is whole only when there are none). Parts of the
    result may be the very objects that were sent.
    """
    try:
        return read_well(resource, type_name), []
    except (ValueError, RecursionError):  # something may be wrong: what, and where?
        return read_slowly(resource, type_name)


def read_well(resource: Any, type_name: str) -> dict[str, Any]:
    """The resource as read, when it is plain.

    Raises:
        ValueError: something may be wrong with it.
        RecursionError: it is nested too deep.
    """
    if type(resource) is not dict or "resourceType" not in resource:
        raise NotPlainError
    return _shapes(type_name, True)[tuple(resource)](resource)


class _Shapes(dict[tuple[str, ...], Read]):
    """The shapes of a type by their keys. A resource has its `resourceType`, which no other object may have here."""

    def __init__(self, type_name: str, *, resource: bool) -> None:
        super().__init__()
        self.type = type_name
        self.elements = all_elements()[type_name]
        self._places = {name: place for place, name in enumerate(self.elements)} | ({"resourceType": -1} if resource else {})
        self._required = {key for key, each in self.elements.items() if each.required and (type_name, key) not in UNCHECKED}
        self._needed = {each.choice for each in self.elements.values() if each.choice_required}
        self._seen: dict[tuple[str, ...], int] = {}
        self._resource = resource

    def __missing__(self, keys: tuple[str, ...]) -> Read:
        if not self.takes(keys):
            raise NotPlainError
        if len(self._seen) >= MOST_SHAPES:
            self._seen.clear()
            self.clear()
        seen = self._seen[keys] = self._seen.get(keys, 0) + 1
        return self._compile if seen > SIGHTINGS else self._read_slowly

    def read(self, value: Any) -> dict[str, Any]:
        """An object of this type as read."""
        if type(value) is not dict:
            raise NotPlainError
        return self[tuple(value)](value)

    def takes(self, keys: Sequence[str]) -> bool:
        """Whether an object may have these keys: they are elements, none that is required is missing, and none there twice."""
        if not keys or not self._places.keys() >= set(keys):
            return False
        choices = [each.choice for key in keys if (each := self.elements.get(key)) is not None and each.choice]
        return self._required <= set(keys) and len(set(choices)) == len(choices) and self._needed <= set(choices)

    def in_order(self, keys: Sequence[str]) -> list[str]:
        """Keys as they are stored: in the specification's order."""
        return sorted(keys, key=self._places.__getitem__)

    def _compile(self, value: dict[str, Any]) -> dict[str, Any]:
        read = self[tuple(value)] = Writer(_of_type, _resources(), _read_resource).function(self, value)
        return read(value)

    def _read_slowly(self, value: dict[str, Any]) -> dict[str, Any]:
        problems: list[Problem] = []
        read = object_reader(self.type)(value, (), problems)
        if problems or not read:
            raise NotPlainError
        return {"resourceType": self.type, **read} if self._resource else read


@cache
def _shapes(type_name: str, resource: bool) -> _Shapes:
    return _Shapes(type_name, resource=resource)


def _of_type(type_name: str) -> _Shapes:
    return _shapes(type_name, False)


@cache
def _resources() -> Mapping[str, _Shapes]:
    """The shapes of every resource that may stand in another."""
    return {name: _shapes(name, True) for name, elements in all_elements().items() if "id" in elements}


def _read_resource(value: Any) -> Any:
    kind = value.get("resourceType") if type(value) is dict else None
    shapes = _resources().get(kind) if type(kind) is str else None
    if shapes is None:
        raise NotPlainError
    return shapes[tuple(value)](value)
