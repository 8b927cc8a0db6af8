"""The plan of a campaign: the same for the same seed, whole, and cut as it is told."""

from __future__ import annotations

from collections import Counter

import pytest

from mocksandbox.errors import UsageError
from mocksandbox.fuzz import SandboxTarget, Settings, run
from mocksandbox.fuzz.campaign import chosen
from mocksandbox.fuzz.plan import Planned, plan
from mocksandbox.fuzz.reference import as_profile
from mocksandbox.provider import open_provider
from mocksandbox.sandbox import Sandbox

NHS = as_profile(open_provider("nhs"), "")


def named(cells: tuple[Planned, ...]) -> list[tuple[int, str, str, str]]:
    return [(each.number, each.source, each.operation, each.name) for each in cells]


def test_a_seed_gives_the_same_cells_and_another_one_others() -> None:
    assert named(plan(NHS, 3)) == named(plan(NHS, 3))
    assert named(plan(NHS, 3)) != named(plan(NHS, 4))


def test_cells_are_numbered_in_order_and_are_of_every_source() -> None:
    cells = plan(NHS, 0)
    assert [each.number for each in cells] == list(range(len(cells)))
    counts = Counter(each.source for each in cells)
    assert set(counts) == {"smoke", "rules", "lifecycle", "must-accept", "bytes", "parameters", "edits", "pairs", "random"}


def test_every_rule_comes_once_on_an_operation_before_any_comes_twice() -> None:
    seen: Counter[tuple[str, str]] = Counter()
    last = 0
    for cell in plan(NHS, 0):
        if cell.source == "rules":
            seen[cell.operation, cell.rule] += 1
            assert seen[cell.operation, cell.rule] >= last
            last = seen[cell.operation, cell.rule]


def test_a_payload_is_the_same_whenever_its_cell_is_made() -> None:
    cell = next(each for each in plan(NHS, 5) if each.source == "edits" and each.make)
    again = plan(NHS, 5)[cell.number]
    assert cell.make is not None
    assert again.make is not None
    assert cell.make() == again.make()


def test_shards_are_the_whole_plan_in_parts() -> None:
    whole = plan(NHS, 0)
    parts = [chosen(NHS, Settings(shard=(part, 3))) for part in range(3)]
    assert sorted(cell.number for part in parts for cell in part) == [cell.number for cell in whole]


def test_a_cell_that_there_is_not_is_told() -> None:
    with pytest.raises(UsageError, match="No cell 999999"):
        chosen(NHS, Settings(cell=999_999))


def test_a_profile_that_forgets_has_no_lifecycles() -> None:
    assert not any(each.sequence for each in plan(as_profile(open_provider("nhs"), "sandbox"), 0))


def test_a_budget_cuts_from_the_end_and_the_report_says_what_was_not_reached() -> None:
    report = run("nhs", SandboxTarget(Sandbox(open_provider("nhs"))), Settings(budget=40))
    assert report.requests <= 40
    assert report.stopped == "the budget of 40 requests is used up"
    assert report.reached["smoke"] == report.planned["smoke"]
    assert sum(report.reached.values()) < sum(report.planned.values())


def test_no_time_at_all_runs_nothing() -> None:
    report = run("nhs", SandboxTarget(Sandbox(open_provider("nhs"))), Settings(max_time=1e-9))
    assert not report.reached
    assert "time" in report.stopped
