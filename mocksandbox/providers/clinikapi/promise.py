"""How the tables of ClinikAPI's rules are written: one call for a rule, with what most rules share as defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache

from mocksandbox.contract import read_mapping
from mocksandbox.resources import contracts_root
from mocksandbox.rules import Message, messages_from
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.http import MESSAGES
from mocksandbox.rules.rule import ALL, Defect, Hit, Rule

FOLDER = contracts_root() / "clinikapi"

CREATE, READ, SEARCH = "createImmunization", "readImmunization", "searchImmunizations"
UPDATE, DELETE = "updateImmunization", "deleteImmunization"
SERVICE_ONLY = frozenset({"integration"})
DOCUMENT_ONLY = ALL - SERVICE_ONLY
SCHEMA, PARAMETER = "http/schema", "http/parameter"


@cache
def messages() -> Mapping[str, Message]:
    """Every wording of the provider: its own (contracts/clinikapi/messages.yaml) in place of those of every HTTP API."""
    return {**MESSAGES, **messages_from(read_mapping(FOLDER / "messages.yaml"))}


def promise(
    id: str,
    title: str,
    why: str,
    source: str,
    find: Callable[[Attempt], Iterable[Hit]],
    defects: Iterable[Defect[Attempt]],
    *,
    stage: str,
    operations: frozenset[str] = frozenset(),
    status: int = 422,
    issue: str = "invalid",
    error: str = "VALIDATION_ERROR",
    profiles: frozenset[str] = ALL,
) -> Rule[Attempt]:
    """One rule; `source` is a pointer into the document. Unless said otherwise a broken one is a validation error."""
    return Rule(
        id=f"clinikapi/{id}",
        title=title,
        why=why,
        source=f"openapi.yaml#{source}",
        operations=operations,
        stage=stage,
        status=status,
        issue=issue,
        error=error,
        find=find,
        defects=tuple(defects),
        profiles=profiles,
    )
