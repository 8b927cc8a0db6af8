"""What a test asks of the journal: which requests came, and whether they are the right ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mocksandbox.consumer.difference import Difference, differences
from mocksandbox.exchange import Headers
from mocksandbox.journal import Entry
from mocksandbox.provider import Provider
from mocksandbox.rules.places import MISSING

_SHOWN = 3
"""How many requests that came near are shown."""


@dataclass(frozen=True)
class Call:
    """One request that came, with its answer."""

    entry: Entry

    @property
    def number(self) -> int:
        """Its place among the test's requests, from 1."""
        return self.entry.number

    @property
    def operation(self) -> str:
        """The id of the operation, `""` when it is for none."""
        return self.entry.operation

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.entry.exchange.response.status

    @property
    def json(self) -> Any:
        """The JSON body, None when there is none or it cannot be read."""
        return _json(self.entry.exchange.request.json)

    @property
    def answer(self) -> Any:
        """The JSON body of the answer, None when there is none."""
        return _json(self.entry.exchange.response.json)

    @property
    def query(self) -> Mapping[str, list[str]]:
        """The parameters of the query, each with its values."""
        found: dict[str, list[str]] = {}
        for name, value in self.entry.exchange.request.query:
            found.setdefault(name, []).append(value)
        return found

    @property
    def headers(self) -> Headers:
        """The request's headers."""
        return self.entry.exchange.request.headers

    def __str__(self) -> str:
        request = self.entry.exchange.request
        return f"#{self.number} {request.method} {request.path} -> {self.status}"


def _json(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ValueError:
        return None


@dataclass(frozen=True)
class Calls:
    """The requests to one provider in one test, since its last reset. `wait` makes sure that those in flight are there."""

    provider: Provider
    entries: Callable[[], list[Entry]]
    wait: Callable[[], object]

    def __iter__(self) -> Iterator[Call]:
        self.wait()
        return (Call(entry) for entry in self.entries() if entry.provider)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def of(self, operation: str = "") -> list[Call]:
        """The calls of an operation, oldest first; all when it is empty.

        Raises:
            UsageError: there is no such operation.
        """
        if operation and operation not in self._specials:
            self.provider.contract.operation(operation)
        return [call for call in self if not operation or call.operation == operation]

    @property
    def _specials(self) -> set[str]:
        return {path[1:] for _, path in self.provider.specials}

    def last(self, operation: str = "") -> Call:
        """The newest call, of one operation where one is named. Raises AssertionError when there is none."""
        __tracebackhide__ = True
        found = self.of(operation)
        if not found:
            raise AssertionError(self._nothing(operation))
        return found[-1]

    def near_misses(self) -> list[Call]:
        """The requests that were for no operation; `entry.near` says what they came near to."""
        self.wait()
        return [Call(entry) for entry in self.entries() if not entry.operation]

    def assert_called(
        self,
        operation: str,
        *,
        times: int | None = None,
        json: Any = MISSING,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> list[Call]:
        """That the operation was called, `times` times or at least once, with what is named: members of the JSON body, values
        of the query and headers, the status that was answered. Gives the calls that are as described.

        Raises AssertionError otherwise, with the calls that came near and the fields in which they differ; UsageError when
        there is no such operation.
        """
        __tracebackhide__ = True
        judged = [(call, list(_unlike(call, json, query, headers, status))) for call in self.of(operation)]
        right = [call for call, unlike in judged if not unlike]
        if len(right) == times or (times is None and right):
            return right
        if not judged and times != 0:
            raise AssertionError(self._nothing(operation))
        called = f"called {_count(len(right))}" if right else "never called"
        wanted = "at least once" if times is None else _count(times)
        raise AssertionError("\n".join([f"{operation} was {called} as described, expected {wanted}.", *self._near(judged)]))

    def assert_not_called(self, operation: str = "") -> None:
        """That the operation was not called, nor any when it is empty. Raises AssertionError otherwise."""
        __tracebackhide__ = True
        found = self.of(operation)
        if found:
            raise AssertionError(f"{operation or self.provider.name} was called: {'; '.join(map(str, found[:_SHOWN]))}")

    def assert_sequence(self, *operations: str, exact: bool = False) -> None:
        """That these operations were called in this order; with `exact`, and no others. Raises AssertionError otherwise."""
        __tracebackhide__ = True
        for operation in operations:
            self.provider.contract.operation(operation)
        called = [call.operation for call in self]
        left = iter(called)
        right = called == list(operations) if exact else all(operation in left for operation in operations)
        if not right:
            raise AssertionError(f"The order was {' -> '.join(called) or 'empty'}, not {' -> '.join(operations)}.")

    def _near(self, judged: list[tuple[Call, list[Difference]]]) -> Iterator[str]:
        """What came near: the calls of the operation with the fewest differences first, else what was called at all."""
        for call, unlike in sorted(judged, key=lambda each: len(each[1]))[:_SHOWN]:
            yield f"{call}  {'is as described' if not unlike else ''}".rstrip()
            for difference in unlike[:_SHOWN]:
                yield f"     {difference}"
            if len(unlike) > _SHOWN:
                yield f"     … and {len(unlike) - _SHOWN} more fields"

    def _nothing(self, operation: str) -> str:
        called = [str(call) + (f" ({call.operation})" if call.operation else "") for call in self]
        says = f"{operation or self.provider.name} was not called"
        return f"{says}; what was: {'; '.join(called[-_SHOWN:])}" if called else f"{says}, nor anything else."


def _count(times: int) -> str:
    return "never" if times == 0 else "once" if times == 1 else f"{times} times"


def _unlike(
    call: Call, json: Any, query: Mapping[str, Any] | None, headers: Mapping[str, str] | None, status: int | None
) -> Iterator[Difference]:
    """Where a call is not as described."""
    if json is not MISSING:
        yield from differences(json, call.json)
    for name, wanted in (query or {}).items():
        found = call.query.get(name, [])
        if found != (wanted if isinstance(wanted, list) else [wanted]):
            yield Difference(f"query:{name}", wanted, found[0] if len(found) == 1 else found or MISSING)
    for name, wanted in (headers or {}).items():
        if call.headers.get(name) != wanted:
            yield Difference(f"header:{name}", wanted, call.headers.get(name, MISSING))
    if status is not None and call.status != status:
        yield Difference("status", status, call.status)
