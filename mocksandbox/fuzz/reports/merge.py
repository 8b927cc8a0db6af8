"""Joining the reports of shards, or of several runs of one plan, into one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mocksandbox.errors import UsageError
from mocksandbox.fuzz.model import Finding, Report, RuleOutcome
from mocksandbox.fuzz.reports.outline import ordered


def merged(reports: Sequence[Report]) -> Report:
    """One report of several: the same findings joined, with the smallest example; counts added; of a rule's outcomes, broken
    wins, then enforced. `seconds` is the longest, since shards run beside each other.

    Raises:
        UsageError: there are none, or they are of different providers or seeds.
    """
    if not reports:
        raise UsageError("There is no report to merge.")
    first = reports[0]
    for other in reports[1:]:
        if other.provider != first.provider:
            raise UsageError(f"These reports are of different providers: {first.provider} and {other.provider}.")
        if other.seed != first.seed:
            raise UsageError(f"These reports are of different plans: seeds {first.seed} and {other.seed}.")
    return Report(
        provider=first.provider,
        target=", ".join(dict.fromkeys(report.target for report in reports)),
        seed=first.seed,
        requests=sum(report.requests for report in reports),
        seconds=max(report.seconds for report in reports),
        findings=tuple(_findings(reports)),
        rules=_outcomes(reports),
        planned=_added(report.planned for report in reports),
        reached=_added(report.reached for report in reports),
        errors=tuple(dict.fromkeys(problem for report in reports for problem in report.errors)),
        matrix=_matrix(reports),
        stopped="; ".join(dict.fromkeys(report.stopped for report in reports if report.stopped)),
        accepted_valid=(sum(r.accepted_valid[0] for r in reports), sum(r.accepted_valid[1] for r in reports)),
        engines=_added(report.engines for report in reports),
        doubt=first.doubt if all(report.doubt for report in reports) else "",
    )


def _findings(reports: Sequence[Report]) -> list[Finding]:
    joined: dict[str, Finding] = {}
    for report in reports:
        for finding in report.findings:
            known = joined.get(finding.flaw.identity)
            if known is None:
                joined[finding.flaw.identity] = finding
            else:
                kept = min(known, finding, key=_size)
                joined[finding.flaw.identity] = replace(kept, times=known.times + finding.times)
    return ordered(joined.values())


def _size(finding: Finding) -> tuple[int, int, int]:
    """How much a person must read: steps, bytes; of two alike, the earlier cell."""
    return len(finding.steps), sum(len(step.request.body) for step in finding.steps), finding.case.number


_WEIGHT: Mapping[RuleOutcome, int] = {"broken": 2, "enforced": 1, "not reached": 0}


def _outcomes(reports: Sequence[Report]) -> dict[str, RuleOutcome]:
    outcomes: dict[str, RuleOutcome] = {}
    for report in reports:
        for rule, outcome in report.rules.items():
            known = outcomes.get(rule, "not reached")
            outcomes[rule] = max(known, outcome, key=lambda each: _WEIGHT[each])
    return outcomes


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for count in counts:
        for name, number in count.items():
            total[name] = total.get(name, 0) + number
    return total


def _matrix(reports: Sequence[Report]) -> dict[str, Mapping[str, int]]:
    rules = dict.fromkeys(rule for report in reports for rule in report.matrix)
    return {rule: _added(report.matrix.get(rule, {}) for report in reports) for rule in rules}
