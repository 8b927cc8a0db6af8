"""The front that holds the clients' sockets: it passes bytes on, and cuts or delays the answers that ask for it.

The server's own WSGI environment holds no socket, so a connection cannot be reset from inside it. This front stands before it
on the same machine, with a thread for each connection, so that one that waits holds up nobody else.
"""

from __future__ import annotations

import os
import re
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedIOBase
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from mocksandbox.sandbox.faults import DELAY_HEADER, RESET_HEADER, TRUNCATE_HEADER

_MOST_HEAD = 256 * 1024
_PIECE = 64 * 1024
_IDLE = 75.0
"""How long, in seconds, a client may keep its connection without asking anything."""
_PATIENCE = 120.0
"""How long, in seconds, the server may take for an answer."""

_OURS = re.compile(
    rb"^(%s|%s|%s):[^\n]*\n" % tuple(h.encode() for h in (RESET_HEADER, TRUNCATE_HEADER, DELAY_HEADER)), re.I | re.M
)
_EXPECT = re.compile(rb"^expect:[ \t]*100-continue[ \t]*\r?\n", re.I | re.M)


class ResetFront(ThreadingTCPServer):
    """A listener for clients; `server` is the address of the server behind it."""

    daemon_threads = True
    allow_reuse_address = True
    allow_reuse_port = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], server: tuple[str, int]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.server = server
        super().__init__(address, _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client or a server that goes away is no error of ours, and nothing of its bytes belongs into a log."""


class _Connection(StreamRequestHandler):
    """One client's connection: its requests one after another, each over a connection of its own to the server."""

    server: ResetFront  # pyright: ignore[reportIncompatibleVariableOverride]  # as socketserver means it
    timeout = _IDLE
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer until the client goes, or an answer ends the connection."""
        with suppress(OSError):
            while (head := _head(self.rfile)) and self._exchange(head):
                pass

    def _exchange(self, head: bytes) -> bool:
        """Pass one request on and its answer back; false when the connection ends with it."""
        with socket.create_connection(self.server.server, _PATIENCE) as upstream, upstream.makefile("rb") as answers:
            with suppress(OSError):  # the server may answer before it has read all, and close
                self._pass_request(head, upstream)
            answer = _head(answers)
            while answer.split(b" ", 2)[1:2] == [b"100"]:
                answer = _head(answers)
            return bool(answer) and self._pass_answer(head, answer, answers)

    def _pass_request(self, head: bytes, upstream: socket.socket) -> None:
        waits = _EXPECT.search(head)
        if waits:
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        upstream.sendall(_EXPECT.sub(b"", head))
        for piece in _body(self.rfile, head, b"0"):
            upstream.sendall(piece)

    def _pass_answer(self, head: bytes, answer: bytes, answers: BufferedIOBase) -> bool:
        asked = {line.partition(b":")[0].lower(): line.partition(b":")[2].strip() for line in _ours(answer)}
        told = _OURS.sub(b"", answer)
        bodiless = head.startswith(b"HEAD ") or told.split(b" ", 2)[1:2] in ([b"204"], [b"304"])
        body = () if bodiless else _body(answers, told, None)
        time.sleep(float(asked.get(DELAY_HEADER.lower().encode(), b"0")))
        if RESET_HEADER.lower().encode() in asked:
            return self._reset()
        if TRUNCATE_HEADER.lower().encode() in asked:
            return self._truncate(told, b"".join(body))
        self.wfile.write(told)
        for piece in body:
            self.wfile.write(piece)
        return not _ends(head, told)

    def _reset(self) -> bool:
        """End the connection with RST instead of FIN."""
        layout = "hh" if os.name == "nt" else "ii"
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(layout, 1, 0))
        # The socket goes when its last file does; shutdown would send the FIN that is not wanted.
        self.rfile.close()
        self.connection.close()
        return False

    def _truncate(self, head: bytes, body: bytes) -> bool:
        """Send the whole head and half of the body, or half of the head where there is no body."""
        whole, half = (head, body[: len(body) // 2]) if body else (head[: len(head) // 2], b"")
        self.wfile.write(whole + half)
        return False


def _head(stream: BufferedIOBase) -> bytes:
    """A request's or an answer's lines up to the empty one; empty when none comes, or too much of it."""
    head = b""
    while len(head) < _MOST_HEAD:
        line = stream.readline(_PIECE)
        head += line
        if line in (b"\r\n", b"\n") and head.strip():
            return head
        if not line:
            return b""
    return b""


def _ours(head: bytes) -> Iterator[bytes]:
    return (found[0] for found in _OURS.finditer(head))


def _field(head: bytes, name: bytes) -> bytes | None:
    """The last value of a header, in lower case."""
    found = re.findall(rb"^%s:[ \t]*([^\r\n]*)" % name, head, re.I | re.M)
    return found[-1].strip().lower() if found else None


def _ends(request: bytes, answer: bytes) -> bool:
    """Whether the connection ends with this answer."""
    lines = (request.partition(b"\n")[0].strip(), answer.partition(b"\n")[0])
    if lines[0].endswith(b"HTTP/1.0") or lines[1].startswith(b"HTTP/1.0"):
        return True
    framed = _field(answer, b"content-length") or _field(answer, b"transfer-encoding")
    unframed = framed is None and answer.split(b" ", 2)[1:2] not in ([b"204"], [b"304"])
    return unframed or b"close" in (_field(request, b"connection"), _field(answer, b"connection"))


def _body(stream: BufferedIOBase, head: bytes, unframed: bytes | None) -> Iterator[bytes]:
    """The body that follows a head, as it stands on the wire; without a length it goes to the end (None) or is empty."""
    if b"chunked" in (_field(head, b"transfer-encoding") or b""):
        yield from _chunks(stream)
        return
    length = _field(head, b"content-length") or unframed
    left = int(length) if length is not None and length.isdigit() else None
    while left is None or left > 0:
        piece = stream.read1(_PIECE if left is None else min(left, _PIECE))
        if not piece:
            return
        left = None if left is None else left - len(piece)
        yield piece


def _chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    """A chunked body with its frames and trailers."""
    while size := stream.readline(_PIECE):
        yield size
        length = int(size.partition(b";")[0].strip() or b"0", 16)
        left = length + 2 if length else 0
        while left > 0:
            piece = stream.read(min(left, _PIECE))
            if not piece:
                return
            left -= len(piece)
            yield piece
        if not length:
            while (line := stream.readline(_PIECE)) not in (b"\r\n", b"\n", b""):
                yield line
            yield b"\r\n"
            return
