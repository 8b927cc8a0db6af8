"""Answers of a FHIR server: resources with their version, outcomes, refusals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from mocksandbox import codec
from mocksandbox.exchange import Headers, Response
from mocksandbox.fhir.outcome import issue, operation_outcome
from mocksandbox.fhir.server.preferences import media_type
from mocksandbox.fhir.stored import changed, etag
from mocksandbox.rules import Finding
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.rules.http import allowed_methods

Pairs = list[tuple[str, str]]


def http_date(moment: datetime) -> str:
    """A moment as HTTP writes it (RFC 9110 5.6.7), to the second."""
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


def version_headers(record: Record) -> Pairs:
    """ETag and Last-Modified of a version."""
    return [("ETag", etag(record)), ("Last-Modified", http_date(changed(record)))]


def location(attempt: Attempt, record: Record) -> str:
    """The URL of a version."""
    return f"{attempt.request.base_url}/{record.kind}/{record.id}/_history/{record.version}"


def answer(attempt: Attempt, status: int, body: Any = None, headers: Sequence[tuple[str, str]] = ()) -> Response:
    """An answer with a resource, or without a body."""
    if body is None:
        return Response(status, Headers(headers))
    return written(attempt, status, codec.dumps(body), headers)


def written(attempt: Attempt, status: int, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> Response:
    """An answer with a body that is written already."""
    return Response(status, Headers([("Content-Type", media_type(attempt)), *headers]), body)


def refuse(attempt: Attempt, findings: Sequence[Finding], _profile: str, _split: bool) -> Response:
    """An OperationOutcome with one issue for each finding, each with its place."""
    rule = findings[0].rule
    issues = [issue(each.rule.issue, writable(each.prefix + each.message), expression(each.at)) for each in findings]
    headers: Pairs = []
    if rule.status == 405:
        headers.append(("Allow", ", ".join(allowed_methods(attempt)) or "GET"))
    return answer(attempt, rule.status, operation_outcome(issues), headers)


def writable(text: str) -> str:
    """The text without halves of surrogate pairs, which a body may have and no answer can be sent with."""
    return text.encode("utf-8", "replace").decode("utf-8")


def expression(at: str) -> list[str]:
    """A place as OperationOutcome.issue.expression names it: FHIRPath, or `http.NAME` for a parameter or header."""
    if at in ("", "body", "path", "status", "query"):
        return []
    where, colon, name = at.partition(":")
    at, name = writable(at), writable(name)
    return [f"http.{name}" if colon and where in ("header", "query", "form", "path") else at]
