"""A sandbox for `httpx`, sync and async, without a socket."""

from __future__ import annotations

from typing import Any

import anyio  # httpx's own
import httpx

from mocksandbox.consumer.answering import answered, answering
from mocksandbox.consumer.environ import environ_of
from mocksandbox.consumer.run import Run
from mocksandbox.consumer.wire import Delivery


class SandboxTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that hands requests to a test's run, and raises what httpx raises when a connection fails."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The sandbox's answer. Raises ReadError, ReadTimeout or RemoteProtocolError where a fault says so."""
        made = answered(self._run, *_asked(request, request.read()))
        return _response(made, request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The same for `async` code: others go on while a late answer is waited for."""
        with answering(self._run, *_asked(request, await request.aread())) as made:
            await anyio.sleep(made.wait)
        return _response(made, request)


def _asked(request: httpx.Request, body: bytes) -> tuple[dict[str, Any], float | None]:
    """What was asked, and how long the client waits."""
    timeout: dict[str, Any] = request.extensions.get("timeout") or {}
    return environ_of(request.method, str(request.url), request.headers.multi_items(), body), timeout.get("read")


def _response(made: Delivery, request: httpx.Request) -> httpx.Response:
    if made.reset:
        raise httpx.ReadError("Connection reset by the sandbox, as it was told to", request=request)
    if made.late:
        raise httpx.ReadTimeout("The sandbox answered too late, as it was told to", request=request)
    if made.truncate:
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body", request=request)
    return httpx.Response(int(made.status.partition(" ")[0]), headers=made.headers, content=made.body, request=request)
