"""The servers that are measured: ours, Prism as it is started and silent, Mockoon; each a process on the same document."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "contracts" / "nhs" / "openapi.json"
BASE = "/immunisation-fhir-api/FHIR/R4"
PATIENCE = 60.0
READ = "/Immunization/12a33650-6f94-4e8f-a971-1c5c41da5b22"
ACCEPT = {"Accept": "application/fhir+json"}


@dataclass(frozen=True)
class Peer:
    """One way to serve the document: its name in the tables, its command (`{port}` stands for the port) and base path."""

    name: str
    command: Sequence[str]
    base: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Running:
    """A peer that answers: its process and URL, how long it took to its first answered read (s), its memory then (bytes)."""

    peer: Peer
    process: subprocess.Popen[bytes]
    port: int
    started_in: float
    memory: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.peer.base}"


def ours(name: str = "mocksandbox", *arguments: str) -> Peer:
    """Our own server, as `mocksandbox serve` starts it."""
    return Peer(name, [sys.executable, "-m", "mocksandbox", "serve", "nhs", "--port", "{port}", *arguments], BASE)


def npm_peer(
    name: str, package: str, version: str, program: str, arguments: Sequence[str], variable: str, base: str = ""
) -> Peer:
    """A program of npm, installed beside the checkout's cache when it is not there; `missing` says why there is none."""
    named = os.environ.get(variable, "")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / f"mocksandbox-{program.partition('-')[0]}"
    kept = cache / "node_modules" / ".bin" / program
    if not named and not kept.is_file():
        npm = shutil.which("npm")
        if npm is None:
            return Peer(name, [], missing=f"{name} needs npm: install Node.js (https://nodejs.org), then run this again")
        cache.mkdir(parents=True, exist_ok=True)
        wanted = f"{package}@{version}" if version else package
        flags = ["--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run([npm, "install", "--prefix", str(cache), *flags, wanted], capture_output=True, check=False)
        if done.returncode:
            return Peer(name, [], missing=f"{name} could not be installed by npm: {done.stderr.decode()[-200:].strip()}")
    return Peer(name, [named or str(kept), *arguments], base)


def peers() -> list[Peer]:
    """Every peer, those too that are missing."""
    prism = ["mock", "-p", "{port}", str(DOCUMENT)]
    of_prism = ("@stoplight/prism-cli", "5.14.2", "prism")
    return [
        npm_peer("Prism", *of_prism, prism, "MOCKSANDBOX_PRISM"),
        npm_peer("Prism -v silent", *of_prism, [*prism, "-v", "silent"], "MOCKSANDBOX_PRISM"),
        npm_peer(
            "Mockoon",
            "@mockoon/cli",
            "9",
            "mockoon-cli",
            ["start", "--data", str(DOCUMENT), "--port", "{port}", "--disable-log-to-file"],
            "MOCKSANDBOX_MOCKOON",
            BASE,
        ),
    ]


@contextmanager
def running(peer: Peer) -> Iterator[Running]:
    """The peer on a free port, once it has answered a read; stopped at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [part.replace("{port}", str(port)) for part in peer.command]
    began = time.perf_counter()
    with tempfile.TemporaryFile() as log:  # what a server says of each request is a part of its cost: it goes to a file
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
    try:
        while not answers(port, peer.base + READ):
            if process.poll() is not None or time.perf_counter() - began > PATIENCE:
                raise RuntimeError(f"{peer.name} does not answer: {' '.join(command)}")
            time.sleep(0.005)
        took = time.perf_counter() - began
        yield Running(peer, process, port, took, memory(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(port: int, path: str) -> bool:
    """Whether a read is answered with 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers=ACCEPT)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for each in found:
        for tasks in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in tasks.read_text().split()]
    return found


def memory(pid: int) -> int:
    """The memory of a process and its descendants in bytes; what they share counts once (PSS)."""
    total = 0
    for each in family(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def cpu_seconds(pid: int) -> float:
    """The processor time that a process and its descendants have used."""
    ticks = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
