"""A report as an HTTP Archive (HAR 1.2): the exchanges of every finding, for the tools that replay or show them.

A report does not know the time of day: entries start at the epoch, one after the other, and say so.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from mocksandbox import __version__, codec
from mocksandbox.exchange import Request, Response
from mocksandbox.fuzz.model import Report, Step
from mocksandbox.fuzz.reports.outline import headline, ordered, public_headers, url_of, visible

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def har(report: Report) -> bytes:
    """The report as HAR. `_finding` and `_identity` of an entry say which finding it is of."""
    entries = []
    at = _EPOCH
    for number, finding in enumerate(ordered(report.findings), 1):
        for step in finding.steps:
            entry = _entry(step, at)
            entry["comment"] = visible(headline(finding.flaw))
            entry["_finding"] = number
            entry["_identity"] = visible(finding.flaw.identity)
            entries.append(entry)
            at += timedelta(seconds=step.seconds)
    log = {
        "version": "1.2",
        "creator": {"name": "mocksandbox", "version": __version__},
        "entries": entries,
        "comment": "Times are relative: the first entry starts at 1970-01-01T00:00:00Z.",
    }
    return codec.dumps({"log": log})


def _entry(step: Step, at: datetime) -> dict[str, Any]:
    milliseconds = round(step.seconds * 1000, 3)
    entry: dict[str, Any] = {
        "startedDateTime": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "time": milliseconds,
        "request": _request(step.request),
        "response": _response(step.response),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }
    if step.failure:
        entry["_error"] = visible(step.failure)
    return entry


def _request(request: Request) -> dict[str, Any]:
    told: dict[str, Any] = {
        "method": request.method,
        "url": url_of(request),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(public_headers(request)),
        "queryString": _pairs(list(request.query)),
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        text, encoding = _text(request.body)
        told["postData"] = {"mimeType": visible(request.headers.get("content-type", "")), "params": [], "text": text}
        if encoding:
            told["postData"]["_encoding"] = encoding
    return told


def _response(response: Response | None) -> dict[str, Any]:
    if response is None:  # as browsers write a request that was not answered
        nothing = {"size": 0, "mimeType": "x-unknown"}
        return _answer(0, "", [], nothing, "", 0)
    text, encoding = _text(response.body)
    media = visible(response.headers.get("content-type", "x-unknown"))
    content: dict[str, Any] = {"size": len(response.body), "mimeType": media, "text": text}
    if encoding:
        content["encoding"] = encoding
    phrase = HTTPStatus(response.status).phrase if response.status in set(HTTPStatus) else ""
    location = visible(response.headers.get("location", ""))
    return _answer(response.status, phrase, public_headers(response), content, location, len(response.body))


def _answer(
    status: int, phrase: str, headers: list[tuple[str, str]], content: dict[str, Any], location: str, size: int
) -> dict[str, Any]:
    return {
        "status": status,
        "statusText": phrase,
        "httpVersion": "HTTP/1.1" if status else "",
        "cookies": [],
        "headers": _pairs(headers),
        "content": content,
        "redirectURL": location,
        "headersSize": -1,
        "bodySize": size,
    }


def _pairs(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": visible(name), "value": visible(value)} for name, value in pairs]


def _text(body: bytes) -> tuple[str, str]:
    """A body as text, or in base64 when it is none."""
    try:
        return body.decode("utf-8"), ""
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"
