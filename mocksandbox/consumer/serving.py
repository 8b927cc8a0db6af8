"""A real HTTP server in this process: a thread for each connection, on a port that the system picks."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread, current_thread
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from mocksandbox.consumer.answering import App
from mocksandbox.consumer.threads import SERVES

_LOOPBACK = "127.0.0.1"
_POLL = 0.05
"""How often, in seconds, the server looks whether it is to stop."""


class _Quiet(WSGIRequestHandler):
    """A handler that writes no lines: what happened is in the journal."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing."""

    def handle(self) -> None:
        """Answer, and leave out that a client has gone: some tests are about that."""
        # Who waits for a test's own threads must be able to tell this one from them.
        current_thread().name = f"{SERVES} connection"
        with suppress(OSError):
            super().handle()


class Server:
    """A server that answers with an application until it is closed."""

    def __init__(self, app: App) -> None:
        self._server: BaseWSGIServer = make_server(_LOOPBACK, 0, app, threaded=True, request_handler=_Quiet)
        self._thread = Thread(target=self._server.serve_forever, args=(_POLL,), name=f"{SERVES} server", daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://{_LOOPBACK}:{self._server.server_port}"

    def close(self) -> None:
        """Stop, and give the port back."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
