"""Codes and the value sets that they are bound to."""

from __future__ import annotations

from typing import Any

from mocksandbox.fhir.strict.definitions import Definition
from mocksandbox.fhir.strict.hits import Trail, shown
from mocksandbox.fhir.strict.terminology import code_systems, codes_of, is_member
from mocksandbox.fhir.strict.walk import Handler, Walk

MOST_LISTED = 12


def not_in(value: str, name: str, trail: Trail, walk: Walk) -> None:
    """A code that is not in the value set that its element requires."""
    walk.add("not-in-value-set", trail, found=shown(value), allowed=_listed(name), set=name)


def _listed(name: str) -> str:
    codes = codes_of(name)
    rest = len(codes) - MOST_LISTED
    return ", ".join(codes[:MOST_LISTED]) + (f" and {rest} more" if rest > 0 else "")


def bound_handler(element: Definition, visit: Handler) -> Handler:
    """Looks at a Coding or CodeableConcept that is bound to a value set."""
    name = element.required or element.extensible

    def look(value: Any, trail: Trail, walk: Walk) -> None:
        visit(value, trail, walk)
        if type(value) is not dict or not value:
            return
        at = trail
        codings = [value]
        if element.type == "CodeableConcept":
            listed = value.get("coding", [])
            codings = [coding for coding in listed if type(coding) is dict] if type(listed) is list else []
            at = (trail, "coding")
        if any(is_member(name, coding.get("system"), coding.get("code")) for coding in codings):
            return
        if not codings and "extension" in value:
            return  # the extension says why there is no code
        if element.required:
            found = shown(codings[0].get("code")) if codings else "without a code"
            walk.add("not-in-value-set", at, found=found, allowed=_listed(name), set=name)
        elif any("code" in coding for coding in codings):
            walk.add("not-in-extensible-value-set", at, allowed=_listed(name), set=name)

    return look


def unknown_code(value: Any, trail: Trail, walk: Walk) -> None:
    """A coding whose code is not in its code system, where R4 publishes that code system whole."""
    system, code = value.get("system"), value.get("code")
    if type(system) is str and type(code) is str and system in code_systems() and code not in code_systems()[system]:
        walk.add("unknown-code", (trail, "code"), found=shown(code), system=system)
