"""Bodies that come slowly, or never to their end: read by a thread that waits, so that the client gets an answer in time.

A WSGI server calls the application when a request's head is there; reading the body then waits for the client. What is waited
for here is a thread of its own, which ends when the server has closed the connection: after the answer, for the rest of the
body was not read.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from mocksandbox.server.wsgi import StartResponse, WsgiApp

LATE = "mocksandbox.late"
"""The key of the environment that tells, by its seconds, that the body did not come in time."""


class Reader(Thread):
    """A thread that reads one body after another."""

    def __init__(self) -> None:
        super().__init__(name="mocksandbox-body", daemon=True)
        self.asked: SimpleQueue[tuple[Any, int, list[bytes], Lock] | None] = SimpleQueue()
        self.start()

    def run(self) -> None:
        """Read until told to stop. A client that goes away leaves what it has sent."""
        while (job := self.asked.get()) is not None:
            stream, wanted, read, done = job
            try:
                read.append(stream.read(wanted))
            except Exception:  # whatever a server raises for a connection that has ended
                read.append(b"")
            done.release()

    def read(self, stream: Any, wanted: int, seconds: float) -> bytes | None:
        """So many bytes of a stream, or all that it has; None when they do not come in time: this reader still waits then."""
        done, read = Lock(), list[bytes]()
        done.acquire()
        self.asked.put((stream, wanted, read, done))
        return read[0] if done.acquire(timeout=seconds) else None


class InTime:
    """Middleware that reads bodies, up to one byte more than `most`, and waits for so many seconds at most."""

    def __init__(self, app: WsgiApp, most: int, seconds: float) -> None:
        """Around an application."""
        self.app, self.most, self.seconds = app, most, seconds
        self._idle: list[Reader] = []

    def __call__(self, environ: Any, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        length = environ.get("CONTENT_LENGTH")
        if length or "HTTP_TRANSFER_ENCODING" in environ:
            wanted = min(int(length), self.most + 1) if length and length.isdecimal() else self.most + 1
            body = self._read(environ["wsgi.input"], wanted)
            if body is None:
                environ[LATE] = self.seconds
            environ["wsgi.input"] = io.BytesIO(body or b"")
        return self.app(environ, start_response)

    def _read(self, stream: Any, wanted: int) -> bytes | None:
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = Reader()
        body = reader.read(stream, wanted, self.seconds)
        if body is None:
            reader.asked.put(None)  # it goes when its client does
        else:
            self._idle.append(reader)
        return body
