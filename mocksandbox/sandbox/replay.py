"""Replaying documented scenarios against any target: what is documented, what came, and the verdict."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from mocksandbox import codec
from mocksandbox.exchange import Request, Response
from mocksandbox.provider import Expected, Provider, Scenario
from mocksandbox.rules.places import MISSING, Path, change, drop, get, put
from mocksandbox.sandbox.preferences import SCENARIO_HEADER

Send = Callable[[Request], Response]
OK, AS_OBSERVED, FAILED = "ok", "as observed", "FAILED"


@dataclass(frozen=True)
class Outcome:
    """One scenario's result: the answer that came, and why it is not the documented one, if it is not."""

    scenario: Scenario
    got: Response
    verdict: str
    why: str = ""


@dataclass(frozen=True)
class _Subject:
    """The record that a request is about, on the target."""

    id: str
    version: int
    identifier: Mapping[str, Any]
    body: Any = None


def replay(provider: Provider, send: Send, scenarios: Iterable[Scenario]) -> Iterator[Outcome]:
    """Send each scenario and judge the answer. Records made for the purpose carry fresh identifiers, so that a target which
    remembers gives the same results again and again.

    Raises:
        TargetError: the target does not answer.
    """
    remembers = target_remembers(provider, send)
    for scenario in scenarios:
        request = _request(provider, send, scenario, remembers)
        got = send(request)
        why = _differs(provider, scenario.documented, got)
        if not why:
            yield Outcome(scenario, got, OK)
        elif scenario.observed is not None and not _differs(provider, scenario.observed, got):
            yield Outcome(scenario, got, AS_OBSERVED, f"the real service answers {scenario.observed.status}")
        else:
            yield Outcome(scenario, got, FAILED, why)


def target_remembers(provider: Provider, send: Send) -> bool:
    """Whether a target gives back what was sent to it: a new record is created and read."""
    read = _operation(provider, "read")
    made = _create(provider, send)
    if made is None or read is None:
        return False
    answer = send(_about(provider, read, made))
    return answer.status == 200 and made.id.encode() in answer.body


_METHODS = {"read": ("GET",), "update": ("PUT", "PATCH"), "delete": ("DELETE",)}


def _operation(provider: Provider, step: str) -> str | None:
    """The operation that makes a record of the API's main kind, or reads, changes or deletes one; None when it has none."""
    operations = provider.contract.operations
    create = next((each for each in operations if each.method == "POST" and "201" in each.answers and each.bodies), None)
    if create is None or step == "create":
        return create.id if create else None
    path = f"{create.path}/{{id}}"
    return next((each.id for each in operations if each.method in _METHODS[step] and each.path == path), None)


def _create(provider: Provider, send: Send) -> _Subject | None:
    """A new record on the target, with an identifier of its own where records have one."""
    operation = _operation(provider, "create")
    if provider.valid is None or operation is None:
        return None
    attempt = provider.valid(operation)
    body = _fresh(attempt.body)
    answer = send(attempt.request.with_json(body))
    id = _new_id(answer)
    if answer.status != 201 or not id:
        return None
    named = get(body, _IDENTIFIER[:-1])
    return _Subject(id, _version(answer, 1), dict(named) if isinstance(named, dict) else {}, body)


_IDENTIFIER: Path = ("identifier", 0, "value")


def _fresh(body: Any) -> Any:
    """A record under an identifier that no other has."""
    return body if get(body, _IDENTIFIER) is MISSING else put(body, _IDENTIFIER, f"mocksandbox-{uuid4()}")


def _new_id(answer: Response) -> str:
    """The id of a record that was made: from Location, else from the body."""
    location = answer.headers.get("Location", "").partition("/_history/")[0]
    if location:
        return location.rpartition("/")[2]
    try:
        body = answer.json()
    except ValueError:
        return ""
    id = next((found for found in (get(body, ("id",)), get(body, ("data", "id"))) if isinstance(found, str)), "")
    return id


_DIGITS = re.compile(r'(?:W/)?"?(\d+)"?')


def _version(answer: Response, otherwise: int) -> int:
    found = _DIGITS.fullmatch(answer.headers.get("E-Tag") or answer.headers.get("ETag") or "")
    return int(found[1]) if found else otherwise


def _about(provider: Provider, operation: str, subject: _Subject) -> Request:
    """The operation's valid request, about a record that was made."""
    assert provider.valid is not None
    attempt = provider.valid(operation)
    if provider.about is not None:
        attempt = provider.about(attempt, subject.id, subject.version)
    if isinstance(attempt.body, dict) and "identifier" in attempt.body and subject.identifier:
        attempt = attempt.with_body({**attempt.body, "identifier": [dict(subject.identifier)]})
    return attempt.request


def _request(provider: Provider, send: Send, scenario: Scenario, remembers: bool) -> Request:
    """The scenario's request for this target."""
    recipe = scenario.request
    subject = _prepared(provider, send, recipe.get("after", ()), remembers)
    assert provider.valid is not None
    attempt = provider.valid(scenario.operation)
    request = _about(provider, scenario.operation, subject) if subject and attempt.id else attempt.request
    if remembers and scenario.operation == _operation(provider, "create"):
        request = request.with_json(_fresh(attempt.body))
    known = _known(attempt.body, subject)
    if scenario.forced and not (remembers and recipe.get("after")):
        request = request.with_header(SCENARIO_HEADER, scenario.id)
        request = request.with_header("Prefer", f"code={scenario.documented.status}")
    return _changed(request, recipe, known)


def _prepared(provider: Provider, send: Send, steps: Iterable[str], remembers: bool) -> _Subject | None:
    """Run the steps that make the record which a scenario needs; only on a target that remembers it."""
    subject = None
    for step in steps if remembers else ():
        operation = _operation(provider, step)
        if step == "create":
            subject = _create(provider, send)
        elif subject is not None and operation is not None:
            answer = send(_about(provider, operation, subject))
            if step == "update":
                subject = replace(subject, version=_version(answer, subject.version + 1))
    return subject


def _known(body: Any, subject: _Subject | None) -> dict[str, str]:
    """The values of the placeholders of a recipe. Without a record of its own a scenario is about the documented one."""
    if subject is not None:
        known = {"id": subject.id, **{name: text for name, text in subject.identifier.items() if isinstance(text, str)}}
        return {**known, "version": str(subject.version), "version-1": str(subject.version - 1)}
    documented = {"system": "https://supplierABC/identifiers/vacc", "value": "e2154d29-1ead-4830-a513-0d59705078fa"}
    return {**documented, "version": "1", "version-1": "0"}


def _changed(request: Request, recipe: Mapping[str, Any], known: Mapping[str, str]) -> Request:
    if "path" in recipe:
        request = replace(request, path=recipe["path"])
    if "query" in recipe:
        request = replace(request, query=tuple((str(name), str(value)) for name, value in recipe["query"]))
    if "form" in recipe:
        request = replace(request, body=urlencode([tuple(pair) for pair in recipe["form"]]).encode())
    if "raw" in recipe:
        request = replace(request, body=str(recipe["raw"]).encode())
    for name, value in (recipe.get("headers") or {}).items():
        request = request.with_header(name, None if value is None else _filled(value, known))
    edits, without = recipe.get("with") or (), recipe.get("without") or ()
    if edits or without:
        request = _edited(request, edits, known)
        body = request.json()
        for path in without:
            body = drop(body, tuple(path))
        request = request.with_json(body)
    return request


def _edited(request: Request, edits: Iterable[Any], known: Mapping[str, str]) -> Request:
    body = request.json()
    for path, value in edits:
        filled = _filled(value, known)
        body = change(body, tuple(path), lambda _, filled=filled: filled)
    return request.with_json(body)


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    if not isinstance(value, str):
        return value
    for name, text in known.items():
        value = value.replace(f"{{{name}}}", text)
    return value


def _differs(provider: Provider, expected: Expected, got: Response) -> str:
    """Why an answer is not the expected one; empty when it is."""
    if got.status != expected.status:
        return f"the status is {got.status}"
    missing = [name for name in expected.headers if name not in got.headers]
    if missing:
        return f"the header {missing[0]} is missing"
    if expected.resource:
        try:
            body = codec.loads(got.body)
        except ValueError:
            return "the body is not JSON"
        kind = body.get("resourceType") if isinstance(body, dict) else None
        if kind != expected.resource:
            return f"the body is {kind or 'no resource'}, not {expected.resource}"
    if expected.error:
        told = provider.told(got) if provider.told else None
        if told is None:
            return "the body is no refusal of this API"
        return f"the error code is {told.error or 'missing'}" if told.error != expected.error else ""
    return ""
