"""Reading a resource quickly where nothing is wrong with it: the same result as `reading` gives, without its explanations.

Most objects of a type have the same keys in the same order. What the keys alone decide (whether they are elements of the type,
in the specification's order, whether one is missing, or two stand for one choice) is decided once for each such shape; what is
left is one function for the shape, written as Python, that looks at the values. What is already as it would be stored is given
back as it is, not copied. Whatever is out of the ordinary is left to `reading`, which then reads the resource from its start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from mocksandbox.fhir.elements import UNCHECKED, Element, all_elements
from mocksandbox.fhir.primitives import READERS
from mocksandbox.fhir.reading import Problem, object_reader, read_slowly

Read = Callable[[dict[str, Any]], dict[str, Any]]
"""The reading of an object of one shape. Raises `ValueError` when a value is not plain."""

MOST_SHAPES = 256
"""So many shapes of a type are kept; then all are forgotten: no client can fill the memory with shapes."""


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
        self._type = type_name
        self._elements = all_elements()[type_name]
        self._places = {name: place for place, name in enumerate(self._elements)} | ({"resourceType": -1} if resource else {})
        self._required = {key for key, each in self._elements.items() if each.required and (type_name, key) not in UNCHECKED}
        self._needed = {each.choice for each in self._elements.values() if each.choice_required}
        self._seen: set[tuple[str, ...]] = set()
        self._resource = resource

    def __missing__(self, keys: tuple[str, ...]) -> Read:
        if not keys or not self._places.keys() >= set(keys) or not self._complete(keys):
            raise NotPlainError
        if len(self._seen) >= MOST_SHAPES:
            self._seen.clear()
            self.clear()
        if keys not in self._seen:  # most shapes of broken requests come once: they are not worth a function of their own
            self._seen.add(keys)
            return self._read_once
        ordered = sorted(keys, key=self._places.__getitem__)
        read = self[keys] = _compiled(self._type, self._elements, keys, ordered)
        return read

    def _read_once(self, value: dict[str, Any]) -> dict[str, Any]:
        problems: list[Problem] = []
        read = object_reader(self._type)(value, (), problems)
        if problems or not read:
            raise NotPlainError
        return {"resourceType": self._type, **read} if self._resource else read

    def _complete(self, keys: Sequence[str]) -> bool:
        """Whether nothing that is required is missing, and nothing is there twice."""
        choices = [each.choice for key in keys if (each := self._elements.get(key)) is not None and each.choice]
        return self._required <= set(keys) and len(set(choices)) == len(choices) and self._needed <= set(choices)


@cache
def _shapes(type_name: str, resource: bool) -> _Shapes:
    return _Shapes(type_name, resource=resource)


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


_TEXTS = ("base64Binary", "canonical", "markdown", "oid", "uri", "url", "uuid", "xhtml")
_PLAIN = {
    **dict.fromkeys(_TEXTS, "type({0}) is str"),
    "boolean": "{0} is True or {0} is False",
    "code": "type({0}) is str and {0}.isalnum()",
    "integer": "type({0}) is int",
    "positiveInt": "type({0}) is int and {0} > 0",
    "string": "type({0}) is str and {0}",
    "unsignedInt": "type({0}) is int and {0} >= 0",
}
"""What tells a value of a primitive that is surely right and stored as it is. The primitive's reader sees to any other."""


def _compiled(type_name: str, elements: Mapping[str, Element], keys: Sequence[str], ordered: Sequence[str]) -> Read:
    """The reading of one shape. Nothing that a client sent stands in its text: only names for it do."""
    names: dict[str, Any] = {"NotPlainError": NotPlainError, "kind": type_name}
    values = {key: f"v{place}" for place, key in enumerate(keys)}
    lines = ["def read(value):", f" {', '.join(values.values())}, = value.values()", " new = False"]
    for key, value in values.items():
        if key == "resourceType":
            lines += [f" if {value} != kind:", "  raise NotPlainError"]
        else:
            lines += _lines(elements[key], value, names)
    names |= {f"k{place}": key for place, key in enumerate(ordered)}
    result = ", ".join(f"k{place}: {values[key]}" for place, key in enumerate(ordered))
    lines.append(f" return {{{result}}}" if list(keys) != list(ordered) else f" return {{{result}}} if new else value")
    exec(compile("\n".join(lines), "<the shape of an object>", "exec"), names)
    read: Read = names["read"]
    return read


def _lines(element: Element, value: str, names: dict[str, Any]) -> Iterator[str]:
    """The lines that read an element's value; they leave it as read, and say whether it is a new one."""
    if not element.many:
        yield from (f" {line}" for line in _one(element, value, "new", names))
        return
    yield f" if type({value}) is not list or not {value}:"
    yield "  raise NotPlainError"
    yield " made, other = [], False"
    yield f" for item in {value}:"
    yield from (f"  {line}" for line in _one(element, "item", "other", names))
    yield "  made.append(item)"
    yield " if other:"
    yield f"  {value}, new = made, True"


def _one(element: Element, value: str, flag: str, names: dict[str, Any]) -> Iterator[str]:
    if element.primitive:
        reader = f"read_{element.type}"
        names[reader] = READERS[element.type]
        yield f"if not ({_PLAIN.get(element.type, 'False').format(value)}):"
        yield f" read = {reader}({value})"
        yield f" if read != {value} or type(read) is not type({value}):"  # 5 is not 5.0 here
        yield f"  {value}, {flag} = read, True"
        return
    if element.type == "Resource":
        names["read_resource"] = _read_resource
        yield f"read = read_resource({value})"
    else:
        shapes = f"of_{element.type}"
        names[shapes] = _shapes(element.type, False)
        yield f"if type({value}) is not dict:"
        yield " raise NotPlainError"
        yield f"read = {shapes}[tuple({value})]({value})"
    yield f"if read is not {value}:"
    yield f" {value}, {flag} = read, True"
