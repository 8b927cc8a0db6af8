"""What happened: every exchange with the operation it was for, what was found wrong, and what it came near to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from threading import Lock
from typing import Any

from mocksandbox.exchange import Exchange, Headers, Pairs, Request, Response
from mocksandbox.frozen import holding
from mocksandbox.rules import Finding

_SECRET = frozenset({"authorization", "apikey", "cookie", "proxy-authorization"})
"""The headers whose values are not shown."""

_USUAL_HEAD = 4096
"""Up to so many bytes, path, query and headers are in the price of an entry: a client's headers are kept once for many."""
_PAIR = 150
"""The bytes that a header or a parameter takes beside its letters."""
_FINDING = 300


@dataclass(frozen=True)
class Entry:
    """One exchange and what is known of it.

    `findings` are why it was refused; `differences` are where the published document would have refused it and the service
    does not; `bugs` are broken response rules, which are faults of the mock itself; `near` says which operations a request
    for none came near to. `scenario` and `fault` name what was asked for, if anything was.
    """

    number: int
    at: datetime
    provider: str
    operation: str
    exchange: Exchange
    tenant: str = ""
    findings: Sequence[Finding] = ()
    differences: Sequence[str] = ()
    bugs: Sequence[Finding] = ()
    near: Sequence[str] = ()
    scenario: str = ""
    fault: str = ""

    def summary(self, *, bodies: bool = False) -> dict[str, Any]:
        """The entry as JSON values; with `bodies`, the query, headers and bodies too. A body is text; a token is left out."""
        request, response = self.exchange.request, self.exchange.response
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "provider": self.provider,
            "operation": self.operation,
            "tenant": self.tenant,
            "method": request.method,
            "path": request.path,
            "status": response.status,
            "milliseconds": round(self.exchange.elapsed * 1000, 3),
            "findings": [{"rule": f.rule.id, "at": f.at, "message": f.message} for f in self.findings],
            "differences": list(self.differences),
            "bugs": [{"rule": f.rule.id, "at": f.at, "message": f.message} for f in self.bugs],
            "near": list(self.near),
            "scenario": self.scenario,
            "fault": self.fault,
            **({"request": _told(request), "response": _told(response)} if bodies else {}),
        }


@dataclass
class Journal:
    """The newest exchanges, up to a number of entries and of bytes that they take (`weight_of`); older ones are dropped and
    counted.
    """

    most_entries: int = 10_000
    most_bytes: int = 64 * 1024 * 1024
    dropped: int = 0
    _entries: deque[Entry] = field(default_factory=deque)
    _weights: deque[int] = field(default_factory=deque)
    _bytes: int = 0
    _count: int = 0
    _lock: Lock = field(default_factory=Lock)

    def record(self, **details: Any) -> Entry:
        """Add an exchange; `details` are the fields of `Entry` other than its number."""
        with self._lock:
            self._count = details["number"] = self._count + 1
            entry = holding(Entry, details)
            weight = weight_of(entry)
            self._entries.append(entry)
            self._weights.append(weight)
            self._bytes += weight
            while len(self._entries) > self.most_entries or (self._bytes > self.most_bytes and len(self._entries) > 1):
                self._entries.popleft()
                self._bytes -= self._weights.popleft()
                self.dropped += 1
            return entry

    def exchanges(
        self,
        where: Callable[[Entry], bool] = lambda entry: True,
        *,
        tenant: str | None = None,
        since: int = 0,
        bodies: bool = True,
    ) -> list[Entry]:
        """The entries that meet a condition, oldest first: of one tenant where one is named, those after a number. Without
        `bodies` they may come without.
        """
        with self._lock:
            found = [entry for entry in self._entries if entry.number > since and tenant in (None, entry.tenant)]
        return [entry for entry in found if where(entry)]

    def near_misses(self) -> list[Entry]:
        """The requests that were for no operation; `near` says why."""
        return self.exchanges(lambda entry: not entry.operation)

    def last(self, operation: str = "") -> Entry | None:
        """The newest entry, of one operation where one is named."""
        found = self.exchanges(lambda entry: not operation or entry.operation == operation)
        return found[-1] if found else None

    def clear(self, where: Callable[[Entry], bool] | None = None, *, tenant: str | None = None) -> None:
        """Forget all entries; or of them those that meet a condition, those of a tenant."""
        with self._lock:
            kept = [
                (entry, weight)
                for entry, weight in zip(self._entries, self._weights, strict=True)
                if tenant not in (None, entry.tenant) or (where is not None and not where(entry))
            ]
            self._entries = deque(entry for entry, _ in kept)
            self._weights = deque(weight for _, weight in kept)
            self._bytes = sum(self._weights)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.exchanges())

    def __len__(self) -> int:
        return len(self._entries)


def _told(message: Request | Response) -> dict[str, Any]:
    """A request or an answer as JSON values."""
    headers = [[name, "…" if name.lower() in _SECRET else value] for name, value in message.headers.pairs]
    query = {"query": [list(pair) for pair in message.query]} if isinstance(message, Request) else {}
    return {**query, "headers": headers, "body": message.body.decode("utf-8", "replace")}


def weight_of(entry: Entry) -> int:
    """About how many bytes an entry takes: both bodies, what was found wrong, and a head that is larger than heads are."""
    exchange = entry.exchange
    request = exchange.request
    weight = len(request.body) + len(exchange.response.body)
    head = len(request.path) + len(request.base_url) + request.headers.tell(_size_of)
    if request.query:
        head += _size(request.query)
    if head > _USUAL_HEAD:
        weight += 2 * head  # the answer may say it again
    for finding in entry.findings:
        weight += _FINDING + len(finding.at) + len(finding.message)
    return weight


def _size_of(headers: Headers) -> int:
    return _size(headers.pairs)


def _size(pairs: Pairs) -> int:
    return _PAIR * len(pairs) + sum(map(len, chain.from_iterable(pairs)))
