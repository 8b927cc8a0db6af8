"""What stands in an object beside its elements: the siblings of primitives (`_status`), and what R4 does not know."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any

from mocksandbox.fhir.strict.hits import MOST_SHOWN, Trail
from mocksandbox.fhir.strict.walk import Handler, Plan, Walk, misfit, not_a_list, visit


def odd_handler(
    type_name: str, known: Collection[str], siblings: Mapping[str, bool], element_plan: Callable[[], Plan]
) -> Handler:
    """Looks at the keys of an object that are not among the known ones. `siblings` says of which elements the values may
    have a sibling, and whether they are lists.
    """

    def look(value: Any, trail: Trail, walk: Walk) -> None:
        plan = element_plan()
        for key, item in value.items():
            if key in known:
                continue
            many = siblings.get(key[1:]) if key[:1] == "_" else None
            if many is None:
                if walk.enough("unknown-element"):
                    continue  # the nearest name of each would take long to find
                walk.add("unknown-element", (trail, _name(key)), type=type_name, hint=_hint(key, known))
            elif many:
                _siblings(item, value, key[1:], trail, walk, plan)
            else:
                _sibling(item, key[1:] in value, (trail, key), walk, plan)

    return look


def _sibling(item: Any, has_value: bool, trail: Trail, walk: Walk, plan: Plan) -> None:
    if type(item) is dict:
        visit(plan, item, trail, walk, id_is_enough=has_value)
    else:
        misfit(item, trail, walk, "an object with id and extension")


def _siblings(items: Any, holder: Mapping[str, Any], name: str, trail: Trail, walk: Walk, plan: Plan) -> None:
    at = (trail, f"_{name}")
    if type(items) is not list or not items:
        not_a_list(items, at, walk)
        return
    values = holder.get(name)
    paired = values if type(values) is list else []
    if name in holder and len(paired) != len(items):
        walk.add("uneven-lists", at, name=name, here=len(items), there=len(paired))
    for index, item in enumerate(items):
        value = paired[index] if index < len(paired) else None
        if item is not None:
            _sibling(item, value is not None, (at, index), walk, plan)
        elif name not in holder:
            walk.add("null", (at, index))


def _name(key: str) -> str:
    """A key as a place can name it: what cannot be sent, or seen, is spelled out."""
    return key[:MOST_SHOWN] if key.isprintable() else json.dumps(key[:MOST_SHOWN])[1:-1]


def _hint(key: str, known: Collection[str]) -> str:
    bare = key.removeprefix("_")
    near = get_close_matches(bare[:60], known, n=1, cutoff=0.7)
    if key[:1] == "_" and bare in known:
        return f"; only primitives have a sibling with _, and extensions stand in {bare} itself"
    return f"; did you mean {near[0]}?" if near else ""
