"""What R4 asks of a Bundle as a whole (bdl-1 to bdl-12), and of the references from one of its entries to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mocksandbox.fhir.strict.definitions import resource_types
from mocksandbox.fhir.strict.hits import Trail, shown
from mocksandbox.fhir.strict.references import check_target
from mocksandbox.fhir.strict.walk import Walk

_WITH_REQUEST = ("batch", "transaction", "history")
_WITH_RESPONSE = ("batch-response", "transaction-response", "history")
_FIRST = {"document": ("no-composition", "Composition"), "message": ("no-message-header", "MessageHeader")}


def look_at_bundle(value: Any, trail: Trail, walk: Walk) -> None:
    """The invariants of a Bundle whose elements were looked at already. Without a type only those that need none."""
    kind = value.get("type")
    listed = value.get("entry")
    entries = [
        (((trail, "entry"), index), entry)
        for index, entry in enumerate(listed if type(listed) is list else ())
        if type(entry) is dict
    ]
    for at, entry in entries:
        _entry(entry, at, walk)
    _full_urls(entries, kind, walk)
    _lead_to_entries(entries, walk)
    if type(kind) is str:
        _of_a_type(value, kind, entries, trail, walk)


def _entry(entry: Mapping[str, Any], at: Trail, walk: Walk) -> None:
    if entry and not entry.keys() & {"resource", "request", "response"}:
        walk.add("entry-without-resource", at)
    url = entry.get("fullUrl")
    if type(url) is str and "/_history/" in url:
        walk.add("full-url-of-a-version", (at, "fullUrl"), found=shown(url))


def _full_urls(entries: list[tuple[Trail, Any]], kind: Any, walk: Walk) -> None:
    seen: set[tuple[str, str]] = set()
    for at, entry in entries if kind != "history" else ():
        url = entry.get("fullUrl")
        resource = entry.get("resource")
        meta = resource.get("meta") if type(resource) is dict else None
        version = meta.get("versionId") if type(meta) is dict else None
        version = version if type(version) is str else ""
        if type(url) is str:
            if (url, version) in seen:
                walk.add("full-url-twice", (at, "fullUrl"), found=shown(url))
            seen.add((url, version))


def _lead_to_entries(entries: list[tuple[Trail, Any]], walk: Walk) -> None:
    """References by fullUrl lead to entries, whose types are known."""
    types = {
        entry["fullUrl"]: entry["resource"].get("resourceType")
        for _, entry in entries
        if type(entry.get("fullUrl")) is str and type(entry.get("resource")) is dict
    }
    for local in walk.absolute:
        named = types.get(local.text)
        if type(named) is str and named in resource_types() and not local.text.rpartition("/")[0].endswith(f"/{named}"):
            check_target(named, local.trail, local.targets, walk)


def _of_a_type(value: Any, kind: str, entries: list[tuple[Trail, Any]], trail: Trail, walk: Walk) -> None:
    if "total" in value and kind not in ("searchset", "history"):
        walk.add("total-outside-search", (trail, "total"), kind=shown(kind))
    for at, entry in entries:
        if "search" in entry and kind != "searchset":
            walk.add("search-outside-search", (at, "search"), kind=shown(kind))
        _paired(entry, "request", kind, kind in _WITH_REQUEST, at, walk)
        _paired(entry, "response", kind, kind in _WITH_RESPONSE, at, walk)
    if kind == "document":
        identifier = value.get("identifier")
        if type(identifier) is not dict or not {"system", "value"} <= identifier.keys():
            walk.add("document-without-identifier", (trail, "identifier"))
        if "timestamp" not in value:
            walk.add("document-without-date", (trail, "timestamp"))
    if kind in _FIRST:
        rule, wanted = _FIRST[kind]
        listed = value.get("entry")
        first = listed[0] if type(listed) is list and listed else None
        resource = first.get("resource") if type(first) is dict else None
        if type(resource) is not dict or resource.get("resourceType") != wanted:
            walk.add(rule, (((trail, "entry"), 0), "resource"))


def _paired(entry: Mapping[str, Any], name: str, kind: str, wanted: bool, at: Trail, walk: Walk) -> None:
    if wanted and name not in entry:
        walk.add(f"bundle-{name}", (at, name), f"bundle-{name}-absent", kind=shown(kind))
    elif not wanted and name in entry:
        walk.add(f"bundle-{name}", (at, name), f"bundle-{name}-present", kind=shown(kind))
