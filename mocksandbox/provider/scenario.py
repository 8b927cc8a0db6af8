"""Documented scenarios: what the tables of a document promise, as requests with the answers that they must get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
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


_TABLES = ("operations", "errors")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "": ("id", "operation", "row", "source", "request", "documented", "observed", "forced"),
    "request": ("path", "query", "form", "raw", "headers", "without", "with", "after"),
    "documented": ("status", "error", "headers", "resource"),
    "observed": ("status", "error", "headers", "resource"),
    "forced": ("status", "issue", "error", "says"),
}
"""What a scenario may say, and what each of its parts may."""


def _check_keys(value: Any, known: Iterable[str], path: str, pointer: str) -> None:
    """Refuse what nobody would read: a slip of the pen would leave a scenario out, or let it promise less."""
    for key in value if isinstance(value, Mapping) else ():
        if key not in known and not str(key).startswith("x-"):
            near = get_close_matches(str(key), known, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(f'`{each}`' for each in known)}"
            raise ContractError(f"has `{key}`, which nothing reads: {hint}", path, pointer)


def scenarios_from(table: Mapping[str, Any], path: str, contract: Contract) -> tuple[Scenario, ...]:
    """The scenarios of a `scenarios.yaml`.

    Raises:
        ContractError: an entry lacks what a scenario needs, has what nothing reads, names an operation that the contract does
            not have, or an id is used twice.
    """
    found: dict[str, Scenario] = {}
    _check_keys(table, _TABLES, path, "")
    for kind in _TABLES:
        rows: Iterable[Any] = table.get(kind) or ()
        for number, spec in enumerate(rows):
            pointer = f"/{kind}/{number}"
            for key in ("id", "operation", "row", "documented"):
                if not isinstance(spec, Mapping) or key not in spec:
                    raise ContractError(f"a scenario needs `{key}`", path, pointer)
            for part, keys in _KEYS.items():
                _check_keys(spec.get(part) if part else spec, keys, path, f"{pointer}/{part}".rstrip("/"))
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
