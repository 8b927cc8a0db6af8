"""R4's rules for a provider: the same rules, about the body of a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from mocksandbox.fhir.strict.judge import Judgement, judge
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING
from mocksandbox.rules.rule import Defect, Hit, LaterDefects, Rule

_KEPT = "fhir judgement"


def judged(attempt: Attempt) -> Judgement:
    """What is wrong with the body of a request, worked out once for each attempt; nothing where no body can be read."""
    if _KEPT not in attempt.__dict__:
        # An attempt never changes; what is worked out from it is kept with it, as its own cached properties are.
        attempt.__dict__[_KEPT] = {} if attempt.body is MISSING else judge(attempt.body)
    kept: Judgement = attempt.__dict__[_KEPT]
    return kept


def lifted(rules: Iterable[Rule[Any]], bodies: Iterable[Any] = (), **changes: Any) -> tuple[Rule[Attempt], ...]:
    """R4's rules about the body of a request, with the same ids and with these changes (`stage`, `operations`, `status`, …).

    Where valid `bodies` are given, each rule keeps only the defects that one of them can be broken with, and each of these
    only the rules in `also` that it breaks there: what a defect is for another type of resource is not said. Rules are never
    left out.
    """
    valid = list(bodies)
    return tuple(
        replace(rule, find=partial(_find, rule.id), defects=LaterDefects(partial(_lifted, rule, valid)), **changes)
        for rule in rules
    )


def is_breakable(rule: Rule[Any], bodies: Iterable[Any]) -> bool:
    """Whether one of these valid bodies can be broken by one of the rule's defects."""
    return any(defect.apply(body) is not body for body in bodies for defect in rule.defects)


def _lifted(rule: Rule[Any], valid: list[Any]) -> Iterator[Defect[Attempt]]:
    return map(_lift, _fitting(rule, valid))


def _find(id: str, attempt: Attempt) -> Iterable[Hit]:
    return judged(attempt).get(id, ())


def _lift(defect: Defect[Any]) -> Defect[Attempt]:
    def apply(attempt: Attempt) -> Attempt:
        if not isinstance(attempt.body, dict) or "resourceType" not in attempt.body:
            return attempt
        changed = defect.apply(attempt.body)
        return attempt if changed is attempt.body else attempt.with_body(changed)

    return Defect(defect.name, apply, defect.also, defect.needs)


def _fitting(rule: Rule[Any], valid: list[Any]) -> Iterable[Defect[Any]]:
    for defect in rule.defects:
        broken = [changed for body in valid if (changed := defect.apply(body)) is not body]
        if broken:
            found = {id for changed in broken for id in judge(changed)}
            yield replace(defect, also=defect.also & found)
        elif not valid:
            yield defect
