"""Answers straight from the document: first which one, then what is in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mocksandbox import codec
from mocksandbox.contract import Answer, Contract, MediaType, Operation, sample
from mocksandbox.exchange import Headers, Response

MakeBody = Callable[[Mapping[str, Any], Any], Any]
"""Makes a body for a schema that has no example: (document, schema) -> value."""


def documented_answer(
    contract: Contract,
    operation: Operation,
    status: int = 0,
    example: str = "",
    make_body: MakeBody = sample,
) -> Response | None:
    """The answer that the document gives: of a status, or with a named example, or the first success.

    None when the document has no answer of that status or no example of that name.
    """
    chosen = _choose(operation, status, example)
    if chosen is None:
        return None
    answer, code = chosen
    media = next(iter(answer.content.values()), None)
    headers = [(name, _header_value(contract, spec)) for name, spec in answer.headers.items() if _sent(spec)]
    if media is None:
        return Response(code, Headers(headers))
    body = _body(contract, media, example, make_body)
    return Response(code, Headers([("Content-Type", media.name), *headers]), codec.dumps(body))


def _choose(operation: Operation, status: int, example: str) -> tuple[Answer, int] | None:
    if status:
        answer = operation.answer(status)
        return (answer, status) if answer else None
    answers = sorted(operation.answers.values(), key=lambda answer: answer.status)
    for answer in answers:
        if example and any(example in media.examples for media in answer.content.values()):
            return answer, _status_of(answer)
    if example:
        return None
    success = next((answer for answer in answers if answer.status.startswith("2")), None)
    chosen = success or next(iter(answers), None)
    return (chosen, _status_of(chosen)) if chosen else None


def _status_of(answer: Answer) -> int:
    return (
        int(answer.status) if answer.status.isdecimal() else 500 if answer.status == "default" else int(answer.status[0]) * 100
    )


def _sent(spec: Mapping[str, Any]) -> bool:
    """Whether a documented header is in the answer: it must be, or the document says what it looks like."""
    return bool(spec.get("required")) or "example" in spec


def _header_value(contract: Contract, spec: Mapping[str, Any]) -> str:
    value = spec["example"] if "example" in spec else contract.sample(spec.get("schema", {}))
    return codec.dumps(value).decode() if isinstance(value, (dict, list, bool)) else str(value)


def _body(contract: Contract, media: MediaType, example: str, make_body: MakeBody) -> Any:
    if example in media.examples:
        return media.examples[example]
    if media.examples:
        return next(iter(media.examples.values()))
    return make_body(contract.document, media.schema)
