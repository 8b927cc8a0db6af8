"""Paths with selectors: from `contained[?resourceType=Patient].name[0].given` to the places in a body that it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mocksandbox.errors import ContractError
from mocksandbox.frozen import made
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


@dataclass(frozen=True)
class Step:
    """One step of a path, compiled. `pick` gives what it leads to from a value: (key, child) each; `told` says that the index
    it takes is one of `Found.indices`. What a step is, where it is of a simple kind: `key` its name when it is no more than a
    key, `index` the index that it takes, `first` the keys and the value that the item has which it takes (any value: ""),
    `choose` what chooses an index.
    """

    text: str
    pick: Callable[[Any, Any], Iterable[tuple[str | int, Any]]]
    told: bool = False
    key: str = ""
    index: int | None = None
    first: tuple[tuple[str, ...], str] | None = None
    choose: Choose | None = None


def steps_of(text: str, named: Mapping[str, Choose] | None = None) -> Sequence[Step]:
    """The steps of a path.

    Raises:
        ContractError: the path is malformed or uses an unknown selector.
    """
    steps: list[Step] = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ContractError(f"{text!r} is not a path: stopped at {text[position:]!r}", "fields.yaml")
        steps.append(_key(token[1]) if token[1] else _selector(token[2], named or {}, text))
        position = token.end()
    return steps


def compile_path(text: str, named: Mapping[str, Choose] | None = None) -> Callable[[Any], Iterable[Found]]:
    """A function that finds the places of a path in a body, one after the other as they are asked for.

    A place is found when everything above its last step is there and of the right type; a last step `.key` is found also
    when the key is absent (with `MISSING`), so that "is missing" can be told from "has no parent".

    Raises:
        ContractError: the path is malformed or uses an unknown selector.
    """
    steps = steps_of(text, named)

    def locate(body: Any) -> Iterable[Found]:
        found: list[tuple[Path, Any, tuple[Any, ...]]] = [((), body, ())]
        for step in steps:
            found = [
                ((*path, key), child, (*indices, key) if step.told else indices)
                for path, value, indices in found
                if value is not MISSING
                for key, child in step.pick(value, body)
            ]
        return (made(Found, path=path, value=value, indices=indices) for path, value, indices in found)

    return locate


def _key(name: str) -> Step:
    def pick(value: Any, _body: Any) -> Iterable[tuple[str | int, Any]]:
        return ((name, value.get(name, MISSING)),) if isinstance(value, dict) else ()

    return Step(f".{name}", pick, key=name)


def _selector(text: str, named: Mapping[str, Choose], whole: str) -> Step:
    if text.isdigit():
        return Step(f"[{text}]", _at(int(text)), index=int(text))
    if text == "*":
        return Step("[*]", _each, told=True)
    if text.startswith("?"):
        keys, _, wanted = text[1:].partition("=")
        path = tuple(keys.split("."))
        return Step(f"[{text}]", _first(path, wanted), first=(path, wanted))
    if text in named:
        return Step(f"[{text}]", _chosen(named[text]), told=True, choose=named[text])
    raise ContractError(f"{whole!r} has an unknown selector [{text}]", "fields.yaml")


def _at(index: int) -> Callable[[Any, Any], Iterable[tuple[int, Any]]]:
    def pick(value: Any, _body: Any) -> Iterable[tuple[int, Any]]:
        return ((index, value[index]),) if isinstance(value, list) and index < len(value) else ()

    return pick


def _each(value: Any, _body: Any) -> Iterable[tuple[int, Any]]:
    return enumerate(value) if isinstance(value, list) else ()


def _first(path: tuple[str, ...], wanted: str) -> Callable[[Any, Any], Iterable[tuple[int, Any]]]:
    def pick(value: Any, _body: Any) -> Iterable[tuple[int, Any]]:
        if isinstance(value, list):
            for index, item in enumerate(value):
                found = get(item, path)
                if found == wanted if wanted else found is not MISSING:
                    return ((index, item),)
        return ()

    return pick


def _chosen(choose: Choose) -> Callable[[Any, Any], Iterable[tuple[int, Any]]]:
    def pick(value: Any, body: Any) -> Iterable[tuple[int, Any]]:
        index = choose(value, body) if isinstance(value, list) else None
        return ((index, value[index]),) if index is not None and index < len(value) else ()

    return pick
