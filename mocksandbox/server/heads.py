"""Heads of requests that have come before. Most clients send the same headers with every request: read once, they need not be
read again.
"""

from __future__ import annotations

import re

from mocksandbox.exchange import Headers
from mocksandbox.server.message import Sent

MOST_HEADS = 512
"""How many are remembered."""
MOST_BYTES = 2048
"""How long one may be that is."""
_MOST_SEEN = 4096

# What the parser reads in the same way, and nothing that would have to be percent-encoded or decoded.
_LINE = re.compile(
    rb"(DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) (/[A-Za-z0-9/_.$~:@!&'()*+,;=-]*)(?:\?([!\"$-~]*))? HTTP/1\.1\r\n"
)
_ABOUT_THE_CONNECTION = frozenset({"connection", "expect", "te", "trailer", "transfer-encoding", "upgrade"})


class Heads:
    """The headers of requests by their bytes as they were sent, each as the parser has read them, with the body's length."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Headers, int]] = {}
        self._seen: set[int] = set()

    def find(self, data: bytes) -> Sent | None:
        """The request that bytes are, when they are one and its headers have come before; None when the parser has to say."""
        line = _LINE.match(data)
        if line is None:
            return None
        start = line.end()
        end = data.find(b"\r\n\r\n", start - 2)
        known = self._known.get(data[start : end + 2])
        if known is None or end + 4 + known[1] != len(data):
            return None
        method, path, query = line.groups(b"")
        body = data[end + 4 :] if known[1] else b""
        return Sent(method.decode(), path.decode(), query.decode(), known[0], body, True, False)

    def learn(self, data: bytes, sent: Sent) -> None:
        """Remember the headers of the one request that the parser has found bytes to be, when they come for the second time
        and say nothing of the connection.
        """
        line = _LINE.match(data)
        end = data.find(b"\r\n\r\n", line.end() - 2) if line else -1
        if line is None or end < 0 or end - line.end() > MOST_BYTES:
            return
        block = data[line.end() : end + 2]
        number = hash(block)
        if number not in self._seen:  # a head with an id of its own never comes again
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen.add(number)
            return
        headers = sent.headers
        plain = block.count(b"\n") == block.count(b"\r\n") == len(headers.pairs) and len(data) - end - 4 == len(sent.body)
        if (
            plain
            and sent.keep
            and not sent.old
            and headers.get("content-length", "0") == str(len(sent.body))
            and _ABOUT_THE_CONNECTION.isdisjoint(headers.names())
        ):
            if len(self._known) >= MOST_HEADS:
                del self._known[next(iter(self._known))]
            self._known[block] = headers, len(sent.body)
