"""Labels: what a request breaks, asked of the rules, and what a right server makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from mocksandbox.generators.payload import Expected, Verdict
from mocksandbox.provider import Provider, open_provider
from mocksandbox.rules import Finding
from mocksandbox.rules.attempt import Attempt, Records
from mocksandbox.store import MemoryStore


@dataclass(frozen=True)
class Label:
    """The truth about a request: what a right server does, the rules that it breaks, how it must be refused."""

    verdict: Verdict
    broken: frozenset[str] = frozenset()
    expected: Expected | None = None


@cache
def new_records(name: str) -> Records:
    """The records that a provider's new sandbox holds. They are shared, and nobody writes to them."""
    return MemoryStore(open_provider(name).seeds()).partition()


def label(provider: Provider, attempt: Attempt, *, profile: str = "") -> Label:
    """What a profile's rules (the default one's) make of a request: refused by the first stage that finds something.

    A request that they take is `must-accept` only when it breaks nothing in the other profiles either, and is right FHIR where
    the API speaks FHIR; else nobody has promised to take it, and it is `either`. Rules about records are asked of the
    attempt's own.
    """
    profile = profile or provider.default_profile
    operation = attempt.operation.id if attempt.operation else ""
    broken: set[str] = set()
    first: list[Finding] = []
    for _, rules in provider.catalogue.stages(operation, profile):
        found = provider.catalogue.findings(attempt, rules)
        first = first or found
        broken.update(finding.rule.id for finding in found)
    if first:
        rule = first[0].rule
        places = tuple(dict.fromkeys(finding.at for finding in first))
        return Label("must-reject", frozenset(broken), Expected(rule.status, rule.issue, rule.error, places))
    promised = not any(True for _ in _stateless(provider, attempt)) and not _wrong_fhir(attempt.body)
    return Label("must-accept" if promised else "either")


def stateless_findings(provider: Provider, attempt: Attempt) -> list[Finding]:
    """What a request breaks by itself, in any profile."""
    return list(_stateless(provider, attempt))


def _stateless(provider: Provider, attempt: Attempt) -> Iterator[Finding]:
    operation = attempt.operation.id if attempt.operation else ""
    for profile in provider.profiles:
        for stage, rules in provider.catalogue.stages(operation, profile):
            if stage not in provider.stateful:
                yield from provider.catalogue.findings(attempt, rules)


def _wrong_fhir(body: Any) -> bool:
    """Whether a body says that it is a FHIR resource, and is a wrong or a doubtful one."""
    from mocksandbox.fhir.strict import fhir_catalogue  # loads FHIR's definitions, which valid payloads do not need

    if not (isinstance(body, dict) and isinstance(body.get("resourceType"), str)):
        return False
    catalogue = fhir_catalogue()
    if catalogue.all(body, "", "integration"):
        return True
    return any(found.rule.id not in _ADVICE for found in catalogue.warnings(body, "", "integration"))


_ADVICE = frozenset({"fhir/no-narrative", "fhir/not-in-extensible-value-set", "fhir/unknown-code", "fhir/not-a-time"})
"""Warnings that say nothing against a resource. The others are about what FHIR says should not be, and some servers refuse."""
