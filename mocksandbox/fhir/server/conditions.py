"""The queries of a request, read once: that of a search, and that which a create depends on (`If-None-Exist`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mocksandbox.fhir.search import Query, ResourceType, Types, matching, parse_query, reach_of
from mocksandbox.fhir.search.limits import split_query
from mocksandbox.fhir.server.interaction import COMPARTMENT, CREATE, SEARCH, interaction_of
from mocksandbox.fhir.server.preferences import parameters_of
from mocksandbox.rules.attempt import Attempt, Record

IF_NONE_EXIST = "If-None-Exist"

SEARCHED = re.compile(r"[A-Z][A-Za-z]+\?.+", re.ASCII | re.DOTALL)
"""A reference that is looked up by a search (FHIR R4, RESTful API: conditional references)."""


def row_of(attempt: Attempt, types: Types) -> ResourceType | None:
    """The type of resource that an attempt is about, None when it is about none that is held."""
    return types.get(interaction_of(attempt.operation).type)


def query_of(attempt: Attempt, types: Types) -> Query | None:
    """The query of a search, read once for each attempt; None when the attempt is no search."""
    kept: Query | None = attempt.__dict__.get("_query")
    row = row_of(attempt, types)
    if kept is None and row is not None and interaction_of(attempt.operation).name in (SEARCH, COMPARTMENT):
        kept = attempt.__dict__["_query"] = parse_query(parameters_of(attempt), row, types)
    return kept


def condition_of(attempt: Attempt, types: Types) -> Query | None:
    """The query of `If-None-Exist`; None when there is none. It may be written as a whole URL or as its query alone."""
    text = attempt.request.headers.get(IF_NONE_EXIST)
    row = row_of(attempt, types)
    if text is None or row is None or interaction_of(attempt.operation).name != CREATE:
        return None
    kept: Query | None = attempt.__dict__.get("_condition")
    if kept is None:
        kept = attempt.__dict__["_condition"] = parse_query(pairs_in(text), row, types)
    return kept


def pairs_in(text: str) -> tuple[tuple[str, str], ...]:
    """The parameters of a query that stands in a header or in a reference."""
    return split_query(text.partition("?")[2] or text.strip().lstrip("?"))


def meeting(query: Query, attempt: Attempt) -> Sequence[Record]:
    """The stored records that meet a query."""
    return matching(query, attempt.records, reach_of(attempt.records, attempt.request.base_url, attempt.now))


def existing(attempt: Attempt, types: Types) -> list[Record]:
    """The stored records that `If-None-Exist` finds, looked for once for each attempt: nobody writes between its rules and its
    effect.
    """
    query = condition_of(attempt, types)
    if query is None or query.problems or not query.criteria:
        return []
    kept: list[Record] | None = attempt.__dict__.get("_existing")
    if kept is None:
        found = (attempt.records.get(each.kind, each.id) for each in meeting(query, attempt))
        kept = attempt.__dict__["_existing"] = [record for record in found if record is not None]
    return kept
