"""Destinations: the systems behind Redox, how strictly their messages are read, and how they take what is delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.contract.document import pointer_to
from mocksandbox.errors import ContractError
from mocksandbox.providers.redox.parts import FOLDER, place, preference
from mocksandbox.rules.attempt import Attempt

ANSWERS = ("operation-response", "message", "transaction-response")
"""The bodies that a write can be answered with: the printed string, a FHIR message, where the resources are."""

HANDLINGS = ("strict", "lenient")
_MEMBERS = frozenset({"id", "environments", "handling", "answer", "delay", "failures"})


@dataclass(frozen=True)
class Destination:
    """One system behind Redox. `delay` is how many seconds a delivery takes; `failures` how many tries fail before a message
    is taken, None when none is ever taken.
    """

    slug: str
    id: str
    environments: tuple[str, ...]
    handling: str = "strict"
    answer: str = ANSWERS[0]
    delay: float = 0
    failures: int | None = 0


def read_destinations(path: Path) -> Mapping[str, Destination]:
    """The destinations of a file in the notation of contracts/redox/destinations.yaml, by slug and by id.

    Raises:
        ContractError: an entry is not of that form.
    """
    table = read_mapping(path).get("destinations")
    if not isinstance(table, dict):
        raise ContractError("needs an object `destinations`", str(path), "/destinations")
    found = [_destination(str(slug), entry, str(path)) for slug, entry in table.items()]
    return {name: each for each in found for name in (each.slug, each.id) if name}


def _destination(slug: str, entry: Any, path: str) -> Destination:
    at = pointer_to("destinations", slug)
    if not isinstance(entry, dict) or set(entry) - _MEMBERS:
        raise ContractError(f"must be an object with some of {', '.join(sorted(_MEMBERS))}", path, at)
    environments = entry.get("environments")
    if not isinstance(environments, list) or not environments or not all(isinstance(name, str) for name in environments):
        raise ContractError("must be a list of environments", path, f"{at}/environments")
    for name, known in (("handling", HANDLINGS), ("answer", ANSWERS)):
        if entry.get(name, known[0]) not in known:
            raise ContractError(f"must be {' or '.join(known)}", path, f"{at}/{name}")
    delay, failures = entry.get("delay", 0), entry.get("failures", 0)
    if isinstance(delay, bool) or not isinstance(delay, (int, float)) or delay < 0:
        raise ContractError("must be a number of seconds", path, f"{at}/delay")
    if failures != "always" and (type(failures) is not int or not 0 <= failures <= 20):
        raise ContractError("must be a whole number up to 20, or always", path, f"{at}/failures")
    return Destination(
        slug=slug,
        id=str(entry.get("id", "")),
        environments=tuple(environments),
        handling=entry.get("handling", HANDLINGS[0]),
        answer=entry.get("answer", ANSWERS[0]),
        delay=float(delay),
        failures=None if failures == "always" else failures,
    )


@cache
def destinations() -> Mapping[str, Destination]:
    """The provider's own destinations."""
    return read_destinations(FOLDER / "destinations.yaml")


def destination_of(attempt: Attempt) -> Destination | None:
    """The destination that a request is for, None when there is none of that slug or id. Both are matched exactly."""
    return destinations().get(place(attempt)[0])


def queue_of(attempt: Attempt) -> str:
    """The name of the queue that a message goes into: one for each destination and environment, whichever of its two names the
    destination is called by.
    """
    named, environment = place(attempt)
    found = destination_of(attempt)
    return f"{found.slug if found else named}/{environment}"


def is_lenient(attempt: Attempt) -> bool:
    """Whether a message is read leniently: as it asks with `Prefer: handling=`, else as its destination is set up."""
    asked = preference(attempt, "handling")
    found = destination_of(attempt)
    return (asked if asked in HANDLINGS else found.handling if found else HANDLINGS[0]) == "lenient"
