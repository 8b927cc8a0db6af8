"""The fields of an NHS immunisation record: where each stands, and how the service spells the place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from mocksandbox.resources import contracts_root
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.fields import Field, read_fields
from mocksandbox.rules.gathering import Gathering, Look, Values, Walk

FOLDER = contracts_root() / "nhs"


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
    if len(addresses) == 1 and isinstance(addresses[0], dict):
        return 0 if "postalCode" in addresses[0] else None
    having = [index for index, address in enumerate(addresses) if isinstance(address, dict) and "postalCode" in address]
    return next((index for index in having if addresses[index]["postalCode"]), having[0] if having else None)


def _covers(period: Any, occurrence: Any) -> bool:
    if not isinstance(period, dict) or not isinstance(occurrence, str):
        return True
    start, end = period.get("start"), period.get("end")
    starts_after = isinstance(start, str) and start and occurrence < start
    return not starts_after and not (isinstance(end, str) and end and occurrence > end)


_NAMED = {"current": current_name, "posted": posted_address}
VALUES = "_values"
"""Where an attempt has what `values_of` gives, once it was found."""

_OF_RECORDS, _SINGLE = Gathering(_NAMED), Gathering(_NAMED)


def number_of(path: str) -> int:
    """The number under which `values_of` has the values at a path, for a rule that looks at more than this value."""
    return _OF_RECORDS.add(path)


def values_of(attempt: Attempt) -> Values:
    """The values at these paths of an attempt's record; found once for each attempt."""
    kept: Values | None = attempt.__dict__.get(VALUES)
    if kept is None:
        kept = attempt.__dict__[VALUES] = _OF_RECORDS.values(attempt.body)
    return kept


def looking(looks: Iterable[Look]) -> Walk:
    """A walk of a record that finds what `values_of` gives, and has these looks in passing."""
    return _OF_RECORDS.looking(looks)


def single_number_of(path: str) -> int:
    """The number under which `singles_of` has the values at a path, for a rule that looks at each of them alone."""
    return _SINGLE.add(path)


def singles_of(attempt: Attempt) -> Values:
    """The values at these paths of an attempt's record; found once for each attempt."""
    kept: Values | None = attempt.__dict__.get("_singles")
    if kept is None:
        kept = attempt.__dict__["_singles"] = _SINGLE.values(attempt.body)
    return kept


@cache
def fields() -> Mapping[str, Field]:
    """Every field by its id, from contracts/nhs/fields.yaml."""
    return read_fields(FOLDER / "fields.yaml", "Immunization", _NAMED)
