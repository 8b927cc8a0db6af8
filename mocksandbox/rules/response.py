"""The response rules of every HTTP API: an answer is as its document says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mocksandbox.contract import Contract, Match, Violation
from mocksandbox.exchange import Exchange
from mocksandbox.rules.places import fhirpath
from mocksandbox.rules.rule import ALL, Defect, Hit, Message, Rule

RESPONSE_MESSAGES = {
    message.key: message
    for message in (
        Message("response.status", "The status {status} is not documented for {operation}."),
        Message("response.differs", "{at} {problem}"),
        Message("response.server-error", "The server answered {status}."),
    )
}


def response_rules(contract: Contract) -> tuple[Rule[Exchange], ...]:
    """The rules that every answer of this contract keeps."""

    def operation(exchange: Exchange) -> Match | None:
        found = contract.router.find(exchange.request.method, exchange.request.path)
        return found if isinstance(found, Match) else None

    def undocumented(exchange: Exchange) -> Iterator[Hit]:
        match = operation(exchange)
        if match is not None and match.operation.answer(exchange.response.status) is None:
            yield "status", "response.status", {"status": exchange.response.status, "operation": match.operation.id}

    def differing(where: Callable[[Violation], bool]) -> Callable[[Exchange], Iterator[Hit]]:
        def find(exchange: Exchange) -> Iterator[Hit]:
            match = operation(exchange)
            if match is None or match.operation.answer(exchange.response.status) is None:
                return
            for violation in contract.check.response(exchange.request, match, exchange.response):
                if where(violation):
                    at = f"header:{violation.name}" if violation.where == "header" else fhirpath(violation.path) or "body"
                    yield at, "response.differs", {"at": at, "problem": violation.problem}

        return find

    def server_error(exchange: Exchange) -> Iterator[Hit]:
        if exchange.response.status >= 500:
            yield "status", "response.server-error", {"status": exchange.response.status}

    return (
        _rule(
            "undocumented-status",
            "Every status is documented",
            "A client cannot be ready for an answer that the document does not name.",
            undocumented,
            Defect("teapot", lambda exchange: _answered(exchange, status=418), frozenset()),
        ),
        _rule(
            "server-error",
            "The server does not fail",
            "A failure inside is never the right answer to a request.",
            server_error,
            Defect(
                "500",
                lambda exchange: _answered(exchange, status=500),
                frozenset({"http/response-body", "http/response-header"}),
            ),
        ),
        _rule(
            "response-header",
            "Every documented header is there and of its type",
            "Clients read them.",
            differing(lambda violation: violation.where == "header"),
            Defect("wrong-media-type", lambda exchange: _typed(exchange, "text/html"), frozenset({"http/response-body"})),
        ),
        _rule(
            "response-body",
            "Every body is as its schema says",
            "Clients are generated from the schema.",
            differing(lambda violation: violation.where != "header"),
            Defect("wrong-type", lambda exchange: _answered(exchange, body=b'{"resourceType": 5}')),
        ),
    )


def _rule(
    name: str, title: str, why: str, find: Callable[[Exchange], Iterator[Hit]], *defects: Defect[Exchange]
) -> Rule[Exchange]:
    return Rule(
        id=f"http/{name}",
        title=title,
        why=why,
        source="openapi.json#/paths",
        operations=frozenset(),
        stage="response",
        status=0,
        issue="",
        error="",
        find=find,
        defects=defects,
        profiles=ALL,
    )


def _answered(exchange: Exchange, **changes: Any) -> Exchange:
    return replace(exchange, response=replace(exchange.response, **changes))


def _typed(exchange: Exchange, media_type: str) -> Exchange:
    return replace(exchange, response=exchange.response.with_header("Content-Type", media_type))


def order(operations: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """The stages of a catalogue of response rules: one for every operation."""
    return dict.fromkeys((*operations, ""), ("response",))
