"""A request as openapi-core asks about one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers as WerkzeugHeaders
from werkzeug.datastructures import ImmutableMultiDict

if TYPE_CHECKING:
    from mocksandbox.contract.routing import Match
    from mocksandbox.exchange import Headers, Request


class AskedRequest:
    """A request in the shape of openapi-core's `Request` protocol, as if sent to the document's first server. What the plan
    does not ask for is not made.
    """

    def __init__(self, request: Request, match: Match, server: str, value: Any = None) -> None:
        self.match = match
        self.value = value
        self._request = request
        self._server = server
        self._query: dict[str, str] | None = None

    @property
    def method(self) -> str:
        """The method, in lower case as the document has it."""
        return self._request.method.lower()

    @property
    def content_type(self) -> str:
        """The body's media type."""
        return self._request.media_type

    @property
    def body(self) -> bytes | None:
        """The body; None when there is none."""
        return self._request.body or None

    @property
    def headers(self) -> Headers:
        """The headers that were sent."""
        return self._request.headers

    def has(self, place: str, name: str) -> bool:
        """Whether a parameter was sent."""
        return name in self._sent(place) if place != "header" else name in self._request.headers

    def names(self, place: str) -> Iterable[str]:
        """The names of the parameters that were sent, those of headers in lower case."""
        return self._request.headers.names() if place == "header" else self._sent(place)

    def first(self, place: str, name: str) -> str:
        """A parameter's text, the first where it came several times."""
        if place != "header":
            return self._sent(place)[name]
        value = self._request.headers[name]
        if ", " not in value:
            return value
        wanted = name.lower()
        return next(value for name, value in self._request.headers.pairs if name.lower() == wanted)

    def _sent(self, place: str) -> Mapping[str, str]:
        if place == "path":
            return self.match.parameters
        if place == "cookie":
            return {}
        if self._query is None:
            self._query = dict(reversed(self._request.query))
        return self._query

    @cached_property
    def parameters(self) -> RequestParameters:
        """The parameters as openapi-core's own readers want them."""
        return RequestParameters(
            path=dict(self.match.parameters),
            query=ImmutableMultiDict(self._request.query),
            header=WerkzeugHeaders(list(self._request.headers.pairs)),
            cookie=ImmutableMultiDict(),
        )

    @property
    def host_url(self) -> str:
        """Scheme and host of the document's first server."""
        scheme, _, rest = self._server.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"

    @property
    def path(self) -> str:
        """The path, below that of the document's first server."""
        base = self._server.partition("://")[2].partition("/")[2]
        return f"/{base}{self._request.path}" if base else self._request.path
