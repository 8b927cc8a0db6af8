"""Reading a contract's files: JSON and YAML, with an error that names the file and the place."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import yaml

from mocksandbox.contract.cache import kept_json
from mocksandbox.errors import ContractError

# libyaml's loader is about ten times faster; a Python built without it still works.
_YamlLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_SHORT = 2000


def read(path: Path) -> Any:
    """The value in a JSON or YAML file, by its suffix.

    Raises:
        ContractError: the file is missing, unreadable, or not JSON or YAML; it names the line where the parser stopped.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ContractError(f"cannot be read: {error.strerror}", str(path)) from error
    try:
        if path.suffix == ".json":
            return orjson.loads(data)
        # A safe loader in both cases; a short text is read sooner than looked up.
        load = partial(yaml.load, data, Loader=_YamlLoader)
        return load() if len(data) < _SHORT else kept_json([b"yaml", data], load)
    except (orjson.JSONDecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContractError(f"is not {path.suffix.lstrip('.').upper() or 'YAML'}: {error}", str(path)) from error


def read_mapping(path: Path) -> dict[str, Any]:
    """The object in a file.

    Raises:
        ContractError: as `read`, and when the file holds something other than an object.
    """
    value = read(path)
    if not isinstance(value, dict):
        raise ContractError("must hold an object at the top", str(path))
    return value


def first_existing(folder: Path, *names: str) -> Path | None:
    """The first of these files that the folder has."""
    return next((folder / name for name in names if (folder / name).is_file()), None)


def at(document: Any, pointer: str) -> Any:
    """The value that a JSON pointer (RFC 6901) names.

    Raises:
        KeyError: there is no such value; the message is the pointer.
    """
    value = document
    for token in pointer.lstrip("#").split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise KeyError(pointer) from None
    return value


def pointer_to(*keys: str | int) -> str:
    """The JSON pointer for a path of keys."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


_UNNAMED = "the document"


@contextmanager
def named(path: str | Path) -> Generator[None, None, None]:
    """Tells of references that lead nowhere with the file that they stand in."""
    try:
        yield
    except ContractError as error:
        if error.path != _UNNAMED:
            raise
        raise ContractError(error.problem, str(path)) from error


def resolve(document: Mapping[str, Any], node: Any) -> Any:
    """The node that a chain of local `$ref`s ends in; any other node is returned as it is.

    Raises:
        ContractError: a reference leads nowhere, outside the document or in a circle.
    """
    seen: set[str] = set()
    while isinstance(node, Mapping) and isinstance(reference := node.get("$ref"), str):
        if reference in seen or not reference.startswith("#"):
            problem = "is circular" if reference in seen else "leaves the document"
            raise ContractError(f"the reference {reference!r} {problem}", _UNNAMED)
        seen.add(reference)
        try:
            node = at(document, reference)
        except KeyError:
            near = _nearest(document, reference)
            hint = f"; did you mean {near!r}?" if near else ""
            raise ContractError(f"the reference {reference!r} leads nowhere{hint}", _UNNAMED) from None
    return node


def _nearest(document: Mapping[str, Any], reference: str) -> str:
    """The reference that is there and spelled almost like one that is not; empty when there is none."""
    parent, _, last = reference.rpartition("/")
    try:
        beside = at(document, parent)
    except KeyError:
        return ""
    found = get_close_matches(last, [pointer_to(key)[1:] for key in beside], 1) if isinstance(beside, Mapping) else []
    return f"{parent}/{found[0]}" if found else ""
