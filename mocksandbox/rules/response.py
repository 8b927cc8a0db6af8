"""The response rules of every HTTP API: an answer is as its document says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from mocksandbox import codec
from mocksandbox.contract import Contract, Match, Violation, sample
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

    def failed(exchange: Exchange) -> Exchange:
        """The answer replaced by the document's own for a failure of the server."""
        match = operation(exchange)
        answer = match.operation.answer(500) if match is not None else None
        media = next(iter(answer.content.values()), None) if answer else None
        if media is None:
            return _answered(exchange, status=500)
        body = next(iter(media.examples.values()), None) or sample(contract.document, media.schema)
        return _typed(_answered(exchange, status=500, body=codec.dumps(body)), media.name)

    return (
        _rule(
            "undocumented-status",
            "Every status is documented",
            "A client cannot be ready for an answer that the document does not name.",
            undocumented,
            Defect("299", lambda exchange: _answered(exchange, status=299)),
        ),
        _rule(
            "server-error",
            "The server does not fail",
            "A failure inside is never the right answer to a request.",
            server_error,
            Defect("500", failed),
        ),
        _rule(
            "response-header",
            "Every documented header is there and of its type",
            "Clients read them.",
            differing(lambda violation: violation.where == "header"),
            Defect("wrong-media-type", lambda exchange: _typed(exchange, "text/html") if exchange.response.body else exchange),
        ),
        _rule(
            "response-body",
            "Every body is as its schema says",
            "Clients are generated from the schema.",
            differing(lambda violation: violation.where != "header"),
            Defect("in-a-list", _in_a_list),
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


def _in_a_list(exchange: Exchange) -> Exchange:
    body = exchange.response.body
    return _answered(exchange, body=b"[" + body + b"]") if body else exchange


def _typed(exchange: Exchange, media_type: str) -> Exchange:
    return replace(exchange, response=exchange.response.with_header("Content-Type", media_type))


def order(operations: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """The stages of a catalogue of response rules: one for every operation."""
    return dict.fromkeys((*operations, ""), ("response",))
