"""What ClinikAPI's operations do when nothing is wrong, how it refuses, and what a refusal of it says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from secrets import token_hex
from typing import Any
from uuid import uuid4

from mocksandbox import codec
from mocksandbox.exchange import Headers, Response
from mocksandbox.provider import Told
from mocksandbox.providers.clinikapi.account import Allowance, holder_of
from mocksandbox.providers.clinikapi.immunization import changed_record, instant, new_record
from mocksandbox.providers.clinikapi.search import page_of
from mocksandbox.providers.clinikapi.state import named_record
from mocksandbox.rules import Finding
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.rules.http import allowed_methods
from mocksandbox.store import Partition

JSON = "application/json"
TITLES: Mapping[int, tuple[str, str]] = {
    400: ("Bad Request", "BAD_REQUEST"),
    401: ("Unauthorized", "UNAUTHORIZED"),
    403: ("Forbidden", "FORBIDDEN"),
    404: ("Not Found", "NOT_FOUND"),
    405: ("Method Not Allowed", "METHOD_NOT_ALLOWED"),
    409: ("Conflict", "CONFLICT"),
    413: ("Payload Too Large", "PAYLOAD_TOO_LARGE"),
    415: ("Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE"),
    422: ("Validation Error", "VALIDATION_ERROR"),
    429: ("Rate Limited", "RATE_LIMITED"),
    500: ("Internal Error", "INTERNAL_ERROR"),
    503: ("Service Unavailable", "SERVICE_UNAVAILABLE"),
    504: ("Timeout", "TIMEOUT"),
    507: ("Insufficient Storage", "INSUFFICIENT_STORAGE"),
}
"""The title and the usual code of a refusal, by status."""

KEY_CODES = frozenset({"UNAUTHORIZED", "INVALID_KEY_FORMAT", "INVALID_KEY", "KEY_REVOKED", "KEY_EXPIRED"})
"""The codes of a 401."""

CODES = KEY_CODES | {code for _, code in TITLES.values()}
_OWN_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_MEMBER = re.compile(r"([^\s:]+): ")


def _request_id(attempt: Attempt) -> tuple[str, bool]:
    """The request's id, and whether it is ours to send as a header: the client's own one is mirrored by the mock itself."""
    sent = attempt.request.headers.get("X-Request-ID")
    usable = sent is not None and _OWN_REQUEST_ID.fullmatch(sent)
    return (sent if usable and sent else f"req_{token_hex(4)}"), sent is None


def _headers(attempt: Attempt, allowance: Allowance, request_id: str, ours: bool) -> list[tuple[str, str]]:
    return [
        ("X-RateLimit-Limit", str(allowance.total)),
        ("X-RateLimit-Remaining", str(allowance.remaining)),
        ("X-RateLimit-Reset", str(allowance.reset)),
        ("X-Timestamp", instant(attempt.now)),
        *([("X-Request-Id", request_id)] if ours else []),
    ]


def _answer(attempt: Attempt, status: int, data: Any, *headers: tuple[str, str]) -> Response:
    """An answer in the envelope."""
    allowance = holder_of(attempt).allowance
    request_id, ours = _request_id(attempt)
    meta = {
        "requestId": request_id,
        "timestamp": instant(attempt.now),
        "status": status,
        "rateLimitTotal": allowance.total,
        "rateLimitRemaining": allowance.remaining,
        "rateLimitReset": allowance.reset,
    }
    sent = [("Content-Type", JSON), *_headers(attempt, allowance, request_id, ours), *headers]
    return Response(status, Headers(sent), codec.dumps({"data": data, "meta": meta}))


def _with_record(attempt: Attempt, status: int, record: Record, *headers: tuple[str, str]) -> Response:
    resource = record.json()
    resource["meta"]["versionId"] = str(record.version)  # a fault may have counted it on without writing the body anew
    return _answer(attempt, status, resource, ("ETag", f'W/"{record.version}"'), *headers)


def create(attempt: Attempt, records: Partition) -> Response:
    """201 with the new record."""
    holder = holder_of(attempt)
    record = new_record(attempt.body, str(uuid4()), holder.organization, attempt.now, holder.name)
    records.put(record)
    return _with_record(attempt, 201, record, ("Location", f"{attempt.request.base_url}/immunizations/{record.id}"))


def read(attempt: Attempt, _: Partition) -> Response:
    """200 with the record."""
    return _with_record(attempt, 200, _named(attempt))


def update(attempt: Attempt, records: Partition) -> Response:
    """200 with the record as it is now. A body without members changes nothing and makes no version."""
    record = _named(attempt)
    if attempt.body:
        record = changed_record(record, attempt.body, attempt.now, holder_of(attempt).name)
        records.put(record)
    return _with_record(attempt, 200, record)


def delete(attempt: Attempt, records: Partition) -> Response:
    """204."""
    records.put(replace(_named(attempt), state="deleted", recorded=attempt.now, author=holder_of(attempt).name))
    request_id, ours = _request_id(attempt)
    return Response(204, Headers(_headers(attempt, holder_of(attempt).allowance, request_id, ours)))


def search(attempt: Attempt, records: Partition) -> Response:
    """200 with a page."""
    return _answer(attempt, 200, page_of(attempt, records).data())


def _named(attempt: Attempt) -> Record:
    record = named_record(attempt)
    assert record is not None, "the rules have seen the record"
    return record


def refuse(attempt: Attempt, findings: Sequence[Finding], profile: str, split: bool) -> Response:
    """The API's error body; each finding is one issue, whatever is preferred. What refuses in every API's name, a fault for
    example, gets this one's code for its status.
    """
    rule = findings[0].rule
    title, usual = TITLES.get(rule.status, ("Error", "INTERNAL_ERROR"))
    request_id, ours = _request_id(attempt)
    issues = [{"severity": "error", "code": finding.rule.issue, "diagnostics": finding.message} for finding in findings]
    body = {"error": title, "code": rule.error if rule.error in CODES else usual, "requestId": request_id, "issues": issues}
    allowance = holder_of(attempt).allowance
    if rule.status == 429:
        allowance = replace(allowance, remaining=0)
    headers = [("Content-Type", JSON), *_headers(attempt, allowance, request_id, ours)]
    if rule.status == 429:
        headers.append(("Retry-After", str(allowance.reset)))
    if rule.status == 405:
        headers.append(("Allow", ", ".join(allowed_methods(attempt))))
    return Response(rule.status, Headers(headers), codec.dumps(body))


def told(response: Response) -> Told | None:
    """What a refusal says; None when it is not in the API's shape. Diagnostics begin with the member or the
    parameter that they are about, and do not say which of the two it is.
    """
    try:
        body = response.json()
    except ValueError:
        return None
    listed = body.get("issues") if isinstance(body, dict) else None
    issues = [issue for issue in listed if isinstance(issue, dict)] if isinstance(listed, list) else []
    if not issues or not isinstance(body.get("code"), str):
        return None
    texts = [str(issue.get("diagnostics", "")) for issue in issues]
    named = [found[1] for text in texts if (found := _MEMBER.match(text))]
    places = frozenset([*named, *(f"http.{name}" for name in named)])
    return Told(str(issues[0].get("code", "")), body["code"], places, "; ".join(texts))
