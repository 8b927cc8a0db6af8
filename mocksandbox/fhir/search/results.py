"""Carrying a search out: what matches, in which order, which page of it, and what is included with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mocksandbox.fhir.search.parameters import Parameter, Reach
from mocksandbox.fhir.search.query import Include, Query
from mocksandbox.fhir.search.references import Target, reference_matches, resolve
from mocksandbox.fhir.search.spans import span_in
from mocksandbox.fhir.search.strings import fold, strings_in
from mocksandbox.fhir.search.tokens import tokens_in
from mocksandbox.fhir.stored import all_of, as_of, changed, live, shown

MOST_INCLUDED = 10_000
"""How many resources one answer may include, so that circles and crowds come to an end."""


@dataclass(frozen=True)
class Results:
    """What was found: one page of matches, how many there are in all, what goes with the page, and the moment it shows."""

    page: list[dict[str, Any]]
    total: int
    included: list[dict[str, Any]]
    at: datetime


def reach_of(records: Any, base_url: str, now: datetime) -> Reach:
    """What a search can look at, each resource read once."""
    read: dict[tuple[str, str], Any] = {}

    def find(kind: str, id: str) -> Any:
        if (kind, id) not in read:
            read[kind, id] = live(records, kind, id)
        return read[kind, id]

    return Reach(base_url, now, find)


def search(query: Query, records: Any, reach: Reach) -> Results:
    """The results of a query without problems."""
    kind = query.row.name
    at = query.at or max([reach.now, *(changed(record) for record in all_of(records, kind))])
    matches = matching(query, records, reach)
    for parameter, down in reversed(query.sort):
        matches = _sorted(matches, parameter, down)
    page = [] if query.only_total else matches[query.offset : query.offset + query.count]
    return Results(page, len(matches), _included(query, page, records, reach), at)


def matching(query: Query, records: Any, reach: Reach) -> list[dict[str, Any]]:
    """Every resource that meets all criteria, in the order in which they were created."""
    resources = (shown(record) for record in as_of(records, query.row.name, query.at))
    return [resource for resource in resources if all(test(resource, reach) for test in query.criteria)]


def _sorted(resources: list[dict[str, Any]], parameter: Parameter, down: bool) -> list[dict[str, Any]]:
    """The resources by a parameter's values; those without one come last either way."""
    keyed = [(list(_keys(parameter, resource)), resource) for resource in resources]
    having = [(max(keys) if down else min(keys), resource) for keys, resource in keyed if keys]
    having.sort(key=lambda pair: pair[0], reverse=down)
    return [*(resource for _, resource in having), *(resource for keys, resource in keyed if not keys)]


def _keys(parameter: Parameter, resource: Any) -> Iterator[Any]:
    for value in parameter.read(resource):
        if parameter.type == "date":
            span = span_in(value)
            if span is not None:
                yield span.low
        elif parameter.type == "token":
            yield from (code.casefold() for _, code in tokens_in(value, parameter.system))
        elif parameter.type == "reference":
            if isinstance(value, dict) and isinstance(value.get("reference"), str):
                yield value["reference"]
        elif parameter.type == "string":
            yield from (fold(text) for text in strings_in(value))
        elif isinstance(value, str):
            yield value


def _included(query: Query, page: list[dict[str, Any]], records: Any, reach: Reach) -> list[dict[str, Any]]:
    if query.summary == "text":
        return []  # FHIR R4, Search: _include is not mixed with _summary=text
    found: dict[tuple[str, str], dict[str, Any]] = {(each["resourceType"], each["id"]): each for each in page}
    edge, first = page, True
    while edge and len(found) < MOST_INCLUDED:
        fresh: dict[tuple[str, str], dict[str, Any]] = {}
        for include in query.includes:
            if first or include.again:
                for kind, resource in _follow(include, edge, records, reach):
                    if (kind, resource["id"]) not in found:
                        fresh[kind, resource["id"]] = resource
        found |= fresh
        edge, first = list(fresh.values()), False
    return list(found.values())[len(page) :]


def _follow(include: Include, edge: list[dict[str, Any]], records: Any, reach: Reach) -> Iterator[tuple[str, dict[str, Any]]]:
    if include.reverse:
        yield from _leading_here(include, edge, records, reach)
        return
    for resource in edge:
        if resource["resourceType"] == include.type:
            for value in include.parameter.read(resource):
                for kind, found in resolve(value, {}, reach):
                    if include.target in ("", kind):
                        yield kind, found


def _leading_here(
    include: Include, edge: list[dict[str, Any]], records: Any, reach: Reach
) -> Iterator[tuple[str, dict[str, Any]]]:
    wanted = [Target(each["resourceType"], each["id"]) for each in edge if include.target in ("", each["resourceType"])]
    for record in as_of(records, include.type, None) if wanted else ():
        resource = shown(record)
        values = list(include.parameter.read(resource))
        if any(reference_matches(target, value, reach, ()) for target in wanted for value in values):
            yield include.type, resource
