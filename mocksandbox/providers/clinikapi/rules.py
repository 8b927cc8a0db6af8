"""The catalogue of ClinikAPI: all rules, and for each operation the order in which they are looked at.

Who asks comes first, then what is asked, then whether the record is there (chosen: the documentation does not say; a key is
what any gateway looks at first). `integration` has rules of its own for parameters and members; `documented` and `sandbox`
have the document's schema in their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mocksandbox.contract import Contract
from mocksandbox.exchange import Exchange
from mocksandbox.providers.clinikapi import defects as by
from mocksandbox.providers.clinikapi.body_rules import BODY_RULES
from mocksandbox.providers.clinikapi.caller_rules import CALLER_RULES
from mocksandbox.providers.clinikapi.promise import (
    CREATE,
    DELETE,
    DOCUMENT_ONLY,
    PARAMETER,
    READ,
    SCHEMA,
    SEARCH,
    UPDATE,
    messages,
)
from mocksandbox.providers.clinikapi.request_rules import REQUEST_RULES
from mocksandbox.providers.clinikapi.response_rules import clinikapi_response_rules
from mocksandbox.rules import Catalogue, Defect, Hit, Rule
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.http import RULES as HTTP
from mocksandbox.rules.places import fhirpath
from mocksandbox.rules.response import RESPONSE_MESSAGES, response_rules

_UNKNOWN = "clinikapi/unknown-record"


def _bad_request(rule: Rule[Attempt]) -> Rule[Attempt]:
    return replace(rule, status=400, issue="invalid", error="BAD_REQUEST")


def _invalid(rule: Rule[Attempt]) -> Rule[Attempt]:
    return replace(rule, status=422, issue="invalid", error="VALIDATION_ERROR")


def _differing_members(attempt: Attempt) -> Iterator[Hit]:
    """Where a body differs from the document. The places have no FHIR root: a `resourceType` is a member like any other."""
    for violation in attempt.violations:
        if violation.where == "body":
            at = fhirpath(violation.path) or "body"
            yield at, "http.schema", {"at": at, "problem": violation.problem}


# What every HTTP API keeps, with this one's statuses and codes. Accept is not looked at: there is one media type to give.
HTTP_RULES: tuple[Rule[Attempt], ...] = (
    HTTP["http/unknown-route"],
    replace(
        HTTP["http/method-not-allowed"],
        error="METHOD_NOT_ALLOWED",
        defects=(Defect("put", lambda attempt: attempt.at_path(attempt.request.path, "PUT")),),
    ),
    replace(HTTP["http/body-too-large"], why="The mock reads so much and no more; the SDK sends at most 1 MB."),
    HTTP["http/unsupported-media-type"],
    _bad_request(HTTP["http/missing-body"]),
    _bad_request(HTTP["http/malformed-json"]),
    replace(_invalid(HTTP["http/not-an-object"]), source="openapi.yaml#/components/schemas/ImmunizationCreate"),
    replace(
        _bad_request(HTTP[PARAMETER]),
        profiles=DOCUMENT_ONLY,
        defects=(
            by.query("count-too-large", "count", "101"),
            by.query("count-not-a-number", "count", "all"),
            by.query("no-such-day", "dateFrom", "2024-02-30"),
            by.query("no-such-status", "status", "done"),
            by.path_id("id-with-a-space", "a%20b", _UNKNOWN),
        ),
    ),
    replace(_bad_request(HTTP["http/unknown-parameter"]), profiles=DOCUMENT_ONLY),
    replace(_invalid(HTTP[SCHEMA]), profiles=DOCUMENT_ONLY, find=_differing_members),
)

_START = ("route", "key", "rate", "scope", "size-of-body", "media")

ORDER: Mapping[str, tuple[str, ...]] = {
    "": ("route",),
    CREATE: (*_START, "json", "members", "document"),
    SEARCH: (*_START, "query", "document"),
    READ: (*_START, "id", "document", "exists"),
    UPDATE: (*_START, "id", "json", "members", "document", "exists", "version"),
    DELETE: (*_START, "id", "document", "exists", "version"),
}

STATEFUL = frozenset({"exists", "version"})
"""The stages that look at stored records: from the first of them on, nobody else writes."""


def request_catalogue() -> Catalogue[Attempt]:
    """The rules about requests."""
    return Catalogue((*HTTP_RULES, *CALLER_RULES, *REQUEST_RULES, *BODY_RULES), messages(), ORDER)


def response_catalogue(contract: Contract) -> Catalogue[Exchange]:
    """The rules about answers."""
    rules = (*response_rules(contract), *clinikapi_response_rules())
    return Catalogue(rules, {**RESPONSE_MESSAGES, **messages()}, dict.fromkeys(ORDER, ("response",)))
