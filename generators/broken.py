"""Requests that are broken on purpose, each labelled with the truth: the rules that it breaks and the answer that it must get.

They come from five sources: the rules' own defects, generic edits of every value of the body, edits of parameters and headers,
bodies broken as bytes, and pairs of defects. Not every edit breaks something: what the API takes is labelled so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import islice
from random import Random
from typing import Any, Literal

import orjson

from mocksandbox.errors import UsageError
from mocksandbox.generators.build import Template, split_reference, templates
from mocksandbox.generators.days import AS_OF
from mocksandbox.generators.draw import seeded
from mocksandbox.generators.labels import Label, label, new_records
from mocksandbox.generators.operators import edits_of
from mocksandbox.generators.parameters import parameter_edits
from mocksandbox.generators.paths import replaced
from mocksandbox.generators.payload import BYTES, Expected, Payload
from mocksandbox.generators.raw import RAWS, Raw
from mocksandbox.generators.samples import Made, make
from mocksandbox.provider import Provider
from mocksandbox.rules import Defect, Rule
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import fhirpath, walk

Source = Literal["rules", "edits", "parameters", "bytes", "pairs"]
SOURCES: tuple[Source, ...] = ("rules", "edits", "parameters", "bytes", "pairs")
"""Where broken requests come from."""


@dataclass(frozen=True)
class Cell:
    """One way to break one request, not yet done. `name` says the place and the way; `rule` is the one whose defect it is,
    None for generic edits. `attempt` makes the broken attempt. `legal` is false when what is sent is no right JSON, whatever
    the rules say of it. `needs` are the steps after which a rule about records is broken.
    """

    source: Source
    name: str
    attempt: Callable[[], Attempt]
    rule: Rule[Attempt] | None = None
    legal: bool = True
    needs: tuple[str, ...] = ()


def broken_payloads(
    reference: str,
    count: int | None = None,
    seed: int = 0,
    *,
    rule: str | None = None,
    sources: Sequence[Source] = SOURCES,
    as_of: date = AS_OF,
) -> Iterator[Payload]:
    """Labelled requests made from the valid ones of a seed; a sample of `count`, or all, in a fixed order, when that is None.
    With `rule`, those that break it by its own defects.

    Raises:
        UsageError: there is no such provider, operation, rule or source, or no request of the operation can break the rule.
    """
    provider, operation = split_reference(reference)
    unknown = [source for source in sources if source not in SOURCES]
    if unknown:
        raise UsageError(f"No source {unknown[0]!r}.", unknown[0], SOURCES)
    if rule is not None:
        wanted = cells_of_rule(provider, operation, provider.catalogue[rule], seed, as_of)
    else:
        wanted = list(cells(provider, operation, seed, sources=sources, as_of=as_of))
    if count is not None and rule is None:
        Random(seed).shuffle(wanted)
    for cell in islice(wanted, count):
        yield payload_of(provider, operation, cell, seed)


def cells(
    provider: Provider,
    operation: str,
    seed: int = 0,
    *,
    sources: Sequence[Source] = SOURCES,
    as_of: date = AS_OF,
) -> Iterator[Cell]:
    """Every way to break an operation's requests by themselves, from one seed: a fixed order, nothing yet labelled."""
    known = templates(provider.name, operation)
    bases = [whole(template, seed, as_of) for template in known]
    for source in sources:
        if source == "rules":
            for rule in provider.catalogue:
                yield from (cell for cell in _defects(provider, operation, rule, bases) if not cell.needs)
        elif source == "pairs":
            yield from _pairs(list(cells(provider, operation, seed, sources=["rules"], as_of=as_of)), seed)
        elif source == "parameters":
            yield from _parameters(provider, bases)
        elif source == "bytes":
            yield from _bytes(bases[0])
        else:
            limits = _limits(provider.name)
            for number, base in enumerate(bases):
                yield from _edits(base, f"{number}:" if number else "", limits)


def cells_of_rule(provider: Provider, operation: str, rule: Rule[Attempt], seed: int, as_of: date = AS_OF) -> list[Cell]:
    """The ways to break one rule.

    Raises:
        UsageError: no request of the operation can break it.
    """
    bases = [whole(template, seed, as_of) for template in templates(provider.name, operation)]
    found = list(_defects(provider, operation, rule, bases))
    if not found:
        raise UsageError(f"No request of {operation} can break {rule.id}: {_why_not(provider, operation, rule)}.")
    return found


def _why_not(provider: Provider, operation: str, rule: Rule[Attempt]) -> str:
    """Why an operation's requests cannot break a rule by what is in them."""
    if rule.operations and operation not in rule.operations:
        return f"it is about {', '.join(sorted(rule.operations))}"
    if provider.default_profile not in rule.profiles:
        return f"it is a rule of the profile {' and '.join(sorted(rule.profiles))}, not of {provider.default_profile}"
    return "it is broken by who sends a request, or by how much the server reads, and not by what is sent"


def whole(template: Template, seed: int, as_of: date = AS_OF) -> Attempt:
    """The attempt of a template with everything in it, made up from a seed."""
    made: Made = make((template,), seeded(seed), "full", as_of)
    return replace(template.attempt, request=made.payload(seed).request, records=new_records(template.provider))


def payload_of(provider: Provider, operation: str, cell: Cell, seed: int) -> Payload:
    """A cell's payload, labelled."""
    broken = cell.attempt()
    truth = label(provider, broken)
    if cell.needs and cell.rule is not None and truth.verdict != "must-reject":
        rule = cell.rule
        truth = Label("must-reject", frozenset({rule.id}), Expected(rule.status, rule.issue, rule.error))
    if truth.verdict == "must-accept" and not cell.legal:
        truth = Label("either")
    return Payload(
        operation=f"{provider.name}/{operation}",
        request=broken.request,
        seed=seed,
        verdict=truth.verdict,
        broken=truth.broken,
        defect=cell.name,
        expected=truth.expected,
        needs=cell.needs,
    )


def _defects(provider: Provider, operation: str, rule: Rule[Attempt], bases: Sequence[Attempt]) -> Iterator[Cell]:
    """A rule's own defects, each on the first base that it changes. What changes only the caller is left out."""
    looked_at = any(rule in rules for _, rules in provider.catalogue.stages(operation, provider.default_profile))
    if not looked_at:
        return
    for defect in rule.defects:
        base = next((base for base in bases if defect.needs or defect.apply(base).request != base.request), None)
        if base is not None:
            name = f"{rule.id}/{defect.name}"
            yield Cell("rules", name, _applied(defect, base), rule, needs=defect.needs)


def _applied(defect: Defect[Attempt], base: Attempt) -> Callable[[], Attempt]:
    return lambda: defect.apply(base)


def _edits(base: Attempt, prefix: str, limits: tuple[Sequence[int], Sequence[int]]) -> Iterator[Cell]:
    body = base.body
    if not isinstance(body, (dict, list)):
        return
    root = str(body.get("resourceType", "")) if isinstance(body, dict) else ""
    for path, value in walk(body):
        if path:
            place = fhirpath(path, root)
            for name, new in edits_of(value, *limits):
                yield Cell("edits", f"{prefix}{place}/{name}", _edited(base, path, new))
        elif isinstance(body, dict):
            for name, new in edits_of(body):
                if isinstance(new, dict):
                    yield Cell("edits", f"{prefix}{root or 'body'}/{name}", _edited(base, (), new))


def _edited(base: Attempt, path: tuple[str | int, ...], new: Any) -> Callable[[], Attempt]:
    def make_it() -> Attempt:
        body = replaced(orjson.loads(base.request.body), path, new)
        return replace(base, request=base.request.with_json(body))

    return make_it


def _parameters(provider: Provider, bases: Sequence[Attempt]) -> Iterator[Cell]:
    seen: set[str] = set()
    for base in bases:
        for name, broken in parameter_edits(base):
            if name not in seen:
                seen.add(name)
                yield Cell("parameters", name, broken)


def _bytes(base: Attempt) -> Iterator[Cell]:
    if isinstance(base.body, (dict, list)):
        for raw in RAWS:
            yield Cell("bytes", f"{BYTES}{raw.name}", _spoiled(base, raw), legal=raw.legal)


def _spoiled(base: Attempt, raw: Raw) -> Callable[[], Attempt]:
    def make_it() -> Attempt:
        broken = base.with_raw(raw.change(base.request.body))
        for name, value in raw.headers.items():
            broken = broken.with_header(name, value)
        return broken

    return make_it


def _pairs(single: Sequence[Cell], seed: int) -> Iterator[Cell]:
    """Each defect with another one of another rule, applied one after the other."""
    order = Random(seed).sample(range(len(single)), len(single))
    for first, second in zip(single, (single[index] for index in order), strict=True):
        if first.rule is second.rule or first.rule is None or second.rule is None:
            continue
        defect = next(each for each in second.rule.defects if second.name == f"{second.rule.id}/{each.name}")
        yield Cell("pairs", f"{first.name} + {second.name}", _both(first, defect), first.rule)


def _both(first: Cell, second: Defect[Attempt]) -> Callable[[], Attempt]:
    def make_it() -> Attempt:
        once = first.attempt()
        try:
            return second.apply(once)
        except (LookupError, TypeError, AttributeError, ValueError):
            return once  # the first has taken away what the second edits

    return make_it


@cache
def _limits(name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The longest texts and lists that a provider's document speaks of."""
    from mocksandbox.provider import open_provider

    texts: set[int] = set()
    lists: set[int] = set()
    for _, value in walk(open_provider(name).contract.document):
        if isinstance(value, dict):
            texts.update(limit for limit in (value.get("maxLength"),) if type(limit) is int and 1 < limit <= 5000)
            lists.update(limit for limit in (value.get("maxItems"),) if type(limit) is int and limit <= 1000)
    return tuple(sorted(texts)), tuple(sorted(lists))
