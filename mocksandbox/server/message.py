"""Requests as they were sent, answers as they are written, and what is answered to what is no request."""

from __future__ import annotations

import asyncio
import io
import socket
import struct
import sys
from contextlib import suppress
from email.utils import formatdate
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from mocksandbox.exchange import Headers, Response
from mocksandbox.server.front import outcome
from mocksandbox.server.wsgi import is_plain, quoted, status_line

MOST_HEAD = 256 * 1024
"""The most bytes of a request's head."""
MOST_HEADERS = 256

_BODILESS = frozenset({204, 304})
_LINES: dict[int, bytes] = {}


class Sent(NamedTuple):
    """A request as it was sent: the path percent-encoded, the query's text; `keep` says that more may follow, `old` that it
    is HTTP/1.0.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    keep: bool
    old: bool


def split_target(target: bytes) -> tuple[str, str]:
    """The path of a request's target, percent-encoded, and its query."""
    if not target.startswith((b"/", b"*")):  # as a proxy is asked: http://HOST/PATH
        _, scheme, rest = target.partition(b"://")
        target = b"/" + rest.partition(b"/")[2] if scheme else b"/" + target
    path, _, query = target.partition(b"#")[0].partition(b"?")
    text = path.decode("latin-1")
    # What WSGI cannot tell apart is the same here: both ways give the same answers.
    return text if is_plain(text) else quoted(unquote_to_bytes(path)), query.decode("latin-1")


def environ_of(sent: Sent, server: tuple[str, int]) -> dict[str, Any]:
    """A request as WSGI has it (PEP 3333)."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(sent.path).decode("latin-1"),
        "QUERY_STRING": sent.query,
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(sent.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in sent.headers.pairs:
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ


def head_of(sent: Sent, response: Response, keep: bool, date: bytes) -> list[bytes]:
    """The head of an answer, in pieces; `keep` says that the connection stays open, `date` is that header's line."""
    status = response.status
    line = _LINES.get(status) or _LINES.setdefault(status, f"HTTP/1.1 {status_line(status)}\r\n".encode("latin-1"))
    parts = [line, response.headers.tell(_lines), date, b"\r\n"]
    if status not in _BODILESS:
        parts.insert(2, b"Content-Length: %d\r\n" % len(response.body))
    if not keep and "Connection" not in response.headers:
        parts.insert(2, b"Connection: close\r\n")
    elif sent.old:
        parts.insert(2, b"Connection: keep-alive\r\n")
    return parts


def date_line() -> bytes:
    """The header of an answer that says when it was given."""
    return f"Date: {formatdate(usegmt=True)}\r\n".encode()


def _lines(headers: Headers) -> bytes:
    pairs = headers.pairs
    text = "".join([f"{name}: {value}\r\n" for name, value in pairs])
    if text.count("\n") != len(pairs) or text.count("\r") != len(pairs):  # a value must not end its line and begin another
        text = "".join([f"{name}: {' '.join(value.split())}\r\n" for name, value in pairs])
    return text.encode("latin-1", "replace")


def reset(transport: asyncio.Transport) -> None:
    """End a connection with RST instead of FIN."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        layout = "hh" if sys.platform == "win32" else "ii"
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(layout, 1, 0))
    transport.abort()


def unreadable(data: bytes, reason: str) -> Response:
    """The refusal of bytes that are no request."""
    tls = "It looks like TLS: write http:// in place of https://. " if data[:1] == b"\x16" else ""
    return outcome(400, "structure", f"This cannot be read as an HTTP/1.1 request: {tls}{reason}", "http")


def too_large() -> Response:
    """The refusal of a head that is too large."""
    says = f"The head of the request is larger than {MOST_HEAD} bytes or has more than {MOST_HEADERS} headers."
    return outcome(431, "too-long", says, "http.headers")


def no_room() -> Response:
    """What a client is told for whom there is no room."""
    says = "So many clients are connected that no more are answered. Try again later."
    return outcome(503, "throttled", says, "http", Retry_After="1")
