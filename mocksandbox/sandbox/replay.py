"""Replaying documented scenarios against any target: what is documented, what came, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from mocksandbox import codec
from mocksandbox.exchange import Request, Response
from mocksandbox.provider import Expected, Provider, Scenario
from mocksandbox.rules.places import change, drop
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
    identifier: Mapping[str, str]
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
        why = _differs(scenario.documented, got)
        if not why:
            yield Outcome(scenario, got, OK)
        elif scenario.observed is not None and not _differs(scenario.observed, got):
            yield Outcome(scenario, got, AS_OBSERVED, f"the real service answers {scenario.observed.status}")
        else:
            yield Outcome(scenario, got, FAILED, why)


def target_remembers(provider: Provider, send: Send) -> bool:
    """Whether a target gives back what was sent to it: a new record is created and read."""
    made = _create(provider, send)
    if made is None or provider.valid is None:
        return False
    answer = send(_about(provider, "readImmunization", made))
    try:
        read = answer.json()
    except ValueError:
        return False
    return answer.status == 200 and isinstance(read, dict) and read.get("identifier") == made.body.get("identifier")


def _create(provider: Provider, send: Send) -> _Subject | None:
    """A new record on the target, with an identifier of its own."""
    if provider.valid is None:
        return None
    value = f"mocksandbox-{uuid4()}"
    attempt = provider.valid("createImmunization")
    body = change(attempt.body, ("identifier", 0, "value"), lambda _: value)
    answer = send(attempt.request.with_json(body))
    location = answer.headers.get("Location", "")
    if answer.status != 201 or not location:
        return None
    identifier = {"system": body["identifier"][0]["system"], "value": value}
    return _Subject(location.rpartition("/")[2], _version(answer, 1), identifier, body)


def _version(answer: Response, otherwise: int) -> int:
    text = answer.headers.get("E-Tag", "")
    return int(text) if text.isdecimal() else otherwise


def _about(provider: Provider, operation: str, subject: _Subject) -> Request:
    """The operation's valid request, about a record that was made."""
    assert provider.valid is not None
    attempt = provider.valid(operation)
    request = replace(attempt.request, path=f"/Immunization/{subject.id}")
    if not isinstance(attempt.body, dict):
        return request
    body = {**attempt.body, "id": subject.id, "identifier": [dict(subject.identifier)]}
    return request.with_json(body).with_header("E-Tag", str(subject.version))


def _request(provider: Provider, send: Send, scenario: Scenario, remembers: bool) -> Request:
    """The scenario's request for this target."""
    recipe = scenario.request
    subject = _prepared(provider, send, recipe.get("after", ()), remembers)
    assert provider.valid is not None
    attempt = provider.valid(scenario.operation)
    named = attempt.request.method in ("GET", "PUT", "DELETE") and attempt.id != ""
    request = _about(provider, scenario.operation, subject) if subject and named else attempt.request
    if remembers and scenario.operation == "createImmunization":
        request = _edited(request, [[["identifier", 0, "value"], f"mocksandbox-{uuid4()}"]], {})
    known = _known(attempt.body, subject)
    if scenario.forced and not (remembers and recipe.get("after")):
        request = request.with_header(SCENARIO_HEADER, scenario.id)
        request = request.with_header("Prefer", f"code={scenario.documented.status}")
    return _changed(request, recipe, known)


def _prepared(provider: Provider, send: Send, steps: Iterable[str], remembers: bool) -> _Subject | None:
    """Run the steps that make the record which a scenario needs; only on a target that remembers it."""
    subject = None
    for step in steps if remembers else ():
        if step == "create":
            subject = _create(provider, send)
        elif subject is not None and step == "update":
            answer = send(_about(provider, "updateImmunization", subject))
            subject = replace(subject, version=_version(answer, subject.version + 1))
        elif subject is not None and step == "delete":
            send(_about(provider, "deleteImmunization", subject))
    return subject


def _known(body: Any, subject: _Subject | None) -> dict[str, str]:
    """The values of the placeholders of a recipe. Without a record of its own a scenario is about the documented one."""
    if subject is not None:
        known = {"id": subject.id, **subject.identifier}
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


def _differs(expected: Expected, got: Response) -> str:
    """Why an answer is not the expected one; empty when it is."""
    if got.status != expected.status:
        return f"the status is {got.status}"
    missing = [name for name in expected.headers if name not in got.headers]
    if missing:
        return f"the header {missing[0]} is missing"
    if not expected.error and not expected.resource:
        return ""
    try:
        body = codec.loads(got.body)
    except ValueError:
        return "the body is not JSON"
    kind = body.get("resourceType") if isinstance(body, dict) else None
    if expected.resource and kind != expected.resource:
        return f"the body is {kind or 'no resource'}, not {expected.resource}"
    if expected.error and kind != "OperationOutcome":
        return "the body is no OperationOutcome"
    error = _error_code(body) if expected.error else ""
    return f"the error code is {error or 'missing'}" if error != expected.error else ""


def _error_code(outcome: Any) -> str:
    for issue in outcome.get("issue") or ():
        for coding in (issue.get("details") or {}).get("coding") or ():
            return str(coding.get("code", ""))
    return ""
