"""Requests that are nearly broken, or merely unusual: beside each limit, beside each code, and each unusual value once.

A server that refuses too much is found by what stands just inside. Every request is labelled by the rules like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson

from mocksandbox.exchange import Pairs
from mocksandbox.fhir.strict.definitions import definitions, resource_types
from mocksandbox.fhir.strict.terminology import codes_of
from mocksandbox.fuzz.lifecycle.compare import differences
from mocksandbox.generators import Cell, cells, kinds
from mocksandbox.generators.broken import whole
from mocksandbox.generators.build import FORM, Template, templates
from mocksandbox.generators.draw import seeded
from mocksandbox.generators.paths import replaced
from mocksandbox.generators.samples import Made, make
from mocksandbox.provider import Provider
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING, Path, fhirpath, get, walk

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

MOST_CODES = 12
"""How many other codes of a value set are tried in the place of one."""


def near_cells(provider: Provider, operation: str, seed: int) -> Iterator[Cell]:
    """Every such request of an operation, each change once."""
    known = templates(provider.name, operation)
    bases = [whole(template, seed) for template in known]
    yield from _same_days(bases)
    if not any(isinstance(base.body, dict) for base in bases):
        return
    seen: set[str] = set()
    for cell in (*_unusual(known, bases, seed), *_codes(bases), *_lists(bases), *_limits(provider, operation, bases, seed)):
        if cell.name not in seen:
            seen.add(cell.name)
            yield cell


def _unusual(known: tuple[Template, ...], bases: list[Attempt], seed: int) -> Iterator[Cell]:
    """Each unusual value of each kind in the template."""
    table = kinds()
    for template, base in zip(known, bases, strict=True):
        for kind in sorted(template.kinds):
            for number, value in enumerate(table[kind].unusual):
                yield Cell("edits", f"unusual {kind} {number}", _filled(template, base, seed, kind, value))


def _filled(template: Template, base: Attempt, seed: int, kind: str, value: Any) -> Callable[[], Attempt]:
    def make_it() -> Attempt:
        made = make((template,), seeded(seed), "full")
        request = Made(template, {**made.values, kind: value}, ()).payload(seed).request
        return replace(base, request=request)

    return make_it


def _same_days(bases: list[Attempt]) -> Iterator[Cell]:
    for number, base in enumerate(bases):
        for day, make_it in same_days(base):
            yield Cell("parameters", f"{number}: every day {day}", make_it)


def same_days(base: Attempt) -> Iterator[tuple[str, Callable[[], Attempt]]]:
    """A search between two days as searches from a day to the same day."""
    posted = base.request.method == "POST" and base.request.media_type == FORM
    pairs = parse_qsl(base.request.body.decode()) if posted else list(base.request.query)
    days = dict.fromkeys(value for _, value in pairs if _DAY.fullmatch(value))
    for day in days if len(days) > 1 else ():
        same = tuple((name, day if _DAY.fullmatch(value) else value) for name, value in pairs)
        yield day, _searching(base, same, posted)


def _searching(base: Attempt, pairs: Pairs, posted: bool) -> Callable[[], Attempt]:
    return lambda: base.with_raw(urlencode(pairs).encode()) if posted else base.with_query(pairs)


def _limits(provider: Provider, operation: str, bases: list[Attempt], seed: int) -> Iterator[Cell]:
    """Beside each defect of a rule that changes one value: one character, one item, one number less or more."""
    for cell in cells(provider, operation, seed, sources=["rules"]):
        broken = cell.attempt()
        if not isinstance(broken.body, dict):
            continue
        base, changed = min(
            ((each, list(differences(broken.body, each.body))) for each in bases if isinstance(each.body, dict)),
            key=lambda pair: len(pair[1]),
        )
        path = changed[0][0] if len(changed) == 1 else _same_list(changed)
        for name, value in _beside(get(broken.body, path)) if path else ():
            yield Cell("edits", f"{fhirpath(path)} near {cell.name.rpartition('/')[2]}: {name}", _edited(base, path, value))


def _same_list(changed: list[tuple[Path, str]]) -> Path:
    """The list whose items are all that changed; the empty path when there is none."""
    holders = {path[:-1] for path, _ in changed if path and isinstance(path[-1], int)}
    return next(iter(holders)) if len(holders) == 1 and len(changed) > 1 else ()


def _beside(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, str) and len(value) > 1:
        yield "one shorter", value[:-1]
    elif type(value) is int:
        yield "one less", value - 1
        yield "one more", value + 1
    elif isinstance(value, list) and len(value) > 1:
        yield "one fewer", value[:-1]
    if isinstance(value, list) and any(isinstance(item, str) and len(item) > 1 for item in value):
        yield "items one shorter", [item[:-1] if isinstance(item, str) else item for item in value]


def _codes(bases: list[Attempt]) -> Iterator[Cell]:
    """The other codes of the value sets that FHIR binds elements to."""
    for base in bases:
        body = base.body
        kind = body.get("resourceType") if isinstance(body, dict) else None
        for path, name in _bound(body, str(kind), ()) if kind in resource_types() else ():
            for code in [each for each in codes_of(name) if each != get(body, path)][:MOST_CODES]:
                yield Cell("edits", f"{fhirpath(path, str(kind))}/code {code}", _edited(base, path, code))


def _bound(value: Any, type_name: str, path: Path) -> Iterator[tuple[Path, str]]:
    """The places of codes that must be of a value set, with its name."""
    table = definitions(type_name)
    for name, item in value.items() if isinstance(value, dict) else ():
        element = table.get(name)
        if element is None:
            continue
        for index, each in enumerate(item) if isinstance(item, list) else [(None, item)]:
            below: Path = (*path, name) if index is None else (*path, name, index)
            if element.type == "code" and element.required and isinstance(each, str):
                yield below, element.required
            elif isinstance(each, dict):
                inner = str(each.get("resourceType")) if element.type == "Resource" else element.type
                if element.type != "Resource" or inner in resource_types():
                    yield from _bound(each, inner, below)


def _lists(bases: list[Attempt]) -> Iterator[Cell]:
    """Each list with one item more, like its last, and with one fewer."""
    for base in bases:
        for path, value in walk(base.body) if isinstance(base.body, dict) else ():
            if isinstance(value, list) and value:
                yield Cell("edits", f"{fhirpath(path)} one more", _edited(base, path, [*value, value[-1]]))
                if len(value) > 1:
                    yield Cell("edits", f"{fhirpath(path)} one fewer", _edited(base, path, value[:-1]))


def _edited(base: Attempt, path: Path, value: Any) -> Callable[[], Attempt]:
    def make_it() -> Attempt:
        body = orjson.loads(base.request.body)
        if get(body, path) is MISSING and path and isinstance(path[-1], int):
            get(body, path[:-1]).append(value)
        else:
            replaced(body, path, value)
        return replace(base, request=base.request.with_json(body))

    return make_it
