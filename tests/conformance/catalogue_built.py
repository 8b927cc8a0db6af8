"""The catalogue of what services do with wrong and odd requests, and the way in which each of those requests is made here.

What is in `catalogue.jsonl` was found without the rules of this project (SOURCES.md). `catalogue-map.yaml` says how the same
request is made: from a made-up one, by a generated edit where there is one. So a label is held against what was seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from mocksandbox import Response, Sandbox, open_provider
from mocksandbox.contract import read_mapping
from mocksandbox.generators import Cell, Payload, cells, payload_of
from mocksandbox.generators.broken import Source, whole
from mocksandbox.generators.build import templates
from mocksandbox.generators.payload import BYTES
from mocksandbox.provider import Provider
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import change, drop, put
from mocksandbox.store import MemoryStore
from tests.laws.harness import Told

HERE = Path(__file__).parent
SEED = 0
_BY_HAND = "by hand"
_METHODS = {"create": ("POST",), "update": ("PUT", "PATCH"), "delete": ("DELETE",)}


@dataclass(frozen=True)
class Entry:
    """One request and what is known of it. `expect` is `rejected`, `accepted` or `must_not_crash`; `status` and `code` are as
    known: several separated by `|`, `4xx` for any of these, `any<500`. `source` says how it is known.
    """

    id: str
    what: str
    expect: str
    status: str
    code: str
    source: str

    @property
    def family(self) -> str:
        """The API that it is about: the first part of the id."""
        return self.id.partition(".")[0]

    def has_status(self, status: int) -> bool:
        """Whether an answer's status is as known."""
        ranges = {"any<500": range(200, 500), "4xx": range(400, 500), "2xx": range(200, 300)}
        return any(status in ranges.get(each, (int(each),) if each.isdigit() else ()) for each in self.status.split("|"))

    def has_code(self, *codes: str) -> bool:
        """Whether one of an answer's codes is as known."""
        return not self.code or not set(self.code.split("|")).isdisjoint(codes)


@cache
def entries() -> tuple[Entry, ...]:
    """The whole catalogue."""
    lines = (json.loads(line) for line in (HERE / "catalogue.jsonl").read_text("utf-8").splitlines())
    return tuple(Entry(e["id"], e["what"], e["expect"], e["status"], e["code"], e["from"]) for e in lines)


@dataclass(frozen=True)
class Built:
    """The request of an entry, made. `cell` is how; its `needs` are the steps that go before it."""

    entry: Entry
    provider: Provider
    operation: str
    cell: Cell

    @property
    def by_hand(self) -> bool:
        """Whether the edit is our own, and none that payloads are broken by."""
        return self.cell.name == _BY_HAND

    @property
    def base(self) -> Attempt:
        """The made-up request that is edited."""
        return _made_up(self.provider.name, self.operation)

    def payload(self) -> Payload:
        """The request with its label."""
        return payload_of(self.provider, self.operation, self.cell, SEED)

    def answer(self) -> Response:
        """The mock's answer in a world of its own, after the steps that it needs."""
        told = Told()
        provider = replace(self.provider, authority=lambda _: told)  # type: ignore[arg-type,return-value]  # as in the laws
        sandbox = Sandbox(provider, "integration", MemoryStore(provider.seeds()))
        if not self.cell.needs:
            return _sent(sandbox, told, self.cell.attempt())
        record, id, version = None, "", 0
        for step in self.cell.needs:
            operation = _operation_of(self.provider, self.operation, step)
            attempt = self._about(operation, record, id, version)
            answer = _sent(sandbox, told, attempt)
            assert answer.status < 300, (self.entry.id, step, answer.body)
            record = record or attempt.body
            id = answer.headers.get("Location", id).rpartition("/")[2]
            version += 1
        assert self.cell.rule is not None, "only rules' defects need steps"
        name = self.cell.name.rpartition("/")[2]
        defect = next(defect for defect in self.cell.rule.defects if defect.name == name)
        return _sent(sandbox, told, defect.apply(self._about(self.operation, record, id, version)))

    def _about(self, operation: str, record: Any, id: str, version: int) -> Attempt:
        """The made-up request of an operation; about the record that was made before, if one was."""
        attempt = _made_up(self.provider.name, operation)
        if not id or self.provider.about is None:
            return attempt
        if isinstance(attempt.body, dict) and "id" in attempt.body:
            attempt = attempt.with_body({**record, "id": id})
        return self.provider.about(attempt, id, version)


def made(name: str) -> Iterator[Built]:
    """Every entry about a provider with its requests: most have one."""
    known = {entry.id: entry for entry in entries()}
    for reference in references(name):
        for id, way in _map()[reference].items():
            for each in way if isinstance(way, list) else [way]:
                operation = reference.partition("/")[2]
                yield Built(known[id], open_provider(name), operation, _cell(name, operation, each))


def made_ids(name: str) -> list[str]:
    """The ids of the entries that are made by a provider's requests."""
    return [id for reference in references(name) for id in _map()[reference]]


def references(name: str = "") -> list[str]:
    """The operations, of one provider or of all, that requests are made for: `nhs/createImmunization`."""
    return [reference for reference in _map() if not name or reference.startswith(f"{name}/")]


@cache
def _map() -> Mapping[str, Any]:
    return read_mapping(HERE / "catalogue-map.yaml")


@cache
def _made_up(name: str, operation: str) -> Attempt:
    """A made-up valid request: nothing in it is from the document's examples but its shape."""
    return whole(templates(name, operation)[0], SEED)


@cache
def _cells(name: str, operation: str, source: Source) -> Mapping[str, Cell]:
    return {cell.name: cell for cell in cells(open_provider(name), operation, SEED, sources=[source])}


def _source_of(name: str, way: str) -> Source:
    """The source of a cell: only that is asked for it."""
    if way.startswith(BYTES):
        return "bytes"
    if way.startswith(("query", "header:", "path:")):
        return "parameters"
    return "rules" if any(rule.id == way.rpartition("/")[0] for rule in open_provider(name).catalogue) else "edits"


def _cell(name: str, operation: str, way: Any) -> Cell:
    """A generated cell by its name, the defect of a rule that no cell is made of (it is about the caller, or needs steps), or
    an edit of our own.

    Raises:
        LookupError: there is no such cell or defect.
    """
    base = _made_up(name, operation)
    if isinstance(way, dict):
        return Cell("edits", _BY_HAND, _edited(base, way))
    source = _source_of(name, way)
    found = _cells(name, operation, source).get(way)
    if found is not None:
        return found
    if source != "rules":
        raise LookupError(f"{name}/{operation} has no cell {way!r}")
    rule_id, _, defect_name = way.rpartition("/")
    rule = open_provider(name).catalogue[rule_id]
    defect = next((defect for defect in rule.defects if defect.name == defect_name), None)
    if defect is None:
        raise LookupError(f"{rule_id} has no defect {defect_name!r}")
    return Cell("rules", way, lambda: defect.apply(base), rule, needs=defect.needs)


def _edited(base: Attempt, way: Mapping[str, Any]) -> Callable[[], Attempt]:
    """The edits of `catalogue-map.yaml`, which tells what they are."""

    def make_it() -> Attempt:
        made = base
        for path, value in way.get("with", ()):
            made = made.with_body(put(made.body, tuple(path), _value(value)))
        for path in way.get("without", ()):
            made = made.with_body(drop(made.body, tuple(path)))
        if "twice" in way:
            *path, index = way["twice"]
            made = made.with_body(change(made.body, tuple(path), lambda items: [*items, items[index]]))
        if "nested" in way:
            path, depth = way["nested"]
            mark = f"nested-{depth}"
            made = made.with_body(put(made.body, tuple(path), mark))
            made = made.with_raw(made.request.body.replace(f'"{mark}"'.encode(), b"[" * depth + b"]" * depth))
        if "padded" in way:
            made = made.with_raw(made.request.body.ljust(way["padded"]))
        if "query" in way:
            made = made.with_query(tuple((name, value) for name, value in way["query"]))
        return made

    return make_it


def _value(value: Any) -> Any:
    """A value; `{characters: n}` is a text of that length, of the letter a or of another character."""
    if isinstance(value, dict) and "characters" in value:
        return str(value.get("of", "a")) * int(value["characters"])
    return value


def _operation_of(provider: Provider, operation: str, step: str) -> str:
    """The operation that does a step: the one that is tried, or the provider's first of the method."""
    methods = _METHODS[step]
    found = [each for each in provider.contract.operations if each.method in methods]
    creates = [each for each in found if step != "create" or "201" in each.answers]
    return next((each.id for each in creates if each.id == operation), creates[0].id)


def _sent(sandbox: Sandbox, told: Told, attempt: Attempt) -> Response:
    told.caller, told.refusal = attempt.caller, attempt.refusal
    return sandbox.handle(attempt.request)
