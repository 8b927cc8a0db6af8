"""One walk through a resource, which finds all that is wrong with it.

What is to be looked at in a type is worked out once (`Plan`) and kept; the walk itself only follows it. It never raises,
whatever the JSON, and it does not go deeper than `MOST_LEVELS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mocksandbox.fhir.strict.definitions import resource_types
from mocksandbox.fhir.strict.hits import Hits, Trail, shown
from mocksandbox.rules.http import json_name

MOST_LEVELS = 100
"""How deep objects may stand in one another; real resources need about ten levels."""

Handler = Callable[[Any, Trail, "Walk"], None]
"""Looks at one value at its place."""


@dataclass(frozen=True)
class Local:
    """A reference into the resource itself (`#p1`): the text, where it is, and the types that it may lead to."""

    text: str
    trail: Trail
    targets: frozenset[str]
    contained: int | None


@dataclass
class Scope:
    """One resource with what it contains: what `#id` may mean there.

    `within` is the index of the contained resource that is being looked at; `mentions` are all texts that begin with `#`;
    `back` are the contained resources that refer to the one that contains them.
    """

    trail: Trail
    contained: list[Any] = field(default_factory=list)
    within: int | None = None
    locals: list[Local] = field(default_factory=list)
    mentions: set[str] = field(default_factory=set)
    back: set[int] = field(default_factory=set)


class Walk(Hits):
    """The state of one walk: what was found, how deep it is, the resource that it is in, and the references to resolve."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self.depth = 0
        self.bundles = 0
        self.scope = Scope(root)
        self.absolute: list[Local] = []


@dataclass(frozen=True)
class Choice:
    """The names of one choice: as R4 calls it, all its names, and those with the names of their siblings."""

    stem: str
    names: tuple[str, ...]
    keys: frozenset[str]
    needed: bool


@dataclass(frozen=True)
class Plan:
    """What is looked at in the objects of one type.

    `handlers` has one for each element, `siblings` the elements that `_name` may stand for (true for lists), `needed` the
    elements that must be there, `after` what is looked at once all elements were.
    """

    type: str
    handlers: Mapping[str, Handler]
    siblings: Mapping[str, bool]
    needed: tuple[str, ...]
    choices: tuple[Choice, ...]
    lists: tuple[str, ...]
    after: tuple[Handler, ...]
    odd: Handler


def visit(plan: Plan, value: dict[str, Any], trail: Trail, walk: Walk, *, id_is_enough: bool = False) -> None:
    """Look at an object. `id_is_enough` for the sibling of a value, which may have nothing but an id."""
    if not value or (len(value) == 1 and "id" in value and not id_is_enough):
        walk.add("empty-element", trail, "empty-object")
        return
    if walk.depth >= MOST_LEVELS:
        walk.add("too-deep", trail, most=MOST_LEVELS)
        return
    walk.depth += 1
    handlers = plan.handlers
    odd = False
    for key, item in value.items():
        handler = handlers.get(key)
        if handler is None:
            odd = True
        else:
            handler(item, (trail, key), walk)
    if odd:
        plan.odd(value, trail, walk)
    for name in plan.needed:
        if name not in value and f"_{name}" not in value:
            walk.add("missing-element", (trail, name), type=plan.type)
    for name in plan.lists:
        items = value.get(name)
        if type(items) is list and None in items:
            _fill(items, value.get(f"_{name}"), (trail, name), walk)
    for choice in plan.choices:
        present = value.keys() & choice.keys
        if not present:
            if choice.needed:
                walk.add("missing-choice", (trail, choice.names[0]), stem=choice.stem, choices=", ".join(choice.names))
        elif len(present) > 1:
            _one_of(choice, present, trail, walk)
    for look in plan.after:
        look(value, trail, walk)
    walk.depth -= 1


def _fill(items: list[Any], siblings: Any, trail: Trail, walk: Walk) -> None:
    """A null in a list of primitives stands for a value that has only extensions: its sibling must have them."""
    for index, item in enumerate(items):
        has_sibling = type(siblings) is list and index < len(siblings) and siblings[index] is not None
        if item is None and not has_sibling:
            walk.add("null", (trail, index))


def _one_of(choice: Choice, present: set[str], trail: Trail, walk: Walk) -> None:
    names = [name for name in choice.names if name in present or f"_{name}" in present]
    if len(names) > 1:
        walk.add("two-choices", (trail, names[1]), stem=choice.stem, names=" and ".join(names))


def misfit(value: Any, trail: Trail, walk: Walk, wanted: str) -> None:
    """A value that is not what a single element wants: null, a list, or of another JSON type."""
    if value is None:
        walk.add("null", trail)
    elif type(value) is list and isinstance(trail[1], str):
        walk.add("a-list", trail)
    else:
        walk.add("wrong-type", trail, wanted=wanted, found=f"{json_name(value)} ({shown(value)})")


def not_a_list(value: Any, trail: Trail, walk: Walk) -> None:
    """A value that is not what an element with many values wants."""
    if value is None:
        walk.add("null", trail)
    elif type(value) is list:
        walk.add("empty-element", trail, "empty-list")
    else:
        walk.add("not-a-list", trail, found=json_name(value))


def resource_type(value: dict[str, Any], trail: Trail, walk: Walk) -> str:
    """The type that a resource says it is of; `""`, and a hit, when R4 has no such type."""
    named = value.get("resourceType")
    if type(named) is str and named in resource_types():
        return named
    at = (trail, "resourceType")
    if "resourceType" not in value:
        walk.add("not-a-resource", at, "no-resource-type")
    else:
        walk.add("not-a-resource", at, "unknown-resource-type", found=shown(named))
    return ""
