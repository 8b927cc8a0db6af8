"""The load: wrk where there is one, else a client in Python; each request of a create with an identifier of its own."""

from __future__ import annotations

import json
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from mocksandbox.provider import open_provider
from tests.benchmarks.peers import ACCEPT, READ

IDENTIFIER = "@ID@"
"""What stands in a body for the identifier, as long as each identifier that takes its place is."""


@dataclass(frozen=True)
class Task:
    """One row: its name, the request, and whether it is to be accepted or refused with one of the statuses."""

    name: str
    method: str
    path: str
    body: str = ""
    statuses: tuple[int, ...] = (200,)


@dataclass(frozen=True)
class Measured:
    """One run: requests answered as they should be and in how many seconds, and the times of answers in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def cost(self) -> float:
        """Processor time of the server per request, in microseconds."""
        return self.cpu / self.requests * 1e6


@cache
def tasks() -> tuple[Task, ...]:
    """The rows: the documented record, the documented search, the document's own example with a new identifier, and the same
    with a status that the document does not have.
    """
    valid = open_provider("nhs").valid
    assert valid is not None
    query = urlencode(valid("searchImmunizationGet").request.query)
    record = valid("createImmunization").body
    record["identifier"][0]["value"] = IDENTIFIER
    return (
        Task("read", "GET", READ),
        Task("search", "GET", f"/Immunization?{query}"),
        Task("create", "POST", "/Immunization", json.dumps(record), (201,)),
        Task("refused create", "POST", "/Immunization", json.dumps({**record, "status": "not-done"}), (400, 422)),
    )


_SCRIPT = """
local before, after, marker = [==[%(before)s]==], [==[%(after)s]==], "%(run)s"
local sent = 0
local head = "%(method)s %(path)s HTTP/1.1\\r\\nHost: %(host)s\\r\\nAccept: application/fhir+json\\r\\n"
if #before > 0 then
  head = head .. "Content-Type: application/fhir+json\\r\\nContent-Length: " .. (#before + #after + 20) .. "\\r\\n"
end
head = head .. "\\r\\n"
function request()
  if #before == 0 then return head end
  sent = sent + 1
  return head .. before .. marker .. string.format("%%012d", sent) .. after
end
function done(summary, latency)
  io.write(string.format('{"requests": %%d, "seconds": %%f, "refused": %%d, "broken": %%d, "p50": %%f, "p99": %%f}\\n',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
"""


def wrk() -> str | None:
    """The path of wrk."""
    return shutil.which("wrk")


def check(task: Task, url: str) -> None:
    """Raise when one request of the task is not answered as it should be: a benchmark of errors is worth nothing."""
    with socket.create_connection(urlsplit(url).netloc.split(":")) as client:  # type: ignore[arg-type]
        status = _ask(client, _message(task, url, uuid4().hex[:20]))
    if status not in task.statuses:
        raise RuntimeError(f"{task.name} at {url} is answered with {status}, not with one of {task.statuses}")


def run(task: Task, url: str, connections: int, seconds: float) -> Measured:
    """Send as much as the server takes over so many connections."""
    return _with_wrk(task, url, connections, seconds) if wrk() else _with_python(task, url, connections, seconds)


def _with_wrk(task: Task, url: str, connections: int, seconds: float) -> Measured:
    parts = urlsplit(url)
    before, _, after = task.body.partition(IDENTIFIER)
    script = _SCRIPT % {
        "before": before,
        "after": after,
        "run": uuid4().hex[:8],
        "method": task.method,
        "path": parts.path + task.path,
        "host": parts.netloc,
    }
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "-s",
            file.name,
            f"http://{parts.netloc}/",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    refused = told["requests"] if task.statuses[0] >= 400 else 0
    if told["broken"] or abs(told["refused"] - refused) > connections:  # those in flight at the end are counted by one only
        raise RuntimeError(f"{task.name} at {url}: {told['refused']} of {told['requests']} refused, {told['broken']} broken")
    return Measured(told["requests"], told["seconds"], told["p50"], told["p99"])


def _message(task: Task, url: str, identifier: str) -> bytes:
    parts = urlsplit(url)
    body = task.body.replace(IDENTIFIER, identifier).encode()
    lines = [f"{task.method} {parts.path}{task.path} HTTP/1.1", f"Host: {parts.netloc}", f"Accept: {ACCEPT['Accept']}"]
    lines += [f"Content-Type: {ACCEPT['Accept']}", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def _ask(client: socket.socket, message: bytes) -> int:
    """Send one request and read its whole answer; its status."""
    client.sendall(message)
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(65536)
        if not piece:
            return 0
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    left = int(fields.get(b"content-length", b"0")) - len(body)
    while left > 0:
        left -= len(client.recv(65536))
    return int(head.split(b" ", 2)[1])


def _with_python(task: Task, url: str, connections: int, seconds: float) -> Measured:
    """What wrk does, slower: the client's own time limits what it measures, so the processor times say more than the rates."""
    times: list[float] = []
    wrong: list[int] = []
    until = time.perf_counter() + seconds
    host, port = urlsplit(url).netloc.split(":")

    def client(number: int) -> None:
        own = uuid4().hex[:8]
        with socket.create_connection((host, int(port))) as connection:
            sent = 0
            while time.perf_counter() < until:
                sent += 1
                began = time.perf_counter()
                status = _ask(connection, _message(task, url, f"{own}{number:02d}{sent:010d}"))
                times.append((time.perf_counter() - began) * 1000)
                if status not in task.statuses:
                    wrong.append(status)
                    return

    began = time.perf_counter()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(f"{task.name} at {url} is answered with {wrong[0]}")
    cuts = statistics.quantiles(times, n=100) if len(times) > 1 else [times[0]] * 99
    return Measured(len(times), time.perf_counter() - began, cuts[49], cuts[98])
