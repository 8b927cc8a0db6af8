"""Broken things put into a valid resource: as the value of an extension, or contained and referred to from one.

So whatever is about some type can be broken in every resource, whether that type occurs in it or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

URL, ID = "http://example.org/fhir/StructureDefinition/implant", "implant"


def _host(resource: Any) -> Any:
    """The resource that an implant goes into: a Bundle's first entry's, or the resource itself; None where none fits."""
    if resource.get("resourceType") != "Bundle":
        return resource if resource.get("resourceType") not in ("Parameters", "Binary") else None
    entries: list[dict[str, Any]] = resource.get("entry", [])
    return _host(entries[0]["resource"]) if entries and "resource" in entries[0] else None


def implanted(edit: Callable[[dict[str, Any]], object]) -> Callable[[Any], Any]:
    """A change of a resource: `edit` of a copy of the resource that implants go into."""

    def apply(resource: Any) -> Any:
        copy = deepcopy(resource)
        host = _host(copy)
        if host is None:
            return resource
        edit(host)
        return copy

    return apply


def implant(broken: Mapping[str, Any], *, url: str = URL) -> Callable[[Any], Any]:
    """A change of a resource: this is in it too, an extension's value (`{"valuePeriod": …}`) or a resource, contained."""
    if "resourceType" in broken:
        return contained({"id": ID, **broken}, f"#{ID}")
    return implanted(lambda host: host.setdefault("extension", []).append({"url": url, **deepcopy(dict(broken))}))


def contained(resource: Mapping[str, Any], reference: str = "") -> Callable[[Any], Any]:
    """A change of a resource: it contains this one too, and refers to it where a reference is given."""

    def edit(host: dict[str, Any]) -> None:
        host.setdefault("contained", []).append(deepcopy(dict(resource)))
        if reference:
            host.setdefault("extension", []).append({"url": URL, "valueReference": {"reference": reference}})

    return implanted(edit)
