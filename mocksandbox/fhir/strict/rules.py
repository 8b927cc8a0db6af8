"""The rules of FHIR R4 that hold for every resource: those of the tables, and one for each invariant."""

from __future__ import annotations

from functools import cache
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.fhir.strict.advice_rules import ADVICE
from mocksandbox.fhir.strict.breaks import defect
from mocksandbox.fhir.strict.contained_rules import CONTAINED
from mocksandbox.fhir.strict.implants import implant
from mocksandbox.fhir.strict.invariants import Invariant, invariants
from mocksandbox.fhir.strict.judge import FhirCatalogue
from mocksandbox.fhir.strict.promise import STAGE, promise
from mocksandbox.fhir.strict.structure_rules import STRUCTURE
from mocksandbox.fhir.strict.value_rules import VALUES
from mocksandbox.resources import contracts_root
from mocksandbox.rules.catalogue import Catalogue, messages_from
from mocksandbox.rules.rule import Rule


def _of_invariant(row: Invariant) -> Rule[Any]:
    broken = {"broken": row.broken, **row.others}
    defects = [defect(name, implant(each)) for name, each in broken.items()]
    return promise(row.rule, row.title, row.why, row.key, "invariant", defects)


@cache
def fhir_rules() -> tuple[Rule[Any], ...]:
    """R4's own rules: the subject of each is the JSON value of one resource.

    What is advice only has the severity `warning`. Every detector takes any JSON value and never raises.
    """
    return (*STRUCTURE, *VALUES, *CONTAINED, *map(_of_invariant, invariants()), *ADVICE)


@cache
def fhir_catalogue() -> Catalogue[Any]:
    """R4's own rules with what is said of each, in one stage: what is wrong in one place hides nothing in another."""
    table = read_mapping(contracts_root() / "fhir" / "messages.yaml")
    return FhirCatalogue(fhir_rules(), messages_from(table), {"": (STAGE,)})
