"""What all connections of a process share: the application that answers, the limits, the time, and who is connected."""

from __future__ import annotations

import asyncio
import gc
import logging
from time import time
from typing import Any

from mocksandbox.exchange import Headers, Response
from mocksandbox.sandbox.failure import failure_place
from mocksandbox.server.connection import Connection
from mocksandbox.server.front import MAX_BODY, Front, Place, late_answer, outcome
from mocksandbox.server.heads import Heads
from mocksandbox.server.message import Sent, date_line, environ_of
from mocksandbox.server.wsgi import origin

_log = logging.getLogger("mocksandbox")

TICK = 0.1
"""Seconds between two looks at what has waited for too long."""

COLLECT = 600
"""Seconds between two looks for circles among all that is kept, if clients leave a moment for it; else twice as many."""

TOGETHER = 16
"""So many answers at most are sent together: none waits for more others than that."""

LONG_BODY = 64 * 1024
"""From so many bytes on, no answer waits until a request with such a body is answered too."""

CONNECTIONS = 4096
"""How many connections of one process may be open at a time; one more, and the idle one that waits longest is closed."""


class Listener:
    """Makes a connection for each client, and answers what it asks. Times are in seconds; `now` counts the looks."""

    def __init__(self, front: Front, body_timeout: float, connections: int = CONNECTIONS) -> None:
        """For a front; a body may take so long to come, and so many may be connected."""
        self.front, self.body_timeout, self.most = front, body_timeout, connections
        self.connections: dict[Connection, None] = {}
        self.stopping = False
        self.now = self.answered = 0
        self.date = date_line()
        self._trust = front.settings.trust_proxy
        self.heads = Heads()
        self._unsent: list[Connection] = []

    def after(self, seconds: float) -> int:
        """What `now` will be in so many seconds."""
        return self.now + int(seconds / TICK) + 1

    def connect(self) -> Connection:
        """The protocol of a new connection."""
        return Connection(self)

    def joined(self, connection: Connection) -> bool:
        """A client has come; whether there is room for it."""
        full = len(self.connections) >= self.most
        idle = min((each for each in self.connections if each.idle), key=lambda each: each.due, default=None) if full else None
        if idle is not None:
            idle.hang_up()
            self.left(idle)
        if full and idle is None:
            return False
        self.connections[connection] = None
        return True

    def left(self, connection: Connection) -> None:
        """A client has gone."""
        self.connections.pop(connection, None)

    def flush_soon(self, connection: Connection) -> None:
        """Send what a connection has written, together with the others."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(connection)
        if len(self._unsent) >= TOGETHER:
            self._flush()

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        for connection in unsent:
            connection.flush()

    async def watch(self) -> None:
        """End what has waited for too long, until this is cancelled."""
        looked = answered = 0
        while True:
            await asyncio.sleep(TICK)
            self.now += 1
            since, answered, before = (self.now - looked) * TICK, self.answered, answered
            if since >= 2 * COLLECT or (since >= COLLECT and answered == before):
                looked = self.now
                gc.collect()
            if not self.now % 5:
                self.date = date_line()
            for connection in [each for each in self.connections if each.due <= self.now]:
                connection.overdue()

    async def stop(self, seconds: float, at_once: asyncio.Event) -> None:
        """Let those go who ask nothing, and wait so long for the others to take their answers, unless told to stop at once."""
        self.stopping = True
        for connection in list(self.connections):
            if connection.idle:
                connection.hang_up()
            else:
                connection.hurry()
        deadline = time() + seconds
        while self.connections and time() < deadline and not at_once.is_set():
            await asyncio.sleep(TICK / 5)

    def place(self, sent: Sent) -> Place | None:
        """Where a request goes; None when that is Flask."""
        return self.front.place(sent.method, sent.path, sent.headers)

    def most_of(self, place: Place | None) -> int:
        """The most bytes of a body that are read."""
        return place.most if place else MAX_BODY

    def answer(self, sent: Sent, place: Place | None, server: tuple[str, int], late: bool) -> Response:
        """The answer to a request."""
        self.answered += 1
        if place is None or len(sent.body) >= LONG_BODY:  # what may take long
            self._flush()
        seconds = self.body_timeout if late else 0.0
        try:
            if place is not None:
                origin = self._origin(sent.headers, server)
                return self.front.answer(place, sent.method, sent.query, sent.headers, sent.body, origin, seconds)
            return late_answer(seconds) if late else self._through_wsgi(sent, server)
        except Exception as error:  # a bug of ours, which must not leave a client without an answer
            _log.error("the server failed: %s", failure_place(error))
            return outcome(500, "exception", "The server failed; its log says why.", "path", Connection="close")

    def _origin(self, headers: Headers, server: tuple[str, int]) -> str:
        """Scheme and host as the client used them."""
        forwarded = (lambda name: headers.get(name, "")) if self._trust else None
        return origin("http", headers.get("Host", ""), f"{server[0]}:{server[1]}", forwarded)

    def _through_wsgi(self, sent: Sent, server: tuple[str, int]) -> Response:
        """The answer of the application that stands behind the front."""
        told: list[Any] = []
        # An iterable may have something to close, as Flask's has; none of ours is endless.
        parts = self.front.inner(environ_of(sent, server), lambda status, headers, _error=None: told.extend((status, headers)))
        body = b"".join(parts)
        if close := getattr(parts, "close", None):
            close()
        status, headers = told[-2:]
        kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
        return Response(int(status[:3]), Headers(kept), body)
