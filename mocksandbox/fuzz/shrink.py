"""Making an example small: elements that do not matter are left out, and a life is cut short."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from mocksandbox import codec
from mocksandbox.fuzz.execute import Result, body_of, execute, send_payload
from mocksandbox.fuzz.lifecycle.compare import differences
from mocksandbox.fuzz.lifecycle.plan import CREATE
from mocksandbox.fuzz.model import Flaw
from mocksandbox.fuzz.pair import Pair
from mocksandbox.fuzz.plan import Planned
from mocksandbox.fuzz.reference import Reference
from mocksandbox.generators import Payload
from mocksandbox.generators.build import templates
from mocksandbox.generators.labels import label, new_records
from mocksandbox.generators.paths import pruned
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING, Path, fhirpath, get

MOST_REQUESTS = 40
"""The most requests that one example may cost."""

MOST_CHANGES = 20


def smallest(pair: Pair, twin: Reference, cell: Planned, result: Result, flaw: Flaw) -> Result:
    """The smallest result that still has the flaw; the one given when it has none smaller."""
    if cell.sequence is not None:
        return _shortest(pair, twin, cell, result, flaw)
    payload = result.case.payload
    if payload is None or not isinstance(body_of(payload), dict) or payload.verdict == "either":
        return result
    before = pair.requests
    while pair.requests - before < MOST_REQUESTS - 2:
        paths = _removable(pair, cell, payload)
        smaller = _without(pair, cell, payload, paths)
        if smaller is None:
            return result
        tried = send_payload(pair, cell, smaller)
        if any(each.identity == flaw.identity for each in tried.verdict.flaws):
            return tried
        # Some of what was left out matters: halve it until what is left out does not.
        return _halved(pair, cell, payload, paths, result, flaw, before)
    return result


def _halved(pair: Pair, cell: Planned, payload: Payload, paths: list[Path], result: Result, flaw: Flaw, before: int) -> Result:
    left, best = [paths], result
    out: list[Path] = []
    while left and pair.requests - before < MOST_REQUESTS - 2:
        part = left.pop(0)
        smaller = _without(pair, cell, payload, [*out, *part])
        tried = send_payload(pair, cell, smaller) if smaller is not None else None
        if tried is not None and any(each.identity == flaw.identity for each in tried.verdict.flaws):
            best = tried
            out += part
        elif len(part) > 1:
            left += [part[: len(part) // 2], part[len(part) // 2 :]]
    return best


def _shortest(pair: Pair, twin: Reference, cell: Planned, result: Result, flaw: Flaw) -> Result:
    """The shortest life: each action left out in turn."""
    assert cell.sequence is not None
    sequence, before = cell.sequence, pair.requests
    shorter = True
    while shorter and pair.requests - before < MOST_REQUESTS - 12:
        shorter = False
        for index in range(len(sequence.actions)):
            actions = sequence.actions[:index] + sequence.actions[index + 1 :] or (CREATE,)
            if actions == sequence.actions or pair.requests - before >= MOST_REQUESTS - 12:
                continue
            tried = execute(pair, replace(cell, sequence=replace(sequence, actions=actions)), twin)
            if any(each.identity == flaw.identity for each in tried.verdict.flaws):
                sequence, result, shorter = replace(sequence, actions=actions), tried, True
                break
    return result


def _label_of(pair: Pair, cell: Planned, payload: Payload, body: Any) -> Payload:
    provider = pair.provider
    request = replace(payload.request, body=codec.dumps(body))
    match = provider.contract.router.find(request.method, request.path)
    truth = label(provider, Attempt(request, provider.contract, match, records=new_records(provider.name)))
    return replace(payload, request=request, verdict=truth.verdict, broken=truth.broken, expected=truth.expected)


def _removable(pair: Pair, cell: Planned, payload: Payload) -> list[Path]:
    """The optional elements of the operation's templates that stand in the body, and whose absence changes no truth."""
    body = body_of(payload)
    known = {path for template in templates(pair.provider.name, cell.operation) for path in template.optional}
    paths = [path for path in sorted(known, key=len) if get(body, path) is not MISSING]
    kept: list[Path] = []
    for path in paths:
        if not any(path[: len(other)] == other for other in kept) and _same(pair, cell, payload, [*kept, path]):
            kept.append(path)
    return kept


def _pruned(payload: Payload, paths: Iterable[Path]) -> Any:
    body = body_of(payload)
    # Later indices first, so that earlier ones still stand where they stood.
    for path in sorted(paths, key=lambda each: [(isinstance(key, int), str(key)) for key in each], reverse=True):
        pruned(body, path)
    return body


def _same(pair: Pair, cell: Planned, payload: Payload, paths: list[Path]) -> bool:
    truth = _label_of(pair, cell, payload, _pruned(payload, paths))
    return (truth.verdict, truth.broken) == (payload.verdict, payload.broken)


def _without(pair: Pair, cell: Planned, payload: Payload, paths: list[Path]) -> Payload | None:
    if not paths:
        return None
    smaller = _label_of(pair, cell, payload, _pruned(payload, paths))
    return smaller if (smaller.verdict, smaller.broken) == (payload.verdict, payload.broken) else None


def changed_places(pair: Pair, cell: Planned, result: Result) -> tuple[tuple[str, Any, Any], ...]:
    """How the body that was sent differs from the nearest valid one, as (place, valid value, sent value), with `MISSING` for
    what is not there. What was left out to make the example small is no difference: where the body is not what is wrong, as of
    a header or a route, there is none.
    """
    payload = result.case.payload
    if payload is None or payload.verdict == "must-accept":
        return ()
    body = body_of(payload)
    if not isinstance(body, dict):
        return ()
    optional = {path for template in templates(pair.provider.name, cell.operation) for path in template.optional}
    # What the cell was made with, before it was made small: what is missing from it is missing on purpose.
    made = body_of(cell.make()) if cell.make is not None else body
    found = []
    for base in pair.bases(cell.operation, cell.seed):
        if isinstance(base.body, dict):
            changes = [each for each in _changes(base.body, made) if each[2] is MISSING or get(body, each[0]) is not MISSING]
            found.append([each for each in changes if each[0] not in optional or each[2] is not MISSING] or changes)
    nearest = min(found, key=len, default=[])
    return tuple((fhirpath(path), valid, sent) for path, valid, sent in nearest[:MOST_CHANGES])


def _changes(valid: Any, sent: Any) -> Iterator[tuple[Path, Any, Any]]:
    for path, _ in differences(sent, valid):
        yield path, get(valid, path), get(sent, path)
