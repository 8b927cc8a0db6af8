"""Places in a body: paths of keys, how they are written for people (FHIRPath), and changing a body at a place."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from itertools import pairwise
from typing import Any

Path = tuple[str | int, ...]

MISSING: Any = object()
"""What `get` gives where there is nothing; JSON null is a value."""


def fhirpath(path: Iterable[str | int], root: str = "") -> str:
    """A path as FHIRPath: `Immunization.contained[1].name[0].family`."""
    text = root
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def get(body: Any, path: Iterable[str | int]) -> Any:
    """The value at a path, or `MISSING`."""
    value = body
    for key in path:
        if isinstance(key, int):
            if not isinstance(value, list) or not -len(value) <= key < len(value):
                return MISSING
            value = value[key]
        elif isinstance(value, dict) and key in value:
            value = value[key]
        else:
            return MISSING
    return value


def put(body: Any, path: Path, value: Any) -> Any:
    """A copy of a body with a value set at a path; objects on the way are made, a list grows by its next index.

    Raises:
        LookupError: the path leads through something that is neither an object nor a list.
    """
    return change(body, path, lambda _: value)


def drop(body: Any, path: Path) -> Any:
    """A copy of a body without what stands at a path; the same body when nothing stands there."""
    return body if get(body, path) is MISSING else change(body, path, lambda _: MISSING)


def change(body: Any, path: Path, edit: Any) -> Any:
    """A copy of a body in which `edit(old value or MISSING)` stands at a path; `MISSING` takes the key away.

    Raises:
        LookupError: the path leads through something that is neither an object nor a list.
    """
    if not path:
        return edit(body)
    copy = deepcopy(body)
    holder = copy
    for key, following in pairwise(path):
        child = _child(holder, key)
        if child is MISSING:
            child = [] if isinstance(following, int) else {}
            _set(holder, key, child)
        holder = child
    last = path[-1]
    _set(holder, last, edit(_child(holder, last)))
    return copy


def _child(holder: Any, key: str | int) -> Any:
    if isinstance(key, int) != isinstance(holder, list) or not isinstance(holder, (list, dict)):
        raise LookupError(f"{key!r} does not fit into {type(holder).__name__}")
    return get(holder, (key,))


def _set(holder: Any, key: Any, value: Any) -> None:
    if value is MISSING:
        del holder[key]
    elif isinstance(holder, list) and key == len(holder):
        holder.append(value)
    else:
        holder[key] = value


def walk(body: Any, path: Path = ()) -> Iterable[tuple[Path, Any]]:
    """Every place of a body with its value, parents before children."""
    yield path, body
    children: Iterable[tuple[str | int, Any]] = ()
    if isinstance(body, dict):
        children = body.items()
    elif isinstance(body, list):
        children = enumerate(body)
    for key, value in children:
        yield from walk(value, (*path, key))
