"""Comparing an answer of the target with the two references': what differs between those is of the moment, and left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from mocksandbox.exchange import Response
from mocksandbox.fuzz.lifecycle.plan import AGAIN, READ, SPELLED, STALE
from mocksandbox.fuzz.model import Flaw
from mocksandbox.fuzz.records import version_of
from mocksandbox.provider import Provider
from mocksandbox.rules.places import MISSING, Path, fhirpath, get, walk

MOST_PLACES = 5
DEEPEST = 60
"""Deeper than any record: only hostile bodies are, and to compare them to their end would take for ever."""


def other_class(target: Response, right: Response) -> bool:
    """Whether one accepts and the other refuses."""
    return (target.status < 400) != (right.status < 400)


def status_flaw(action: str, state: str, operation: str, target: Response, right: Response) -> Flaw:
    """The flaw of an answer whose status is another. `state` is the record's before the action."""
    expected, observed = f"{right.status} on a {state} record", f"{target.status} on a {state} record"
    return Flaw(_kind(action, state, target, right), operation, (), expected, observed, detail=f"after {action}")


def _kind(action: str, state: str, target: Response, right: Response) -> str:
    accepted = target.status < 400 <= right.status
    if not other_class(target, right):
        return "wrong-status"
    if accepted and action == AGAIN:
        return "duplicate-accepted"
    if accepted and action == STALE and state == "live":
        return "lost-update"
    if accepted and state == "deleted":
        return "delete-not-effective"
    if accepted:
        return "accepted-invalid"
    if action == READ:
        return "read-your-write"
    return "metamorphic" if action.startswith(SPELLED) else "rejected-valid"


def told_flaw(provider: Provider, operation: str, state: str, target: Response, right: Response) -> Flaw | None:
    """The flaw of a refusal that has other codes."""
    if provider.told is None or right.status < 400:
        return None
    wanted, told = provider.told(right), provider.told(target)
    if wanted is None:
        return None
    if told is None:
        return Flaw("wrong-outcome", operation, (), "a refusal in the API's form", f"{target.status} with another body")
    if (wanted.issue, wanted.error) == (told.issue or wanted.issue, told.error):
        return None
    expected, observed = f"{wanted.issue} {wanted.error}", f"{told.issue} {told.error} on a {state} record"
    return Flaw("wrong-outcome", operation, (), expected.strip(), observed.strip())


def version_flaw(operation: str, action: str, target: Response, right: Response) -> Flaw | None:
    """The flaw of a version that is missing, or another than the right one."""
    wanted, found = version_of(right), version_of(target)
    if wanted is None or wanted == found:
        return None
    observed = "no version" if found is None else f"a version off by {found - wanted}"
    return Flaw(
        "headers", operation, (), "the record's version", f"{observed} after {action.partition(':')[0]}", "header:E-Tag"
    )


def place_flaws(kind: str, operation: str, found: Any, wanted: Any, twin: Any, where: str = "") -> Iterator[Flaw]:
    """The places at which a body is another than the right one."""
    told: set[str] = set()
    for path, how in differences(found, wanted):
        if get(wanted, path) != get(twin, path):
            continue
        place = "".join(char for char in fhirpath(path) if not char.isdigit())
        if place not in told and len(told) < MOST_PLACES:
            told.add(place)
            observed = f"{where}{place or 'the body'} {how}"
            yield Flaw(kind, operation, (), "what was sent", observed, fhirpath(path))


def differences(found: Any, wanted: Any) -> Iterator[tuple[Path, str]]:
    """Where two bodies differ, and how: at the outermost place."""
    left: list[Path] = [()]
    while left:
        path = left.pop()
        ours, theirs = get(found, path), get(wanted, path)
        if len(path) > DEEPEST:
            continue
        if ours is MISSING or theirs is MISSING:
            yield path, "is missing" if ours is MISSING else "is added"
        elif isinstance(ours, dict) and isinstance(theirs, dict):
            left += [(*path, key) for key in dict.fromkeys([*theirs, *ours])]
        elif isinstance(ours, list) and isinstance(theirs, list):
            left += [(*path, index) for index in range(max(len(ours), len(theirs)))]
        elif ours != theirs or isinstance(ours, bool) is not isinstance(theirs, bool):
            yield path, "differs"


def found_records(body: Any) -> list[Any]:
    """The objects in an answer that are this life's record."""
    return [value for _, value in walk(body) if isinstance(value, dict) and value.get("id") == "{id}"]


def entry_flaws(operation: str, found: Any, wanted: Any) -> Iterator[Flaw]:
    """What a search lists besides the record, or does not: by sort of entry; and a total that is another."""
    ours, theirs = _entries(found), _entries(wanted)
    for sort in sorted((ours | theirs).keys()):
        if ours[sort] > theirs[sort]:
            yield Flaw("search-ghost", operation, (), "what was searched for", f"another {sort}")
        elif ours[sort] < theirs[sort]:
            yield Flaw("search-missing", operation, (), f"the {sort}", f"no {sort}")
    for name, right in wanted.items() if isinstance(wanted, dict) and ours == theirs else ():
        # The links and moments of an answer are its own; what it is, and how many it counts, are not.
        if name in ("resourceType", "type", "total") and get(found, (name,)) != right:
            yield Flaw(
                "nonconforming", operation, (), f"{name} {right}" if name != "total" else "the number", f"another {name}", name
            )


def _entries(body: Any) -> Counter[str]:
    """The entries of a search's answer by what they are: their type and, in a Bundle, why they are there."""
    for name in ("entry", "data"):
        entries = body.get(name) if isinstance(body, dict) else None
        if isinstance(entries, list):
            parts = [(get(each, ("resource", "resourceType")), get(each, ("search", "mode"))) for each in entries]
            return Counter(" ".join(part for part in pair if isinstance(part, str)) or "record" for pair in parts)
    return Counter()
