"""A server of its own process, on a free port, and requests to it with the standard library alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
FHIR_JSON = "application/fhir+json"


@dataclass(frozen=True)
class Reply:
    """An answer: its status, its headers by lower-case name, its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A server that answers: its own URL and the base URL of the provider that it serves."""

    url: str
    base: str
    process: subprocess.Popen[bytes] | None = None

    def json(self, method: str, path: str) -> Any:
        """The JSON of an answer of the server's own API."""
        return fetch(self.url, method, path, None, {}).json

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """One request below the provider's base path. A body that is not bytes goes as FHIR JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", FHIR_JSON)
        return fetch(self.base, method, path, body, sent)


def fetch(base: str, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
    """One request, exactly as given."""
    parts = urlsplit(base)
    connection = HTTPConnection(parts.netloc, timeout=PATIENCE)
    try:
        connection.request(method, parts.path + path, body, dict(headers))
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@contextmanager
def serving(*arguments: str, provider: str = "nhs", environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """`mocksandbox serve PROVIDER ARGUMENTS` on a free port, once it answers; in an environment, the own one by default."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        command = [sys.executable, "-m", "mocksandbox", "serve", provider, *arguments]
        process = subprocess.Popen(
            [*command, "--port", "0", "--ready-file", str(ready)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment or {**os.environ, "PYTHONPATH": str(ROOT)},
        )
        try:
            deadline = time.monotonic() + PATIENCE
            while not ready.is_file():
                if process.poll() is not None or time.monotonic() > deadline:
                    said = process.stderr.read().decode() if process.stderr and process.poll() is not None else ""
                    raise AssertionError(f"the server is not ready: {said}")
                time.sleep(0.02)
            told = json.loads(ready.read_text("utf-8"))
            yield Server(told["url"], next(iter(told["providers"].values())), process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
            if process.stderr:
                process.stderr.close()


def cli(*arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
    """`mocksandbox ARGUMENTS`, to its end, with a text on its standard input."""
    command = [sys.executable, "-m", "mocksandbox", *arguments]
    return subprocess.run(command, cwd=ROOT, input=input, capture_output=True, text=True, timeout=PATIENCE * 5, check=False)


def wait_for(port: int) -> None:
    """Until somebody listens at a port of this machine."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < deadline, "nobody listens"
            time.sleep(0.1)
        else:
            return
