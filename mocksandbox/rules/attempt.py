"""A request and what it meets: the subject of every request rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from mocksandbox import codec
from mocksandbox.contract import Contract, Match, Miss, Operation, Violation
from mocksandbox.errors import StoreError, without_frames
from mocksandbox.exchange import Pairs, Request
from mocksandbox.frozen import once
from mocksandbox.rules.places import MISSING


@dataclass(frozen=True)
class Caller:
    """Who asks. `name` is None when nobody said; `rights` are `TYPE.LETTER` strings, None when the caller may do all."""

    name: str | None = None
    rights: frozenset[str] | None = None

    def may(self, right: str) -> bool:
        """Whether the caller has this right."""
        return self.rights is None or right in self.rights


ANYBODY = Caller()
"""A caller who said nothing and may do all."""


@dataclass(frozen=True)
class Record:
    """One stored version of a resource. `keys` are the values that it is found by; `state` is `live`, `deleted`, or
    `reserved` for an id that waits for the record of the same identifier.
    """

    kind: str
    id: str
    version: int
    body: bytes
    keys: Mapping[str, str] = field(default_factory=dict)
    state: str = "live"
    recorded: datetime | None = None
    author: str | None = None

    @property
    def live(self) -> bool:
        """Whether readers see it."""
        return self.state == "live"

    def json(self) -> dict[str, Any]:
        """The body as JSON.

        Raises:
            StoreError: it is no object, so the store has not kept what was written.
        """
        try:
            body = codec.loads(self.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise StoreError(f"the store: the body of a record ({self.kind}) is damaged")
        return body


class Records(Protocol):
    """What a rule may ask of the store."""

    def get(self, kind: str, id: str) -> Record | None:
        """The newest version of a record, deleted or not."""
        ...

    def find(self, kind: str, key: str, value: str) -> Sequence[Record]:
        """The newest versions that have this value under this key, in the order in which the records came to have it."""
        ...


class NoRecords:
    """An empty store, for judging a request on its own."""

    def get(self, kind: str, id: str) -> Record | None:
        """Nothing."""
        return None

    def find(self, kind: str, key: str, value: str) -> Sequence[Record]:
        """Nothing."""
        return ()


@dataclass(frozen=True)
class Refusal:
    """Why the caller is not let in: the key of a message, and the values for its text."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempt:
    """A request with its operation, its caller, the stored records and the time. The only thing that carries time."""

    request: Request
    contract: Contract = field(repr=False)
    match: Match | Miss
    caller: Caller = ANYBODY
    refusal: Refusal | None = None
    records: Records = field(default_factory=NoRecords, repr=False)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    max_body: int = 6 * 1024 * 1024

    @once
    def operation(self) -> Operation | None:
        """The operation that the request is for, None when it is for none."""
        return self.match.operation if isinstance(self.match, Match) else None

    @once
    def id(self) -> str:
        """The record's id in the path, `""` when the operation has none."""
        return self.match.parameters.get("id", "") if isinstance(self.match, Match) else ""

    @once
    def parsed(self) -> tuple[Any, ValueError | None]:
        """The JSON body and why it cannot be read; `MISSING` when there is none or it cannot be read."""
        if not self.request.body:
            return MISSING, None
        try:
            return self.request.json(), None
        except ValueError as error:
            return MISSING, without_frames(error)

    @once
    def body(self) -> Any:
        """The JSON body, `MISSING` when there is none or it cannot be read."""
        return self.parsed[0]

    @once
    def violations(self) -> Sequence[Violation]:
        """How the request differs from the document."""
        if not isinstance(self.match, Match):
            return ()
        kept = self.__dict__.get("parsed")  # a body that was read is not read again
        value = kept[0] if kept is not None and kept[0] is not MISSING else None
        return self.contract.check.request(self.request, self.match, value)

    def with_body(self, value: Any) -> Attempt:
        """The same attempt with another JSON body."""
        changed = replace(self, request=self.request.with_json(value))
        changed.__dict__["parsed"] = (value, None)
        return changed

    def with_raw(self, body: bytes, media_type: str | None = None) -> Attempt:
        """The same attempt with a body of other bytes, and another media type where one is given."""
        request = replace(self.request, body=body)
        return replace(self, request=request.with_header("Content-Type", media_type) if media_type else request)

    def with_header(self, name: str, value: str | None) -> Attempt:
        """The same attempt with a header set, or removed when the value is None."""
        return replace(self, request=self.request.with_header(name, value))

    def with_query(self, query: Pairs) -> Attempt:
        """The same attempt with another query."""
        return replace(self, request=replace(self.request, query=query))

    def at_path(self, path: str, method: str | None = None) -> Attempt:
        """The same attempt at another path, or with another method."""
        request = replace(self.request, path=path, method=method or self.request.method)
        return replace(self, request=request, match=self.contract.router.find(request.method, path))
