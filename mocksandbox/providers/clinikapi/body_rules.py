"""The rules about the members of a body: one for each member's value, and one for each that must be there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from mocksandbox.providers.clinikapi import checks
from mocksandbox.providers.clinikapi import defects as by
from mocksandbox.providers.clinikapi.checks import Check
from mocksandbox.providers.clinikapi.promise import CREATE, SERVICE_ONLY, UPDATE, promise
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import Hit, Rule

CHANGEABLE = ("status", "statusReason", "note")
"""The members that a change may have (public: the SDK's types)."""

_SCHEMA = "/components/schemas/ImmunizationCreate"
_MOST_FAULTS = 20
"""How many faults of one member are named: a list of a million wrong items needs no million issues."""


def _value(member: str, check: Check, why: str) -> Rule[Attempt]:
    """A rule about a member's value, where the member is there. Null is a value, and never a good one."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        if isinstance(attempt.body, dict) and member in attempt.body:
            for suffix, key, values in islice(check.test(attempt.body[member]), _MOST_FAULTS):
                yield f"{member}{suffix}", key, {"at": f"{member}{suffix}", **values}

    return promise(
        f"bad-{_kebab(member)}",
        f"{member} is {check.is_}",
        why,
        f"{_SCHEMA}/properties/{member}",
        find,
        [by.member(name, member, edit) for name, edit in check.spoilers.items()],
        stage="members",
        operations=frozenset({CREATE, UPDATE} if member in CHANGEABLE else {CREATE}),
        profiles=SERVICE_ONLY,
    )


def _kebab(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name)


def _required(member: str, why: str) -> Rule[Attempt]:
    """A rule that a new record has a member."""

    def find(attempt: Attempt) -> Iterator[Hit]:
        if isinstance(attempt.body, dict) and member not in attempt.body:
            yield member, "required", {"at": member}

    return promise(
        f"missing-{_kebab(member)}",
        f"{member} is there",
        why,
        f"{_SCHEMA}/required",
        find,
        [by.without("absent", member)],
        stage="members",
        operations=frozenset({CREATE}),
        profiles=SERVICE_ONLY,
    )


def _unchangeable(attempt: Attempt) -> Iterator[Hit]:
    body: Mapping[str, Any] = attempt.body if isinstance(attempt.body, dict) else {}
    for name in islice((name for name in body if name not in CHANGEABLE), _MOST_FAULTS):
        at = name[:100] or "body"
        yield at, "cannot-be-changed", {"at": at, "choices": ", ".join(CHANGEABLE)}


_TEXT = "It is stored as a text of limited length."
_REQUIRED: tuple[tuple[str, str], ...] = (
    ("status", "Nobody can tell otherwise whether the vaccine was given. The published page's own sample lacks it."),
    ("vaccineCode", "Without it nobody knows what was given."),
    ("patientId", "Without it nobody knows to whom it was given."),
)
_VALUES: tuple[tuple[str, Check, str], ...] = (
    ("status", checks.choice("completed", "not-done"), "FHIR's third status, entered-in-error, is not offered."),
    ("vaccineCode", checks.code(), "The page limits a text and names no type; the SDK takes a coded vaccine too."),
    ("patientId", checks.text(128), "It is the id of a stored patient, and ids have at most 128 characters."),
    ("encounterId", checks.text(128), "It is the id of a stored encounter, and ids have at most 128 characters."),
    ("occurrenceDateTime", checks.text(50), "No form is published, only a length: any text may be a time."),
    ("recorded", checks.text(50), "No form is published, only a length: any text may be a time."),
    ("primarySource", checks.truth(), "It is a flag."),
    ("manufacturer", checks.text(500), _TEXT),
    ("lotNumber", checks.text(100), _TEXT),
    ("expirationDate", checks.text(50), "No form is published, only a length: any text may be a day."),
    ("site", checks.text(200), _TEXT),
    ("route", checks.text(200), _TEXT),
    (
        "doseQuantity",
        checks.members({"value": checks.number()}, {"unit": checks.text()}),
        "A quantity is a number with a unit; which unit is not limited.",
    ),
    (
        "performer",
        checks.items(checks.members({"actorId": checks.text()}, {"function": checks.text()}), 10),
        "Each performer is somebody, named by an id, and there are at most ten.",
    ),
    ("note", checks.text(5000), _TEXT),
    ("reasonCode", checks.items(checks.text(500), 10), "Reasons are texts of limited length, and there are at most ten."),
    ("statusReason", checks.text(500), _TEXT),
    ("isSubpotent", checks.truth(), "It is a flag."),
    (
        "reaction",
        checks.items(checks.members({}, {"date": checks.text(), "reported": checks.truth()}), 10),
        "Each reaction has a date and a flag, and there are at most ten.",
    ),
    (
        "protocolApplied",
        checks.items(
            checks.members(
                {},
                {
                    "series": checks.text(),
                    "doseNumber": checks.number(),
                    "seriesDoses": checks.number(),
                    "targetDisease": checks.items(checks.text()),
                },
            ),
            10,
        ),
        "Each protocol counts doses and names diseases, and there are at most ten.",
    ),
)

BODY_RULES: tuple[Rule[Attempt], ...] = (
    *(_required(member, why) for member, why in _REQUIRED),
    *(_value(member, check, why) for member, check, why in _VALUES),
    promise(
        "patch-of-other-member",
        "A change has no members but status, statusReason and note",
        "Nothing else of a record can be changed; dropped in silence, a change would seem to be made.",
        "/components/schemas/ImmunizationUpdate",
        _unchangeable,
        (
            by.added("patient", "patientId", "pt_demo0002"),
            by.added("lot-number", "lotNumber", "LOT-1"),
            by.added("unknown", "no-such-member", 1),
            by.added("nameless", "", 1),
        ),
        stage="members",
        operations=frozenset({UPDATE}),
        profiles=SERVICE_ONLY,
    ),
)
"""The rules in the order of the published page, what is missing first."""
