"""How much of an API the tests have exercised: its operations, each with the answers that its document names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mocksandbox.consumer.ledger import TIMEOUT, Ledger
from mocksandbox.consumer.patterns import is_wanted, misfits
from mocksandbox.contract import Operation
from mocksandbox.provider import Provider, known_providers, open_provider


@dataclass(frozen=True)
class OperationCoverage:
    """One operation: the answers that its document names, a time-out among them, and how often each was got. What was got and
    is not named stands in `beyond`.
    """

    id: str
    title: str
    answers: Sequence[str]
    got: Mapping[str, int]

    @property
    def exercised(self) -> list[str]:
        """The named answers that were got."""
        return [answer for answer in self.answers if self.got.get(answer)]

    @property
    def missing(self) -> list[str]:
        """The named answers that never were."""
        return [answer for answer in self.answers if not self.got.get(answer)]

    @property
    def beyond(self) -> list[str]:
        """What was got and is not named."""
        return sorted(set(self.got) - set(self.answers))


@dataclass(frozen=True)
class Coverage:
    """One provider's operations."""

    provider: str
    title: str
    operations: Sequence[OperationCoverage]

    @property
    def exercised(self) -> list[OperationCoverage]:
        """The operations that were called."""
        return [operation for operation in self.operations if operation.got]

    @property
    def never(self) -> list[str]:
        """The ids of those that never were."""
        return [operation.id for operation in self.operations if not operation.got]

    @property
    def answers(self) -> tuple[int, int]:
        """How many answers were got, and how many are named."""
        got = sum(len(operation.exercised) for operation in self.operations)
        return got, sum(len(operation.answers) for operation in self.operations)

    @property
    def percent(self) -> float:
        """The part of the named answers that was got."""
        return _percent(*self.answers)


def _percent(got: int, of: int) -> float:
    return 100.0 * got / of if of else 0.0


def coverages(ledger: Ledger, wanted: Sequence[str] = ()) -> list[Coverage]:
    """The coverage of each provider that the tests used, and of each that a pattern names (`redox/*`); of the operations that
    the consumer is said to use. A provider none of whose operations is among these is left out.
    """
    found = [_coverage(each, ledger["exercised"].get(each.name, {}), wanted) for each in _providers(ledger, wanted)]
    return [coverage for coverage in found if coverage.operations]


def misspelt(ledger: Ledger, wanted: Sequence[str]) -> dict[str, bool]:
    """What is to be said of the patterns that fit no operation of any provider, and whether it is certain: the others may be
    of a contract folder, which only tests that did not run have opened.
    """
    used = _providers(ledger, wanted)
    names = {each.name for each in used}
    found = [(pattern, problem) for pattern in wanted for problem in misfits([pattern], *used)]
    return {problem: pattern.partition("/")[0] in names for pattern, problem in found}


def _providers(ledger: Ledger, wanted: Sequence[str]) -> list[Provider]:
    named = {pattern.partition("/")[0] for pattern in wanted} & known_providers().keys()
    references = {**dict(zip(named, named, strict=True)), **ledger["providers"]}
    return [open_provider(reference) for _, reference in sorted(references.items())]


def _coverage(provider: Provider, exercised: Mapping[str, Mapping[str, int]], wanted: Sequence[str]) -> Coverage:
    own = [operation for operation in provider.contract.operations if is_wanted(provider.name, operation.id, wanted)]
    listed = [OperationCoverage(each.id, each.title, _answers(each), exercised.get(each.id, {})) for each in own]
    return Coverage(provider.name, provider.title, listed)


def _answers(operation: Operation) -> list[str]:
    return [*sorted(status for status in operation.answers if status.isdecimal()), TIMEOUT]


def percent(all: Iterable[Coverage]) -> float:
    """The part of all named answers that was got."""
    pairs = [coverage.answers for coverage in all]
    return _percent(sum(got for got, _ in pairs), sum(of for _, of in pairs))


def as_json(ledger: Ledger, wanted: Sequence[str]) -> dict[str, Any]:
    """The coverage as JSON values."""
    found = coverages(ledger, wanted)
    return {
        "requests": ledger["requests"],
        "broken": ledger["broken"],
        "percent": round(percent(found), 2),
        "providers": {each.provider: _told(each) for each in found},
        "unused_stubs": [{"test": test, "stub": stub} for test, stub in ledger["unused"]],
    }


def _told(coverage: Coverage) -> dict[str, Any]:
    got, of = coverage.answers
    return {
        "title": coverage.title,
        "operations": {
            each.id: {"got": dict(sorted(each.got.items())), "missing": each.missing, "beyond": each.beyond}
            for each in coverage.operations
        },
        "never_exercised": coverage.never,
        "answers": {"got": got, "of": of, "percent": round(coverage.percent, 2)},
    }
