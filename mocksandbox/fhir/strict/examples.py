"""Valid resources of our own, which nearly every element of an immunization record occurs in: what defects are applied to."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from mocksandbox.contract import read
from mocksandbox.resources import contracts_root


@cache
def _read() -> Mapping[str, Any]:
    folder = contracts_root() / "fhir" / "examples"
    return {path.stem: read(path) for path in sorted(folder.glob("*.json"))}


def fhir_examples() -> Mapping[str, Any]:
    """The resources by the names of their files; every call gives new ones."""
    return deepcopy(dict(_read()))
