"""How each type is looked at: its plan, made from its definition when it is first met."""

from __future__ import annotations

from functools import cache
from typing import Any

from mocksandbox.fhir.strict import coded, references
from mocksandbox.fhir.strict.contained import contained_handler
from mocksandbox.fhir.strict.definitions import SYSTEM_STRING, Definition, definitions, resource_types
from mocksandbox.fhir.strict.hits import Trail
from mocksandbox.fhir.strict.invariants import after
from mocksandbox.fhir.strict.primitives import TESTS
from mocksandbox.fhir.strict.terminology import codes_of
from mocksandbox.fhir.strict.unknown import odd_handler
from mocksandbox.fhir.strict.walk import Choice, Handler, Plan, Scope, Walk, misfit, not_a_list, resource_type, visit
from mocksandbox.rules.http import json_name


@cache
def plan_of(type_name: str) -> Plan:
    """The plan of a type."""
    elements = definitions(type_name)
    handlers = {name: _handler(each, type_name) for name, each in elements.items()}
    if type_name in resource_types():
        handlers["resourceType"] = _nothing
    siblings = {name: each.many for name, each in elements.items() if each.primitive and each.type not in _PLAIN}
    single = [each for each in elements.values() if not each.choice]
    return Plan(
        type=type_name,
        handlers=handlers,
        siblings=siblings,
        needed=tuple(each.name for each in single if each.needed),
        choices=tuple(_choice(stem, elements) for stem in dict.fromkeys(each.choice for each in elements.values()) if stem),
        lists=tuple(each.name for each in single if each.many and each.primitive),
        after=after(type_name),
        odd=odd_handler(type_name, handlers, siblings, lambda: plan_of("Element")),
    )


_PLAIN = frozenset({SYSTEM_STRING, "xhtml"})
"""The types of values that cannot have a sibling with extensions."""


def _choice(stem: str, elements: Any) -> Choice:
    names = tuple(name for name, each in elements.items() if each.choice == stem)
    keys = frozenset(names) | {f"_{name}" for name in names if elements[name].primitive}
    return Choice(stem, names, keys, elements[names[0]].needed)


def _nothing(value: Any, trail: Trail, walk: Walk) -> None:
    pass


def _handler(element: Definition, holder: str) -> Handler:
    if element.name == "contained" and element.type == "Resource":
        return contained_handler(_look_at_resource)
    single = _single(element)
    if not element.many:
        return single
    primitive = element.primitive

    def many(value: Any, trail: Trail, walk: Walk) -> None:
        if type(value) is not list or not value:
            not_a_list(value, trail, walk)
            return
        for index, item in enumerate(value):
            if item is not None or not primitive:
                single(item, (trail, index), walk)

    return many


def _single(element: Definition) -> Handler:
    if element.primitive:
        return _primitive(element)
    if element.type == "Resource":
        return _resource
    if element.type == "Reference":
        return references.reference_handler(element, _object(element.type))
    if element.type in ("Coding", "CodeableConcept") and (element.required or element.extensible):
        return coded.bound_handler(element, _object(element.type))
    return _object(element.type)


ADVISED = frozenset({"control-character", "blank-string"})
"""What a primitive should not be and may: a code that is one of these is still none of the codes that it must be from."""


def _primitive(element: Definition) -> Handler:
    test = TESTS[element.type]
    codes = frozenset(codes_of(element.required)) if element.required else frozenset[str]()

    def look(value: Any, trail: Trail, walk: Walk) -> None:
        wrong = test(value)
        if wrong is None:
            return
        if value is None or (type(value) is list):
            misfit(value, trail, walk, "")
        else:
            walk.add(wrong[0], trail, wrong[1], **wrong[2])

    def look_up(value: Any, trail: Trail, walk: Walk) -> None:
        if type(value) is not str or value not in codes:
            look(value, trail, walk)
            wrong = test(value)
            if type(value) is str and (wrong is None or wrong[0] in ADVISED):
                coded.not_in(value, element.required, trail, walk)

    def look_for_mention(value: Any, trail: Trail, walk: Walk) -> None:
        look(value, trail, walk)
        if type(value) is str and value.startswith("#"):
            references.mention(value, walk)

    if codes:
        return look_up
    return look_for_mention if element.type in ("uri", "url", "canonical") else look


def _object(type_name: str) -> Handler:
    plans: list[Plan] = []  # made on first use: types refer to one another in circles

    def look(value: Any, trail: Trail, walk: Walk) -> None:
        if type(value) is not dict:
            misfit(value, trail, walk, f"an object, a {type_name}")
            return
        if not plans:
            plans.append(plan_of(type_name))
        visit(plans[0], value, trail, walk)

    return look


def _look_at_resource(value: Any, trail: Trail, walk: Walk) -> None:
    """A resource inside another, in the scope that is there."""
    if type(value) is not dict and not isinstance(trail, tuple):
        walk.add("not-a-resource", trail, "not-an-object", found=json_name(value))
    elif type(value) is not dict:
        misfit(value, trail, walk, "an object, a resource")
    elif named := resource_type(value, trail, walk):
        inside = named == "Bundle"
        walk.bundles += inside
        visit(plan_of(named), value, trail, walk)
        walk.bundles -= inside


def _resource(value: Any, trail: Trail, walk: Walk) -> None:
    """A resource that stands on its own: a scope of its own for references into it."""
    outer, walk.scope = walk.scope, Scope(trail)
    _look_at_resource(value, trail, walk)
    references.resolve_local(walk)
    walk.scope = outer


def walk_resource(value: Any) -> Walk:
    """All that is wrong with the JSON value of one resource."""
    named = value.get("resourceType") if type(value) is dict else None
    root = named if type(named) is str and named in resource_types() else "Resource"
    walk = Walk(root)
    _resource(value, root, walk)
    return walk
