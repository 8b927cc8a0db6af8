"""The plan of a campaign: every cell, numbered, from the catalogue, the document and a seed, the most telling first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

from mocksandbox.errors import UsageError
from mocksandbox.fuzz.lifecycle.plan import Sequence, sequences
from mocksandbox.fuzz.near import near_cells
from mocksandbox.fuzz.records import record_kinds
from mocksandbox.generators import Cell, Payload, cells, payload_of, payloads
from mocksandbox.generators.broken import cells_of_rule
from mocksandbox.generators.build import main_operation
from mocksandbox.provider import Provider
from mocksandbox.rules.attempt import Caller

MOST_EDITS, MOST_NEAR, MOST_PAIRS, MOST_RANDOM = 400, 60, 300, 600
"""How many edits of an operation that is not the main one, generic and near limits; pairs and random cells in all."""

EARLY = 10
"""Every so many of the lives that begin with a refusal is led early."""

UNUSUAL = 25
"""How many unusual valid requests of each operation with a body."""


@dataclass(frozen=True)
class Planned:
    """A cell that is not yet made. `make` makes its payload; a lifecycle has a `sequence` in its place. `needs` are the steps
    that must have been done to the record that it is about. `caller` is a header with which it is asked as somebody, and its
    value.
    """

    number: int
    source: str
    name: str
    operation: str
    make: Callable[[], Payload] | None = None
    rule: str = ""
    needs: tuple[str, ...] = ()
    sequence: Sequence | None = None
    seed: int = 0
    caller: tuple[str, str] | None = None


Callers = tuple[tuple[str, str], ...]
"""Headers with the values by which a target knows who asks."""


def plan(provider: Provider, seed: int, callers: Callers = ()) -> tuple[Planned, ...]:
    """Every cell of a campaign in order. The same provider, profile and seed give the same cells under the same numbers.

    Raises:
        UsageError: the provider has no valid requests to start from.
    """
    if provider.valid is None:
        raise UsageError(f"{provider.name} has no valid requests to start from.")
    lives = list(_lives(provider))
    refused = [each for each in lives if each.name.partition(" ")[2].startswith("refused")]
    early = [each for each in lives if each.sequence and _is_early(each.sequence)] + refused[::EARLY]
    late = [each for each in lives if each not in early]
    first, others = _rules(provider, seed)
    listed = [
        *_smoke(provider, seed),
        *first,
        *early,
        *_must_accept(provider, seed),
        *_near(provider, seed),
        *others,
        *_generic(provider, seed, "bytes"),
        *_generic(provider, seed, "parameters"),
        *_edits(provider, seed),
        *_sampled(list(_generic(provider, seed, "pairs")), MOST_PAIRS, seed),
        *late,
        *_random(provider, seed),
        *_as_callers(provider, seed, callers),
    ]
    return tuple(replace(each, number=number) for number, each in enumerate(listed))


def _operations(provider: Provider) -> list[str]:
    return [each.id for each in provider.contract.operations]


def _valid(provider: Provider, source: str, operation: str, seed: int, style: str) -> Planned:
    def make() -> Payload:
        return next(iter(payloads(f"{provider.name}/{operation}", 1, seed, style=style)))  # type: ignore[arg-type]

    return Planned(0, source, f"{style} {seed}", operation, make, seed=seed)


def _smoke(provider: Provider, seed: int) -> Iterator[Planned]:
    for operation in _operations(provider):
        for style in ("full", "typical", "minimal"):
            yield _valid(provider, "smoke", operation, seed, style)


def _of(provider: Provider, operation: str, cell: Cell, seed: int, source: str) -> Planned:
    return Planned(
        0,
        source,
        cell.name,
        operation,
        lambda: payload_of(provider, operation, cell, seed),
        cell.rule.id if cell.rule is not None else "",
        cell.needs,
        seed=seed,
    )


def _rules(provider: Provider, seed: int) -> tuple[list[Planned], list[Planned]]:
    """Every defect of every rule on every operation: the first of each, so that a short campaign has tried them all; and the
    others.
    """
    first: list[Planned] = []
    others: list[tuple[int, Planned]] = []
    for operation in _operations(provider):
        of_rule: Counter[str] = Counter()
        own = (_of(provider, operation, cell, seed, "rules") for cell in cells(provider, operation, seed, sources=["rules"]))
        for each in (*own, *_stateful_rules(provider, operation, seed)):
            if each.rule not in of_rule:
                first.append(each)
            else:
                others.append((of_rule[each.rule], each))
            of_rule[each.rule] += 1
    return first, [each for _, each in sorted(others, key=lambda pair: pair[0])]


def _stateful_rules(provider: Provider, operation: str, seed: int) -> Iterator[Planned]:
    """The defects that need a record in some state. What only another caller can do is not sent."""
    for rule in provider.catalogue:
        if not any(defect.needs for defect in rule.defects) or (rule.operations and operation not in rule.operations):
            continue
        try:
            found = cells_of_rule(provider, operation, rule, seed)
        except UsageError:
            continue
        for cell in found:
            if cell.needs and "create-many" not in cell.needs and cell.attempt().caller == Caller():
                yield _of(provider, operation, cell, seed, "rules")


def _must_accept(provider: Provider, seed: int) -> Iterator[Planned]:
    for each in provider.contract.operations:
        for number in range(UNUSUAL if each.bodies else 4):
            yield _valid(provider, "must-accept", each.id, seed + number, "unusual")


def _near(provider: Provider, seed: int) -> Iterator[Planned]:
    """What is just inside a limit: all of the main operation, of the others a sample."""
    main = main_operation(provider)
    for operation in _operations(provider):
        found = [
            _of(provider, operation, replace(cell, rule=None), seed, "edits") for cell in near_cells(provider, operation, seed)
        ]
        yield from found if operation == main else _sampled(found, MOST_NEAR, seed)


def _generic(provider: Provider, seed: int, source: str) -> Iterator[Planned]:
    for operation in _operations(provider):
        for cell in cells(provider, operation, seed, sources=[source]):  # type: ignore[list-item]
            yield _of(provider, operation, cell, seed, source)


def _edits(provider: Provider, seed: int) -> Iterator[Planned]:
    """Every edit of the main operation's plainest request, of the other templates what stands in no earlier one; of the other
    operations a sample. In the order of a seed, so that a campaign that is cut short has seen something of every place.
    """
    main = main_operation(provider)
    chosen: list[Planned] = []
    for operation in _operations(provider):
        seen: set[str] = set()
        new: list[Planned] = []
        for cell in cells(provider, operation, seed, sources=["edits"]):
            name = cell.name.partition(":")[2] if cell.name[:1].isdigit() else cell.name
            if name not in seen:
                seen.add(name)
                new.append(_of(provider, operation, cell, seed, "edits"))
        chosen += new if operation == main else _sampled(new, MOST_EDITS, seed)
    yield from Random(seed).sample(chosen, len(chosen))


def _sampled(planned: list[Planned], most: int, seed: int) -> list[Planned]:
    return planned if len(planned) <= most else Random(seed).sample(planned, most)


def _as_callers(provider: Provider, seed: int, callers: Callers) -> Iterator[Planned]:
    """Every valid request as each caller: last, so that the numbers of the other cells are the same without."""
    for header, value in callers:
        for operation in _operations(provider):
            cell = _valid(provider, "lifecycle", operation, seed, "full")
            yield replace(cell, name=f"as {header}: {value}", caller=(header, value))


def _is_early(sequence: Sequence) -> bool:
    """Whether a life is one of those that a short campaign leads: of one or two changes, none of which has to be refused."""
    first, *others = sequence.actions
    return len(others) <= 1 and not first.startswith("refused")


def _lives(provider: Provider) -> Iterator[Planned]:
    if not provider.profile(None).remembers or provider.about is None:
        return
    for number, kind in enumerate(record_kinds(provider)):
        for sequence in sequences(provider, kind, longest=3 if number == 0 else 1):
            yield Planned(0, "lifecycle", sequence.name, kind.create, sequence=sequence)


def _random(provider: Provider, seed: int) -> Iterator[Planned]:
    """Rules once more on other made-up bodies, those first of which the plan has few cells; and more valid requests."""
    draw = Random(seed)
    pool: list[tuple[float, Planned]] = []
    for other in (seed + 1_000, seed + 2_000):
        for operation in _operations(provider):
            found = [
                _of(provider, operation, cell, other, "random")
                for cell in cells(provider, operation, other, sources=["rules"])
            ]
            of_rule: dict[str, int] = {}
            for each in found:
                of_rule[each.rule] = of_rule.get(each.rule, 0) + 1
            pool += [(draw.random() ** of_rule[each.rule], each) for each in found]
    pool += [
        (draw.random(), _valid(provider, "random", operation, seed + 5_000 + number, "mixed"))
        for operation in _operations(provider)
        for number in range(10)
    ]
    pool.sort(key=lambda each: -each[0])
    yield from (each for _, each in pool[:MOST_RANDOM])
