"""Plain HTTP values: what was asked, what was answered, and both together. No I/O, no framework."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from mocksandbox import codec

Pairs = tuple[tuple[str, str], ...]


class Headers(Mapping[str, str]):
    """An immutable mapping of header names, looked up without regard to case, kept in the order and spelling given.

    A name that came several times maps to its values joined by `", "` (RFC 9110 5.3); `pairs` keeps them apart.
    """

    __slots__ = ("_joined", "pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs: Pairs = tuple(pairs)
        joined: dict[str, str] = {}
        for name, value in self.pairs:
            key = name.lower()
            joined[key] = f"{joined[key]}, {value}" if key in joined else value
        self._joined = joined

    def __getitem__(self, name: str) -> str:
        return self._joined[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter({name.lower(): name for name, _ in self.pairs}.values())

    def __len__(self) -> int:
        return len(self._joined)

    def __repr__(self) -> str:
        return f"Headers({list(self.pairs)!r})"

    def with_(self, name: str, value: str | None) -> Headers:
        """A copy in which the header has this value, or is absent when the value is None."""
        kept = [pair for pair in self.pairs if pair[0].lower() != name.lower()]
        return Headers(kept if value is None else [*kept, (name, value)])


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    `path` starts at the provider's base (`/Immunization/1`); `base_url` is the URL of that base as the client used it.
    `query` keeps order and repeats. `body` is the bytes as sent.
    """

    method: str
    path: str
    query: Pairs = ()
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    base_url: str = ""

    @property
    def url(self) -> str:
        """The whole URL, with its query."""
        return f"{self.base_url}{self.path}{'?' + urlencode(self.query) if self.query else ''}"

    @property
    def media_type(self) -> str:
        """The media type of the body in lower case, without parameters; `""` when the request names none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: the body is not JSON.
        """
        return codec.loads(self.body)

    def with_header(self, name: str, value: str | None) -> Request:
        """A copy with the header set, or removed when the value is None."""
        return replace(self, headers=self.headers.with_(name, value))

    def with_json(self, value: Any) -> Request:
        """A copy whose body is this value, written as JSON."""
        return replace(self, body=codec.dumps(value))


@dataclass(frozen=True)
class Response:
    """One HTTP answer: status, headers in order, body bytes."""

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: the body is not JSON.
        """
        return codec.loads(self.body)

    def with_header(self, name: str, value: str | None) -> Response:
        """A copy with the header set, or removed when the value is None."""
        return replace(self, headers=self.headers.with_(name, value))


@dataclass(frozen=True)
class Exchange:
    """A request with its answer and the time between them, in seconds."""

    request: Request
    response: Response
    elapsed: float = 0.0
