"""A provider made of a contract folder alone: its operations, examples and scenarios, and no Python of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mocksandbox import codec
from mocksandbox.contract import Contract, Operation, load, read_mapping
from mocksandbox.exchange import Headers, Response
from mocksandbox.fhir import issue, operation_outcome
from mocksandbox.provider import Effect, Profile, Provider, Scenario, scenarios_from
from mocksandbox.provider.negotiate import documented_answer
from mocksandbox.providers.sampled import problem_told, sampled_attempts
from mocksandbox.rules import Catalogue, Finding
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.fields import Field, read_fields
from mocksandbox.rules.http import MESSAGES, RULES, allowed_methods
from mocksandbox.rules.places import MISSING, get
from mocksandbox.rules.response import RESPONSE_MESSAGES, response_rules
from mocksandbox.store import Partition

_STAGES = ("route", "accept", "size-of-body", "media", "json", "document")


def open_folder(folder: Path) -> Provider:
    """The provider of a contract folder, named as the folder and mounted at the path of the document's first server.

    Raises:
        ContractError: the folder has no OpenAPI document, or one that cannot be loaded.
    """
    contract = load(folder)
    scenarios = folder / "scenarios.yaml"
    table: Mapping[str, Any] = read_mapping(scenarios) if scenarios.is_file() else {}
    order = dict.fromkeys((*(operation.id for operation in contract.operations), ""), _STAGES)
    found = scenarios_from(table, str(scenarios), contract)
    title = contract.document.get("info", {}).get("title", folder.name)
    return Provider(
        name=folder.resolve().name,
        title=str(title),
        base_path=_base_path(contract),
        contract=contract,
        catalogue=Catalogue(tuple(RULES.values()), MESSAGES, order),
        responses=Catalogue(response_rules(contract), RESPONSE_MESSAGES, dict.fromkeys(order, ("response",))),
        effects={operation.id: _effect(contract, operation, found) for operation in contract.operations},
        refuse=_refuse,
        profiles={"documented": Profile("documented", "As the document says.", remembers=False, enforces_document=True)},
        default_profile="documented",
        scenarios=found,
        valid=lambda operation: sampled_attempts(contract, operation)[0],
        templates=lambda operation: sampled_attempts(contract, operation),
        fields=_fields(folder / "fields.yaml"),
        told=problem_told,
    )


def _fields(path: Path) -> Mapping[str, Field]:
    """The fields of a folder. Selectors that only an API's own package knows (`[current]`) select the first item here."""
    if not path.is_file():
        return {}
    named = re.findall(r"\[([A-Za-z]\w*)\]", path.read_text("utf-8"))
    return read_fields(path, named=dict.fromkeys(named, _first))


def _first(items: Any, _body: Any) -> int | None:
    return 0 if items else None


def _base_path(contract: Contract) -> str:
    servers = contract.document.get("servers") or [{"url": "/"}]
    return urlsplit(str(servers[0].get("url", "/"))).path.rstrip("/")


def _effect(contract: Contract, operation: Operation, scenarios: Sequence[Scenario]) -> Effect:
    own = [scenario for scenario in scenarios if scenario.operation == operation.id]

    def effect(attempt: Attempt, _records: Partition) -> Response:
        for scenario in own:
            if _is_asked(scenario, attempt):
                return _scenario_answer(contract, operation, scenario, attempt)
        return documented_answer(contract, operation) or Response(200)

    return effect


def _is_asked(scenario: Scenario, attempt: Attempt) -> bool:
    """Whether a request is the one that a scenario describes. What needs records first (`after`) never is, for nothing is
    stored here; neither is a description that fits every request of the operation.
    """
    recipe, request = scenario.request, attempt.request
    told = [key for key in ("path", "query", "form", "raw", "headers", "without", "with") if key in recipe]
    if not told or recipe.get("after"):
        return False
    asked: Mapping[str, Callable[[], bool]] = {
        "path": lambda: request.path == recipe["path"],
        "query": lambda: sorted(request.query) == sorted((str(n), str(v)) for n, v in recipe["query"]),
        "form": lambda: sorted(parse_qsl(request.body.decode("utf-8", "replace"))) == sorted(map(tuple, recipe["form"])),
        "raw": lambda: request.body == str(recipe["raw"]).encode(),
        "headers": lambda: all(request.headers.get(n) == v for n, v in recipe["headers"].items()),
        "without": lambda: all(get(attempt.body, path) is MISSING for path in recipe["without"]),
        "with": lambda: all(get(attempt.body, path) == value for path, value in recipe["with"]),
    }
    return all(asked[key]() for key in told)


def _scenario_answer(contract: Contract, operation: Operation, scenario: Scenario, attempt: Attempt) -> Response:
    status = scenario.documented.status
    answer = documented_answer(contract, operation, status)
    if status < 400 and answer is not None:
        return answer
    rule = replace(
        RULES["http/schema"],
        id=f"scenario/{scenario.id}",
        title=scenario.row,
        status=status,
        issue=ISSUES.get(status, "invalid"),
        error=scenario.documented.error or str(status),
    )
    return _refuse(attempt, [Finding(rule, "", scenario.row)], "documented", False)


ISSUES = {401: "login", 403: "forbidden", 404: "not-found", 409: "conflict", 422: "duplicate", 429: "throttled"}
"""The issue code for a status that a scenario documents."""


def _speaks_fhir(attempt: Attempt) -> bool:
    schemas = attempt.contract.document.get("components", {}).get("schemas", {})
    return "OperationOutcome" in schemas


def _refuse(attempt: Attempt, findings: Sequence[Finding], profile: str, split: bool) -> Response:
    """An OperationOutcome when the document knows one, else a problem document (RFC 9457)."""
    rule = findings[0].rule
    if _speaks_fhir(attempt):
        issues = [issue(f.rule.issue, f.message, [f.at], error=f.rule.error) for f in findings]
        if not split:
            text = "; ".join(f.message for f in findings)
            issues = [issue(rule.issue, text, [f.at for f in findings], error=rule.error)]
        media_type, body = "application/fhir+json", operation_outcome(issues)
    else:
        media_type = "application/problem+json"
        errors = [{"at": f.at, "detail": f.message, "rule": f.rule.id} for f in findings]
        body = {"title": rule.title, "status": rule.status, "detail": findings[0].message, "errors": errors}
    headers = [("Content-Type", media_type)]
    if rule.status == 405:
        headers.append(("Allow", ", ".join(allowed_methods(attempt))))
    return Response(rule.status, Headers(headers), codec.dumps(body))
