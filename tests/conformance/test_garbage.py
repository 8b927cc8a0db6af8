"""Broken requests of every kind: the mock refuses them in its own form, never fails, and does not grow."""

from __future__ import annotations

import gc
import json
import os
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from random import Random
from time import perf_counter
from typing import Any

import pytest

from mocksandbox import Request, Response
from mocksandbox.exchange import Headers
from mocksandbox.journal import Journal
from mocksandbox.providers.nhs import provider
from mocksandbox.rules import Defect
from mocksandbox.rules.attempt import Attempt
from mocksandbox.sandbox import Sandbox

FULL = os.environ.get("MOCKSANDBOX_FULL") == "1"
# The number of requests for each profile: those of the document are slower, because openapi-core looks at each request.
REQUESTS = {
    "integration": 60_000 if FULL else 2000,
    "documented": 20_000 if FULL else 500,
    "sandbox": 20_000 if FULL else 500,
}
MOST_ENTRIES, MOST_BYTES = 200, 256 * 1024
MOST_GROWTH = 512 * 1024

OPERATIONS = provider().contract.operations
VALID = {operation.id: _attempt for operation in OPERATIONS if (_attempt := provider().valid(operation.id))}  # type: ignore[misc]
BASE_URL = "https://mock.example/immunisation-fhir-api/FHIR/R4"

TEXTS = (
    "", " ", "\x00", "é", "٣٤٥٦", "𝟙", "null", "true", "NaN", "-1", "0", "1", "99999999999999999999", "1e999", "²",
    "../..", "%00", "%zz", "a|b", "|", ",", "https://fhir.nhs.uk/Id/nhs-number|9000000009", "2023-02-30", "9999-12-31",
    "0000-00-00", "2024-02-29T25:61:61+00:00", "{", "{0}", "{at}", "%s", "<script>", "'; DROP TABLE records; --", "x" * 5000,
)  # fmt: skip
# Half a character can be in a JSON text, and nowhere else in a request.
JSON_TEXTS = (*TEXTS, "\ud800", "a\udfff")
NAMES = (
    "patient.identifier", "-immunization.target", "target-disease", "-date.from", "-date.to", "_include", "identifier",
    "_elements", "resourceType", "id", "contained", "status", "protocolApplied", "targetDisease", "coding", "code", "system",
    "value", "reference", "extension", "__class__", "",
)  # fmt: skip
HEADERS = (
    "E-Tag", "If-Match", "Accept", "Content-Type", "Authorization", "SupplierSystem", "X-Request-ID", "X-Correlation-ID",
    "Prefer", "X-Mocksandbox-Scenario", "Content-Length", "Content-Encoding", "Expect",
)  # fmt: skip
MEDIA_TYPES = ("application/fhir+json", "application/json", "application/x-www-form-urlencoded", "text/plain", "/", "", ";;")
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "get", "", "B\x00D")
PATHS = (
    "/Immunization", "/Immunization/", "/Immunization/_search", "/Immunization/_history", "/Immunization/a/b", "/", "", "//",
    "/metadata", "/Immunization/%", "/Immunization/%2e%2e%2f", "/Immunization/%00", "/Immunization/é", "/_status", "*",
)  # fmt: skip
RAW = (
    b"", b" ", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf{}", b"{", b"}", b'{"a":', b"[]", b"null", b"1", b'"', b"NaN", b"-",
    b"[" * 100_000, b'{"a":' * 20_000, b"9" * 5000, b"1e400", b'{"id":"\\ud800"}', b'{"a":1,"a":2}', b"a=1&a=2&%zz=%",
)  # fmt: skip


def defects() -> list[Request]:
    """Each valid request, and each defect of each rule in each of its operations."""
    made = [attempt.request for attempt in VALID.values()]
    for rule in provider().catalogue:
        for defect in rule.defects:
            found = [applied(defect, VALID[operation]) for operation in sorted(rule.operations & VALID.keys() or VALID)]
            assert any(found), (rule, defect.name)
            made += filter(None, found)
    return made


def applied(defect: Defect[Attempt], attempt: Attempt) -> Request | None:
    """The request with the defect; None where the defect is of another operation's body (a rule may be for all of them)."""
    try:
        return defect.apply(attempt).request
    except LookupError:
        return None


def value(rng: Random, depth: int = 0) -> Any:
    """Any JSON value."""
    kind = rng.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return rng.choice(JSON_TEXTS)
    if kind == 1:
        return rng.choice((0, -1, 1, 10**30, 2**63, 0.5, 1e308, -0.0))
    if kind == 2:
        return rng.choice((True, False, None))
    if kind == 3:
        return rng.choice(NAMES)
    if kind == 4:
        return [] if rng.random() < 0.5 else {}
    if kind == 5:
        return "".join(map(chr, (rng.randrange(1, 0x3000) for _ in range(rng.randrange(20)))))
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(NAMES): value(rng, depth + 1) for _ in range(rng.randrange(5))}


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place below a value: what holds it and its key."""
    for key, item in list(node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()):
        yield node, key
        yield from places(item)


def edited_body(rng: Random, request: Request) -> Request:
    """A JSON body with something else in one to three places; other bodies become any JSON value."""
    try:
        body = request.json()
    except ValueError:
        body = value(rng)
    for _ in range(rng.randrange(1, 4)):
        found = list(places(body))
        if not found:
            break
        holder, key = rng.choice(found)
        if rng.random() < 0.2:
            del holder[key]
        elif isinstance(holder, dict) and rng.random() < 0.2:
            holder[rng.choice((*NAMES, *JSON_TEXTS))] = value(rng)
        else:
            holder[key] = value(rng)
    return request.with_json(body)


def raw_body(rng: Random, request: Request) -> Request:
    """A body of any bytes, or part of the right one."""
    kind = rng.randrange(3)
    if kind == 0:
        return replace(request, body=rng.choice(RAW))
    if kind == 1:
        return replace(request, body=request.body[: rng.randrange(len(request.body) + 1)])
    return replace(request, body=rng.randbytes(rng.randrange(200)))


def any_json_body(rng: Random, request: Request) -> Request:
    """A body of any JSON value."""
    return request.with_json(value(rng))


def headers(rng: Random, request: Request) -> Request:
    """One header changed, taken out, or sent twice."""
    name = rng.choice(HEADERS)
    text = rng.choice(MEDIA_TYPES if name in ("Accept", "Content-Type") else TEXTS)
    if name == "Prefer":  # an answer of the 5xx class may be asked for; that is not a failure
        text = rng.choice(("code=400", "code=abc", "code=²²²", "outcome=split", "example=nothing", "fault=nothing", "=", text))
    pairs = rng.choice((request.headers.with_(name, text), request.headers.with_(name, None), request.headers)).pairs
    return replace(request, headers=Headers([*pairs, *([(name, text)] if rng.random() < 0.1 else [])]))


def query(rng: Random, request: Request) -> Request:
    """Parameters added, changed and taken out."""
    pairs = [pair for pair in request.query if rng.random() < 0.8]
    pairs += [(rng.choice(NAMES), rng.choice(TEXTS)) for _ in range(rng.randrange(4))]
    rng.shuffle(pairs)
    return replace(request, query=tuple(pairs))


def line(rng: Random, request: Request) -> Request:
    """Another method or another path."""
    if rng.random() < 0.5:
        return replace(request, method=rng.choice(METHODS))
    return replace(request, path=rng.choice((*PATHS, f"/Immunization/{rng.choice(TEXTS)}")))


CHANGES: tuple[Callable[[Random, Request], Request], ...] = (edited_body, raw_body, any_json_body, headers, query, line)


def requests(rng: Random) -> Iterator[Request]:
    """Every defect once, then any of them with one or two other changes, for ever."""
    known = defects()
    rng.shuffle(known)
    based = [replace(request, base_url=BASE_URL) for request in known]
    bodied = [request for request in based if request.body]

    def changed() -> Iterator[Request]:
        while True:
            request = rng.choice(bodied if rng.random() < 0.5 else based)
            for _ in range(rng.randrange(1, 3)):
                request = rng.choice(CHANGES)(rng, request)
            yield request

    return chain(based, changed())


def judged(request: Request, response: Response) -> None:
    """The answer is one that this API gives; a refusal says why, in the API's form."""
    said = f"{request.method!r} {request.path!r} {request.query!r} {request.headers!r} {request.body[:2000]!r} -> {response!r}"
    assert response.status < 500, said
    if request.path == "/_status":
        return  # stands in front of the API and answers in plain text (observed, B1)
    if response.status >= 400:
        assert response.headers["Content-Type"] in ("application/fhir+json", "application/json"), said
        outcome = json.loads(response.body)
        assert outcome["resourceType"] == "OperationOutcome", said
        assert outcome["issue"], said
        for issue in outcome["issue"]:
            assert issue["severity"] == "error", said
            assert issue["code"], said
            assert issue["diagnostics"].strip(), said
    elif response.body:
        assert json.loads(response.body)["resourceType"] in ("Immunization", "Bundle"), said


def traced(sandbox: Sandbox) -> int:
    """The bytes in use, without the stored records and the journal: these are kept on purpose."""
    assert sandbox.store is not None
    sandbox.store.reset()
    sandbox.journal.clear()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.heavy
@pytest.mark.parametrize("profile", REQUESTS)
def test_garbage_is_refused_without_a_failure_and_without_growth(profile: str) -> None:
    journal = Journal(most_entries=MOST_ENTRIES, most_bytes=MOST_BYTES)
    sandbox = Sandbox(provider(), profile, journal=journal)
    assert sandbox.store is not None
    statuses: Counter[int] = Counter()
    count, before, asked = REQUESTS[profile], 0, requests(Random(20240207))
    started = perf_counter()
    tracemalloc.start()
    try:
        for number in range(count):
            request = next(asked)
            if number % 1000 == 999:
                sandbox.store.reset()
            if number == count // 2:
                before = traced(sandbox)
            response = sandbox.handle(request)
            statuses[response.status] += 1
            judged(request, response)
            kept = [len(entry.exchange.request.body) + len(entry.exchange.response.body) for entry in journal]
            assert len(journal) <= MOST_ENTRIES
            assert sum(kept) <= MOST_BYTES or len(kept) == 1
        numbers = [entry.number for entry in journal]
        growth = traced(sandbox) - before
    finally:
        tracemalloc.stop()
    seconds = perf_counter() - started
    print(f"{profile}: {count} requests in {seconds:.0f} s, {growth} bytes more, by status {dict(sorted(statuses.items()))}")
    assert growth < MOST_GROWTH
    assert numbers == list(range(count - len(numbers) + 1, count + 1))
