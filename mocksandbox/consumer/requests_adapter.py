"""A sandbox for `requests` without a socket."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ConnectionError, ReadTimeout
from urllib3 import HTTPHeaderDict, HTTPResponse

from mocksandbox.consumer.answering import answered
from mocksandbox.consumer.environ import environ_of
from mocksandbox.consumer.run import Run


class SandboxAdapter(BaseAdapter):
    """An adapter that hands requests to a test's run, and raises what requests raises when a connection fails."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """The sandbox's answer. Raises ConnectionError, ReadTimeout or ChunkedEncodingError where a fault says so."""
        headers = [(name, _text(value)) for name, value in request.headers.items()]
        patience = timeout[1] if isinstance(timeout, tuple) else timeout
        environ = environ_of(request.method or "GET", request.url or "", headers, _bytes(request.body))
        made = answered(self._run, environ, patience)
        if made.reset:
            raise ConnectionError("Connection reset by the sandbox, as it was told to", request=request)
        if made.late:
            raise ReadTimeout(f"Read timed out. (read timeout={patience})", request=request)
        if made.truncate:
            raise ChunkedEncodingError("Connection broken: the sandbox sent half of the body", request=request)
        code, _, reason = made.status.partition(" ")
        raw = HTTPResponse(
            BytesIO(made.body),
            HTTPHeaderDict(made.headers),
            int(code),
            reason=reason,
            preload_content=False,
            decode_content=False,
        )
        response: Response = HTTPAdapter().build_response(request, raw)
        if not stream:
            _ = response.content
        return response

    def close(self) -> None:
        """Nothing is open."""


def _text(value: Any) -> str:
    # requests lets bytes through, whatever its types say.
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        return _bytes(body.read())
    return b"".join(map(_bytes, body))
