"""What there is to check: files, patterns of names, standard input; JSON, NDJSON, what stands inside arrays and Bundles."""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path as FilePath
from typing import Any

from mocksandbox import codec
from mocksandbox.checking.lines import Lines, lines_of, parted
from mocksandbox.errors import UsageError
from mocksandbox.rules.places import MISSING, Path, fhirpath

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class Document:
    """One record to check: the file, its value (`MISSING` when it cannot be read, or there is none), where its values stand,
    and, when it is a part of a Bundle, where in the Bundle (`Bundle.entry[3].resource`). `unreadable` says why it cannot be
    read, with the line.
    """

    file: str
    value: Any
    lines: Lines
    within: str = ""
    unreadable: tuple[str, int] | None = None


def documents(names: Iterable[str], *, whole_bundles: bool = False, whole_arrays: bool = False) -> Iterator[Document]:
    """The records in files (`-` is standard input; patterns such as `records/*.json` are searched). An array is taken apart
    into its items and a Bundle into its resources, unless they are what is checked and this one is to be sent whole.

    Raises:
        UsageError: a file is missing or cannot be read, or a pattern fits no file.
    """
    for name in names:
        for file, data in _contents(name):
            for document in _read(file, data):
                for each in [document] if whole_arrays else _items(document):
                    yield from [each] if whole_bundles and not _is_pile(each.value) else _resources(each)


def _contents(name: str) -> Iterator[tuple[str, bytes]]:
    if name == STANDARD_INPUT:
        yield "(standard input)", sys.stdin.buffer.read()
        return
    found = [name] if FilePath(name).exists() else sorted(glob(name, recursive=True))
    files = [each for each in found if not FilePath(each).is_dir()]
    if not files:
        raise UsageError(f"No file {name!r}." if not found else f"{name} is a folder: name files, as {name}/*.json.", name, ())
    for file in files:
        try:
            yield file, FilePath(file).read_bytes()
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}.", file, ()) from error


def _read(file: str, data: bytes) -> Iterator[Document]:
    """The documents of a file: one, or one a line."""
    value, problem = _parsed(data)
    if problem is None:
        yield Document(file, value, lines_of(data.decode("utf-8")))
        return
    rows = [(number, row) for number, row in enumerate(data.splitlines(), 1) if row.strip()]
    if len(rows) > 1 and _is_ndjson(file, rows):
        for number, row in rows:
            value, trouble = _parsed(row)
            if trouble is None:
                yield Document(file, value, lines_of(row.decode("utf-8"), number))
            else:
                yield Document(file, MISSING, Lines(number), unreadable=(trouble[0], number))
        return
    yield Document(file, MISSING, Lines(), unreadable=problem)


def _is_pile(value: Any) -> bool:
    """Whether a value is a Bundle that only holds resources, and tells nobody to do anything."""
    return isinstance(value, dict) and value.get("type") in ("collection", "searchset", "history")


def _is_ndjson(file: str, rows: list[tuple[int, bytes]]) -> bool:
    return file.endswith((".ndjson", ".jsonl")) or all(_parsed(row)[1] is None for _, row in rows[:2])


def _parsed(data: bytes) -> tuple[Any, tuple[str, int] | None]:
    """A value, and why there is none, with the line in the text."""
    if not data.strip():
        return MISSING, ("is empty", 1)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or data[:2].count(0) == 1:
        return MISSING, ("is UTF-16: save it as UTF-8", 1)
    try:
        return codec.loads(data), None
    except json.JSONDecodeError as error:
        return MISSING, (f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}", error.lineno)
    except ValueError as error:
        return MISSING, (str(error), 1)


def _items(document: Document) -> Iterator[Document]:
    """The items of an array. An empty one is a record that is none."""
    if not isinstance(document.value, list) or not document.value:
        yield document
        return
    lines = parted(document.lines, 1)
    for number, item in enumerate(document.value):
        yield replace(document, value=item, lines=lines((number,)), within=fhirpath((number,)))


def _resources(document: Document) -> Iterator[Document]:
    """The resources of a Bundle. What tells only what was done, or is to be done, has a `MISSING` value."""
    entries = document.value.get("entry") if isinstance(document.value, dict) else None
    if not isinstance(entries, list) or document.value.get("resourceType") != "Bundle":
        yield document
        return
    lines = parted(document.lines, 3)
    for number, entry in enumerate(entries):
        path: Path = ("entry", number, "resource")
        inside = replace(document, value=MISSING, lines=lines(path))
        if isinstance(entry, dict) and "resource" in entry:
            yield replace(inside, value=entry["resource"], within=_below(document, path))
        elif isinstance(entry, dict) and ("request" in entry or "response" in entry):
            yield replace(inside, within=_below(document, path[:2]))
        else:
            words = "must be an object with a resource"
            yield replace(inside, within=_below(document, path[:2]), unreadable=(words, inside.lines.first))


def _below(document: Document, path: Path) -> str:
    return ".".join(filter(None, (document.within, fhirpath(path, "Bundle"))))
