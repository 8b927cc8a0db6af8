"""Law 2: each defect is found by its own rule, and by no other than it says; and all that it says is found."""

from __future__ import annotations

from collections import defaultdict

import pytest

from mocksandbox.provider import open_provider
from tests.laws.harness import every_rule, trials


@pytest.mark.parametrize(("name", "id"), every_rule())
def test_each_defect_breaks_its_own_rule_and_what_it_says(name: str, id: str) -> None:
    rule = open_provider(name).catalogue[id]
    broken: dict[str, set[str]] = defaultdict(set)
    for trial in trials(name, rule):
        found = {other for other, _ in trial.found()}
        assert id in found, f"{trial.name}: not found; found: {sorted(found)}"
        assert found - {id} <= trial.defect.also, f"{trial.name}: breaks {sorted(found - {id} - trial.defect.also)} too"
        broken[trial.defect.name] |= found
    for defect in rule.defects:
        assert defect.name in broken, f"{id}/{defect.name} can be applied to no operation"
        never = defect.also - broken[defect.name]
        assert not never, f"{id}/{defect.name} says that it breaks {sorted(never)}, and never does"
