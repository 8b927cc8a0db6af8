"""Valid requests as the document alone describes them: its examples, and where it has none a smallest value of the schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from mocksandbox import codec
from mocksandbox.contract import Contract, MediaType, Operation, Parameter
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fhir import outcome_told
from mocksandbox.provider import Told
from mocksandbox.rules.attempt import Attempt


def sampled_attempts(contract: Contract, operation_id: str) -> Sequence[Attempt]:
    """The requests of an operation that its document shows: one for each example of its body, one without a body otherwise."""
    operation = contract.operation(operation_id)
    path = operation.path
    query, headers = [], []
    for parameter in operation.parameters:
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(_text(_value(contract, parameter)), safe=""))
        elif parameter.required and parameter.place == "query":
            query.append((parameter.name, _text(_value(contract, parameter))))
        elif parameter.required and parameter.place == "header":
            headers.append((parameter.name, _text(_value(contract, parameter))))
    base_url = str((contract.document.get("servers") or [{}])[0].get("url", ""))
    request = Request(operation.method, path, tuple(query), Headers(headers), base_url=base_url)
    requests = [
        replace(request, body=codec.dumps(example)).with_header("Content-Type", media.name)
        for media, example in _bodies(contract, operation)
    ]
    return [Attempt(each, contract, contract.router.find(each.method, each.path)) for each in (requests or [request])]


def _bodies(contract: Contract, operation: Operation) -> Iterator[tuple[MediaType, Any]]:
    for media in operation.bodies.values():
        if "json" in media.name:
            examples = list(media.examples.values()) or [contract.sample(media.schema)]
            yield from ((media, example) for example in examples)
            return


def _value(contract: Contract, parameter: Parameter) -> Any:
    if "example" in parameter.spec:
        return parameter.spec["example"]
    for example in (parameter.spec.get("examples") or {}).values():
        return contract.resolve(example).get("value")
    return contract.sample(parameter.schema)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else codec.dumps(value).decode()


def problem_told(response: Response) -> Told | None:
    """What a refusal says: an OperationOutcome, or a problem document (RFC 9457) with its errors and their places."""
    told = outcome_told(response)
    if told is not None:
        return told
    try:
        body = response.json()
    except ValueError:
        return None
    if not isinstance(body, dict) or "title" not in body or body.get("status") != response.status:
        return None
    errors = [error for error in body.get("errors") or () if isinstance(error, dict)]
    text = "; ".join([str(body.get("detail", "")), *(str(error.get("detail", "")) for error in errors)])
    return Told(places=frozenset(str(error.get("at", "")) for error in errors), text=text)
