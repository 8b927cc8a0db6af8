"""The CapabilityStatement: made from the document's operations and the table of types, so that it tells the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mocksandbox.contract import Contract
from mocksandbox.fhir.search import ResourceType, Types
from mocksandbox.fhir.server.interaction import CAPABILITIES, COMPARTMENT, TRANSACTION, VALIDATE, by_interaction

_PUBLISHED = "2024-01-01"
_SEARCH_TYPES = {"id": "token"}
"""The types of search parameters that have another name here."""


def statement(contract: Contract, types: Types, base_url: str, version: str) -> dict[str, Any]:
    """The statement of one server at a base URL."""
    info: Mapping[str, Any] = contract.document.get("info", {})
    each_one = by_interaction(contract)
    offered = each_one.values()
    system = [{"code": code} for each in offered if each.name == TRANSACTION for code in ("transaction", "batch")]
    return {
        "resourceType": "CapabilityStatement",
        "id": "mocksandbox",
        "status": "active",
        "date": _PUBLISHED,
        "kind": "instance",
        "software": {"name": "mocksandbox", "version": version},
        "implementation": {"description": str(info.get("title", "A FHIR server")), "url": base_url},
        "fhirVersion": "4.0.1",
        "format": ["json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Everybody may do everything; nothing here is about a real person.",
                "resource": [
                    _resource(row, {each.name for each in offered if each.type == row.name}) for row in types.values()
                ],
                "interaction": system,
                "searchParam": [
                    _parameter(row, name) for row in list(types.values())[:1] for name in row.search if name not in row.own
                ],
                "compartment": sorted(
                    f"http://hl7.org/fhir/CompartmentDefinition/{kind}"
                    for kind in {
                        _compartment(path.path) for path in contract.operations if each_one[path.id].name == COMPARTMENT
                    }
                ),
            }
        ],
    }


def _compartment(path: str) -> str:
    return path.split("/")[1].lower()


def _resource(row: ResourceType, offered: set[str]) -> dict[str, Any]:
    not_codes = {VALIDATE, COMPARTMENT, CAPABILITIES}
    made: dict[str, Any] = {
        "type": row.name,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{row.name}",
        "documentation": f"{row.title}.",
        "interaction": [{"code": code} for code in sorted(row.interactions & offered - not_codes)],
        "versioning": row.versioning,
        "readHistory": "vread" in offered,
        "updateCreate": True,
        "conditionalCreate": "create" in offered,
        "conditionalRead": "full-support",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical"],
    }
    if row.include:
        made["searchInclude"] = [f"{row.name}:{name}" for name in row.include]
    if row.revinclude:
        made["searchRevInclude"] = list(row.revinclude)
    made["searchParam"] = [_parameter(row, name) for name in row.own]
    if row.operations:
        made["operation"] = [
            {"name": name, "definition": f"http://hl7.org/fhir/OperationDefinition/Resource-{name}"}
            for name in row.operations
            if name in offered
        ]
    return made


def _parameter(row: ResourceType, name: str) -> dict[str, str]:
    parameter = row.search[name]
    return {"name": name, "type": _SEARCH_TYPES.get(parameter.type, parameter.type)}
