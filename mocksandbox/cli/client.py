"""Sending requests to a target over HTTP, with the standard library alone."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlencode

from mocksandbox.errors import TargetError
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz.guard import parts_of

_TIMEOUT = 30.0


@dataclass(frozen=True)
class Client:
    """Sends requests to a base URL; `authorization` goes into every request that has none.

    Raises:
        UsageError: the base URL is none.
    """

    base_url: str
    authorization: str = ""

    def __post_init__(self) -> None:
        parts_of(self.base_url)

    def __call__(self, request: Request) -> Response:
        """The answer to a request.

        Raises:
            TargetError: the target does not answer.
        """
        parts = parts_of(self.base_url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(str(parts.hostname), parts.port, timeout=_TIMEOUT)
        query = f"?{urlencode(request.query)}" if request.query else ""
        headers = {name: request.headers[name] for name in request.headers}
        if self.authorization:
            headers.setdefault("Authorization", self.authorization)
        try:
            path = f"{parts.path.rstrip('/')}{request.path}{query}"
            connection.request(request.method, path, request.body or None, headers)
            answer = connection.getresponse()
            return Response(answer.status, Headers(answer.getheaders()), answer.read())
        except (OSError, HTTPException, ValueError) as error:
            raise TargetError(self.base_url, str(error) or type(error).__name__) from error
        finally:
            connection.close()
