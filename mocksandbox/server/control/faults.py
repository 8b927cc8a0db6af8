"""Faults over HTTP: which there are, and which are set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint

from mocksandbox.errors import UsageError
from mocksandbox.sandbox import Sandbox
from mocksandbox.sandbox.faults import FAULTS, read_fault
from mocksandbox.sandbox.planned import Planned
from mocksandbox.server.control.asking import (
    FROM_ONE,
    LIST,
    SHARE,
    TENANT_OR_NULL,
    TEXT,
    WHOLE,
    answer,
    arguments,
    chosen,
    json_body,
    members,
    mistake,
    sandboxes,
    unknown,
)

routes = Blueprint("faults", __name__)

_MEMBERS = {
    "fault": TEXT,
    "operation": TEXT,
    "tenant": TENANT_OR_NULL,
    "count": FROM_ONE,
    "share": SHARE,
    "provider": TEXT,
}


@routes.get("/faults")
def faults() -> Any:
    """The faults that are set, and those that there are."""
    return _told(arguments("tenant", "provider").get("tenant"), chosen())


def _told(tenant: str | None, boxes: Iterable[Sandbox]) -> Any:
    planned = [{**planned.summary(), "provider": box.provider.name} for box in boxes for planned in box.faults.planned(tenant)]
    wire = any(box.faults.wire for box in sandboxes().values())
    known = [
        {"name": fault.name, "usage": fault.usage, "says": fault.says, "available": wire or not fault.wire}
        for fault in FAULTS.values()
    ]
    return answer({"faults": planned, "known": known})


@routes.put("/faults")
def plan() -> Any:
    """Set these faults and no others (with `?tenant=NAME`: for that tenant, and leave the others' alone)."""
    tenant = arguments("tenant", "provider").get("tenant")
    body = json_body()
    specs, seed = _specs(body)
    prepared = [(_read(spec, at, tenant), at) for spec, at in specs]
    meant = [(spec, _meant(spec, at)) for spec, at in prepared]
    planned = {box.provider.name: [_planned(spec) for spec, names in meant if box.provider.name in names] for box in chosen()}
    for box in chosen():  # all, before any of them is changed
        box.faults.look_for(planned[box.provider.name], tenant)
    for box in chosen():
        box.faults.plan_instead(planned[box.provider.name], tenant)
        if seed is not None:
            box.faults.reseed(seed)
    return _told(tenant, chosen())


def _planned(spec: dict[str, Any]) -> Planned:
    return Planned(read_fault(spec["fault"]), spec.get("operation", ""), spec["tenant"], spec.get("count"), spec["share"])


@routes.delete("/faults")
def stop() -> Any:
    """Take back the faults of a tenant, or all."""
    tenant = arguments("tenant", "provider").get("tenant")
    for box in chosen():
        box.faults.clear(tenant)
    return _told(tenant, chosen())


def _specs(body: Any) -> tuple[list[tuple[Any, str]], int | None]:
    """The faults of a body: `{"faults": […], "seed": n}`, a list, or one fault alone; each with its place."""
    if isinstance(body, dict) and "faults" not in body:
        return [(body, "")], None
    if isinstance(body, dict):
        said = members(body, "", {"faults": LIST, "seed": WHOLE}, ["faults"])
        return [(spec, f"faults[{index}]") for index, spec in enumerate(said["faults"])], said.get("seed")
    if isinstance(body, list):
        return [(spec, f"[{index}]") for index, spec in enumerate(body)], None
    raise mistake('must be {"faults": [{"fault": "429:3", "count": 2}]}.', "body")


def _read(value: Any, at: str, tenant: str | None) -> dict[str, Any]:
    spec = members(value, at, _MEMBERS, ["fault"])
    try:
        read_fault(spec["fault"])
    except UsageError as error:
        raise mistake(str(error), f"{at}.fault" if at else "fault") from error
    return {**spec, "share": float(spec.get("share", 1)), "tenant": spec.get("tenant") if tenant is None else tenant}


def _meant(spec: dict[str, Any], at: str) -> frozenset[str]:
    """The providers that a fault is for: its own, or all that have its operation."""
    prefix = f"{at}." if at else ""
    boxes = chosen(spec.get("provider"), f"{prefix}provider")
    only = chosen()[0].provider.name if len(chosen()) == 1 else None
    if only is not None and only != boxes[0].provider.name:
        raise mistake(f"must be {only}, as ?provider= says, or be left out.", f"{prefix}provider")
    wanted = spec.get("operation", "")
    operations = {operation.id: operation for box in boxes for operation in box.provider.contract.operations}
    if wanted and wanted not in operations:
        raise mistake(unknown("operation", wanted, operations), f"{prefix}operation")
    if wanted and not read_fault(spec["fault"]).fault.fits(operations[wanted]):
        raise mistake(f"{spec['fault']!r} happens to no request of {wanted}; leave the operation out.", f"{prefix}operation")
    having = (box for box in boxes if not wanted or any(o.id == wanted for o in box.provider.contract.operations))
    return frozenset(box.provider.name for box in having)
