"""What a fault does to an answer on its way: it comes late, or half, or the connection is reset in its place."""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from select import select

from mocksandbox.exchange import Response
from mocksandbox.server.wsgi import written

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Delivery:
    """An answer as it is to be given: status line, headers, body; how many seconds to wait before it; whether it is reset
    instead, or ends in the middle; and whether it comes too late for the client.
    """

    status: str
    headers: Headers
    body: bytes
    wait: float = 0.0
    reset: bool = False
    truncate: bool = False
    late: bool = False

    @property
    def sent(self) -> bytes:
        """The bytes of the body that come."""
        return self.body[: len(self.body) // 2] if self.truncate else self.body


def delivery(response: Response) -> Delivery:
    """How an answer of the sandbox is to be given."""
    status, headers = written(response)
    return Delivery(
        status,
        headers,
        response.body,
        wait=response.delay,
        reset=response.cut == "reset",
        truncate=response.cut == "truncate",
    )


def reset(connection: socket.socket) -> None:
    """End a connection with RST instead of FIN."""
    layout = "hh" if sys.platform == "win32" else "ii"
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(layout, 1, 0))
        # Detached, so that nobody shuts it down, which would send the FIN that is not wanted.
        socket.close(connection.detach())


def has_gone(connection: socket.socket) -> bool:
    """Whether the client has given up: its end is closed, and nothing that it sent is left."""
    try:
        readable, _, _ = select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):  # closed already, or more files are open than `select` can watch
        return False
