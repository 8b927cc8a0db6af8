"""Recorded exchanges as Pacts of version 4: what the consumer asks, and the shape of the answers that it was tested with.

Only requests that keep the contract are in it, with answers that no fault, stub or scenario has made. A provider is verified
by the shape of its answers: their values are this sandbox's own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from mocksandbox import __version__
from mocksandbox.consumer.recording import Recorded

_ASKING = frozenset({"content-type", "accept", "e-tag", "if-match", "if-none-exist", "if-none-match", "prefer"})
"""The headers of a request that are part of what it asks; the others are its client's own."""

_TELLING = frozenset({"content-type", "location", "e-tag", "etag"})
"""The headers of an answer that clients read."""

_ABOUT_THE_CALLER = (401, 403)
"""Answers that depend on who asks, which a Pact does not say: it has no tokens."""

_ANY = {"match": "type"}


def pacts(exchanges: Iterable[Recorded], consumer: str) -> dict[str, dict[str, Any]]:
    """A Pact for each provider, by its name. The same interaction is in it once."""
    found: dict[str, dict[str, Any]] = {}
    for each in exchanges:
        if each["clean"] and each["response"]["status"] not in _ABOUT_THE_CALLER:
            interaction = _interaction(each)
            found.setdefault(each["provider"], {}).setdefault(interaction["key"], interaction)
    return {provider: _pact(consumer, provider, list(known.values())) for provider, known in found.items()}


def _pact(consumer: str, provider: str, interactions: list[Any]) -> dict[str, Any]:
    return {
        "consumer": {"name": consumer},
        "provider": {"name": provider},
        "interactions": interactions,
        "metadata": {"pactSpecification": {"version": "4.0"}, "mocksandbox": {"version": __version__}},
    }


def _interaction(each: Recorded) -> dict[str, Any]:
    states, request, status = [_state(each["after"])], _request(each["request"]), each["response"]["status"]
    asked = json.dumps([states, request, status])
    key = hashlib.sha256(asked.encode()).hexdigest()[:16]
    return {
        "type": "Synchronous/HTTP",
        "description": f"{each['operation']} answered with {status}{_tail(each)} [{key[:8]}]",
        "key": key,
        "pending": False,
        "providerStates": states,
        "request": request,
        "response": json.loads(_settled(json.dumps(_response(each["response"])), asked)),
        "comments": {"testname": each["test"]},
    }


def _settled(answer: str, asked: str) -> str:
    """An answer with what is another each time (the server's address, ids that it made up) the same each time: a broker takes
    a changed file for a new version.
    """
    ids = dict.fromkeys(id for id in _ID.findall(answer) if id not in asked)
    for number, id in enumerate(ids, 1):
        answer = answer.replace(id, f"00000000-0000-4000-8000-{number:012}")
    return _ORIGIN.sub("https://sandbox.invalid", answer)


_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ORIGIN = re.compile(r"http://127\.0\.0\.1:\d+(?:/tenants/\w+)?")


def _tail(each: Recorded) -> str:
    operations = dict.fromkeys(before["operation"] for before in each["after"])
    return f" after {' and '.join(operations)}" if operations else ""


def _state(after: list[Recorded]) -> dict[str, Any]:
    """What the provider must hold: what the test had written before. The parameter `requests` are what wrote it, for a state
    handler that sends them again.
    """
    if not after:
        return {"name": "the records of the beginning"}
    return {
        "name": f"after {', '.join(before['operation'] for before in after)}",
        "params": {"requests": [_request(before) for before in after]},
    }


def _request(request: Mapping[str, Any]) -> dict[str, Any]:
    query: dict[str, list[str]] = {}
    for name, value in request["query"]:
        query.setdefault(name, []).append(value)
    return {
        "method": request["method"],
        "path": request["path"],
        **({"query": query} if query else {}),
        **_headers(request["headers"], _ASKING),
        **_body(request["body"]),
    }


def _response(response: Mapping[str, Any]) -> dict[str, Any]:
    headers = _headers(response["headers"], _TELLING)
    rules: dict[str, Any] = {}
    if "headers" in headers:
        rules["header"] = {name: _rule(_header_rule(name)) for name in headers["headers"]}
    body = _body(response["body"])
    if isinstance(body.get("body", {}).get("content"), (dict, list)):
        rules["body"] = {"$": _rule(_ANY)}
    return {
        "status": response["status"],
        **headers,
        **body,
        **({"matchingRules": rules} if rules else {}),
    }


def _rule(matcher: Mapping[str, str]) -> dict[str, Any]:
    return {"combine": "AND", "matchers": [dict(matcher)]}


def _header_rule(name: str) -> Mapping[str, str]:
    """Of a media type the parameters may differ; of what the provider makes up itself, everything."""
    return {"match": "regex", "regex": r"application/(fhir\+)?json.*"} if name.lower() == "content-type" else _ANY


def _headers(pairs: Iterable[Any], kept: frozenset[str]) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if name.lower() in kept:
            found.setdefault(name, []).append(value)
    return {"headers": found} if found else {}


def _body(body: Mapping[str, str] | None) -> dict[str, Any]:
    if body is None:
        return {}
    if "text" not in body:
        return {"body": {"content": body["base64"], "contentType": body["type"], "encoded": "base64"}}
    if body["type"].partition(";")[0].strip().endswith("json"):
        try:
            return {"body": {"content": json.loads(body["text"]), "contentType": body["type"], "encoded": False}}
        except ValueError:
            pass
    return {"body": {"content": body["text"], "contentType": body["type"], "encoded": False}}
