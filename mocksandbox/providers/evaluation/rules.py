"""The catalogue of this server: all rules, and for each interaction the order in which they are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mocksandbox.contract import Contract, read_mapping
from mocksandbox.exchange import Exchange
from mocksandbox.fhir.server import FhirServer
from mocksandbox.fhir.server import interaction as names
from mocksandbox.fhir.server.interaction import by_interaction
from mocksandbox.fhir.strict import fhir_catalogue
from mocksandbox.providers.evaluation.advice import advice_rules
from mocksandbox.providers.evaluation.body_rules import bundle_rules, resource_rules, schema_rule
from mocksandbox.providers.evaluation.record_rules import record_rules
from mocksandbox.providers.evaluation.response_rules import fhir_response_rules
from mocksandbox.providers.evaluation.search_rules import search_rules
from mocksandbox.providers.evaluation.table import FOLDER
from mocksandbox.rules import Catalogue, Hit, Message, Rule, messages_from
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.http import MESSAGES
from mocksandbox.rules.http import RULES as HTTP
from mocksandbox.rules.response import RESPONSE_MESSAGES, response_rules

_DOCUMENT_ONLY = frozenset({"documented", "sandbox"})
_START = ("route", "id", "accept", "size-of-body", "media")
_BODY = ("json", "kind", "fhir")

BODY_STAGES = ("kind", "fhir")
"""The stages that judge a resource on its own."""

STATEFUL = frozenset({"exists", "version", "references", "names", "entries"})
"""The stages that look at stored records: from the first of them on, nobody else writes."""

ORDER: Mapping[str, tuple[str, ...]] = {
    "": _START,
    names.CAPABILITIES: (*_START, "document"),
    names.TRANSACTION: (*_START, "json", "bundle", "document", "names", "entries"),
    names.CREATE: (*_START, *_BODY, "document", "condition", "exists", "references"),
    names.READ: (*_START, "document", "exists"),
    names.VREAD: (*_START, "document", "exists"),
    names.UPDATE: (*_START, "version-format", *_BODY, "document", "version", "references"),
    names.DELETE: (*_START, "document"),
    names.HISTORY: (*_START, "query", "document", "exists"),
    names.HISTORY_TYPE: (*_START, "query", "document"),
    names.SEARCH: (*_START, "query", "document"),
    names.COMPARTMENT: (*_START, "query", "document"),
    names.VALIDATE: (*_START, "json", "document"),
}
"""The stages of each interaction. What is wrong with a resource is said before what is wrong with its moment."""


def messages() -> Mapping[str, Message]:
    """Every wording: HTTP's, R4's, and this server's."""
    return {**MESSAGES, **fhir_catalogue().messages, **messages_from(read_mapping(FOLDER / "messages.yaml"))}


def _http_rules(server: FhirServer) -> tuple[Rule[Attempt], ...]:
    # An unknown parameter is passed over, or refused by a rule of FHIR's own: the document's is left out.
    own = {"http/schema": lambda rule: schema_rule(rule, server)}
    rules = (replace(rule, error="") for rule in HTTP.values() if rule.id != "http/unknown-parameter")
    made = (own[rule.id](rule) if rule.id in own else rule for rule in rules)
    return tuple(replace(rule, profiles=_DOCUMENT_ONLY) if rule.stage == "document" else rule for rule in made)


def request_catalogue(contract: Contract, server: FhirServer) -> Catalogue[Attempt]:
    """The rules about requests."""
    rules = (
        *_http_rules(server),
        *record_rules(contract),
        *resource_rules(contract),
        *bundle_rules(contract, server),
        *search_rules(contract),
        *advice_rules(contract),
    )
    order = {id: ORDER[each.name] for id, each in by_interaction(contract).items()}
    return Catalogue(rules, messages(), {"": ORDER[""], **order})


def _but_for_minimal(rule: Rule[Exchange]) -> Rule[Exchange]:
    """A rule that lets an answer be empty where the client prefers it (`return=minimal`): OpenAPI cannot say so."""

    def find(exchange: Exchange) -> Iterable[Hit]:
        empty = not exchange.response.body and "return=minimal" in exchange.request.headers.get("Prefer", "")
        return () if empty and exchange.response.status < 300 else rule.find(exchange)

    return replace(rule, find=find) if rule.id == "http/response-body" else rule


def response_catalogue(contract: Contract) -> Catalogue[Exchange]:
    """The rules about answers."""
    rules = (*map(_but_for_minimal, response_rules(contract)), *fhir_response_rules(contract))
    order = dict.fromkeys(("", *by_interaction(contract)), ("response",))
    return Catalogue(rules, {**RESPONSE_MESSAGES, **messages()}, order)
