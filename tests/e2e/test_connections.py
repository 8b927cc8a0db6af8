"""HTTP on the wire: what is sent at once, in pieces, strangely or not at all, and what comes back."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from mocksandbox.exchange import Headers, Response
from mocksandbox.provider import open_provider
from mocksandbox.server import connection as wire
from mocksandbox.server.app import serving_app
from mocksandbox.server.listener import Listener
from mocksandbox.server.message import MOST_HEADERS, Sent, head_of
from mocksandbox.server.settings import Settings
from tests.e2e.live import FHIR_JSON, Server, serving

RECORD = "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22"
ABSENT = "/Immunization/6d3e1d6e-0001-4a0e-8e70-000000000000"
GOOD = open_provider("nhs").valid("createImmunization").request.body  # type: ignore[misc]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as one:
        yield one


def asked(server: Server, method: str = "GET", path: str = RECORD, *lines: str, version: str = "1.1") -> bytes:
    host = urlsplit(server.url).netloc
    head = [f"{method} {urlsplit(server.base).path}{path} HTTP/{version}", f"Host: {host}", f"Accept: {FHIR_JSON}", *lines]
    return "\r\n".join([*head, "", ""]).encode()


def said(server: Server, *pieces: bytes, end: bool = True) -> bytes:
    """All that the server says to these bytes; with `end` it is told that there are no more."""
    parts = urlsplit(server.url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), 20) as client:
        for piece in pieces:
            client.sendall(piece)
        if end:
            client.shutdown(socket.SHUT_WR)
        read = b""
        while piece := client.recv(65536):
            read += piece
    return read


def answers(read: bytes, heads: bool = False) -> list[tuple[int, Headers, bytes]]:
    """The answers in what was read; those of HEAD have no body."""
    found = []
    while read:
        head, _, read = read.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = Headers([(name, value) for name, _, value in (line.partition(": ") for line in lines)])
        length = 0 if heads else int(headers.get("Content-Length", "0"))
        found.append((int(first.split()[1]), headers, read[:length]))
        read = read[length:]
    return found


def test_requests_that_come_at_once_are_answered_in_their_order(server: Server) -> None:
    paths = [RECORD if number % 3 else ABSENT for number in range(100)]
    read = said(server, b"".join(asked(server, "GET", path) for path in paths))
    assert [status for status, *_ in answers(read)] == [200 if path == RECORD else 404 for path in paths]


def test_an_answer_that_waits_holds_up_those_after_it_on_its_connection(server: Server) -> None:
    slow = asked(server, "GET", RECORD, "Prefer: fault=latency:300ms")
    read = said(server, slow + asked(server, "GET", ABSENT) + slow + asked(server, "GET", ABSENT))
    assert [status for status, *_ in answers(read)] == [200, 404, 200, 404]


def test_a_request_may_come_byte_by_byte(server: Server) -> None:
    request = asked(server, "POST", "/Immunization", f"Content-Type: {FHIR_JSON}", "Content-Length: 2") + b"{}"
    assert [status for status, *_ in answers(said(server, *(request[i : i + 1] for i in range(len(request)))))] == [400]


def test_a_body_may_come_in_chunks(server: Server) -> None:
    head = asked(server, "POST", "/Immunization", f"Content-Type: {FHIR_JSON}", "Transfer-Encoding: chunked")
    pieces = [GOOD[start : start + 700] for start in range(0, len(GOOD), 700)]
    chunks = [f"{len(piece):x};x=y\r\n".encode() + piece + b"\r\n" for piece in pieces]
    read = said(server, head, *chunks, b"0\r\nTrailer: 1\r\n\r\n", asked(server))
    assert [status for status, *_ in answers(read)] == [201, 200]


def test_a_client_that_waits_for_a_word_before_its_body_gets_it(server: Server) -> None:
    parts = urlsplit(server.url)
    head = asked(server, "POST", "/Immunization", f"Content-Type: {FHIR_JSON}", "Expect: 100-continue", "Content-Length: 2")
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), 20) as client:
        client.sendall(head)
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"{}")
        assert client.recv(65536).startswith(b"HTTP/1.1 400")


def test_an_old_client_is_kept_only_when_it_says_so(server: Server) -> None:
    (_, headers, _), *more = answers(said(server, asked(server, version="1.0") + asked(server), end=False))
    assert headers["Connection"] == "close"
    assert not more
    kept = answers(said(server, asked(server, "GET", RECORD, "Connection: keep-alive", version="1.0") + asked(server)))
    assert [status for status, *_ in kept] == [200, 200]
    assert kept[0][1]["Connection"] == "keep-alive"


def test_a_client_that_says_so_is_let_go(server: Server) -> None:
    ((status, headers, body),) = answers(said(server, asked(server, "GET", RECORD, "Connection: close"), end=False))
    assert (status, headers["Connection"]) == (200, "close")
    assert json.loads(body)["resourceType"] == "Immunization"


def test_head_has_the_length_and_no_body(server: Server) -> None:
    (found, other) = answers(said(server, asked(server, "HEAD") + asked(server, "HEAD", ABSENT)), heads=True)
    assert int(found[1]["Content-Length"]) > 0
    assert found[0] in (200, 405)
    assert other[0] in (404, 405)


def test_an_upgrade_is_not_taken_up_and_does_no_harm(server: Server) -> None:
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    read = said(server, asked(server, "GET", RECORD, *upgrade) + asked(server))
    assert [status for status, *_ in answers(read)] == [200, 200]


@pytest.mark.parametrize("method", ["BREW", "brew", "M-x"])
def test_a_method_that_nobody_knows_is_for_the_api_to_refuse(server: Server, method: str) -> None:
    ((status, _, body),) = answers(said(server, asked(server, method)))
    assert 400 <= status < 500
    assert json.loads(body)["resourceType"] == "OperationOutcome"
    near = server.json("GET", "/__mocksandbox/journal/near-misses")["entries"][-1]
    assert near["method"] == method.upper()


@pytest.mark.parametrize("target", ["http://other.example{}", "{}?", "{}#part"])
def test_a_target_may_be_written_in_other_ways(server: Server, target: str) -> None:
    host = urlsplit(server.url).netloc
    path = target.format(urlsplit(server.base).path + RECORD)
    read = said(server, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {FHIR_JSON}\r\n\r\n".encode())
    assert [status for status, *_ in answers(read)] == [200]


@pytest.mark.parametrize(
    ("raw", "status", "words"),
    [
        (b"NOT HTTP AT ALL\r\n\r\n", 400, "HTTP/1.1 request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400, "http:// in place of https://"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, "Content-Length"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, "Content-Length"),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "Content-Length"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", 400, "chunk"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", 400, "header"),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * (MOST_HEADERS + 1) + b"\r\n", 431, str(MOST_HEADERS)),
    ],
    ids=["words", "tls", "negative-length", "two-lengths", "length-and-chunks", "bad-chunk", "nul", "many-headers"],
)
def test_what_is_no_request_is_told_why(server: Server, raw: bytes, status: int, words: str) -> None:
    ((told, headers, body),) = answers(said(server, raw))
    assert told == status
    assert headers["Connection"] == "close"
    outcome = json.loads(body)
    assert outcome["resourceType"] == "OperationOutcome"
    assert words.lower() in outcome["issue"][0]["diagnostics"].lower()


@pytest.mark.parametrize("before", [1, 16, 17, 500])
@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (b"garbage\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 300 + b"\r\n", 431),
        (
            b"POST /immunisation-fhir-api/FHIR/R4/Immunization HTTP/1.1\r\nContent-Length: 7000000\r\n\r\n" + b"x" * 6_500_000,
            413,
        ),
    ],
    ids=["garbage", "headers", "body"],
)
def test_what_is_refused_comes_after_all_answers_before_it(server: Server, before: int, broken: bytes, status: int) -> None:
    read = said(server, asked(server) * before + broken, end=False)
    assert [found for found, *_ in answers(read)] == [200] * before + [status]


def test_a_refusal_waits_for_an_answer_that_waits(server: Server) -> None:
    slow = asked(server, "GET", RECORD, "Prefer: fault=latency:300ms")
    read = said(server, slow + asked(server, "GET", ABSENT) * 20 + b"garbage\r\n\r\n", end=False)
    assert [status for status, *_ in answers(read)] == [200, *[404] * 20, 400]


def test_many_upgrades_at_once_do_no_harm(server: Server) -> None:
    upgrade = asked(server, "GET", ABSENT, "Connection: Upgrade", "Upgrade: h2c")
    assert [status for status, *_ in answers(said(server, upgrade * 2_000))] == [404] * 2_000


def test_what_is_broken_after_a_request_leaves_its_answer(server: Server) -> None:
    first, second = answers(said(server, asked(server) + b"GARBAGE\r\n\r\n"))
    assert (first[0], second[0]) == (200, 400)


# --- in this process, with limits of its own


async def listening(listener: Listener) -> tuple[asyncio.Server, int]:
    opened = await asyncio.get_running_loop().create_server(listener.connect, "127.0.0.1", 0)
    return opened, opened.sockets[0].getsockname()[1]


def alone(test: Callable[[Listener, int], Coroutine[Any, Any, None]], connections: int = 4096) -> None:
    """Run a test with a listener of its own."""

    async def run() -> None:
        front, _ = serving_app(Settings(wire=True))
        listener = Listener(front, 1.0, connections)
        opened, port = await listening(listener)
        watching = asyncio.create_task(listener.watch())
        try:
            async with asyncio.timeout(30):
                await test(listener, port)
        finally:
            watching.cancel()
            opened.close()
            await listener.stop(0, asyncio.Event())

    asyncio.run(run())


def test_one_client_too_many_takes_the_place_of_the_one_that_has_been_idle_longest() -> None:
    async def test(listener: Listener, port: int) -> None:
        clients = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await asyncio.sleep(0.3)
        newest = await asyncio.open_connection("127.0.0.1", port)
        assert await clients[0][0].read() == b""
        for _, writer in (*clients[1:], newest):
            writer.write(b"GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        for reader, _ in (*clients[1:], newest):
            assert (await reader.readline()).startswith(b"HTTP/1.1 404")
        assert len(listener.connections) == 3
        for _, writer in (*clients, newest):
            writer.close()

    alone(test, connections=3)


def test_a_client_for_whom_there_is_no_room_is_told() -> None:
    async def test(_: Listener, port: int) -> None:
        busy = await asyncio.open_connection("127.0.0.1", port)
        busy[1].write(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n1")
        await asyncio.sleep(0.2)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        read = await reader.read()
        assert read.startswith(b"HTTP/1.1 503")
        assert b"Retry-After: 1" in read
        busy[1].close()
        writer.close()

    alone(test, connections=1)


def test_a_client_that_takes_no_answers_is_asked_nothing_more_and_then_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "TAKE_TIMEOUT", 0.5)

    async def test(listener: Listener, port: int) -> None:
        path = f"/immunisation-fhir-api/FHIR/R4{RECORD}"
        request = f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        client = socket.create_connection(("127.0.0.1", port))
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sent = 0
        let_go = False
        while not let_go:
            try:
                sent += client.send(request * 50)
            except BlockingIOError:
                await asyncio.sleep(0.05)
            except ConnectionError:
                let_go = True
        assert not listener.connections
        answered = len(listener.front.mounts["/immunisation-fhir-api/FHIR/R4"].journal)
        assert answered < sent / len(request), "what nobody takes is not worked out"
        client.close()

    alone(test)


def test_no_value_of_an_answer_can_end_its_header() -> None:
    sent = Sent("GET", "/", "", Headers(), b"", keep=True, old=False)
    response = Response(200, Headers([("X-Echo", "a\r\nSet-Cookie: b\n\n<html>")]), b"")
    head = b"".join(head_of(sent, response, True, b"Date: now\r\n"))
    assert re.findall(rb"^[^:\r\n]+:", head, re.M) == [b"X-Echo:", b"Content-Length:", b"Date:"]
