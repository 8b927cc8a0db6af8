"""A report as JSON, whole, and as NDJSON, one finding a line; and a report read back from its JSON."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from mocksandbox import codec
from mocksandbox.errors import UsageError
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz.model import Case, Finding, Flaw, Report, Step
from mocksandbox.fuzz.reproduction import SECRET_HEADERS
from mocksandbox.rules.places import MISSING

VERSION = 1
_HIDDEN = SECRET_HEADERS | {"set-cookie"}


def as_json(report: Report) -> bytes:
    """The whole report as one JSON object."""
    told = {
        "version": VERSION,
        "provider": report.provider,
        "target": report.target,
        "seed": report.seed,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "findings": [finding_told(finding) for finding in report.findings],
        "rules": dict(report.rules),
        "planned": dict(report.planned),
        "reached": dict(report.reached),
        "errors": list(report.errors),
        "matrix": {rule: dict(counts) for rule, counts in report.matrix.items()},
        "stopped": report.stopped,
        "accepted_valid": list(report.accepted_valid),
        "engines": dict(report.engines),
        "doubt": report.doubt,
    }
    return codec.dumps(_writable(told), indented=True) + b"\n"


def as_ndjson(report: Report) -> bytes:
    """A line for each finding, and a last one that sums up."""
    lines = [{"finding": finding_told(finding)} for finding in report.findings]
    summary = {
        "provider": report.provider,
        "target": report.target,
        "seed": report.seed,
        "requests": report.requests,
        "findings": len(report.findings),
        "stopped": report.stopped,
        "doubt": report.doubt,
    }
    return b"".join(codec.dumps(_writable(each)) + b"\n" for each in [*lines, {"summary": summary}])


def finding_told(finding: Finding) -> dict[str, Any]:
    """A finding as JSON values; secrets are left out."""
    flaw = finding.flaw
    return {
        "identity": flaw.identity,
        "operation": flaw.operation,
        "class": flaw.kind,
        "rules": list(flaw.rules),
        "expected": flaw.expected,
        "observed": flaw.observed,
        "at": flaw.at,
        "detail": flaw.detail,
        "severity": finding.severity,
        "times": finding.times,
        "title": finding.title,
        "why": finding.why,
        "source": finding.source,
        "cell": {"number": finding.case.number, "source": finding.case.source, "name": finding.case.name},
        "changed": [_change(*each) for each in finding.changed],
        "curl": finding.curl,
        "pytest": finding.pytest,
        "steps": [_step(step) for step in finding.steps],
    }


def _change(at: str, valid: Any, sent: Any) -> dict[str, Any]:
    """A change, without the key of a value that is not there."""
    told = {"at": at, "valid": valid, "sent": sent}
    return {name: value for name, value in told.items() if value is not MISSING}


def _step(step: Step) -> dict[str, Any]:
    request, response = step.request, step.response
    return {
        "request": {
            "method": request.method,
            "base_url": request.base_url,
            "path": request.path,
            "query": [list(pair) for pair in request.query],
            "headers": _headers(request.headers),
            **_body(request.body),
        },
        "response": response and {"status": response.status, "headers": _headers(response.headers), **_body(response.body)},
        "seconds": round(step.seconds, 6),
        "failure": step.failure,
    }


def _headers(headers: Headers) -> list[list[str]]:
    return [[name, "…" if name.lower() in _HIDDEN else value] for name, value in headers.pairs]


def _body(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"raw": base64.b64encode(body).decode()}


def _writable(value: Any) -> Any:
    """The value with what no JSON text can hold exchanged for what it can: lone surrogates."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_writable(key): _writable(item) for key, item in value.items()}
    return [_writable(item) for item in value] if isinstance(value, list | tuple) else value


def read_report(text: bytes, where: str) -> Report:
    """The report in a `report.json`.

    Raises:
        UsageError: it is none; `where` is named.
    """
    try:
        told = codec.loads(text)
        if told["version"] != VERSION:
            raise UsageError(f"{where} is of version {told['version']}; this is {VERSION}.")
        return Report(
            provider=told["provider"],
            target=told["target"],
            seed=told["seed"],
            requests=told["requests"],
            seconds=float(told["seconds"]),
            findings=tuple(_read_finding(each) for each in told["findings"]),
            rules=told["rules"],
            planned=told["planned"],
            reached=told["reached"],
            errors=tuple(told["errors"]),
            matrix=told["matrix"],
            stopped=told["stopped"],
            accepted_valid=(told["accepted_valid"][0], told["accepted_valid"][1]),
            engines=told.get("engines", {}),
            doubt=told.get("doubt", ""),
        )
    except (ValueError, LookupError, TypeError) as error:
        raise UsageError(f"{where} is no report.json of `mocksandbox fuzz`: {type(error).__name__}.") from error


def _read_finding(told: Mapping[str, Any]) -> Finding:
    flaw = Flaw(
        told["class"], told["operation"], tuple(told["rules"]), told["expected"], told["observed"], told["at"], told["detail"]
    )
    cell = told["cell"]
    return Finding(
        flaw=flaw,
        case=Case(cell["number"], cell["source"], cell["name"], told["operation"]),
        steps=tuple(_read_step(each) for each in told["steps"]),
        times=told["times"],
        curl=told["curl"],
        pytest=told["pytest"],
        changed=tuple((each["at"], each.get("valid", MISSING), each.get("sent", MISSING)) for each in told["changed"]),
        title=told["title"],
        why=told["why"],
        source=told["source"],
        severity=told["severity"],
    )


def _read_step(told: Mapping[str, Any]) -> Step:
    asked, answered = told["request"], told["response"]
    request = Request(
        asked["method"],
        asked["path"],
        tuple((name, value) for name, value in asked["query"]),
        Headers((name, value) for name, value in asked["headers"]),
        _read_body(asked),
        asked["base_url"],
    )
    headers = Headers((name, value) for name, value in answered["headers"]) if answered else Headers()
    response = Response(answered["status"], headers, _read_body(answered)) if answered else None
    return Step(request, response, float(told["seconds"]), told["failure"])


def _read_body(told: Mapping[str, Any]) -> bytes:
    return base64.b64decode(told["raw"]) if "raw" in told else str(told["body"]).encode()
