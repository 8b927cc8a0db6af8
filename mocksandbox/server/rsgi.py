"""The WSGI application behind granian's own interface, RSGI, which reads bodies without a thread that waits for them.

One thread answers all requests, which is fastest; while a body is awaited it answers others. A body that has not come to its
end in time is answered with 408, and its connection ended.
"""

from __future__ import annotations

import asyncio
import io
import sys
from typing import Any

from mocksandbox.server.front import CONTROL, LATE, MAX_BODY
from mocksandbox.server.wsgi import WsgiApp

_AT_ONCE = 64 * 1024
"""Bodies that say that they are no longer than this are read in one piece."""

_MOST_NAMES = 1000
"""How many headers' names are remembered: a client can send any number of them."""


class Rsgi:
    """An application for granian. Bodies are read up to one byte more than `most` (in the control API, than what that takes),
    and waited for so many seconds at most.
    """

    def __init__(self, app: WsgiApp, most: int, seconds: float) -> None:
        """Around a WSGI application."""
        self.app, self.most, self.seconds = app, most, seconds
        self._keys: dict[str, str] = {}

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        """Answer one request."""
        environ = self._environ(scope)
        length = environ.get("CONTENT_LENGTH")
        if length or "HTTP_TRANSFER_ENCODING" in environ:
            most = MAX_BODY if environ["PATH_INFO"].startswith(CONTROL) else self.most
            body = await self._body(proto, length, most)
            if body is None:
                environ[LATE] = self.seconds
            environ["wsgi.input"] = io.BytesIO(body or b"")
        answered: list[Any] = []
        # An iterable may have something to close, as Flask's has; none of ours is endless.
        parts = self.app(environ, lambda status, headers, _error=None: answered.extend((status, headers)))
        sent = parts[0] if type(parts) is list and len(parts) == 1 else b"".join(parts)
        if close := getattr(parts, "close", None):
            close()
        status, headers = answered[-2:]
        proto.response_bytes(int(status[:3]), [(name.lower(), value) for name, value in headers], sent)

    async def _body(self, proto: Any, length: str | None, most: int) -> bytes | None:
        """The body, or as much of it as is read; None when it does not come in time, or the client has gone."""
        try:
            async with asyncio.timeout(self.seconds):
                if length is not None and length.isdecimal() and int(length) <= _AT_ONCE:
                    body: bytes = await proto()
                    return body
                read = bytearray()
                async for piece in proto:
                    read += piece
                    if len(read) > most:
                        break
                return bytes(read[: most + 1])
        except Exception:  # TimeoutError, or whatever granian raises for a connection that has ended
            return None

    def _environ(self, scope: Any) -> dict[str, Any]:
        """The request as WSGI has it (PEP 3333)."""
        host, _, port = scope.server.rpartition(":")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": scope.method,
            "SCRIPT_NAME": "",
            # What is no UTF-8 is replaced by granian already.
            "PATH_INFO": path if (path := scope.path).isascii() else path.encode("utf-8", "replace").decode("latin-1"),
            "QUERY_STRING": scope.query_string,
            "SERVER_NAME": host,
            "SERVER_PORT": port,
            "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
            "REMOTE_ADDR": scope.client.rpartition(":")[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scope.scheme,
            "wsgi.input": io.BytesIO(),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in scope.headers.items():
            key = self._keys.get(name) or self._key(name)
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ

    def _key(self, name: str) -> str:
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        if len(self._keys) < _MOST_NAMES:
            self._keys[name] = key
        return key
