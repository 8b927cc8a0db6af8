"""How the tables of the NHS rules are written: one call for a rule, with what most rules share as defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mocksandbox.providers.nhs import defects as by
from mocksandbox.providers.nhs.checks import Check
from mocksandbox.providers.nhs.fields import fields, number_of, single_number_of, singles_of, values_of
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import ALL, Defect, Hit, Rule

CREATE, READ = "createImmunization", "readImmunization"
UPDATE, DELETE = "updateImmunization", "deleteImmunization"
SEARCH_GET, SEARCH_POST = "searchImmunizationGet", "searchImmunizationPost"
WRITES = frozenset({CREATE, UPDATE})
SEARCHES = frozenset({SEARCH_GET, SEARCH_POST})
SERVICE_ONLY = frozenset({"integration"})
DOCUMENT_ONLY = ALL - SERVICE_ONLY


def promise(
    id: str,
    title: str,
    why: str,
    source: str,
    find: Callable[[Attempt], Iterable[Hit]],
    defects: Iterable[Defect[Attempt]],
    *,
    stage: str,
    operations: frozenset[str] = WRITES,
    status: int = 400,
    issue: str = "invariant",
    error: str = "",
    profiles: frozenset[str] | None = None,
) -> Rule[Attempt]:
    """One rule. What only the service's answers show belongs to the profile `integration` alone, unless said otherwise."""
    documented = source.startswith("openapi.json")
    return Rule(
        id=f"nhs/{id}",
        title=title,
        why=why,
        source=source,
        operations=operations,
        stage=stage,
        status=status,
        issue=issue,
        error=error or issue.upper(),
        find=find,
        defects=tuple(defects),
        profiles=profiles or (ALL if documented else SERVICE_ONLY),
    )


OF_VALUES: dict[Callable[[Attempt], Iterable[Hit]], tuple[str, Check]] = {}
"""The detectors that look at values only, and so find nothing in a body that is no record; each with the path at which the
values stand and the check that they must pass.
"""

OF_PRESENCE: dict[Callable[[Attempt], Iterable[Hit]], int] = {}
"""The detectors that ask whether a value is there; each with the number of the path at which it stands."""

LOOKED = "_looked"
"""What stands in an attempt whose values have all been looked at, in one walk."""

OF_RECORDS: dict[Callable[[Attempt], Iterable[Hit]], Callable[[Attempt], Iterable[Hit]]] = {}
"""The detectors that are asked only about bodies that are objects; each with the one that looks at the record."""


def value(
    field_id: str,
    check: Check,
    why: str,
    also: Mapping[str, Iterable[str]] | None = None,
    *,
    id: str = "",
    prepare: Callable[[Any], Any] = lambda body: body,
) -> Rule[Attempt]:
    """A rule about the value of a field; of several places where the field stands, the service names the first that is wrong.
    `also` and `prepare` are for its defects, as in `defects.at_field`.
    """
    field = fields()[field_id]
    number, test = single_number_of(field.path), check.test

    def find(attempt: Attempt) -> Iterable[Hit]:
        if LOOKED in attempt.__dict__:
            return _named(attempt)  # whoever has looked at all values asks here about wrong ones only
        for value in singles_of(attempt)[number]:
            if test(value, attempt):
                return _named(attempt)  # only a wrong value needs its place
        return ()

    def _named(attempt: Attempt) -> Iterator[Hit]:
        for found in field.present(attempt.body):
            faults = test(found.value, attempt)
            for suffix, key, values in faults:
                spelled = field.spelled(found) + values.get("spelled", suffix)
                yield field.at(found) + suffix, key, {"at": spelled, **values}
            if faults:
                return

    OF_VALUES[find] = field.path, check
    return promise(
        id or f"bad-{field_id}",
        f"{field.spelled()} is {check.is_}",
        why,
        f"messages.yaml#{check.message}",
        find,
        by.at_field(field_id, check.spoilers, also or {}, prepare),
        stage="values",
    )


def mandatory(field_id: str, why: str, *also: str) -> Rule[Attempt]:
    """A rule that a field is there. Null does not count."""
    field = fields()[field_id]
    number = number_of(field.path)

    def find(attempt: Attempt) -> Iterable[Hit]:
        for value in values_of(attempt)[number]:
            if value is not None:
                return ()
        first = next(iter(field.locate(attempt.body)), None)
        at = field.at(first) if first else f"Immunization.{field.path}"
        return ((at, "mandatory", {"at": field.spelled(first)}),)

    OF_PRESENCE[find] = number
    return promise(
        f"missing-{field_id}",
        f"{field.spelled()} is there",
        why,
        "messages.yaml#mandatory",
        find,
        [by.absent(field_id, *also)],
        stage="mandation",
    )
