"""Transactions and batches: several interactions in one Bundle, all or nothing, or each on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, unquote
from uuid import uuid4

from mocksandbox import codec
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fhir.outcome import issue, operation_outcome
from mocksandbox.fhir.search import Types, parse_query
from mocksandbox.fhir.server.conditions import SEARCHED, existing, meeting, pairs_in
from mocksandbox.fhir.server.depth import MOST_DEEP, deeper_than
from mocksandbox.fhir.server.interaction import CREATE, TRANSACTION, UPDATE, interaction_of
from mocksandbox.fhir.server.preferences import preferred
from mocksandbox.fhir.server.writing import assign
from mocksandbox.rules import Finding
from mocksandbox.rules.attempt import Attempt
from mocksandbox.store import MemoryPartition, Partition, Scratch

ORDER = ("DELETE", "POST", "PUT", "GET")
"""The order in which a transaction is carried out (FHIR R4, RESTful API: transaction processing rules)."""

_HEADERS = {
    "ifNoneMatch": "If-None-Match",
    "ifModifiedSince": "If-Modified-Since",
    "ifMatch": "If-Match",
    "ifNoneExist": "If-None-Exist",
}
_LINKING = frozenset({"reference", "uri", "url", "valueUri", "valueUrl"})
"""The elements in which the name of another entry stands for the resource that it becomes."""

Handle = Callable[[Attempt, Partition], tuple[Sequence[Finding], Response]]
"""Judges one interaction and carries it out: (attempt, records) -> (findings, answer)."""


@dataclass
class Run:
    """A Bundle that was carried out on records of its own. `refused` are the findings by entry; `unresolved` the places of
    references that lead to no entry; `answers` the entries' answers.
    """

    records: Scratch
    answers: dict[int, Response] = field(default_factory=dict)
    refused: dict[int, Sequence[Finding]] = field(default_factory=dict)
    unresolved: list[tuple[str, str]] = field(default_factory=list)


def run(attempt: Attempt, types: Types, handle: Handle) -> Run:
    """Carry out a Bundle on records that nobody else sees, once for each attempt."""
    kept: Run | None = attempt.__dict__.get("_run")
    if kept is None:
        # Readers of a table of findings may ask for all of them at once: what cannot be written is not carried out.
        below = attempt.records if isinstance(attempt.records, Partition) else MemoryPartition()
        kept = attempt.__dict__["_run"] = Run(Scratch(below))
        if not deeper_than(attempt.body, MOST_DEEP):
            _carry_out(attempt, types, handle, kept)
    return kept


def entries_of(attempt: Attempt) -> list[dict[str, Any]]:
    """The entries of the body that are objects with a request; others are refused before anything is carried out."""
    entries = attempt.body.get("entry") if isinstance(attempt.body, dict) else None
    return [each if isinstance(each, dict) else {} for each in entries] if isinstance(entries, list) else []


def is_batch(attempt: Attempt) -> bool:
    """Whether each entry stands on its own."""
    return isinstance(attempt.body, dict) and attempt.body.get("type") == "batch"


def _carry_out(attempt: Attempt, types: Types, handle: Handle, ran: Run) -> None:
    entries = entries_of(attempt)
    if is_batch(attempt):
        for index, entry in enumerate(entries):
            made = _attempt(attempt, entry, entry.get("resource"), ran.records)
            if made is not None:
                ran.refused[index], ran.answers[index] = handle(made, ran.records)
        return
    names: dict[str, str] | None = None
    order = sorted(range(len(entries)), key=lambda index: (_rank(entries[index]), index))
    for index in order:
        entry = entries[index]
        if names is None and _rank(entry) > 0:  # what is to be deleted is gone: names are settled before anything is made
            names = _names(attempt, entries, types, ran)
        resource, missing = _renamed(
            entry.get("resource"), names or {}, attempt, types, ran, f"Bundle.entry[{index}].resource"
        )
        ran.unresolved += missing
        made = _attempt(attempt, entry, resource, ran.records)
        if made is None:
            continue
        if names is not None and entry.get("fullUrl") in names and interaction_of(made.operation).name == CREATE:
            assign(made, names[str(entry["fullUrl"])].rpartition("/")[2])
        findings, ran.answers[index] = handle(made, ran.records)
        if findings:
            ran.refused[index] = findings
            return


def _rank(entry: Mapping[str, Any]) -> int:
    request = entry.get("request")
    method = request.get("method") if isinstance(request, dict) else None
    return ORDER.index(method) if method in ORDER else len(ORDER)


def _attempt(attempt: Attempt, entry: Mapping[str, Any], resource: Any, records: Partition) -> Attempt | None:
    """The interaction that an entry asks for, as an attempt of its own; None when it asks for none."""
    asked = entry.get("request")
    if not isinstance(asked, dict) or not isinstance(asked.get("method"), str) or not isinstance(asked.get("url"), str):
        return None
    url = asked["url"].removeprefix(f"{attempt.request.base_url}/").lstrip("/")
    path, _, query = url.partition("?")
    headers = [("Accept", "application/fhir+json")]
    headers += [(name, asked[key]) for key, name in _HEADERS.items() if isinstance(asked.get(key), str)]
    headers += [("Prefer", attempt.request.headers["Prefer"])] if "Prefer" in attempt.request.headers else []
    body = b""
    if resource is not None and asked["method"] in ("POST", "PUT"):
        headers.append(("Content-Type", "application/fhir+json"))
        body = codec.dumps(resource)
    request = Request(
        asked["method"],
        f"/{quote(unquote(path), safe='/$', errors='replace')}",
        tuple(parse_qsl(query, keep_blank_values=True)),
        Headers(headers),
        body,
        attempt.request.base_url,
    )
    match = attempt.contract.router.find(request.method, request.path)
    made = Attempt(request, attempt.contract, match, attempt.caller, attempt.refusal, records, attempt.now, attempt.max_body)
    return None if interaction_of(made.operation).name == TRANSACTION else made


def _names(attempt: Attempt, entries: Sequence[Mapping[str, Any]], types: Types, ran: Run) -> dict[str, str]:
    """What each entry's fullUrl stands for: `Type/id`, known before anything is created."""
    names: dict[str, str] = {}
    for entry in entries:
        full = entry.get("fullUrl")
        made = _attempt(attempt, entry, entry.get("resource"), ran.records) if isinstance(full, str) else None
        asked = interaction_of(made.operation if made else None)
        if made is not None and asked.name == CREATE:
            found = existing(made, types)
            names[str(full)] = f"{asked.type}/{found[0].id if len(found) == 1 else uuid4()}"
        elif made is not None and asked.name == UPDATE:
            names[str(full)] = f"{asked.type}/{made.id}"
    return names


@dataclass
class _Renaming:
    """What entries are called by now; `missing` gathers the places where a name or a search leads to nothing."""

    names: Mapping[str, str]
    attempt: Attempt
    types: Types
    ran: Run
    missing: list[tuple[str, str]] = field(default_factory=list)

    def of(self, value: Any, at: str, key: str) -> Any:
        """A part of a resource, at a place and under a key, in which names of other entries, and searches that find one
        record, have become `Type/id`.
        """
        if isinstance(value, dict):
            return {name: self.of(child, f"{at}.{name}", name) for name, child in value.items()}
        if isinstance(value, list):
            return [self.of(child, f"{at}[{index}]", key) for index, child in enumerate(value)]
        if not isinstance(value, str) or key not in _LINKING:
            return value
        if value in self.names:
            return self.names[value]
        if key != "reference":
            return value
        found = _searched(value, self.attempt, self.types, self.ran) if SEARCHED.fullmatch(value) else None
        if found is not None and len(found) == 1:
            return f"{found[0]['resourceType']}/{found[0]['id']}"
        if found is not None or value.startswith("urn:uuid:"):
            self.missing.append((at, "unresolved-search" if found is not None else "unresolved-name"))
        return value


def _renamed(
    value: Any, names: Mapping[str, str], attempt: Attempt, types: Types, ran: Run, place: str
) -> tuple[Any, list[tuple[str, str]]]:
    """A resource in which the names of other entries, and searches that find one record, have become `Type/id`; and the
    places where a name or a search leads to nothing.
    """
    renaming = _Renaming(names, attempt, types, ran)
    return (renaming.of(value, place, "") if isinstance(value, dict) else value), renaming.missing


def _searched(reference: str, attempt: Attempt, types: Types, ran: Run) -> Sequence[dict[str, Any]]:
    kind = reference.partition("?")[0]
    if kind not in types:
        return ()
    query = parse_query(pairs_in(reference), types[kind], types)
    if query.problems or not query.criteria:
        return ()
    return meeting(query, _on(attempt, ran))


def _on(attempt: Attempt, ran: Run) -> Attempt:
    return Attempt(attempt.request, attempt.contract, attempt.match, records=ran.records, now=attempt.now)


def response_bundle(attempt: Attempt, ran: Run) -> dict[str, Any]:
    """The answer to a Bundle: one entry for each, in the order in which they were sent."""
    kind = "batch-response" if is_batch(attempt) else "transaction-response"
    entries = [_answered(attempt, ran.answers.get(index)) for index in range(len(entries_of(attempt)))]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "id": str(uuid4()), "type": kind}
    return {**bundle, "entry": entries} if entries else bundle


def _answered(attempt: Attempt, got: Response | None) -> dict[str, Any]:
    if got is None:
        problem = operation_outcome([issue("not-supported", "A Bundle within a Bundle is not carried out.")])
        return {"response": {"status": "400 Bad Request", "outcome": problem}}
    response: dict[str, Any] = {"status": f"{got.status} {HTTPStatus(got.status).phrase}"}
    for name, header in (("location", "Location"), ("etag", "ETag")):
        if header in got.headers:
            response[name] = got.headers[header]
    body = codec.loads(got.body) if got.body else None
    if body is not None and "meta" in body and got.status < 300 and "lastUpdated" in body["meta"]:
        response["lastModified"] = body["meta"]["lastUpdated"]
    if body is None:
        return {"response": response}
    if body["resourceType"] == "OperationOutcome":
        return {"response": {**response, "outcome": body}}
    full = "location" not in response or preferred(attempt, "return") == "representation"
    return {"resource": body, "response": response} if full else {"response": response}


def overlapping(attempt: Attempt) -> Iterator[tuple[int, str]]:
    """The entries of a transaction that change what an entry before them changes, with the URL."""
    seen: set[str] = set()
    for index, entry in enumerate(entries_of(attempt) if not is_batch(attempt) else ()):
        asked = entry.get("request")
        url = asked.get("url") if isinstance(asked, dict) and asked.get("method") in ("PUT", "DELETE") else None
        if isinstance(url, str):
            path = url.removeprefix(f"{attempt.request.base_url}/").strip("/")
            if path in seen:
                yield index, path
            seen.add(path)


def entry_hits(ran: Run) -> Iterator[tuple[int, Finding]]:
    """What the entries break, with the entry's index."""
    for index, findings in ran.refused.items():
        for finding in findings:
            yield index, finding
