"""Paths with selectors: from `contained[?resourceType=Patient].name[0].given` to the places in a body that it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mocksandbox.errors import ContractError
from mocksandbox.rules.places import MISSING, Path, get

Choose = Callable[[Any, Any], int | None]
"""A named selector: (the list, the whole body) -> the index that it selects, or None."""


@dataclass(frozen=True)
class Found:
    """One place that a path names: its keys, its value (`MISSING` when its last key is absent), and the indices that
    `[*]` and named selectors found on the way.
    """

    path: Path
    value: Any
    indices: tuple[int, ...] = ()


_TOKEN = re.compile(r"\.?([A-Za-z_]\w*)|\[([^\]]+)\]")
_Step = Callable[[Found, Any], Iterator[Found]]


def compile_path(text: str, named: Mapping[str, Choose] | None = None) -> Callable[[Any], Sequence[Found]]:
    """A function that finds the places of a path in a body.

    A place is found when everything above its last step is there and of the right type; a last step `.key` is found also
    when the key is absent (with `MISSING`), so that "is missing" can be told from "has no parent".

    Raises:
        ContractError: the path is malformed or uses an unknown selector.
    """
    steps: list[_Step] = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ContractError(f"{text!r} is not a path: stopped at {text[position:]!r}", "fields.yaml")
        steps.append(_key(token[1]) if token[1] else _selector(token[2], named or {}, text))
        position = token.end()

    def locate(body: Any) -> Sequence[Found]:
        found = [Found((), body)]
        for step in steps:
            found = [after for before in found if before.value is not MISSING for after in step(before, body)]
        return found

    return locate


def _key(name: str) -> _Step:
    def step(found: Found, _body: Any) -> Iterator[Found]:
        if isinstance(found.value, dict):
            yield Found((*found.path, name), found.value.get(name, MISSING), found.indices)

    return step


def _selector(text: str, named: Mapping[str, Choose], whole: str) -> _Step:
    if text.isdigit():
        return _at(int(text))
    if text == "*":
        return _each
    if text.startswith("?"):
        return _first(text[1:])
    if text in named:
        return _chosen(named[text])
    raise ContractError(f"{whole!r} has an unknown selector [{text}]", "fields.yaml")


def _at(index: int) -> _Step:
    def step(found: Found, _body: Any) -> Iterator[Found]:
        if isinstance(found.value, list) and index < len(found.value):
            yield Found((*found.path, index), found.value[index], found.indices)

    return step


def _each(found: Found, _body: Any) -> Iterator[Found]:
    if isinstance(found.value, list):
        for index, item in enumerate(found.value):
            yield Found((*found.path, index), item, (*found.indices, index))


def _first(condition: str) -> _Step:
    keys, _, wanted = condition.partition("=")
    path = tuple(keys.split("."))

    def step(found: Found, _body: Any) -> Iterator[Found]:
        if isinstance(found.value, list):
            for index, item in enumerate(found.value):
                value = get(item, path)
                if value == wanted if wanted else value is not MISSING:
                    yield Found((*found.path, index), item, found.indices)
                    return

    return step


def _chosen(choose: Choose) -> _Step:
    def step(found: Found, body: Any) -> Iterator[Found]:
        index = choose(found.value, body) if isinstance(found.value, list) else None
        if index is not None and index < len(found.value):
            yield Found((*found.path, index), found.value[index], (*found.indices, index))

    return step
