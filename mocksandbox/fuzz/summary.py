"""What a campaign says of each rule: whether the target enforces it, and which answers it gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mocksandbox.fuzz.diary import Line
from mocksandbox.fuzz.model import RuleOutcome
from mocksandbox.provider import Provider

_ANSWERED_WRONG = frozenset({"accepted-invalid", "wrong-status", "wrong-outcome", "server-error", "no-answer"})


def rule_outcomes(provider: Provider, lines: Sequence[Line]) -> Mapping[str, RuleOutcome]:
    """For each rule of the profile whether the target enforces it. One finding is enough to say that it does not."""
    tried: set[str] = set()
    broken: set[str] = set()
    for line in lines:
        if line.conclusive and line.outcome != "error":
            tried.update(line.rules)
        for flaw in line.flaws:
            if flaw.kind in _ANSWERED_WRONG:
                broken.update(flaw.rules or line.rules)
            elif flaw.kind in ("nonconforming", "headers", "echoed-person"):
                broken.update(flaw.rules)
    told: dict[str, RuleOutcome] = {}
    for rule in provider.catalogue:
        if provider.default_profile in rule.profiles and rule.severity == "error":
            told[rule.id] = "broken" if rule.id in broken else "enforced" if rule.id in tried else "not reached"
    for answer_rule in provider.responses:
        told[answer_rule.id] = "broken" if answer_rule.id in broken else "enforced" if lines else "not reached"
    return told


def matrix(lines: Sequence[Line]) -> Mapping[str, Mapping[str, int]]:
    """How often each status came when a rule was broken."""
    counts: dict[str, Counter[str]] = {}
    for line in lines:
        for rule in line.rules:
            counts.setdefault(rule, Counter())[line.status] += 1
    return {rule: dict(sorted(each.items())) for rule, each in sorted(counts.items())}
