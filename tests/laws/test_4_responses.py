"""Law 4: a right mock breaks no response rule, and each fault of an answer is found by exactly its rule."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import pytest

from mocksandbox.exchange import Exchange
from mocksandbox.provider import open_provider
from tests.laws.harness import PROVIDERS, new_world

RULES = [(name, rule.id) for name in PROVIDERS for rule in open_provider(name).responses]


@cache
def valid_exchanges(name: str) -> list[tuple[str, str, Exchange]]:
    """The valid exchange of every operation in every profile: (profile, operation, exchange)."""
    made = []
    for profile in open_provider(name).profiles:
        for operation in open_provider(name).contract.operations:
            world = new_world(name, profile)
            valid = world.valid(operation.id)
            made.append((profile, operation.id, Exchange(valid.request, world.send(valid))))
    return made


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_mocks_answers_break_no_rule(name: str) -> None:
    for profile, operation, exchange in valid_exchanges(name):
        assert open_provider(name).responses.all(exchange, operation, profile) == [], f"{operation} in {profile}"


@pytest.mark.parametrize(("name", "id"), RULES)
def test_each_fault_of_an_answer_is_found_by_its_own_rule(name: str, id: str) -> None:
    responses = open_provider(name).responses
    rule = responses[id]
    broken: dict[str, set[str]] = defaultdict(set)
    for profile, operation, exchange in valid_exchanges(name):
        if profile not in rule.profiles or (rule.operations and operation not in rule.operations):
            continue
        for defect in rule.defects:
            changed = defect.apply(exchange)
            if changed == exchange:
                continue
            found = {finding.rule.id for finding in responses.all(changed, operation, profile)}
            label = f"{id}/{defect.name} on {operation} in {profile}"
            assert id in found, f"{label}: not found; found: {sorted(found)}"
            assert found - {id} <= defect.also, f"{label}: breaks {sorted(found - {id} - defect.also)} too"
            broken[defect.name] |= found
    for defect in rule.defects:
        assert defect.name in broken, f"{id}/{defect.name} can be applied to no answer"
        never = defect.also - broken[defect.name]
        assert not never, f"{id}/{defect.name} says that it breaks {sorted(never)}, and never does"
