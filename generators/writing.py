"""Writing payloads down, one at a time: any number of them in little memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, islice

from mocksandbox import codec
from mocksandbox.errors import UsageError
from mocksandbox.generators.payload import Payload

Writer = Callable[[Iterable[Payload]], Iterator[bytes]]


def _lines(piece: Callable[[Payload], bytes], payloads: Iterable[Payload]) -> Iterator[bytes]:
    for payload in payloads:
        yield piece(payload)
        yield b"\n"


def _array(piece: Callable[[Payload], bytes], payloads: Iterable[Payload]) -> Iterator[bytes]:
    yield b"["
    for number, payload in enumerate(payloads):
        yield b",\n" if number else b"\n"
        yield piece(payload)
    yield b"\n]\n"


def _described(payload: Payload) -> bytes:
    return payload.line()


def _body(payload: Payload) -> bytes:
    """The body alone, on one line."""
    body = payload.request.body
    if payload.defect is None and b"\n" not in body and body:
        return body
    try:
        return codec.dumps(payload.request.json())
    except ValueError:
        raise UsageError(
            f"The body of {payload.defect or payload.operation} is no JSON and cannot be written alone.", "bodies", ()
        ) from None


def _entry(kind: str, payload: Payload) -> bytes:
    try:
        body = payload.request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or "resourceType" not in body:
        what = f"{payload.operation} sends" if payload.defect is None else f"With {payload.defect} {payload.operation} sends"
        raise UsageError(f"{what} no FHIR resource, which a Bundle is made of: write --format ndjson.")
    entry = {"resource": body}
    if kind == "transaction":
        entry["request"] = {"method": payload.request.method, "url": payload.request.path.lstrip("/")}
    return codec.dumps(entry)


def _bundle(kind: str, payloads: Iterable[Payload]) -> Iterator[bytes]:
    every = iter(payloads)
    first = list(islice(every, 1))
    for payload in first:
        _entry(kind, payload)  # what can be no entry is told before anything is written
    payloads = chain(first, every)
    yield b'{"resourceType":"Bundle","type":"' + kind.encode() + b'","entry":'
    yield from _array(partial(_entry, kind), payloads)
    yield b"}\n"


def _counts(payloads: Iterable[Payload]) -> Iterator[bytes]:
    """How many there are of each sort, for people."""
    verdicts: Counter[str] = Counter()
    rules: set[str] = set()
    ways: set[str] = set()
    for payload in payloads:
        verdicts[payload.verdict] += 1
        rules |= payload.broken
        ways.add(payload.defect or "")
    told = [(sum(verdicts.values()), "payloads"), *((count, verdict) for verdict, count in sorted(verdicts.items()))]
    for count, what in [*told, (len(ways - {""}), "ways to break one"), (len(rules), "rules broken")]:
        yield f"{count:>8,}  {what}\n".encode()


FORMATS: Mapping[str, Writer] = {
    "ndjson": partial(_lines, _described),
    "json": partial(_array, _described),
    "bodies": partial(_lines, _body),
    "bundle": partial(_bundle, "collection"),
    "transaction": partial(_bundle, "transaction"),
    "counts": _counts,
}
"""The formats by name: a described payload a line; a list of them; the bodies alone, one a line; a FHIR Bundle of the bodies,
as a collection or as a transaction; or only how many there are of each sort."""

PARTIAL = frozenset({"bodies", "bundle", "transaction"})
"""The formats in which not every payload can be written."""
