"""Findings: flaws of the same identity as one, each with the smallest example that shows it, the gravest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from mocksandbox.fuzz.diary import Line
from mocksandbox.fuzz.execute import Result, execute
from mocksandbox.fuzz.lifecycle.run import FOUND
from mocksandbox.fuzz.model import Case, Finding, Flaw, Verdict
from mocksandbox.fuzz.pair import Pair
from mocksandbox.fuzz.plan import Planned
from mocksandbox.fuzz.reference import Reference
from mocksandbox.fuzz.reproduction import curl_of, pytest_of
from mocksandbox.fuzz.shrink import changed_places, smallest

Severity = Literal["high", "medium", "low"]

_HIGH = frozenset(
    {
        "accepted-invalid",
        "server-error",
        "no-answer",
        "echoed-person",
        "duplicate-accepted",
        "stale-read",
        "lost-update",
        "delete-not-effective",
        "read-your-write",
        "rejected-but-stored",
        "authorisation",
    }
)
_LOW = frozenset({"wrong-outcome", "headers"})
_ORDER = {"high": 0, "medium": 1, "low": 2}


def severity(flaw: Flaw) -> Severity:
    """How grave a flaw is: high where a record is lost, wrong, or seen by whom it should not be."""
    return "high" if flaw.kind in _HIGH else "low" if flaw.kind in _LOW else "medium"


def findings_of(
    pair: Pair,
    twin: Reference,
    lines: Sequence[Line],
    planned: Mapping[int, Planned],
    results: Mapping[int, Result],
    *,
    shrink: bool = True,
    replay: bool = True,
) -> tuple[Finding, ...]:
    """The findings of a campaign's lines. Examples whose exchanges are not among the `results` (an earlier run sent them) are
    sent once more; then all are made smaller.
    """
    times: dict[str, int] = {}
    first: dict[str, tuple[Flaw, int]] = {}
    for line in lines:
        for flaw in line.flaws:
            times[flaw.identity] = times.get(flaw.identity, 0) + 1
            first.setdefault(flaw.identity, (flaw, line.number))
    fold(first, times)
    again = dict(results)
    found = []
    for identity, (flaw, number) in first.items():
        cell = planned[number]
        if number not in again and replay:
            again[number] = execute(pair, cell, twin)
        result = again.get(number) or Result(Case(number, cell.source, cell.name, cell.operation), Verdict("fail"))
        if shrink:
            result = smallest(pair, twin, cell, result, flaw)
        found.append(_finding(pair, cell, result, flaw, times[identity]))
    found.sort(key=lambda each: (_ORDER[each.severity], -each.times, each.flaw.identity))
    return tuple(found)


def fold(first: dict[str, tuple[Flaw, int]], times: dict[str, int]) -> None:
    """Count what breaks several rules with what is found of one of them alone, and what a search leaves out of a record with
    what a read leaves out of it: a second finding would say nothing more.
    """
    read = {flaw.observed: flaw.identity for flaw, _ in first.values() if flaw.kind == "read-your-write"}
    alone = {(flaw.operation, flaw.kind, flaw.rules[0]): flaw.identity for flaw, _ in first.values() if len(flaw.rules) == 1}
    for identity, (flaw, _) in list(first.items()):
        keys = ((flaw.operation, flaw.kind, rule) for rule in flaw.rules) if len(flaw.rules) > 1 else ()
        known = next((alone[key] for key in keys if key in alone), None)
        if flaw.observed.startswith(FOUND):
            known = read.get(flaw.observed.removeprefix(FOUND))
        if known is not None:
            times[known] += times.pop(identity)
            del first[identity]


def _finding(pair: Pair, cell: Planned, result: Result, flaw: Flaw, times: int) -> Finding:
    provider = pair.provider
    rules = {rule.id: rule for rule in (*provider.catalogue, *provider.responses)}
    rule = next((rules[id] for id in flaw.rules if id in rules), None)
    steps = result.telling(flaw.identity)
    return Finding(
        flaw=flaw,
        case=replace(result.case, name=cell.name),
        steps=steps,
        times=times,
        curl=curl_of(steps),
        pytest=pytest_of(provider, pair.target, cell.number, pair.seed, flaw),
        changed=changed_places(pair, cell, result),
        title=rule.title if rule is not None else "",
        why=rule.why if rule is not None else "",
        source=rule.source if rule is not None else "",
        severity=severity(flaw),
    )
