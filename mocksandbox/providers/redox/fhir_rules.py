"""The rules of FHIR R4 about a message Bundle and everything in it, as this API has them.

FHIR's rules and the ways to break them are `mocksandbox.fhir.strict`'s. What a broken Bundle breaks here besides, of the
document's schema and of the rules about messages, is worked out from the valid messages when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from mocksandbox.contract import Contract
from mocksandbox.contract.schema import compile_schema
from mocksandbox.fhir.strict import fhir_rules
from mocksandbox.fhir.strict.lift import lifted
from mocksandbox.providers.redox import defects as by
from mocksandbox.providers.redox.parts import FHIR_JSON, WRITES
from mocksandbox.providers.redox.promise import SCHEMA
from mocksandbox.providers.redox.valid import valid_attempt
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING
from mocksandbox.rules.rule import Defect, LaterDefects, Rule

_OURS: dict[str, tuple[Defect[Attempt], ...]] = {
    "fhir/missing-choice": (by.resource("occurrence", "Immunization", ("occurrenceDateTime",), MISSING),),
}
"""Further ways to break a rule, which no rule about messages is in front of."""


def message_rules_of_fhir(contract: Contract, others: Sequence[Rule[Attempt]]) -> tuple[Rule[Attempt], ...]:
    """FHIR's rules for the writes of a contract, but for those that only warn; `others` are the rules that look at the same
    messages.
    """
    valid = [valid_attempt(contract, operation) for operation in sorted(WRITES)]
    refusing = [rule for rule in fhir_rules() if rule.severity == "error"]
    rules = lifted(refusing, [attempt.body for attempt in valid], stage="message", operations=WRITES)
    trial = _Trial(contract, valid, others)
    return tuple(replace(rule, defects=LaterDefects(partial(_with_all_that_breaks, rule, trial))) for rule in rules)


@dataclass(frozen=True)
class _Trial:
    """Valid messages that are broken on trial, to see which rules break with them."""

    contract: Contract
    valid: Sequence[Attempt]
    others: Sequence[Rule[Attempt]]

    def breaks(self, defect: Defect[Attempt]) -> Iterator[str]:
        """The ids of the rules that break with a defect."""
        for attempt in self.valid:
            broken = defect.apply(attempt)
            if broken is not attempt and broken.operation is not None:
                yield from (rule.id for rule in self.others if any(True for _ in rule.find(broken)))
                if not self._schemas[broken.operation.id].is_valid(broken.body):
                    yield SCHEMA

    @cached_property
    def _schemas(self) -> Mapping[str, Any]:
        document, operation = self.contract.document, self.contract.operation
        return {id: compile_schema(document, operation(id).bodies[FHIR_JSON].schema) for id in WRITES}


def _with_all_that_breaks(rule: Rule[Attempt], trial: _Trial) -> Iterator[Defect[Attempt]]:
    for defect in (*rule.defects, *_OURS.get(rule.id, ())):
        yield replace(defect, also=defect.also.union(trial.breaks(defect)))
