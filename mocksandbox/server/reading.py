"""The requests of one client as they come, read by httptools: in pieces, several at once, with what is no request between."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import httptools

from mocksandbox.exchange import Headers, Response
from mocksandbox.server.message import MOST_HEAD, MOST_HEADERS, Sent, split_target, too_large, unreadable

if TYPE_CHECKING:
    from mocksandbox.server.front import Place
    from mocksandbox.server.listener import Listener

_TOKEN = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) ")


class Reading(asyncio.Protocol):
    """The half of a connection that reads. What it has read it hands to the other half, which answers."""

    def __init__(self, listener: Listener) -> None:
        """For a listener, which says where a request goes."""
        self._listener = listener
        self._parser = httptools.HttpRequestParser(self)
        self._over = False
        """Whether nothing more is to be answered."""
        self._whole: list[Sent] = []
        """The requests that have come to their end in what came last."""
        self._method = ""
        self.on_message_begin()
        self._reading = 0

    def _take(self, sent: Sent, place: Place | None) -> None:
        """A request has come to its end."""
        raise NotImplementedError

    def _end_early(self, *, late: bool) -> None:
        """A request is answered before it has come to its end: it is too large, or too late."""
        raise NotImplementedError

    def _refuse(self, response: Response) -> None:
        """What has come is no request."""
        raise NotImplementedError

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
            self._sent, self._place = self._found()
            self._most = self._listener.most_of(self._place)
        self._pieces.append(body)
        self._size += len(body)
        if self._size > self._most:
            self._end_early(late=False)

    def on_message_complete(self) -> None:
        """The request has come to its end."""
        self._reading = 0
        if self._over:
            return
        if len(self._headers) > MOST_HEADERS or len(self._url) > MOST_HEAD:
            self._refuse(too_large())
        elif self._sent is not None:
            body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces = []  # an idle client's body is not kept
            self._complete(self._sent._replace(body=body), self._place)
        else:
            self._complete(*self._found())

    def _complete(self, sent: Sent, place: Place | None) -> None:
        self._whole.append(sent)
        self._take(sent, place)

    def _found(self) -> tuple[Sent, Place | None]:
        """The request as it has come, and where it goes."""
        method, self._method = self._method or self._parser.get_method().decode("latin-1"), ""
        path, query = split_target(self._url)
        keep, old = self._parser.should_keep_alive(), self._parser.get_http_version() == "1.0"
        sent = Sent(method, path, query, Headers(self._headers), b"", keep, old)
        return sent, self._listener.place(sent)

    def _read(self, data: bytes) -> None:
        """Read what has come. What is one request, with headers that have come before, needs no parser."""
        heads, between = self._listener.heads, self._reading == 0
        sent = heads.find(data) if between else None
        if sent is not None:
            place = self._listener.place(sent)
            if len(sent.body) <= self._listener.most_of(place):
                self._take(sent, place)
                return
        self._feed(data)
        if len(self._whole) == 1 and between and self._reading == 0 and not self._over:
            heads.learn(data, self._whole[0])
        self._whole.clear()

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:  # nothing else is spoken here: the request has been answered
                self._parser = httptools.HttpRequestParser(self)
                data = data[upgrade.args[0] :]
            except httptools.HttpParserInvalidMethodError:
                self._invented(data)
                return
            except httptools.HttpParserError as error:
                self._refuse(unreadable(data, str(error)))
                return

    def _invented(self, data: bytes) -> None:
        """A request with a method that the parser does not know: whether there is one is for the API to say."""
        found = _TOKEN.match(data)
        if found is None or self._method or self._head or self._whole:
            self._refuse(unreadable(data, "the method is none"))
            return
        self._method = found[1].decode().upper()
        self._parser = httptools.HttpRequestParser(self)
        self._feed(b"POST" + data[found.end(1) :])
