"""What is wrong with a resource, by rule: one walk for all rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mocksandbox.fhir.strict.plans import walk_resource
from mocksandbox.rules.catalogue import Catalogue
from mocksandbox.rules.rule import Finding, Hit, Rule

Judgement = Mapping[str, Sequence[Hit]]
"""Rule id -> the places where a resource breaks it; rules that it keeps are not there."""


def judge(value: Any) -> Judgement:
    """Everything that is wrong with the JSON value of one resource, warnings too. Never raises."""
    return walk_resource(value).by_rule


class FhirCatalogue(Catalogue[Any]):
    """The catalogue of R4's rules: all that are asked at once share one walk."""

    def findings(self, subject: Any, rules: Iterable[Rule[Any]]) -> list[Finding]:
        """Every place where the resource breaks one of these rules, in their order."""
        found = judge(subject)
        return [self._finding(rule, *hit) for rule in rules for hit in found.get(rule.id, ())] if found else []
