"""R4's own terminology: the value sets of bindings, and the code systems that R4 publishes whole."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.resources import contracts_root

Codes = Mapping[str, frozenset[str]]
"""Codes by the code system that they are from."""


@cache
def _tables() -> dict[str, Any]:
    return read_mapping(contracts_root() / "fhir" / "r4-value-sets.json")


@cache
def value_set(name: str) -> Codes:
    """What is in a value set."""
    return {system: frozenset(codes) for system, codes in _tables()["value-sets"][name].items()}


@cache
def codes_of(name: str) -> tuple[str, ...]:
    """The codes of a value set without their systems, in the order in which R4 lists them."""
    return tuple(dict.fromkeys(code for codes in _tables()["value-sets"][name].values() for code in codes))


@cache
def code_systems() -> Codes:
    """The code systems of which every code is known, by URL."""
    return {system: frozenset(codes) for system, codes in _tables()["code-systems"].items()}


def is_member(name: str, system: Any, code: Any) -> bool:
    """Whether a value set has this code of this system; never raises."""
    return isinstance(system, str) and isinstance(code, str) and code in value_set(name).get(system, ())
