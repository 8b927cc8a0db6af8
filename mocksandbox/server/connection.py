"""One client's connection: its requests, read by httptools, each answered as soon as it has come.

One thread answers all clients, so nothing here waits: a client that sends slowly, reads slowly or not at all holds up itself.
Every wait has its end: a head, a body, an answer that nobody takes, a connection without requests.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, cast

import httptools

from mocksandbox.exchange import Headers, Response
from mocksandbox.server.front import outcome
from mocksandbox.server.wsgi import split_target, status_line

if TYPE_CHECKING:
    from mocksandbox.server.front import Place
    from mocksandbox.server.listener import Listener

HEAD_TIMEOUT = 10.0
"""Seconds for a request's head."""
IDLE_TIMEOUT = 75.0
"""Seconds that a client may keep its connection between two requests."""
TAKE_TIMEOUT = 30.0
"""Seconds that a client may leave an answer lying."""
LINGER = 2.0
"""Seconds for which what a client still sends is read after its last answer: closed at once, the answer could be lost."""
MOST_HEAD = 256 * 1024
"""The most bytes of a request's head."""
MOST_HEADERS = 256
_IN_A_ROW = 16
"""How many requests of one client, sent at once, are answered before others have their turn."""
_NEVER = sys.maxsize

_TOKEN = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) ")
_BODILESS = frozenset({204, 304})
_LINES: dict[int, str] = {}


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


class Connection(asyncio.Protocol):
    """One connection. `due` is when its present wait ends, counted as the listener's `now` is; `idle` says that no request is
    being read or answered.
    """

    def __init__(self, listener: Listener) -> None:
        """A connection that the listener is told of."""
        self.due, self.idle = _NEVER, True
        self._listener = listener
        self._transport = cast("asyncio.Transport", None)
        self._server = ("127.0.0.1", 0)
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[tuple[Sent, Place | None]] = deque()
        self._waiting = self._stuck = self._paused = self._over = self._lingering = self._ended = False
        self._in_a_row = self._left = 0
        self._method: str = ""
        self.on_message_begin()
        self._reading = 0

    # --- what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast("asyncio.Transport", transport)
        self._server = transport.get_extra_info("sockname")[:2]
        self._wait(HEAD_TIMEOUT)
        if not self._listener.joined(self):
            says = "So many clients are connected that no more are answered. Try again later."
            self._last(outcome(503, "throttled", says, "http", Retry_After="1"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._ended = self._over = True
        self._listener.left(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of requests have come."""
        if self._over:  # they are read so that the last answer is not lost
            return
        if self.idle:
            self.idle = False
            self._wait(HEAD_TIMEOUT)
        self._in_a_row = 0
        self._feed(data)
        self._after_reading(len(data))

    def _after_reading(self, length: int) -> None:
        """What is waited for, now that so many bytes have been read."""
        if self._over:
            return
        if self._queue:
            self._later()
        elif self._reading == 0 and not self._waiting:
            self.idle = True
            self._wait(IDLE_TIMEOUT)
        elif self._reading == 1:
            self._head += length
            if self._head > MOST_HEAD:
                self._too_large()
        elif self._reading == 2:
            self._reading = 3
            self._wait(self._listener.body_timeout)
            if any(name.lower() == "expect" and value.lower() == "100-continue" for name, value in self._headers):
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def eof_received(self) -> bool:
        """The client sends no more; whether it still gets answers."""
        self._over = True
        return self._waiting or bool(self._queue)

    def pause_writing(self) -> None:
        """The client does not take its answers."""
        self._stuck = True
        self._pause()
        self._wait(TAKE_TIMEOUT)

    def resume_writing(self) -> None:
        """It does."""
        self._stuck = False
        self._wait(LINGER if self._lingering else IDLE_TIMEOUT)
        self._go_on()

    # --- what httptools tells

    def on_message_begin(self) -> None:
        """A request begins."""
        self._url = b""
        self._headers: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []
        self._size = self._most = self._head = 0
        self._place: Place | None = None
        self._sent: Sent | None = None
        self._reading = 1
        """0 between requests, 1 in a head, 2 after one, 3 when a body is waited for."""

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or one after the body, which nobody reads."""
        if self._reading == 1:
            self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """The head has come to its end."""
        self._reading = 2

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._over:
            return
        if not self._pieces:
            self._sent, self._place = self._found(b"")
            self._most = self._listener.most_of(self._place)
        self._pieces.append(body)
        self._size += len(body)
        if self._size > self._most:
            self._finish(late=False)

    def on_message_complete(self) -> None:
        """The request has come to its end."""
        self._reading = 0
        if self._over:
            return
        if len(self._headers) > MOST_HEADERS or len(self._url) > MOST_HEAD:
            self._too_large()
            return
        if self._pieces:
            assert self._sent is not None
            found = (
                self._sent._replace(body=self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)),
                self._place,
            )
        else:
            found = self._found(b"")
        if self._queue or self._waiting or self._stuck or self._in_a_row >= _IN_A_ROW:
            self._queue.append(found)
            self._pause()
        else:
            self._in_a_row += 1
            self._reply(*found)

    def _found(self, body: bytes) -> tuple[Sent, Place | None]:
        """The request as it has come, and where it goes."""
        method, self._method = self._method or self._parser.get_method().decode("latin-1"), ""
        path, query = split_target(self._url)
        keep, old = self._parser.should_keep_alive(), self._parser.get_http_version() == "1.0"
        sent = Sent(method, path, query, Headers(self._headers), body, keep, old)
        return sent, self._listener.place(sent)

    # --- waits

    def _wait(self, seconds: float) -> None:
        self.due = self._listener.now + int(seconds * 10) + 1

    def overdue(self) -> None:
        """The present wait has ended."""
        left, self._left = self._left, self._transport.get_write_buffer_size()
        if self._left and self._left != left:  # the client takes its answer, if slowly
            self._wait(TAKE_TIMEOUT)
        elif self._over or self._stuck or self._reading != 3:
            self._transport.abort()
        else:
            self._finish(late=True)

    def hang_up(self) -> None:
        """Close an idle connection."""
        self._over = True
        self._transport.close()

    def _pause(self) -> None:
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _later(self) -> None:
        asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        """Answer what could not be answered when it came; then read on."""
        self._in_a_row = 0
        while self._queue and not self._waiting and not self._stuck and not self._ended:
            if self._in_a_row >= _IN_A_ROW:
                self._later()
                return
            self._in_a_row += 1
            self._reply(*self._queue.popleft())
        if self._queue or self._waiting or self._stuck or self._transport.is_closing():
            return
        if self._over:  # the client sends no more, and has all its answers
            if not self._lingering:
                self._transport.close()
        elif self._paused:
            self._paused = False
            self._transport.resume_reading()

    # --- answers

    def _reply(self, sent: Sent, place: Place | None, late: bool = False) -> None:
        response = self._listener.answer(sent, place, self._server, late)
        if not response.delay and not response.cut:
            self._give(sent, response)
        elif not response.delay:
            self._cut(sent, response)
        else:
            self._waiting, self.due = True, _NEVER
            self._pause()
            asyncio.get_running_loop().call_later(response.delay, self._after, sent, response)

    def _after(self, sent: Sent, response: Response) -> None:
        """The wait before an answer is over."""
        self._waiting = False
        if self._ended:
            return
        self._wait(IDLE_TIMEOUT)
        if response.cut:
            self._cut(sent, response)
        else:
            self._give(sent, response)
        self.idle = not self._queue
        self._go_on()

    def _give(self, sent: Sent, response: Response) -> None:
        if self._transport.is_closing():
            return
        keep = sent.keep and not self._listener.stopping
        self._transport.write(self._head_of(sent, response, keep) + (b"" if sent.method == "HEAD" else response.body))
        if not keep:
            self._linger()

    def _head_of(self, sent: Sent, response: Response, keep: bool) -> bytes:
        status = response.status
        line = _LINES.get(status) or _LINES.setdefault(status, f"HTTP/1.1 {status_line(status)}\r\n")
        pairs = response.headers.pairs
        more = "" if status in _BODILESS else f"Content-Length: {len(response.body)}\r\n"
        if not keep and "Connection" not in response.headers:
            more += "Connection: close\r\n"
        elif sent.old:
            more += "Connection: keep-alive\r\n"
        text = "".join([f"{name}: {value}\r\n" for name, value in pairs])
        if text.count("\n") != len(pairs) or text.count("\r") != len(pairs):  # a value must not end its line and begin another
            text = "".join([f"{name}: {' '.join(value.split())}\r\n" for name, value in pairs])
        return f"{line}{text}{more}Date: {self._listener.date}\r\n\r\n".encode("latin-1", "replace")

    def _cut(self, sent: Sent, response: Response) -> None:
        """End the connection in the middle of an answer, or in its place, as was asked for."""
        self._over = True
        if response.cut == "truncate":
            head, body = self._head_of(sent, response, keep=sent.keep), response.body if sent.method != "HEAD" else b""
            self._transport.write(head + body[: len(body) // 2] if body else head[: len(head) // 2])
            self._transport.close()
            return
        connection: socket.socket | None = self._transport.get_extra_info("socket")
        if connection is not None:
            layout = "hh" if sys.platform == "win32" else "ii"
            with suppress(OSError):  # RST instead of FIN
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(layout, 1, 0))
        self._transport.abort()

    def _finish(self, *, late: bool) -> None:
        """Answer a request whose body is not read to its end, and no other after it."""
        sent, place = (self._sent, self._place) if self._sent else self._found(b"")
        self._over = True
        body = b"" if late else b"".join(self._pieces)[: self._most + 1]
        self._pieces = []
        self._reply(sent._replace(body=body, keep=False), place, late)

    def _last(self, response: Response) -> None:
        """Give an answer to what is no request, and no other after it."""
        if not self._transport.is_closing():
            sent = Sent("", "", "", Headers(), b"", keep=False, old=False)
            self._transport.write(self._head_of(sent, response, keep=False) + response.body)
            self._linger()

    def _linger(self) -> None:
        """Send what is left and then the end; read, for a while, what still comes."""
        self._over, self._lingering, self.idle = True, True, False
        self._wait(TAKE_TIMEOUT if self._transport.get_write_buffer_size() else LINGER)
        if self._reading == 0 or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self._transport.write_eof()

    # --- what is no request

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:  # nothing else is spoken here: the request has been answered
            self._parser = httptools.HttpRequestParser(self)
            if rest := data[upgrade.args[0] :]:
                self._feed(rest)
        except httptools.HttpParserInvalidMethodError:
            self._invented(data)
        except httptools.HttpParserError as error:
            self._no_request(data, str(error))

    def _invented(self, data: bytes) -> None:
        """A request with a method that the parser does not know: whether there is one is for the API to say."""
        found = _TOKEN.match(data)
        if found is None or self._method or self._head or self._in_a_row or self._queue:
            self._no_request(data, "the method is none")
            return
        self._method = found[1].decode().upper()
        self._parser = httptools.HttpRequestParser(self)
        self._feed(b"POST" + data[found.end(1) :])

    def _no_request(self, data: bytes, reason: str) -> None:
        if self._over or self._queue or self._waiting:
            self._over = True
            return
        tls = "It looks like TLS: write http:// in place of https://. " if data[:1] == b"\x16" else ""
        says = f"This cannot be read as an HTTP/1.1 request: {tls}{reason}"
        self._reading = 1
        self._last(outcome(400, "structure", says, "http"))

    def _too_large(self) -> None:
        self._reading = 1
        says = f"The head of the request is larger than {MOST_HEAD} bytes or has more than {MOST_HEADERS} headers."
        self._last(outcome(431, "too-long", says, "http.headers"))
