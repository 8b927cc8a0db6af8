"""Answers are sent together; none waits for what may take long."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mocksandbox.exchange import Headers, Response
from mocksandbox.server.connection import Connection
from mocksandbox.server.front import Place
from mocksandbox.server.listener import LONG_BODY, TOGETHER, Listener

ASKS = b"GET / HTTP/1.1\r\n\r\n"
LONG = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % LONG_BODY + b"1" * LONG_BODY


class Client(Connection):
    """A connection whose client gets what is sent at once."""

    def __init__(self, listener: Listener) -> None:
        super().__init__(listener)
        self.got: list[bytes] = []
        transport = SimpleNamespace(
            write=self.got.append,
            close=lambda: None,
            is_closing=lambda: False,
            get_extra_info=lambda _: ("127.0.0.1", 1),
            get_write_buffer_size=lambda: 0,
        )
        self.connection_made(cast("Any", transport))


class Door:
    """Answers everything, with what each of the clients had got by then."""

    def __init__(self, place: Place | None) -> None:
        self.found = place
        self.settings = SimpleNamespace(trust_proxy=False)
        self.clients: list[Client] = []
        self.seen: list[list[int]] = []

    def place(self, *_: object) -> Place | None:
        return self.found

    def answer(self, *_: object) -> Response:
        self.seen.append([len(client.got) for client in self.clients])
        return Response(200, Headers(), b"answer")

    def inner(self, _: object, start: Any) -> list[bytes]:
        self.seen.append([len(client.got) for client in self.clients])
        start("200 OK", [])
        return [b"answer"]


PLACE = Place(cast("Any", None), "", "/", "", 10 * LONG_BODY)


def doors(clients: int) -> Door:
    door = Door(PLACE)
    listener = Listener(cast("Any", door), 1)
    door.clients = [Client(listener) for _ in range(clients)]
    return door


def test_answers_are_sent_when_all_that_came_are_answered() -> None:
    async def run() -> None:
        door = doors(3)
        for client in door.clients:
            client.data_received(ASKS * 2)
        assert [client.got for client in door.clients] == [[], [], []]
        await asyncio.sleep(0)
        assert [[piece.count(b"HTTP/1.1 200") for piece in client.got] for client in door.clients] == [[2], [2], [2]]

    asyncio.run(run())


def test_no_answer_waits_for_many_others() -> None:
    async def run() -> None:
        door = doors(TOGETHER + 1)
        for client in door.clients:
            client.data_received(ASKS)
        assert [len(client.got) for client in door.clients] == [1] * TOGETHER + [0]
        await asyncio.sleep(0)
        assert [len(client.got) for client in door.clients] == [1] * (TOGETHER + 1)

    asyncio.run(run())


@pytest.mark.parametrize("what", ["a long body", "the control API"])
def test_no_answer_waits_for_what_may_take_long(what: str) -> None:
    async def run() -> None:
        door = doors(2)
        first, second = door.clients
        first.data_received(ASKS)
        if what == "a long body":
            second.data_received(LONG)
        else:
            door.found = None
            second.data_received(ASKS)
        assert door.seen == [[0, 0], [1, 0]], "the first client has its answer before the second is answered"
        await asyncio.sleep(0)

    asyncio.run(run())


def test_what_is_written_is_sent_before_the_end() -> None:
    async def run() -> None:
        for ends in (lambda client: client.hang_up(), lambda client: client.eof_received()):
            door = doors(1)
            (client,) = door.clients
            client.data_received(ASKS)
            ends(client)
            assert len(client.got) == 1
            await asyncio.sleep(0)
            assert len(client.got) == 1

    asyncio.run(run())
