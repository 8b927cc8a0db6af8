"""Mixed traffic at a server, as a team's CI makes it, and what becomes of the server's memory.

`python -m tests.soak.traffic --requests 1000000` starts a server and sends it valid and broken requests of every operation,
through several connections that are kept open: in tenants that are reset after some thousand requests, as test suites do.
"""

from __future__ import annotations

import argparse
import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from urllib.parse import urlencode, urlsplit

from mocksandbox.exchange import Request
from mocksandbox.generators.broken import broken_payloads
from mocksandbox.generators.samples import payloads
from mocksandbox.provider import open_provider
from tests.e2e.live import Server, serving

CLIENTS = 4
TENANT_LIFE = 2_000
"""How many requests of one client a tenant sees before it is reset."""

WARM = 100_000
"""After so many requests growth counts."""


@dataclass
class Soaked:
    """What became of a run: answers by status, requests that got none, and the server's memory (bytes) as requests went by."""

    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    memory: list[tuple[int, int]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def requests(self) -> int:
        """All that were sent."""
        return sum(self.statuses.values()) + self.unanswered

    def growth(self, warm: int) -> float:
        """How much larger the memory was at the end than after so many requests: 0.1 is a tenth."""
        first = next(size for sent, size in self.memory if sent >= warm)
        return self.memory[-1][1] / first - 1


def mixture(provider: str, seed: int) -> list[Request]:
    """Valid requests of every operation, unusual ones, and broken ones of every sort, in the order of a seed."""
    found: list[Request] = []
    for operation in open_provider(provider).contract.operations:
        reference = f"{provider}/{operation.id}"
        found += [made.request for made in payloads(reference, 150, seed, style="mixed")]
        found += [made.request for made in broken_payloads(reference, 150, seed) if len(made.request.body) < 100_000]
    Random(seed).shuffle(found)
    return found


def memory(server: Server) -> int:
    """The resident memory of the server and all its workers, in bytes."""
    assert server.process is not None
    pids, total = [server.process.pid], 0
    while pids:
        pid = pids.pop()
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        except OSError:
            continue
        total += pages * 4096
    return total


def soak(server: Server, requests: int, provider: str = "nhs", every: int = 10_000) -> Soaked:
    """Send so many requests, and look at the memory after each `every` of them."""
    mixed = mixture(provider, 0)
    told, lock, numbers = Soaked(), threading.Lock(), itertools.count()
    started = time.monotonic()

    def client(which: int) -> None:
        with closing(HTTPConnection(urlsplit(server.url).netloc, timeout=60)) as connection:
            send(which, connection)

    def send(which: int, connection: HTTPConnection) -> None:
        for turn, request in zip(itertools.count(), cycle(mixed, which), strict=False):
            number = next(numbers)
            if number >= requests:
                return
            tenant = f"soak-{which}"
            if turn % TENANT_LIFE == 0:
                _ask(connection, "POST", f"/__mocksandbox/reset?tenant={tenant}", b"", {})
            status = _ask(connection, request.method, _target(server, request), request.body, _headers(request, tenant))
            with lock:
                told.statuses[status] += status > 0
                told.unanswered += status == 0
            if number % every == every - 1:
                with lock:
                    told.memory.append((number + 1, memory(server)))

    clients = [threading.Thread(target=client, args=(which,)) for which in range(CLIENTS)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    told.seconds = time.monotonic() - started
    told.memory.append((requests, memory(server)))
    return told


def cycle(mixed: list[Request], which: int) -> Iterator[Request]:
    """The requests without end, each client from another one on."""
    start = which * len(mixed) // CLIENTS
    yield from itertools.cycle([*mixed[start:], *mixed[:start]])


def _target(server: Server, request: Request) -> str:
    query = f"?{urlencode(request.query, errors='replace')}" if request.query else ""
    return f"{urlsplit(server.base).path}{request.path}{query}"


def _headers(request: Request, tenant: str) -> dict[str, str]:
    return {**dict(request.headers.pairs), "X-Mocksandbox-Tenant": tenant}


def _ask(connection: HTTPConnection, method: str, target: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of an answer; -1 for what HTTP cannot say, 0 when no answer came."""
    try:
        connection.request(method, target, body or None, headers)
    except (ValueError, UnicodeError):
        connection.close()
        return -1
    except OSError:
        connection.close()
        return 0
    try:
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, HTTPException):
        connection.close()
        return 0


def main() -> None:
    """Run it, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--store", default="memory")
    asked = parser.parse_args()
    with serving("--store", asked.store) as server:
        told = soak(server, asked.requests)
    rate = told.requests / told.seconds
    print(f"{told.requests:,} requests in {told.seconds:,.0f} s ({rate:,.0f} a second), unanswered: {told.unanswered}")
    print("answers: " + ", ".join(f"{status}: {number:,}" for status, number in sorted(told.statuses.items())))
    for sent, size in told.memory[:: max(1, len(told.memory) // 20)]:
        print(f"  after {sent:>9,}: {size / 1e6:7.1f} MB")
    print(f"growth after the first {WARM:,}: {100 * told.growth(min(WARM, asked.requests)):.1f} %")


if __name__ == "__main__":
    main()
