"""Plain HTTP values: what was asked, what was answered, and both together. No I/O, no framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, overload
from urllib.parse import urlencode

from mocksandbox import codec

Pairs = tuple[tuple[str, str], ...]
FORM = "application/x-www-form-urlencoded"
"""The media type of a form."""

T = TypeVar("T")


class Headers(Mapping[str, str]):
    """An immutable mapping of header names, looked up without regard to case, kept in the order and spelling given.

    A name that came several times maps to its values joined by `", "` (RFC 9110 5.3); `pairs` keeps them apart.
    """

    __slots__ = ("_joined", "_told", "pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs: Pairs = tuple(pairs)
        self._joined: dict[str, str] | None = None
        self._told: dict[Callable[[Headers], Any], Any] | None = None

    def tell(self, ask: Callable[[Headers], T]) -> T:
        """What a function tells of these headers; it is asked once. A client's headers are the same for many requests."""
        told = self._told
        if told is None:
            told = self._told = {}
        elif ask in told:
            known: T = told[ask]
            return known
        answer = told[ask] = ask(self)
        return answer

    def _by_name(self) -> dict[str, str]:
        """The values by name in lower case, made when somebody asks for the first."""
        joined = self._joined
        if joined is None:
            joined = {}
            for name, value in self.pairs:
                key = name.lower()
                joined[key] = f"{joined[key]}, {value}" if key in joined else value
            self._joined = joined
        return joined

    def __getitem__(self, name: str) -> str:
        return self._by_name()[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_name()

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str | T) -> str | T: ...
    def get(self, name: str, /, default: Any = None) -> Any:
        """The value of a header, or the default."""
        return (self._joined or self._by_name()).get(name.lower(), default)

    def __iter__(self) -> Iterator[str]:
        return iter({name.lower(): name for name, _ in self.pairs}.values())

    def __len__(self) -> int:
        return len(self._by_name())

    def __repr__(self) -> str:
        return f"Headers({list(self.pairs)!r})"

    def names(self) -> Iterable[str]:
        """The names in lower case, each once."""
        return self._by_name().keys()

    def with_(self, name: str, value: str | None) -> Headers:
        """A copy in which the header has this value, or is absent when the value is None."""
        kept = [pair for pair in self.pairs if pair[0].lower() != name.lower()]
        return Headers(kept if value is None else [*kept, (name, value)])

    def and_(self, pairs: Iterable[tuple[str, str]]) -> Headers:
        """A copy with more headers after these."""
        return Headers((*self.pairs, *pairs))


def _headers_of(given: Any) -> Headers:
    """Headers from what else they are written as: a mapping of names, or pairs.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(given, Headers):
        return given
    try:
        pairs: list[tuple[Any, Any]] = [
            (name, value) for name, value in (given.items() if isinstance(given, Mapping) else given)
        ]
    except (TypeError, ValueError):
        pairs = [(None, None)]
    if not all(isinstance(text, str) for pair in pairs for text in pair):
        # Without what is given: there may be a secret in it.
        raise TypeError(f"headers must be Headers, a dict of texts or pairs of texts, and not such a {type(given).__name__}.")
    return Headers(pairs)


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    `path` starts at the provider's base (`/Immunization/1`); `base_url` is the URL of that base as the client used it.
    `query` keeps order and repeats. `body` is the bytes as sent. A plain mapping of headers, or pairs, becomes `Headers`.
    """

    method: str
    path: str
    query: Pairs = ()
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    base_url: str = ""

    def __post_init__(self) -> None:
        # A dict of headers is what everybody writes first. What is made for each request of a server does not come by here.
        if type(self.headers) is not Headers:
            object.__setattr__(self, "headers", _headers_of(self.headers))

    @property
    def url(self) -> str:
        """The whole URL, with its query."""
        return f"{self.base_url}{self.path}{'?' + urlencode(self.query) if self.query else ''}"

    @property
    def media_type(self) -> str:
        """The media type of the body in lower case, without parameters; `""` when the request names none."""
        return self.headers.tell(_media_type)

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
    """One HTTP answer: status, headers in order, body bytes.

    What holds the client's socket waits `delay` seconds before it gives the answer, and resets the connection in its place
    (`cut` is `reset`) or gives half of it (`truncate`).
    """

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    delay: float = 0.0
    cut: str = ""

    def __post_init__(self) -> None:
        if type(self.headers) is not Headers:
            object.__setattr__(self, "headers", _headers_of(self.headers))

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
