"""Search parameters and resource types, as a table says them (`resources.yaml` of a contract)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.errors import ContractError
from mocksandbox.fhir.search.paths import Read, compile_expression
from mocksandbox.fhir.stored import Shown


@dataclass(frozen=True)
class Parameter:
    """One search parameter: its name, its type (`token`, `date`, `reference`, `string`, `uri`, `id`), what it reads from a
    resource, the types that a reference leads to, and the system that a plain code belongs to.
    """

    name: str
    type: str
    path: str
    read: Read = field(compare=False, repr=False)
    targets: tuple[str, ...] = ()
    system: str = ""


@dataclass(frozen=True)
class ResourceType:
    """One type of resource that a server holds: a row of the table."""

    name: str
    title: str
    interactions: frozenset[str]
    operations: tuple[str, ...]
    versioning: str
    search: Mapping[str, Parameter] = field(repr=False)
    own: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    revinclude: tuple[str, ...] = ()
    compartment: str = ""
    mandatory: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()


Types = Mapping[str, ResourceType]


@dataclass(frozen=True)
class Reach:
    """What a search can look at beyond one resource: the server's base URL, the time, and the live resource that has a type
    and an id (None when there is none). `shown` gives stored resources as they are shown.
    """

    base_url: str
    now: datetime
    find: Callable[[str, str], Any]
    shown: Shown = field(default_factory=Shown)


PARAMETER_TYPES = frozenset({"token", "date", "reference", "string", "uri", "id"})


def read_types(path: Path) -> dict[str, ResourceType]:
    """The resource types of a table by name.

    Raises:
        ContractError: the table is damaged.
    """
    table = read_mapping(path)
    common = {name: _parameter(name, spec, path, f"/common/{name}") for name, spec in table["common"].items()}
    types = {name: _type(name, row, common, path) for name, row in table["types"].items()}
    for row in types.values():
        for back in row.revinclude:
            other, _, name = back.partition(":")
            if other not in types or name not in types[other].search:
                raise ContractError(f"{back!r} names no reference of this table", str(path), f"/types/{row.name}/revinclude")
    return types


def _type(name: str, row: Mapping[str, Any], common: Mapping[str, Parameter], path: Path) -> ResourceType:
    own = {key: _parameter(key, spec, path, f"/types/{name}/search/{key}") for key, spec in row["search"].items()}
    for key in (*row["include"], *([row["compartment"]] if "compartment" in row else ())):
        if key not in own or own[key].type != "reference":
            raise ContractError(f"{key!r} is no reference parameter of {name}", str(path), f"/types/{name}")
    return ResourceType(
        name=name,
        title=row["title"],
        interactions=frozenset(row["interactions"]),
        operations=tuple(row.get("operations", ())),
        versioning=row["versioning"],
        search={**own, **common},
        own=tuple(own),
        include=tuple(row["include"]),
        revinclude=tuple(row["revinclude"]),
        compartment=row.get("compartment", ""),
        mandatory=tuple(row["mandatory"]),
        summary=tuple(row["summary"]),
    )


def _parameter(name: str, spec: Mapping[str, Any], path: Path, pointer: str) -> Parameter:
    if spec.get("type") not in PARAMETER_TYPES:
        raise ContractError(
            f"a search parameter has one of the types {', '.join(sorted(PARAMETER_TYPES))}", str(path), pointer
        )
    read = compile_expression(spec["path"])
    return Parameter(name, spec["type"], spec["path"], read, tuple(spec.get("targets", ())), spec.get("system", ""))
