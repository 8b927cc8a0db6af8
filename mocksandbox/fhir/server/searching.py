"""Search by GET and POST, and by compartment."""

from __future__ import annotations

from mocksandbox.exchange import Response
from mocksandbox.fhir.search import Types, criterion, reach_of, search
from mocksandbox.fhir.search.criteria import Problem
from mocksandbox.fhir.server.answers import answer
from mocksandbox.fhir.server.bundles import search_bundle
from mocksandbox.fhir.server.conditions import query_of
from mocksandbox.fhir.server.interaction import COMPARTMENT, interaction_of
from mocksandbox.rules.attempt import Attempt
from mocksandbox.store import Partition


def find(attempt: Attempt, records: Partition, types: Types) -> Response:
    """200 with a searchset Bundle."""
    query = query_of(attempt, types)
    assert query is not None, "the operation is a search"
    if interaction_of(attempt.operation).name == COMPARTMENT:
        inside = criterion(query.row.compartment, attempt.id, query.row, types)
        assert not isinstance(inside, Problem), "the rules have seen the id"
        query.criteria.append(inside)
    results = search(query, records, reach_of(records, attempt.request.base_url, attempt.now))
    return answer(attempt, 200, search_bundle(attempt, query, results, types))
