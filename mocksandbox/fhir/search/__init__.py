"""FHIR R4 search: parameters as data, queries, what matches, and how it is ordered, paged and narrowed."""

from mocksandbox.fhir.search.criteria import Problem, criterion
from mocksandbox.fhir.search.narrowing import narrowed
from mocksandbox.fhir.search.parameters import Parameter, Reach, ResourceType, Types, read_types
from mocksandbox.fhir.search.query import CONTROLS, Query, page_token, parse_query
from mocksandbox.fhir.search.results import Results, matching, reach_of, search

__all__ = [
    "CONTROLS",
    "Parameter",
    "Problem",
    "Query",
    "Reach",
    "ResourceType",
    "Results",
    "Types",
    "criterion",
    "matching",
    "narrowed",
    "page_token",
    "parse_query",
    "reach_of",
    "read_types",
    "search",
]
