"""Clients that are slow, many, or never done: each is answered or cut off in time, and another client notices nothing."""

from __future__ import annotations

import json
import signal
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

import pytest

from mocksandbox.provider import open_provider
from tests.e2e.live import FHIR_JSON, PATIENCE, Server, serving

SLOW, IDLE = 200, 1_000
BODY_TIMEOUT = 2.0
HEAD_TIMEOUT = 10.0
"""Seconds that the server waits for a request's head; the server's own."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--body-timeout", str(BODY_TIMEOUT)) as one:
        yield one


def address(server: Server) -> tuple[str, int]:
    parts = urlsplit(server.url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def head(server: Server, length: int, path: str = "/Immunization", *more: str) -> bytes:
    lines = [
        f"POST {urlsplit(server.base).path}{path} HTTP/1.1",
        f"Host: {urlsplit(server.url).netloc}",
        f"Content-Type: {FHIR_JSON}",
        f"Accept: {FHIR_JSON}",
        f"Content-Length: {length}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def connected(server: Server, sent: bytes) -> socket.socket:
    client = socket.create_connection(address(server), PATIENCE)
    client.sendall(sent)
    return client


def answered(client: socket.socket) -> bytes:
    """One answer, to the end of its body; then the client goes."""
    with client:
        client.settimeout(25)
        answer = HTTPResponse(client)
        answer.begin()
        assert answer.headers["Connection"] == "close"
        return f"{answer.status}\n".encode() + answer.read()


def everything(client: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    with client:
        client.settimeout(25)
        read = b""
        with suppress(ConnectionResetError):
            while piece := client.recv(65536):
                read += piece
        return read


def normal(server: Server, times: int = 20) -> float:
    """The median of the seconds that a right read and a right search take another client."""
    record = open_provider("nhs").valid
    assert record is not None
    request = record("readImmunization").request
    taken = []
    connection = HTTPConnection(*address(server), timeout=PATIENCE)
    for _ in range(times):
        started = time.perf_counter()
        connection.request("GET", urlsplit(server.base).path + request.path, headers=dict(request.headers.pairs))
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        taken.append(time.perf_counter() - started)
    connection.close()
    return statistics.median(taken)


def test_bodies_that_do_not_come_are_408_in_time_and_nobody_else_waits(server: Server) -> None:
    started = time.monotonic()
    clients = [connected(server, head(server, 1000) + b'{"resourceType"') for _ in range(SLOW)]
    assert normal(server) < BODY_TIMEOUT / 4
    answers = [answered(client) for client in clients]
    assert time.monotonic() - started < BODY_TIMEOUT + 20
    for answer in answers:
        status, _, body = answer.partition(b"\n")
        assert status == b"408", answer[:300]
        outcome = json.loads(body)
        assert outcome["resourceType"] == "OperationOutcome"
        assert outcome["issue"][0]["code"] == "timeout"
        assert "2 s" in outcome["issue"][0]["diagnostics"]


def test_a_body_that_drips_is_408_in_time(server: Server) -> None:
    client = connected(server, head(server, 10_000))
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.05):
            try:
                client.send(b" ")
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    started = time.monotonic()
    status = client.recv(65536).split()[1]
    stop.set()
    dripping.join()
    client.close()
    assert status == b"408"
    assert time.monotonic() - started < BODY_TIMEOUT + 10


def test_it_is_the_same_for_the_control_api_and_for_paths_that_there_are_not(server: Server) -> None:
    host = f"Host: {urlsplit(server.url).netloc}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n".encode()
    for path in (b"/__mocksandbox/seed", b"/nowhere"):
        answer = answered(connected(server, b"POST " + path + b" HTTP/1.1\r\n" + host + b"{"))
        assert answer.startswith(b"408"), answer[:300]
        assert b"OperationOutcome" in answer


def test_a_late_body_is_in_the_journal(server: Server) -> None:
    answered(connected(server, head(server, 50) + b"{"))
    entries = server.json("GET", "/__mocksandbox/journal?status=408")["entries"]
    assert entries
    assert entries[-1]["operation"] == "createImmunization"


def test_heads_that_do_not_come_are_cut_off_and_nobody_else_waits(server: Server) -> None:
    started = time.monotonic()
    clients = [connected(server, b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ") for _ in range(SLOW)]
    assert normal(server) < 1
    for client in clients:
        everything(client)
    assert time.monotonic() - started < HEAD_TIMEOUT + PATIENCE


def test_a_thousand_idle_connections_keep_nobody_out(server: Server) -> None:
    clients = [socket.create_connection(address(server), PATIENCE) for _ in range(IDLE)]
    try:
        assert normal(server) < 1
    finally:
        for client in clients:
            client.close()
    assert normal(server) < 1


@pytest.mark.parametrize("size", [2_000_000, 5_000_000])
def test_a_head_that_is_too_large_is_refused(server: Server, size: int) -> None:
    client = socket.create_connection(address(server), PATIENCE)
    with suppress(OSError):  # it need not read to the end
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Large: " + b"a" * size + b"\r\n\r\n")
    answer = everything(client)
    assert answer.startswith((b"HTTP/1.1 431", b"HTTP/1.1 414", b"HTTP/1.1 400")) or not answer
    assert normal(server) < 1


def test_a_body_that_is_too_large_is_413_while_it_is_still_sent(server: Server) -> None:
    client = connected(server, head(server, 10_000_000_000))
    with suppress(OSError):
        for _ in range(200):
            client.sendall(b" " * 65536)
    answer = everything(client)
    assert answer.split()[1:2] == [b"413"], answer[:200]
    assert normal(server) < 1


def test_what_is_being_answered_when_the_server_is_told_to_stop_is_answered() -> None:
    with serving("--body-timeout", "20") as server:
        body = json.dumps(open_provider("nhs").valid("createImmunization").body).encode()  # type: ignore[misc]
        client = connected(server, head(server, len(body)) + body[:100])
        time.sleep(0.3)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        client.sendall(body[100:])
        answer = client.recv(65536)
        client.close()
        assert answer.split()[1] == b"201", answer[:300]
        server.process.wait(PATIENCE)


def test_an_answer_that_is_late_on_purpose_is_given_when_the_server_is_told_to_stop() -> None:
    with serving() as server:
        client = connected(server, head(server, 0, "/Immunization", "Prefer: fault=latency:25s"))
        time.sleep(0.3)
        assert server.process is not None
        began = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        assert client.recv(65536).split()[1] == b"400"
        assert server.process.wait(PATIENCE) == 0
        assert time.monotonic() - began < 10
        client.close()


def test_who_stops_the_server_twice_does_not_wait_for_its_clients() -> None:
    with serving("--body-timeout", "60") as server:
        client = connected(server, head(server, 100))
        time.sleep(0.3)
        assert server.process is not None
        began = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        time.sleep(2)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGINT)
        server.process.wait(PATIENCE)
        assert time.monotonic() - began < 15
        client.close()
