"""The small part of FHIRPath that search parameters are written with: names through lists, `.where(key='value')`, and `|`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from mocksandbox.errors import ContractError

Read = Callable[[Any], Iterator[Any]]
"""Gives every value that a path leads to in a resource. Never raises, whatever the resource is."""

_SPLIT = re.compile(r"\.(?![^(]*\))")


def compile_expression(text: str) -> Read:
    """The reader of an expression such as `name.family | name.given` or `telecom.where(system='phone')`.

    Raises:
        ContractError: it is written in another way.
    """
    alternatives = [_compile(part.strip(), text) for part in text.split("|")]

    def read(resource: Any) -> Iterator[Any]:
        for alternative in alternatives:
            yield from alternative(resource)

    return read


def _compile(path: str, whole: str) -> Read:
    steps: list[Callable[[Any], Iterator[Any]]] = []
    for part in _SPLIT.split(path):
        found = re.fullmatch(r"where\(([A-Za-z]\w*)='([^']*)'\)", part)
        if found:
            steps.append(_chosen(found[1], found[2]))
        elif re.fullmatch(r"[A-Za-z]\w*", part):
            steps.append(_named(part))
        else:
            raise ContractError(f"{whole!r} is not a path: stopped at {part!r}", "resources.yaml")

    def read(resource: Any) -> Iterator[Any]:
        values: Iterator[Any] = iter((resource,))
        for step in steps:
            values = _each(values, step)
        return values

    return read


def _each(values: Iterator[Any], step: Callable[[Any], Iterator[Any]]) -> Iterator[Any]:
    for value in values:
        yield from step(value)


def _named(name: str) -> Callable[[Any], Iterator[Any]]:
    def step(value: Any) -> Iterator[Any]:
        child = value.get(name) if isinstance(value, dict) else None
        if isinstance(child, list):
            yield from (item for item in child if item is not None)
        elif child is not None:
            yield child

    return step


def _chosen(key: str, wanted: str) -> Callable[[Any], Iterator[Any]]:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and value.get(key) == wanted:
            yield value

    return step
