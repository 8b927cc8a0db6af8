"""The kinds of records that an API keeps, and which operations make, read, change, remove and find them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mocksandbox.contract import Operation
from mocksandbox.exchange import Response
from mocksandbox.provider import Provider
from mocksandbox.rules.places import Path, get

IDENTIFIER: Path = ("identifier", 0, "value")
"""Where a record's own name stands, in the APIs where no two records may have the same."""


@dataclass(frozen=True)
class RecordKind:
    """One kind of record. `collection` is its path; the others are ids of operations, empty where the API has none."""

    collection: str
    create: str
    read: str = ""
    update: str = ""
    delete: str = ""
    searches: tuple[str, ...] = ()


def record_kinds(provider: Provider) -> tuple[RecordKind, ...]:
    """Every kind of record that can be created, in the order of the document."""
    operations = provider.contract.operations
    found = []
    for create in operations:
        if create.method != "POST" or "201" not in create.answers or not create.bodies or "{" in create.path:
            continue
        named = [each for each in operations if each.path == f"{create.path}/{{id}}"]
        found.append(
            RecordKind(
                create.path,
                create.id,
                _by_method(named, "GET"),
                _by_method(named, "PUT") or _by_method(named, "PATCH"),
                _by_method(named, "DELETE"),
                tuple(_searches(operations, create.path)),
            )
        )
    return tuple(found)


def kind_of(kinds: tuple[RecordKind, ...], path: str) -> RecordKind | None:
    """The kind of record that the operations at a path template are about, None when they name none."""
    head, found, _ = path.partition("/{id}")
    return next((kind for kind in kinds if found and kind.collection == head), None)


def _by_method(operations: list[Operation], method: str) -> str:
    return next((each.id for each in operations if each.method == method), "")


def _searches(operations: tuple[Operation, ...], path: str) -> Iterator[str]:
    for each in operations:
        if (each.method, each.path) in (("GET", path), ("POST", f"{path}/_search")):
            yield each.id


def new_id(answer: Response) -> str:
    """The id of a record that was made: from Location, else from the body; empty when neither says it."""
    location = answer.headers.get("Location", "").partition("/_history/")[0]
    if location:
        return location.rpartition("/")[2]
    body = json_of(answer)
    return next((str(id) for id in (get(body, ("id",)), get(body, ("data", "id"))) if isinstance(id, str)), "")


_DIGITS = re.compile(r'(?:W/)?"?(\d{1,18})"?')


def version_of(answer: Response) -> int | None:
    """The version that an answer names in its header E-Tag or ETag, None when it names none."""
    found = _DIGITS.fullmatch(answer.headers.get("E-Tag") or answer.headers.get("ETag") or "")
    return int(found[1]) if found else None


def json_of(answer: Response) -> Any:
    """The answer's body as JSON; None when it is none."""
    try:
        return answer.json() if answer.body else None
    except ValueError:
        return None
