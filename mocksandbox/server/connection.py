"""One client's connection: its requests, read by httptools, each answered as soon as it has come.

One thread answers all clients, so nothing here waits: a client that sends slowly, reads slowly or not at all holds up itself.
Every wait has its end: a head, a body, an answer that nobody takes, a connection without requests.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from typing import TYPE_CHECKING, cast

from mocksandbox.exchange import Headers, Response
from mocksandbox.server.message import MOST_HEAD, Sent, head_of, no_room, reset, too_large
from mocksandbox.server.reading import Reading

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
_IN_A_ROW = 16
"""How many requests of one client, sent at once, are answered before others have their turn."""
_NEVER = sys.maxsize


class Connection(Reading):
    """One connection. `due` is when its present wait ends, counted as the listener's `now` is; `idle` says that no request is
    being read or answered.
    """

    def __init__(self, listener: Listener) -> None:
        """A connection that the listener is told of."""
        super().__init__(listener)
        self.due, self.idle = _NEVER, True
        self._transport = cast("asyncio.Transport", None)
        self._server = ("127.0.0.1", 0)
        self._queue: deque[tuple[Sent, Place | None]] = deque()
        self._unsent = b""
        self._refusal: Response | None = None
        self._held: tuple[asyncio.TimerHandle, Sent, Response] | None = None
        self._waiting = self._stuck = self._paused = self._lingering = self._ended = False
        self._in_a_row = self._left = 0

    # --- what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast("asyncio.Transport", transport)
        self._server = transport.get_extra_info("sockname")[:2]
        self._wait(HEAD_TIMEOUT)
        if not self._listener.joined(self):
            self._refuse(no_room())
            self._transport.close()

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
        self._read(data)
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
                self._refuse(too_large())
        elif self._reading == 2:
            self._reading = 3
            self._wait(self._listener.body_timeout)
            if any(name.lower() == "expect" and value.lower() == "100-continue" for name, value in self._headers):
                self.flush()
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def eof_received(self) -> bool:
        """The client sends no more; whether it still gets answers."""
        self._over = True
        self.flush()
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

    # --- waits

    def _wait(self, seconds: float) -> None:
        self.due = self._listener.after(seconds)

    def overdue(self) -> None:
        """The present wait has ended."""
        left, self._left = self._left, self._transport.get_write_buffer_size()
        if self._left and self._left != left:  # the client takes its answer, if slowly
            self._wait(TAKE_TIMEOUT)
        elif self._over or self._stuck or self._reading != 3:
            self._transport.abort()
        else:
            self._end_early(late=True)

    def hang_up(self) -> None:
        """Close an idle connection."""
        self._over = True
        self._close()

    def flush(self) -> None:
        """Send what was written."""
        unsent, self._unsent = self._unsent, b""
        if unsent and not self._ended:
            self._transport.write(unsent)

    def _close(self) -> None:
        self.flush()
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
            refusal, self._refusal = self._refusal, None
            if refusal is not None:
                self._give_up(refusal)
            elif not self._lingering:
                self._close()
        elif self._paused:
            self._paused = False
            self._transport.resume_reading()

    # --- answers

    def _take(self, sent: Sent, place: Place | None) -> None:
        if self._queue or self._waiting or self._stuck or self._in_a_row >= _IN_A_ROW:
            self._queue.append((sent, place))
            self._pause()
        else:
            self._in_a_row += 1
            self._reply(sent, place)

    def _reply(self, sent: Sent, place: Place | None, late: bool = False) -> None:
        response = self._listener.answer(sent, place, self._server, late)
        if not response.delay and not response.cut:
            self._give(sent, response)
        elif not response.delay:
            self._cut(sent, response)
        else:
            self._waiting, self.due = True, _NEVER
            self._pause()
            self._held = asyncio.get_running_loop().call_later(response.delay, self._after, sent, response), sent, response

    def hurry(self) -> None:
        """Give an answer now that waits because a late one was asked for: the server stops."""
        if self._held is not None:
            wait, sent, response = self._held
            wait.cancel()
            self._after(sent, response)

    def _after(self, sent: Sent, response: Response) -> None:
        """The wait before an answer is over."""
        self._waiting, self._held = False, None
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
        keep = sent.keep and not self._listener.stopping
        self._write(sent, response, keep=keep)
        if not keep:
            self._linger()

    def _cut(self, sent: Sent, response: Response) -> None:
        """End the connection in the middle of an answer, or in its place, as was asked for."""
        self._over = True
        self.flush()
        if response.cut != "truncate":
            reset(self._transport)
            return
        head = b"".join(head_of(sent, response, sent.keep, self._listener.date))
        body = response.body if sent.method != "HEAD" else b""
        self._transport.write(head + body[: len(body) // 2] if body else head[: len(head) // 2])
        self._transport.close()

    def _end_early(self, *, late: bool) -> None:
        """Answer a request whose body is not read to its end, and no other after it."""
        sent, place = (self._sent, self._place) if self._sent else self._found()
        body = b"" if late else b"".join(self._pieces)[: self._most + 1]
        self._pieces = []
        sent = sent._replace(body=body, keep=False)
        self._over = True
        if late:
            self._reply(sent, place, late)
        else:
            self._take(sent, place)
            self._later()

    def _refuse(self, response: Response) -> None:
        """Refuse what is no request, after the answers to those before it; nothing after it can be read."""
        if self._over:
            return
        self._over = True
        if self._queue or self._waiting or self._stuck:
            self._refusal = response
            self._later()
        else:
            self._give_up(response)

    def _give_up(self, response: Response) -> None:
        self._reading = 1
        self._write(Sent("", "", "", Headers(), b"", keep=False, old=False), response, keep=False)
        self._linger()

    def _write(self, sent: Sent, response: Response, *, keep: bool) -> None:
        """Write an answer. It is sent when the others' requests that have come by now are answered too: a client that sleeps
        is woken by what is sent, which costs as much as many a request.
        """
        if self._transport.is_closing():
            return
        parts = head_of(sent, response, keep, self._listener.date)
        if sent.method != "HEAD":
            parts.append(response.body)
        if self._unsent:
            self._unsent = b"".join([self._unsent, *parts])
        else:
            self._unsent = b"".join(parts)
            self._listener.flush_soon(self)

    def _linger(self) -> None:
        """Send what is left and then the end; read, for a while, what still comes."""
        self._over, self._lingering, self.idle = True, True, False
        self.flush()
        self._wait(TAKE_TIMEOUT if self._transport.get_write_buffer_size() else LINGER)
        if self._reading == 0 or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self._transport.write_eof()
