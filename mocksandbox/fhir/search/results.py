"""Carrying a search out: what matches, in which order, which page of it, and what is included with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mocksandbox.errors import TooCostlyError
from mocksandbox.fhir.search.criteria import Having
from mocksandbox.fhir.search.draft import Draft
from mocksandbox.fhir.search.parameters import Parameter, Reach
from mocksandbox.fhir.search.query import Include, Query
from mocksandbox.fhir.search.references import resolve, target_of
from mocksandbox.fhir.search.spans import span_in
from mocksandbox.fhir.search.strings import fold, strings_in
from mocksandbox.fhir.search.tokens import tokens_in
from mocksandbox.fhir.stored import MOST_PAGE, Shown, all_of, as_of, changed, one_page
from mocksandbox.rules.attempt import Record

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
    """What a search can look at, each record fetched once."""
    fetched: dict[tuple[str, str], Record | None] = {}
    shown = records.shown if isinstance(records, Draft) else Shown()

    def find(kind: str, id: str) -> Any:
        if (kind, id) not in fetched:
            fetched[kind, id] = records.get(kind, id)
        record = fetched[kind, id]
        return shown(record) if record is not None and record.live else None

    return Reach(base_url, now, find, shown)


def search(query: Query, records: Any, reach: Reach) -> Results:
    """The results of a query without problems."""
    kind = query.row.name
    at = query.at or max([reach.now, *(changed(record) for record in all_of(records, kind))])
    matches = matching(query, records, reach)
    for parameter, down in reversed(query.sort):
        matches = _sorted(matches, parameter, down, reach)
    chosen = () if query.only_total else one_page(matches[query.offset : query.offset + query.count])
    page = [reach.shown(record) for record in chosen]
    return Results(page, len(matches), _included(query, page, records, reach), at)


def matching(query: Query, records: Any, reach: Reach) -> list[Record]:
    """Every record whose resource meets all criteria, in the order in which they were created."""
    found = list(_looked_up(query, records) or as_of(records, query.row.name, query.at))
    if isinstance(records, Draft):
        records.looked += len(found) * max(1, len(query.criteria))
    return [record for record in found if _meets(query, reach.shown(record), reach)]


def _meets(query: Query, resource: dict[str, Any], reach: Reach) -> bool:
    return all(test(resource, reach) for test in query.criteria)


def _looked_up(query: Query, records: Any) -> Iterator[Record] | None:
    """The records that may meet a query, where they can be told without looking at all of them."""
    if not isinstance(records, Draft) or query.at is not None:
        return None
    for test in query.criteria:
        if isinstance(test, Having) and not test.test.wanted.systems:
            return records.having(query.row.name, test.parameter, test.test.wanted)
    return None


def _sorted(records: list[Record], parameter: Parameter, down: bool, reach: Reach) -> list[Record]:
    """The records by a parameter's values; those without one come last either way."""
    keyed = [(list(_keys(parameter, reach.shown(record))), record) for record in records]
    having = [(max(keys) if down else min(keys), record) for keys, record in keyed if keys]
    having.sort(key=lambda pair: pair[0], reverse=down)
    return [*(record for _, record in having), *(record for keys, record in keyed if not keys)]


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
    leads: dict[Include, _Leads] = {}
    room = MOST_PAGE
    edge, first = page, True
    while edge and len(found) < MOST_INCLUDED:
        fresh: dict[tuple[str, str], dict[str, Any]] = {}
        for include in query.includes:
            if first or include.again:
                if include.reverse and include not in leads:
                    leads[include] = _leads(include, records, reach)
                for kind, resource in _follow(include, edge, leads, reach):
                    if (kind, resource["id"]) not in found and (kind, resource["id"]) not in fresh:
                        fresh[kind, resource["id"]] = resource
                        room -= reach.shown.sizes.get((kind, resource["id"]), 0)
                        if room < 0:
                            raise TooCostlyError(_TOO_MUCH)
        found |= fresh
        edge, first = list(fresh.values()), False
    return list(found.values())[len(page) :]


_Leads = dict[tuple[str, str], list[tuple[int, Record]]]
"""The records that lead to a type and an id, each with its place among all."""

_TOO_MUCH = (
    f"What this page includes has more than {MOST_PAGE // 1024**2} MiB, which are the most: ask for fewer resources in one "
    "page (_count), or include less (_include, _revinclude)."
)


def _follow(
    include: Include, edge: list[dict[str, Any]], leads: dict[Include, _Leads], reach: Reach
) -> Iterator[tuple[str, dict[str, Any]]]:
    if include.reverse:
        wanted = [(each["resourceType"], each["id"]) for each in edge if include.target in ("", each["resourceType"])]
        places = {place: record for each in wanted for place, record in leads[include].get(each, ())}
        for place in sorted(places):
            yield include.type, reach.shown(places[place])
        return
    for resource in edge:
        if resource["resourceType"] == include.type:
            for value in include.parameter.read(resource):
                for kind, found in resolve(value, {}, reach):
                    if include.target in ("", kind):
                        yield kind, found


def _leads(include: Include, records: Any, reach: Reach) -> _Leads:
    made: _Leads = {}
    for place, record in enumerate(as_of(records, include.type, None)):
        for value in include.parameter.read(reach.shown(record)):
            reference = value.get("reference") if isinstance(value, dict) else None
            target = target_of(reference, reach.base_url) if isinstance(reference, str) else None
            if target is not None and target.type:
                made.setdefault((target.type, target.id), []).append((place, record))
    return made
