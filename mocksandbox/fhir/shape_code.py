"""The reading of an object of one shape, written as Python: what its keys alone decide is decided, its values are looked at.

The shape is that of a sample, with what stands in it: an object inside that has the same keys as the sample's is read on the
spot, any other by the reader of its type. Nothing that a client sent stands in the text, only names for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import is_
from typing import Any, Protocol

from mocksandbox.fhir.elements import Element
from mocksandbox.fhir.primitives import READERS

DEEPEST = 6
"""So far inside the sample objects are read on the spot: deeper ones are rare."""

MOST_OBJECTS = 64
"""So many objects are read on the spot in one function: no sample makes a long one."""

MOST_ITEMS = 3
"""So many items of a list at most are read on the spot."""

_TEXTS = ("base64Binary", "canonical", "markdown", "oid", "uri", "url", "uuid", "xhtml")
_PLAIN = {
    **dict.fromkeys(_TEXTS, "type({0}) is str"),
    "boolean": "{0} is True or {0} is False",
    "code": "type({0}) is str and {0}.isalnum()",
    "decimal": "type({0}) is int or type({0}) is float and {0} - {0} == 0",  # the difference is 0 of finite numbers only
    "id": "type({0}) is str and len({0}) <= 64 and {0}.isascii() and {0}.isalnum()",
    "integer": "type({0}) is int",
    "positiveInt": "type({0}) is int and {0} > 0",
    "string": "type({0}) is str and {0}",
    "unsignedInt": "type({0}) is int and {0} >= 0",
}
"""What tells a value of a primitive that is surely right and stored as it is. The primitive's reader sees to any other."""


class Shapes(Protocol):
    """The objects of one type."""

    type: str
    elements: Mapping[str, Element]

    def takes(self, keys: Sequence[str]) -> bool:
        """Whether an object may have these keys."""
        ...

    def in_order(self, keys: Sequence[str]) -> list[str]:
        """Keys as they are stored."""
        ...

    def read(self, value: Any) -> dict[str, Any]:
        """An object of this type as read; raises `ValueError` when it is none."""
        ...


@dataclass
class Writer:
    """Writes one function. `of` gives the shapes of a type by its name, `resources` has those of resources, `resource` reads
    a resource inside another.
    """

    of: Callable[[str], Shapes]
    resources: Mapping[str, Shapes]
    resource: Callable[[Any], Any]
    names: dict[str, Any] = field(default_factory=dict)
    objects: int = 0

    def function(self, shapes: Shapes, sample: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """What reads objects with the sample's keys, and gives the object itself where it is stored as it is; it raises
        `ValueError` for a value that is not plain.
        """
        lines = ["def read(value):", " new = False"]
        lines += _within(self._object(shapes, sample, "value", "new", 0))
        lines.append(" return value")
        exec(compile("\n".join(lines), "<the shape of an object>", "exec"), self.names)
        read: Callable[[dict[str, Any]], dict[str, Any]] = self.names["read"]
        return read

    def _object(self, shapes: Shapes, sample: dict[str, Any], value: str, new: str, depth: int) -> Iterator[str]:
        """The lines that read the object in a variable, whose keys are the sample's: where that changes it there stands
        another after them, and `new` is true.
        """
        self.objects += 1
        keys, changed = tuple(sample), self._variable()
        inside = {key: self._variable() for key in keys}
        yield f"{', '.join(inside.values())}, = {value}.values()"
        yield f"{changed} = False"
        for key, part in inside.items():
            if key in shapes.elements:
                yield from self._element(shapes.elements[key], sample[key], part, changed, depth)
            else:  # the resourceType of a resource
                yield f"if {part} != {self._named(shapes.type)}:"
                yield " raise ValueError"
        ordered = shapes.in_order(keys)
        stored = ", ".join(f"{self._named(key)}: {inside[key]}" for key in ordered)
        yield f"if {changed}:" if list(keys) == ordered else "if True:"
        yield f" {value}, {new} = {{{stored}}}, True"

    def _element(self, element: Element, sample: Any, value: str, new: str, depth: int) -> Iterator[str]:
        if not element.many:
            yield from self._value(element, sample, value, new, depth)
            return
        # As many items as the sample's list has are read one after the other, without making another list to compare.
        samples = sample if isinstance(sample, list) and 0 < len(sample) <= MOST_ITEMS else [None]
        items, changed = [self._variable() for _ in samples], self._variable()
        yield f"if type({value}) is list and len({value}) == {len(samples)}:"
        yield f" {', '.join(items)}, = {value}"
        yield f" {changed} = False"
        for item, like in zip(items, samples, strict=True):
            yield from _within(self._value(element, like, item, changed, depth))
        yield f" if {changed}:"
        yield f"  {value}, {new} = [{', '.join(items)}], True"
        yield "else:"
        yield f" read = {self._named(_read_items)}({value}, {self._reader(element)})"
        yield from _within(_replaced(value, new))

    def _value(self, element: Element, sample: Any, value: str, new: str, depth: int) -> Iterator[str]:
        if element.primitive:
            yield f"if not ({_PLAIN.get(element.type, 'False').format(value)}):"
            yield f" read = {self._reader(element)}({value})"
            yield f" if read != {value} or type(read) is not type({value}):"  # 5 is not 5.0 here
            yield f"  {value}, {new} = read, True"
            return
        short = depth < DEEPEST and self.objects < MOST_OBJECTS
        shapes = self._shapes(element, sample) if type(sample) is dict and short else None
        if shapes is None or not shapes.takes(tuple(sample)):
            yield f"read = {self._reader(element)}({value})"
            yield from _replaced(value, new)
            return
        kind = f" and {value}.get('resourceType') == {self._named(shapes.type)}" if element.type == "Resource" else ""
        yield f"if type({value}) is dict and tuple({value}) == {self._named(tuple(sample))}{kind}:"
        yield from _within(self._object(shapes, sample, value, new, depth + 1))
        yield "else:"
        yield f" read = {self._reader(element)}({value})"
        yield from _within(_replaced(value, new))

    def _shapes(self, element: Element, sample: dict[str, Any]) -> Shapes | None:
        kind = sample.get("resourceType")
        return self.of(element.type) if element.type != "Resource" else self.resources.get(kind) if type(kind) is str else None

    def _reader(self, element: Element) -> str:
        """The name of what reads one value of an element."""
        if element.primitive:
            return self._named(READERS[element.type])
        return self._named(self.resource if element.type == "Resource" else self.of(element.type).read)

    def _named(self, value: Any) -> str:
        name = self._variable()
        self.names[name] = value
        return name

    def _variable(self) -> str:
        name = f"v{len(self.names)}"
        self.names[name] = None  # taken
        return name


def _replaced(value: str, new: str) -> Iterator[str]:
    yield f"if read is not {value}:"
    yield f" {value}, {new} = read, True"


def _within(lines: Iterable[str]) -> Iterator[str]:
    return (f" {line}" for line in lines)


def _read_items(items: list[Any], read: Callable[[Any], Any]) -> list[Any]:
    """The items of a list as read: the list itself where each is stored as it is."""
    if type(items) is not list or not items:
        raise ValueError("not a list of items")
    made = [read(item) for item in items]
    return items if all(map(is_, made, items)) else made
