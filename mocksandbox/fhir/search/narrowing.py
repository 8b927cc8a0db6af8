"""Less of a resource: `_summary` and `_elements`. What is left says of itself that it is not the whole."""

from __future__ import annotations

from typing import Any

from mocksandbox.fhir.search.parameters import ResourceType

SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "Resource encoded in summary mode",
}
_ALWAYS = ("resourceType", "id", "meta", "implicitRules")


def narrowed(resource: dict[str, Any], row: ResourceType, summary: str, elements: tuple[str, ...]) -> dict[str, Any]:
    """The resource as a summary, or with these elements; mandatory elements are always there, so that it stays valid."""
    if summary == "data":
        return _tagged({name: value for name, value in resource.items() if name != "text"})
    if summary == "text":
        return _only(resource, ("text", *row.mandatory))
    if summary == "true":
        return _only(resource, (*row.summary, *row.mandatory))
    if elements:
        return _only(resource, (*elements, *row.mandatory, "modifierExtension"))
    return resource


def _only(resource: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    wanted = {*_ALWAYS, *names}
    return _tagged({name: value for name, value in resource.items() if name.removeprefix("_") in wanted})


def _tagged(resource: dict[str, Any]) -> dict[str, Any]:
    meta = resource.get("meta") or {}
    tags = [tag for tag in meta.get("tag") or () if not (isinstance(tag, dict) and tag.get("code") == "SUBSETTED")]
    return {**resource, "meta": {**meta, "tag": [*tags, SUBSETTED]}}
