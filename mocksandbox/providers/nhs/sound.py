"""Which rules of a stage a record breaks: sixty rules in one walk of it, for the records that break none or few."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mocksandbox.providers.nhs.fields import VALUES, looking, values_of
from mocksandbox.providers.nhs.promise import LOOKED, OF_PRESENCE, OF_RECORDS, OF_VALUES
from mocksandbox.providers.nhs.shapes import WRONG_SHAPES, shape_looks
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.gathering import Look
from mocksandbox.rules.rule import Hit, Rule

Broken = Callable[[Attempt], Sequence[Rule[Attempt]]]
"""Gives those of a stage's rules, in their order, that an attempt breaks. Where there is no record none about it is broken."""

_SHAPE = -1


def sound(rules: Sequence[Rule[Attempt]]) -> Broken:
    """What tells the broken ones of rules about values: each value is tested where the walk meets it, and what the rules about
    the whole record look at is found by the way.
    """
    looks: list[Look] = [*shape_looks(_SHAPE)]
    whole: list[tuple[int, Callable[[Attempt], Iterable[Hit]]]] = []
    for place, rule in enumerate(rules):
        if rule.find in OF_VALUES:
            path, check = OF_VALUES[rule.find]
            looks.append(Look(path, place, check.plain, check.test))
        else:
            whole.append((place, OF_RECORDS.get(rule.find, rule.find)))
    walk = looking(looks)

    def broken(attempt: Attempt) -> Sequence[Rule[Attempt]]:
        body = attempt.body
        if not isinstance(body, dict):
            return ()
        kept = attempt.__dict__
        kept[VALUES], wrong = walk(body, attempt)
        kept[LOOKED], kept[WRONG_SHAPES] = True, _SHAPE in wrong
        for place, find in whole:
            for _ in find(attempt):
                wrong.append(place)
                break
        return [rules[place] for place in sorted({*wrong} - {_SHAPE})] if wrong else ()

    return broken


def present(rules: Sequence[Rule[Attempt]]) -> Broken:
    """What tells the broken ones of rules that a value is there."""
    numbered = [(rule, OF_PRESENCE[OF_RECORDS[rule.find]]) for rule in rules]

    def broken(attempt: Attempt) -> Sequence[Rule[Attempt]]:
        if not isinstance(attempt.body, dict):
            return ()
        values, missing = values_of(attempt), []
        for rule, number in numbered:
            found = values[number]
            if not found or (found[0] is None and all(value is None for value in found)):
                missing.append(rule)
        return missing

    return broken
