"""Which interaction of FHIR an operation is, and with which type of resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mocksandbox.contract import Contract, Operation
from mocksandbox.rules.attempt import Attempt

CREATE, READ, VREAD, UPDATE, DELETE = "create", "read", "vread", "update", "delete"
HISTORY, HISTORY_TYPE, SEARCH = "history-instance", "history-type", "search-type"
COMPARTMENT, VALIDATE, TRANSACTION, CAPABILITIES = "search-compartment", "validate", "transaction", "capabilities"
"""FHIR R4's names of the interactions, and of what it has no name for."""

KEY = "x-fhir-interaction"
"""The key of an operation in a document that names its interaction."""


@dataclass(frozen=True)
class Interaction:
    """One interaction: its name, and the type of resource that it is about (`""` for the whole server)."""

    name: str
    type: str = ""


_NOTHING = Interaction("")


def interaction_of(operation: Operation | None) -> Interaction:
    """The interaction of an operation, from the document; one without a name for what is none."""
    name = operation.spec.get(KEY, "") if operation else ""
    if operation is None or not name:
        return _NOTHING
    segments = [part for part in operation.path.split("/") if part[:1].isupper()]
    return Interaction(name, segments[-1] if segments else "")


def interactions(contract: Contract, *names: str) -> frozenset[str]:
    """The ids of the operations that are one of these interactions."""
    return frozenset(each.id for each in contract.operations if interaction_of(each).name in names)


def by_interaction(contract: Contract) -> Mapping[str, Interaction]:
    """Every operation's interaction by the operation's id."""
    return {each.id: interaction_of(each) for each in contract.operations}


def type_of(attempt: Attempt) -> str:
    """The type of resource that an attempt is about, `""` when it is about none."""
    return interaction_of(attempt.operation).type


def is_one_of(attempt: Attempt, names: Iterable[str]) -> bool:
    """Whether an attempt is one of these interactions."""
    return interaction_of(attempt.operation).name in names
