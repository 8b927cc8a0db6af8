"""How the tables of R4's rules are written: one call for a rule, with what they all share as defaults."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from mocksandbox.fhir.strict.judge import judge
from mocksandbox.rules.rule import Defect, Hit, Rule

STAGE = "fhir"


def _found(id: str, value: Any) -> Iterable[Hit]:
    return judge(value).get(id, ())


def promise(
    id: str, title: str, why: str, source: str, issue: str, defects: Iterable[Defect[Any]], severity: str = "error"
) -> Rule[Any]:
    """One rule. `source` is R4's key of it, or the page that says it; `issue` is of FHIR's IssueType."""
    return Rule(
        id=f"fhir/{id}",
        title=title,
        why=why,
        source=f"FHIR R4 4.0.1, {source}",
        operations=frozenset(),
        stage=STAGE,
        status=400,
        issue=issue,
        error="",
        find=partial(_found, f"fhir/{id}"),
        defects=tuple(defects),
        severity=severity,
    )
