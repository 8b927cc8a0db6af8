"""The fields of an NHS immunisation record: where each stands, and how the service spells the place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.resources import contracts_root
from mocksandbox.rules.places import MISSING, fhirpath
from mocksandbox.rules.selectors import Found, compile_path

FOLDER = contracts_root() / "nhs"


@dataclass(frozen=True)
class Field:
    """One field of the record."""

    id: str
    path: str
    says: str
    kind: str
    locate: Callable[[Any], Sequence[Found]]

    def present(self, body: Any) -> list[Found]:
        """The places where the field stands in a body."""
        return [found for found in self.locate(body) if found.value is not MISSING]

    def at(self, found: Found) -> str:
        """A place as FHIRPath."""
        return fhirpath(found.path, "Immunization")

    def spelled(self, found: Found | None = None) -> str:
        """A place as the service spells it; without one, as it spells the first."""
        indices = found.indices if found is not None and found.indices else (0, 0)
        return self.says.format(*indices) if "{" in self.says else self.says


def current_name(names: Any, body: Any) -> int | None:
    """Which of several names the service takes: one that has both parts and whose period covers the occurrence, the first
    official one before the first that is not old before any; else the first (observed; compared as texts).
    """
    if not names or len(names) == 1:
        return 0 if names else None
    occurrence = body.get("occurrenceDateTime")
    current = [
        (index, name)
        for index, name in enumerate(names)
        if isinstance(name, dict) and "given" in name and "family" in name and _covers(name.get("period"), occurrence)
    ]
    for wanted in (lambda use: use == "official", lambda use: use != "old", lambda use: True):
        for index, name in current:
            if wanted(name.get("use")):
                return index
    return 0


def posted_address(addresses: Any, _body: Any) -> int | None:
    """Which of several addresses the service takes the postal code of: the first that has one, else the first that has the
    element (observed).
    """
    having = [index for index, address in enumerate(addresses) if isinstance(address, dict) and "postalCode" in address]
    return next((index for index in having if addresses[index]["postalCode"]), having[0] if having else None)


def _covers(period: Any, occurrence: Any) -> bool:
    if not isinstance(period, dict) or not isinstance(occurrence, str):
        return True
    start, end = period.get("start"), period.get("end")
    starts_after = isinstance(start, str) and start and occurrence < start
    return not starts_after and not (isinstance(end, str) and end and occurrence > end)


@cache
def fields() -> Mapping[str, Field]:
    """Every field by its id, from contracts/nhs/fields.yaml."""
    table = read_mapping(FOLDER / "fields.yaml")
    named = {"current": current_name, "posted": posted_address}
    return {
        id: Field(id, spec["path"], spec.get("says", spec["path"]), spec.get("kind", ""), compile_path(spec["path"], named))
        for id, spec in table.items()
    }
