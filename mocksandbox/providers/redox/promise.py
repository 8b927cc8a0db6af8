"""How the tables of the Redox rules are written: one call for a rule, with what most rules share as defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mocksandbox.providers.redox.parts import WRITES
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import ALL, Defect, Hit, Rule

DOCUMENT_ONLY = frozenset({"documented", "sandbox"})
"""The profiles in which the document's schema refuses too."""

SCHEMA = "http/schema"
_DOCUMENT = "openapi.yaml#"
MESSAGE = f"{_DOCUMENT}/components/schemas/Bundle/properties"
HEADER = f"{_DOCUMENT}/components/schemas/MessageHeader/properties"
PARAMETERS = f"{_DOCUMENT}/components/parameters"
RESPONSES = f"{_DOCUMENT}/components/responses"


def promise(
    id: str,
    title: str,
    why: str,
    source: str,
    find: Callable[[Attempt], Iterable[Hit]],
    defects: Iterable[Defect[Attempt]],
    *,
    stage: str,
    operations: frozenset[str] = WRITES,
    status: int = 400,
    issue: str = "invariant",
) -> Rule[Attempt]:
    """One rule, in every profile. Redox has no error codes of its own."""
    return Rule(
        id=f"redox/{id}",
        title=title,
        why=why,
        source=source,
        operations=operations,
        stage=stage,
        status=status,
        issue=issue,
        error="",
        find=find,
        defects=tuple(defects),
        profiles=ALL,
    )
