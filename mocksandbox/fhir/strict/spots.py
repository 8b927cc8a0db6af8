"""Where things stand in a valid resource: every place with the definition of what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mocksandbox.fhir.strict.definitions import Definition, definitions
from mocksandbox.rules.places import Path, change, put


@dataclass(frozen=True)
class Spot:
    """One place: its path, what stands there, its element, and the type of the object that has it.

    `whole` is whether it is the whole list of an element with many values; its items are spots too. `alone` is whether the
    object that has it has nothing else.
    """

    path: Path
    value: Any
    element: Definition
    holder: str
    whole: bool
    alone: bool = False

    @property
    def loose(self) -> bool:
        """Whether nothing else in the resource depends on it: it is no part of a contained resource and refers to none, and
        it is neither an id nor a URL nor what a Bundle is made of.
        """
        parts = set(self.path)
        return (
            not parts & {"contained", "text", "extension", "id", "resourceType", "fullUrl", "request", "response"}
            and self.element.name not in ("entry", "resource", "url")
            and self.holder not in ("Bundle", "Reference", "Coding")
            and "'#" not in str(self.value)
        )


def spots(resource: Any) -> Iterator[Spot]:
    """Every place of a valid resource that an element of R4 stands at, in its order, parents first."""
    yield from _object(resource, resource["resourceType"], ())


def _object(value: dict[str, Any], type_name: str, path: Path) -> Iterator[Spot]:
    elements = definitions(type_name)
    for key, item in value.items():
        element = elements.get(key)
        if element is None:
            continue
        if element.many:
            yield Spot((*path, key), item, element, type_name, True, len(value) == 1)
        for index, each in enumerate(item) if element.many else [(None, item)]:
            where = (*path, key) if index is None else (*path, key, index)
            yield Spot(where, each, element, type_name, False, len(value) == 1)
            if isinstance(each, dict):
                inner = each["resourceType"] if element.type == "Resource" else element.type
                yield from _object(each, inner, where)


def at_first(wanted: Callable[[Spot], bool], edit: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A change of a resource: `edit` of what stands at its first spot that is wanted; without one it stays as it is."""

    def apply(resource: Any) -> Any:
        spot = next(filter(wanted, spots(resource)), None)
        return resource if spot is None else change(resource, spot.path, edit)

    return apply


def to_first(wanted: Callable[[Spot], bool], edit: Callable[[Spot], tuple[str, Any]]) -> Callable[[Any], Any]:
    """A change of a resource: what `edit` gives (name and value) stands beside the first spot that is wanted."""

    def apply(resource: Any) -> Any:
        spot = next(filter(wanted, spots(resource)), None)
        if spot is None:
            return resource
        name, value = edit(spot)
        return put(resource, (*spot.path[:-1], name), value)

    return apply
