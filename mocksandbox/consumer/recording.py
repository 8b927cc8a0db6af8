"""Exchanges as plain JSON values, with what a Pact and a HAR need to know of each."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from mocksandbox.consumer.run import Run
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.journal import Entry

_SECRET = frozenset({"authorization", "apikey", "x-api-key", "cookie", "set-cookie", "proxy-authorization"})
"""Headers that are left out: they say who asks, and a file is passed on."""

Recorded = dict[str, Any]


def recorded(run: Run, since: int = 0) -> list[Recorded]:
    """A test's exchanges after the one of that number. `after` are the requests that had written before; `clean` says
    that the request keeps the contract and that nothing of the answer was made on demand.
    """
    broken = {breach.number for breach in run.breaches()}
    done: list[Recorded] = []
    made = []
    for entry in run.journal:
        if entry.number > since:
            made.append(_recorded(run, entry, list(done), entry.number in broken))
        exchange = entry.exchange
        if entry.operation and exchange.request.method != "GET" and exchange.response.status in (200, 201, 204):
            base_path = run.boxes[entry.provider].provider.base_path
            done.append({"operation": entry.operation, **_request(exchange.request, base_path)})
    return made


def _recorded(run: Run, entry: Entry, after: list[Recorded], broken: bool) -> Recorded:
    request, response = entry.exchange.request, entry.exchange.response
    base_path = run.boxes[entry.provider].provider.base_path if entry.provider else ""
    return {
        "test": run.nodeid,
        "provider": entry.provider,
        "operation": entry.operation,
        "at": entry.at.isoformat(),
        "milliseconds": round(entry.exchange.elapsed * 1000, 3),
        "after": after,
        "clean": not broken and not entry.fault and not entry.scenario and bool(entry.operation),
        "scenario": entry.scenario,
        "request": _request(request, base_path),
        "response": {"status": response.status, "headers": _headers(response.headers.pairs), "body": _body(response)},
    }


def _request(request: Request, base_path: str) -> Mapping[str, Any]:
    return {
        "method": request.method,
        "url": request.url,
        "path": base_path + request.path,
        "query": [list(pair) for pair in request.query],
        "headers": _headers(request.headers.pairs),
        "body": _body(request),
    }


def _headers(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    return [[name, value] for name, value in pairs if name.lower() not in _SECRET]


def _body(message: Request | Response) -> Mapping[str, Any] | None:
    """A body with its media type: as text where it is UTF-8, else in base64."""
    if not message.body:
        return None
    media_type = Headers(message.headers.pairs).get("content-type", "application/octet-stream")
    try:
        return {"type": media_type, "text": message.body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"type": media_type, "base64": base64.b64encode(message.body).decode()}
