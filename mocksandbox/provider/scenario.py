"""Documented scenarios: what the tables of a document promise, as requests with the answers that they must get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mocksandbox.contract import Contract
from mocksandbox.errors import ContractError


@dataclass(frozen=True)
class Expected:
    """An answer that a scenario must get: its status, and where they are promised its error code, headers and resource."""

    status: int
    error: str = ""
    headers: tuple[str, ...] = ()
    resource: str = ""


@dataclass(frozen=True)
class Scenario:
    """One row of a table, or one of the several requests that a row stands for.

    `table` is `operations` (the operations' own tables) or `errors` (the responses' error tables); `row` gives its words;
    `source` is a pointer into the document. `request` is a recipe (see `mocksandbox.sandbox.replay`). `documented` is what the
    document promises; `observed` what the real service was seen to answer where that differs. `forced` is the refusal that
    is given when the scenario is asked for by its id; empty when the request alone brings it about.
    """

    id: str
    operation: str
    table: str
    row: str
    source: str
    request: Mapping[str, Any]
    documented: Expected
    observed: Expected | None = None
    forced: Mapping[str, Any] | None = None


def scenarios_from(table: Mapping[str, Any], path: str, contract: Contract) -> tuple[Scenario, ...]:
    """The scenarios of a `scenarios.yaml`.

    Raises:
        ContractError: an entry lacks what a scenario needs, names an operation that the contract does not have, or an id is
            used twice.
    """
    found: dict[str, Scenario] = {}
    for kind in ("operations", "errors"):
        rows: Iterable[Any] = table.get(kind) or ()
        for number, spec in enumerate(rows):
            pointer = f"/{kind}/{number}"
            for key in ("id", "operation", "row", "documented"):
                if not isinstance(spec, Mapping) or key not in spec:
                    raise ContractError(f"a scenario needs `{key}`", path, pointer)
            if spec["operation"] not in {operation.id for operation in contract.operations}:
                raise ContractError(f"the contract has no operation {spec['operation']!r}", path, f"{pointer}/operation")
            if spec["id"] in found:
                raise ContractError(f"the id {spec['id']!r} is used twice", path, f"{pointer}/id")
            found[spec["id"]] = Scenario(
                id=spec["id"],
                operation=spec["operation"],
                table=kind,
                row=spec["row"],
                source=spec.get("source", contract.operation(spec["operation"]).pointer),
                request=spec.get("request") or {},
                documented=_expected(spec["documented"], path, pointer),
                observed=_expected(spec["observed"], path, pointer) if "observed" in spec else None,
                forced=spec.get("forced"),
            )
    return tuple(found.values())


def _expected(spec: Any, path: str, pointer: str) -> Expected:
    if not isinstance(spec, Mapping) or not isinstance(spec.get("status"), int):
        raise ContractError("an expected answer needs a `status`", path, pointer)
    return Expected(
        spec["status"], str(spec.get("error", "")), tuple(spec.get("headers") or ()), str(spec.get("resource", ""))
    )
