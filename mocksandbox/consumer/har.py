"""Recorded exchanges as an HTTP archive (HAR 1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from mocksandbox import __version__
from mocksandbox.consumer.recording import Recorded

_UNKNOWN = -1
"""What HAR says of a size or a time that is not known."""


def har(exchanges: Iterable[Recorded]) -> dict[str, Any]:
    """The archive; each entry's comment is its test, each page a test."""
    entries = [_entry(each) for each in exchanges]
    tests = dict.fromkeys(entry["pageref"] for entry in entries)
    started = {test: next(e["startedDateTime"] for e in entries if e["pageref"] == test) for test in tests}
    pages = [{"startedDateTime": started[test], "id": test, "title": test, "pageTimings": {}} for test in tests]
    creator = {"name": "mocksandbox", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "pages": pages, "entries": entries}}


def _entry(each: Recorded) -> dict[str, Any]:
    return {
        "pageref": each["test"],
        "startedDateTime": each["at"],
        "time": each["milliseconds"],
        "request": _request(each["request"]),
        "response": _response(each["response"]),
        "cache": {},
        "timings": {"send": 0, "wait": each["milliseconds"], "receive": 0},
        "comment": each["operation"],
    }


def _request(request: Any) -> dict[str, Any]:
    body = request["body"]
    made: dict[str, Any] = {
        "method": request["method"],
        "url": request["url"],
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(request["headers"]),
        "queryString": _pairs(request["query"]),
        "headersSize": _UNKNOWN,
        "bodySize": _size(body),
    }
    if body is not None:
        made["postData"] = {"mimeType": body["type"], "params": [], "text": body.get("text", body.get("base64"))}
    return made


def _response(response: Any) -> dict[str, Any]:
    body = response["body"]
    content: dict[str, Any] = {"size": _size(body), "mimeType": body["type"] if body else ""}
    if body is not None:
        content["text"] = body.get("text", body.get("base64"))
        if "base64" in body:
            content["encoding"] = "base64"
    status = response["status"]
    known = status in {each.value for each in HTTPStatus}
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if known else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(response["headers"]),
        "content": content,
        "redirectURL": "",
        "headersSize": _UNKNOWN,
        "bodySize": _size(body),
    }


def _pairs(pairs: Iterable[Any]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _size(body: Any) -> int:
    if body is None:
        return 0
    return len(body["text"].encode()) if "text" in body else len(body["base64"]) * 3 // 4
