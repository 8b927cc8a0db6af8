"""The catalogue of the NHS Immunisation FHIR API: all rules, and for each operation the order in which they are looked at.

The service validates before it asks who may do what, and looks at the header E-Tag before it reads the JSON (observed, B4).
A profile leaves out the rules that are not its own: `documented` and `sandbox` have the document's schema, `integration` has
the service's own checks in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mocksandbox.contract import Contract
from mocksandbox.exchange import Exchange
from mocksandbox.providers.nhs.body_rules import BODY_RULES, BODY_STAGES
from mocksandbox.providers.nhs.outcome import messages
from mocksandbox.providers.nhs.promise import CREATE, DELETE, DOCUMENT_ONLY, READ, SEARCH_GET, SEARCH_POST, UPDATE
from mocksandbox.providers.nhs.request_rules import REQUEST_RULES
from mocksandbox.providers.nhs.response_rules import nhs_response_rules
from mocksandbox.providers.nhs.search_rules import SEARCH_RULES, SEARCH_STAGES
from mocksandbox.providers.nhs.sound import present, sound
from mocksandbox.rules import Catalogue, Rule
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.http import RULES as HTTP
from mocksandbox.rules.response import RESPONSE_MESSAGES, response_rules

# The size of a body is the platform's limit in every profile; the rest of HTTP is the service's own way in `integration`.
HTTP_RULES: tuple[Rule[Attempt], ...] = tuple(
    rule if rule.id == "http/body-too-large" else replace(rule, profiles=DOCUMENT_ONLY) for rule in HTTP.values()
)

_START = ("route", "accept", "size-of-body", "media")

ORDER: Mapping[str, tuple[str, ...]] = {
    "": (*_START, "token"),
    CREATE: (*_START, "token", "json", "new-id", *BODY_STAGES, "document", "rights", "duplicate"),
    READ: (*_START, "id", "token", "document", "exists", "rights"),
    UPDATE: (
        *_START,
        "token",
        "version-present",
        "id",
        "version-format",
        "json",
        "same-id",
        *BODY_STAGES,
        "document",
        "exists",
        "rights",
        "same-identifier",
        "same-version",
    ),
    DELETE: (*_START, "id", "token", "document", "exists", "rights"),
    SEARCH_GET: (*_START, *SEARCH_STAGES),
    SEARCH_POST: (*_START, "form", *SEARCH_STAGES),
}

STATEFUL = frozenset({"exists", "rights", "same-identifier", "same-version", "duplicate"})
"""The stages that look at stored records: from the first of them on, nobody else writes."""


def request_catalogue() -> Catalogue[Attempt]:
    """The rules about requests."""
    rules = (*HTTP_RULES, *REQUEST_RULES, *BODY_RULES, *SEARCH_RULES)
    return Catalogue(rules, messages(), ORDER, {"values": sound, "mandation": present})


def response_catalogue(contract: Contract) -> Catalogue[Exchange]:
    """The rules about answers."""
    rules = (*response_rules(contract), *nhs_response_rules())
    return Catalogue(rules, {**RESPONSE_MESSAGES, **messages()}, dict.fromkeys(ORDER, ("response",)))
