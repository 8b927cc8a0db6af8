"""Bodies that come slowly, or never to their end.

A WSGI server calls the application when a request's head is there; reading the body then waits for the client, in a thread of
its own, which holds up nobody else. So that it does not wait for ever, its connection is answered and ended from outside: the
server gives an application no socket, but the operating system tells which of the process's connections wait for an answer
(Linux only; elsewhere a slow client keeps its thread until it goes).
"""

from __future__ import annotations

import io
import os
import socket
import stat
import struct
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

from mocksandbox.server.front import CONTROL, LATE, MAX_BODY, late_answer
from mocksandbox.server.wsgi import StartResponse, WsgiApp

Peer = tuple[Any, ...]
"""The address of a client's end of a connection."""

_TCP_INFO = struct.Struct("=44xI4xI64xQQ")
"""Of `struct tcp_info` (linux/tcp.h): how many milliseconds ago data was sent, and received; how many bytes the client has
acknowledged (its first one is the opening of the connection), and how many it has sent.
"""

_LOOK = 0.25
"""Seconds between two looks at the connections, while a body is awaited."""


class InTime:
    """Middleware that reads bodies, up to one byte more than `most` (in the control API, than what that takes), and waits for
    so many seconds at most. `port` is the server's.
    """

    def __init__(self, app: WsgiApp, most: int, seconds: float, port: int) -> None:
        """Around an application."""
        self.app, self.most, self.seconds, self.port = app, most, seconds, port
        self._reading: dict[object, float] = {}
        self._wake = Event()
        if sys.platform == "linux":
            Thread(target=self._watch, name="mocksandbox-slow", daemon=True).start()

    def __call__(self, environ: Any, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        length = environ.get("CONTENT_LENGTH")
        if length or "HTTP_TRANSFER_ENCODING" in environ:
            most = MAX_BODY if environ.get("PATH_INFO", "").startswith(CONTROL) else self.most
            wanted = min(int(length), most + 1) if length and length.isdecimal() else most + 1
            environ["wsgi.input"] = io.BytesIO(self._read(environ, wanted))
        return self.app(environ, start_response)

    def _read(self, environ: Any, wanted: int) -> bytes:
        token, started, read = object(), monotonic(), b""
        self._reading[token] = started
        if not self._wake.is_set():
            self._wake.set()
        try:
            read = environ["wsgi.input"].read(wanted)
        except Exception:  # whatever the server raises for a connection that has ended
            environ[LATE] = self.seconds
        finally:
            del self._reading[token]
        if len(read) < wanted and monotonic() - started >= self.seconds:
            environ[LATE] = self.seconds
        return read

    def _watch(self) -> None:
        """End the connections whose clients are late. Sleeps while no body is awaited."""
        waiting: dict[Peer, float] = {}
        while True:
            if not self._reading:
                waiting.clear()
                self._wake.clear()
                if not self._reading:
                    self._wake.wait()
            sleep(_LOOK)
            oldest = min(list(self._reading.values()), default=None)
            if oldest is None or monotonic() - oldest < _LOOK:
                continue
            with suppress(OSError):
                waiting = self._look(waiting, overdue=monotonic() - oldest >= self.seconds)

    def _look(self, waiting: dict[Peer, float], *, overdue: bool) -> dict[Peer, float]:
        """The clients that wait for an answer, with the time since when they are known to; of those that have waited too long
        the connections are ended, when a body is overdue.
        """
        seen: dict[Peer, float] = {}
        now = monotonic()
        for connection in connections(self.port):
            with connection:
                peer = connection.getpeername()
                if not awaits_answer(connection):
                    continue
                since = waiting.get(peer, now)
                if overdue and now - since >= self.seconds - _LOOK * 2:
                    _end(connection, late_answer(self.seconds).body)
                else:
                    seen[peer] = since
        return seen


def connections(port: int) -> Iterator[socket.socket]:
    """The open connections of this process that were accepted at a port. The caller closes each; the server keeps its own."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            number = int(name)
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            copy = socket.socket(fileno=os.dup(number))
            try:
                copy.getpeername()
                ours = copy.family in (socket.AF_INET, socket.AF_INET6) and copy.getsockname()[1] == port
            except OSError:
                ours = False
            if ours:
                yield copy
            else:
                copy.close()


def awaits_answer(connection: socket.socket) -> bool:
    """Whether something was received after the last that was sent."""
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    sent_ago, received_ago, acknowledged, received = _TCP_INFO.unpack(told)
    return bool(received and (acknowledged <= 1 or received_ago < sent_ago))


def _end(connection: socket.socket, body: bytes) -> None:
    """Answer in the server's place, which has said nothing yet, and end the connection."""
    head = (
        "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/fhir+json\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with suppress(OSError):
        connection.setblocking(False)
        connection.send(head.encode() + body)
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
