"""Recorded cases of the real service: reading them, replaying them, and comparing answers step by step."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

from mocksandbox import Request, Response, codec
from mocksandbox.exchange import Headers

CASES = Path(__file__).with_name("nhs-recorded.jsonl")
BASE_URL = "https://mock.example/immunisation-fhir-api/FHIR/R4"
SUPPLIER = "Postman_Auth"
_UUID = re.compile(r"urn:uuid:[0-9a-f-]{36}")
_PLACEHOLDER = re.compile(r"\{\{([\w:.-]+)\}\}")
COMPARED_HEADERS = ("Location", "E-Tag", "Content-Type", "Allow")


def cases() -> list[dict[str, Any]]:
    """Every recorded case."""
    return [json.loads(line) for line in CASES.read_text("utf-8").splitlines()]


@dataclass
class Replayed:
    """One step as it was answered: what differs from the record, by aspect."""

    case: str
    rule: str
    step: int
    kind: str
    expected: dict[str, Any]
    differences: dict[str, str] = field(default_factory=dict)


def replay(case: dict[str, Any], send: Callable[[Request], Response]) -> Iterator[Replayed]:
    """Send a case's requests in turn and compare each answer."""
    known: dict[str, str] = dict(case.get("vars") or {})
    for number, step in enumerate(case["steps"]):
        response = send(_request(step, known))
        location = response.headers.get("Location", "")
        if response.status == 201:
            known[f"id:{number}"] = location.rpartition("/")[2]
        expected = step["expect"]
        differences = dict(_compare(expected, response, known))
        yield Replayed(case["name"], case["rule"], number, expected.get("diag_kind") or "", expected, differences)


def _fill(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), value)
    if isinstance(value, list):
        return [_fill(item, known) for item in value]
    if isinstance(value, dict):
        return {_fill(key, known): _fill(item, known) for key, item in value.items()}
    return value


def _request(step: dict[str, Any], known: dict[str, str]) -> Request:
    headers = {"Accept": "application/fhir+json", "SupplierSystem": SUPPLIER, "X-Request-ID": str(uuid4())}
    headers |= _fill(step.get("headers") or {}, known)
    body = b""
    if "json" in step:
        body = json.dumps(_fill(step["json"], known)).encode()
    elif "raw" in step:
        body = _fill(step["raw"], known).encode()
    elif "form" in step:
        form = _fill(step["form"], known)
        body = form.encode() if isinstance(form, str) else urlencode([tuple(pair) for pair in form]).encode()
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    query = _fill(step.get("query") or [], known)
    pairs = parse_qsl(query, keep_blank_values=True) if isinstance(query, str) else [(str(n), str(v)) for n, v in query]
    return Request(
        step["method"],
        _fill(step["path"], known),
        tuple(pairs),
        Headers((name, value) for name, value in headers.items() if value is not None),
        body,
        BASE_URL,
    )


def _compare(expected: dict[str, Any], response: Response, known: dict[str, str]) -> Iterator[tuple[str, str]]:
    if expected["status"] != response.status:
        yield "status", f"{expected['status']} != {response.status} {response.body[:200]!r}"
    body = codec.loads(response.body) if response.body else None
    if expected.get("issue_code"):
        yield from _compare_outcome(_fill(expected, known), body)
    for name, value in (expected.get("headers") or {}).items():
        if name in COMPARED_HEADERS:
            wanted = _fill(value, {**known, "base": BASE_URL})
            got = response.headers.get(name, "")
            if got.partition(";")[0] != wanted.partition(";")[0]:
                yield "headers", f"{name}: {wanted!r} != {got!r}"
    if "body" in expected:
        wanted, got = _fill(expected["body"], {**known, "base": BASE_URL}), _normal(body)
        if _normal(wanted) != got:
            yield "body", f"{_normal(wanted)!r}\n    != {got!r}"
    elif expected.get("empty_body") and body is not None:
        yield "body", "must be empty"


def _compare_outcome(expected: dict[str, Any], body: Any) -> Iterator[tuple[str, str]]:
    issue = (body or {}).get("issue", [{}])[0] if isinstance(body, dict) else {}
    coding = issue.get("details", {}).get("coding", [{}])[0]
    said = issue.get("diagnostics", "")
    if issue.get("code") != expected["issue_code"]:
        yield "issue", f"{expected['issue_code']} != {issue.get('code')}"
    if coding.get("code") != expected["error_code"]:
        yield "error", f"{expected['error_code']} != {coding.get('code')}"
    missing = [name for name in expected.get("fields") or () if name not in said]
    if missing:
        yield "field", f"{missing} not in {said!r}"
    if said != expected["diagnostics"]:
        yield "text", f"\n    {expected['diagnostics']!r}\n    != {said!r}"


def _normal(value: Any) -> Any:
    """A body without what differs from run to run: UUIDs, the order of entries and of values in links."""
    if isinstance(value, dict):
        normal = {key: _normal(item) for key, item in value.items()}
        if normal.get("resourceType") == "OperationOutcome":
            normal["id"] = "any"
        if normal.get("resourceType") == "Bundle":
            kinds = [entry.get("resource", {}).get("resourceType") for entry in normal.get("entry", ())]
            matches = [entry for entry, kind in zip(normal["entry"], kinds, strict=True) if kind == "Immunization"]
            others = [entry for entry, kind in zip(normal["entry"], kinds, strict=True) if kind != "Immunization"]
            normal["entry"] = sorted(matches, key=lambda entry: str(entry.get("fullUrl"))) + others
        if "relation" in normal:
            normal["url"] = _normal_link(normal["url"])
        return normal
    if isinstance(value, list):
        return [_normal(item) for item in value]
    return re.sub(r"urn:uuid:\S+", "urn:uuid:any", value) if isinstance(value, str) else value


def _normal_link(url: str) -> str:
    path, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    return path + "?" + "&".join(f"{name}={','.join(sorted(value.split(',')))}" for name, value in pairs)
