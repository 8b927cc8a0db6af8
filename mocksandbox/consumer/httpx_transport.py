"""A sandbox for `httpx`, sync and async, without a socket."""

from __future__ import annotations

from typing import Any

import httpx

from mocksandbox.consumer.answering import answered
from mocksandbox.consumer.environ import environ_of
from mocksandbox.consumer.run import Run
from mocksandbox.consumer.wire import Delivery


class SandboxTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that hands requests to a test's run, and raises what httpx raises when a connection fails."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The sandbox's answer. Raises ReadError, ReadTimeout or RemoteProtocolError where a fault says so."""
        return self._answer(request, request.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The same for `async` code."""
        return self._answer(request, await request.aread())

    def _answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        timeout: dict[str, Any] = request.extensions.get("timeout") or {}
        environ = environ_of(request.method, str(request.url), request.headers.multi_items(), body)
        made = answered(self._run, environ, timeout.get("read"))
        _raise_what_failed(made, request)
        return httpx.Response(int(made.status.partition(" ")[0]), headers=made.headers, content=made.body, request=request)


def _raise_what_failed(made: Delivery, request: httpx.Request) -> None:
    if made.reset:
        raise httpx.ReadError("Connection reset by the sandbox, as it was told to", request=request)
    if made.late:
        raise httpx.ReadTimeout("The sandbox answered too late, as it was told to", request=request)
    if made.truncate:
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body", request=request)
