"""The safety rail: a sandbox that takes made-up people only."""

from __future__ import annotations

from collections.abc import Sequence

from mocksandbox.provider import Provider
from mocksandbox.rules import Finding
from mocksandbox.rules.attempt import Attempt
from mocksandbox.sandbox.failure import own_rule

REAL_PERSON = own_rule(
    id="http/real-person",
    title="Nobody in the request can be a real person",
    why="A sandbox keeps what it is sent, for everybody who uses it to read.",
    source="mocksandbox serve --only-synthetic",
    status=403,
    issue="forbidden",
    error="FORBIDDEN",
)


def real_people(provider: Provider, attempt: Attempt) -> Sequence[Finding]:
    """The places where a request names somebody who may be real. The numbers themselves are never repeated."""
    people = provider.people
    if people is None:
        return ()
    places = dict.fromkeys(place for place, number in people.numbers(attempt) if not people.allows(number))
    says = f"is not a made-up person's. This sandbox takes {people.says} only (--only-synthetic); nothing of it was kept."
    return [Finding(REAL_PERSON, place, f"The number at {place} {says}") for place in places]
