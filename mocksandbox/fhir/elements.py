"""The elements of FHIR's types, read from contracts/fhir: what each is made of, in the specification's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from mocksandbox.contract import read_mapping
from mocksandbox.resources import contracts_root

UNCHECKED = frozenset({("Extension", "url")})
"""Required by FHIR and not missed by the library whose behaviour `reading` has (observed)."""


@dataclass(frozen=True)
class Element:
    """One element of a type: its own type's name, whether it is a list, whether it is required, and the choice that it is
    one of (`occurrence` for occurrenceDateTime), required or not.
    """

    type: str
    many: bool
    required: bool
    choice: str = ""
    choice_required: bool = False

    @property
    def primitive(self) -> bool:
        """Whether its type is a primitive, whose JSON value is a string, number or boolean."""
        return self.type[0].islower()


@cache
def all_elements() -> Mapping[str, Mapping[str, Element]]:
    """Every type that the package knows, with its elements by name."""
    table = read_mapping(contracts_root() / "fhir" / "r4b-elements.json")["elements"]
    return {name: {key: _element(spec) for key, spec in elements.items()} for name, elements in table.items()}


def _element(spec: str) -> Element:
    own, _, choice = spec.partition(" ")
    return Element(
        type=own.rstrip("*!"),
        many="*" in own,
        required=own.endswith("!"),
        choice=choice.rstrip("!"),
        choice_required=choice.endswith("!"),
    )
