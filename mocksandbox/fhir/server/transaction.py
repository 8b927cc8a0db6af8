"""Transactions and batches: several interactions in one Bundle, all or nothing, or each on its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

from mocksandbox import codec
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fhir.search import Types, parse_query
from mocksandbox.fhir.search.draft import Draft
from mocksandbox.fhir.search.limits import split_query
from mocksandbox.fhir.server.conditions import SEARCHED, existing, meeting, pairs_in
from mocksandbox.fhir.server.depth import MOST_DEEP, deeper_than
from mocksandbox.fhir.server.entries import answered, bundle_of, refused
from mocksandbox.fhir.server.interaction import CREATE, TRANSACTION, UPDATE, interaction_of
from mocksandbox.fhir.server.writing import assign
from mocksandbox.rules import Finding
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.store import MemoryPartition, Partition

ORDER = ("DELETE", "POST", "PUT", "GET")
"""The order in which a transaction is carried out (FHIR R4, RESTful API: transaction processing rules)."""

MOST_ENTRIES = 2000
"""Entries of one Bundle: twice as many as the document lets it have (chosen, as the other limits here are)."""

MOST_ANSWERED = 16 * 1024 * 1024
"""Bytes of the entries' answers after which nothing more is carried out."""

MOST_LOOKED = 1_000_000
"""How often the searches of one Bundle may put a record to a criterion: some seconds of work."""

MOST_UNRESOLVED = 1000
"""References that lead to nothing and are told of."""

_LONGEST_PATH = 1000

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


_NESTED = ("not-supported", "A Bundle within a Bundle is not carried out.")


@dataclass
class Run:
    """A Bundle that was carried out on records of its own. `refused` are the findings by entry; `unresolved` the places of
    references that lead to no entry; `answers` the entries' answers, as JSON, which together have `size` bytes; `stopped` is
    why it was not carried out to its end.
    """

    records: Draft
    answers: dict[int, bytes] = field(default_factory=dict)
    size: int = 0
    stopped: str = ""
    refused: dict[int, Sequence[Finding]] = field(default_factory=dict)
    unresolved: list[tuple[str, str]] = field(default_factory=list)

    def took(self, index: int, entry: bytes) -> None:
        """Keep an entry's answer."""
        self.answers[index] = entry
        self.size += len(entry)

    @property
    def excess(self) -> str:
        """Why no further entry is carried out, in a sentence; `""` when they may be."""
        if self.size >= MOST_ANSWERED:
            return (
                f"The answers to the entries before this one have {MOST_ANSWERED // 1024**2} MiB, which are the most that one "
                "Bundle is answered with; send the rest in another Bundle."
            )
        if self.records.looked >= MOST_LOOKED:
            return (
                f"The searches of the Bundle up to here have looked at records {MOST_LOOKED} times, which is the most; look "
                "for identifiers, which takes no time, or send the rest in another Bundle."
            )
        return ""


def run(attempt: Attempt, types: Types, handle: Handle) -> Run:
    """Carry out a Bundle on records that nobody else sees, once for each attempt."""
    kept: Run | None = attempt.__dict__.get("_run")
    if kept is None:
        # Readers of a table of findings may ask for all of them at once: what cannot be written is not carried out.
        below = attempt.records if isinstance(attempt.records, Partition) else MemoryPartition()
        kept = attempt.__dict__["_run"] = Run(Draft(below))
        if len(entries_of(attempt)) <= MOST_ENTRIES and not deeper_than(attempt.body, MOST_DEEP):
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
            excess = ran.excess
            made = None if excess else _attempt(attempt, entry, entry.get("resource"), ran.records)
            if excess:
                ran.answers[index] = refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-costly", excess)
            elif made is None:
                ran.answers[index] = refused(HTTPStatus.BAD_REQUEST, *_NESTED)
            else:
                ran.refused[index], answer = handle(made, ran.records)
                ran.took(index, answered(attempt, answer))
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
        ran.stopped = ran.excess and f"Bundle.entry[{index}]: {ran.excess}"
        if ran.stopped:
            return
        ran.unresolved += missing
        made = _attempt(attempt, entry, resource, ran.records)
        if made is None:
            ran.answers[index] = refused(HTTPStatus.BAD_REQUEST, *_NESTED)
            continue
        if names is not None and entry.get("fullUrl") in names and interaction_of(made.operation).name == CREATE:
            assign(made, names[str(entry["fullUrl"])].rpartition("/")[2])
        findings, answer = handle(made, ran.records)
        ran.took(index, answered(attempt, answer))
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
        # No path is so long: what is cut off would only be compared with all paths that there are.
        f"/{quote(unquote(path[:_LONGEST_PATH]), safe='/$', errors='replace')}",
        split_query(query),
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
        if ran.excess:
            break  # which the next entry is told
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
            return f"{found[0].kind}/{found[0].id}"
        if (found is not None or value.startswith("urn:uuid:")) and len(self.missing) < MOST_UNRESOLVED:
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


def _searched(reference: str, attempt: Attempt, types: Types, ran: Run) -> Sequence[Record]:
    kind = reference.partition("?")[0]
    if kind not in types or ran.excess:  # which the next entry is told
        return ()
    query = parse_query(pairs_in(reference), types[kind], types)
    if query.problems or not query.criteria:
        return ()
    return meeting(query, _on(attempt, ran))


def _on(attempt: Attempt, ran: Run) -> Attempt:
    return Attempt(attempt.request, attempt.contract, attempt.match, records=ran.records, now=attempt.now)


def response_bundle(attempt: Attempt, ran: Run) -> bytes:
    """The answer to a Bundle, as JSON: one entry for each, in the order in which they were sent."""
    kind = "batch-response" if is_batch(attempt) else "transaction-response"
    return bundle_of(kind, [ran.answers[index] for index in sorted(ran.answers)])


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
