"""Contained resources: what only they must not have, and the ids that they are referred to by."""

from __future__ import annotations

from typing import Any

from mocksandbox.fhir.strict.hits import Trail, shown
from mocksandbox.fhir.strict.walk import Handler, Walk, not_a_list


def contained_handler(visit: Handler) -> Handler:
    """Looks at the list `contained`; `visit` looks at one resource of it as at any other."""

    def look(value: Any, trail: Trail, walk: Walk) -> None:
        scope = walk.scope
        if scope.within is not None:
            walk.add("nested-contained", trail)
            return
        if type(value) is not list or not value:
            not_a_list(value, trail, walk)
            return
        scope.contained = value
        ids: set[str] = set()
        for index, item in enumerate(value):
            at = (trail, index)
            scope.within = index
            visit(item, at, walk)
            if type(item) is dict:
                _id(item.get("id"), at, ids, walk)
                _meta(item.get("meta"), (at, "meta"), walk)
        scope.within = None

    return look


def _id(id_: Any, at: Trail, ids: set[str], walk: Walk) -> None:
    if id_ is None:
        walk.add("contained-id", (at, "id"), "contained-without-id")
    elif type(id_) is str:
        if id_ in ids:
            walk.add("contained-id", (at, "id"), "contained-id-twice", id=shown(id_))
        ids.add(id_)


def _meta(meta: Any, at: Trail, walk: Walk) -> None:
    if type(meta) is dict:
        for name in ("versionId", "lastUpdated"):
            if name in meta:
                walk.add("contained-meta", (at, name))
        if "security" in meta:
            walk.add("contained-security", (at, "security"))
