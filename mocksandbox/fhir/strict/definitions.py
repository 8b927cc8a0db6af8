"""FHIR R4's types as the specification defines them: every element with its types, cardinality, targets and binding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.resources import contracts_root


@dataclass(frozen=True)
class Definition:
    """One element as it is written in JSON (of a choice, one of its names).

    `choice` is the name that the choice has in the specification (`occurrence` for occurrenceDateTime, `""` for no choice).
    `targets` are the resource types that a reference may name, none when it may name any. `required` and `extensible` are
    names of value sets.
    """

    name: str
    type: str
    many: bool = False
    needed: bool = False
    choice: str = ""
    targets: frozenset[str] = frozenset()
    required: str = ""
    extensible: str = ""

    @property
    def primitive(self) -> bool:
        """Whether its JSON value is a string, number or boolean, which may have a sibling with `_` before its name."""
        return self.type[0].islower() or self.type == SYSTEM_STRING


SYSTEM_STRING = "System.String"
"""The type of Element.id and Extension.url: a string that cannot have extensions."""


@cache
def _types() -> Mapping[str, Mapping[str, Any]]:
    types: Mapping[str, Mapping[str, Any]] = read_mapping(contracts_root() / "fhir" / "r4-definitions.json")["types"]
    return types


@cache
def resource_types() -> frozenset[str]:
    """The types of resources that R4 has; the abstract ones are not among them."""
    abstract = {"Resource", "DomainResource"}
    return frozenset(name for name, type_ in _types().items() if type_["kind"] == "resource") - abstract


@cache
def ancestors(type_name: str) -> tuple[str, ...]:
    """A type and the types that it is built on, itself first."""
    base = _types()[type_name].get("base", "")
    return (type_name, *(ancestors(base) if base else ()))


@cache
def definitions(type_name: str) -> Mapping[str, Definition]:
    """The elements of a type by their names in JSON, the inherited ones first. What R4's own profile of a type forbids
    (`comparator` of SimpleQuantity) is among them: an invariant says so too.
    """
    found: dict[str, Definition] = {}
    for name in reversed(ancestors(type_name)):
        for element, spec in _types()[name]["elements"].items():
            found.update((each.name, each) for each in _written(element, spec))
    return found


def _written(element: str, spec: Mapping[str, Any]) -> list[Definition]:
    if spec.get("max") == 0:
        return []
    stem = element.removesuffix("[x]")
    types = spec["types"] if "types" in spec else [spec["type"]]
    return [
        Definition(
            name=stem if stem == element else stem + _suffix(type_),
            type=type_,
            many=spec.get("max") == "*",
            needed=spec.get("min", 0) > 0,
            choice="" if stem == element else stem,
            targets=frozenset(spec.get("targets", ())),
            required=spec.get("required", ""),
            extensible=spec.get("extensible", ""),
        )
        for type_ in types
    ]


def _suffix(type_: str) -> str:
    # A profile of Quantity goes by the name of what it is a profile of: doseQuantity.
    name = "Quantity" if type_ in ("SimpleQuantity", "MoneyQuantity") else type_
    return name[0].upper() + name[1:]
