"""The server of our own on a free port of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.mutants.target import BASE, Target


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        return


@contextmanager
def serving(*bugs: str) -> Iterator[str]:
    """The base URL of a server with these bugs, while it runs."""
    server = make_server("127.0.0.1", 0, Target(*bugs), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{BASE}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
