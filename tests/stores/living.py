"""A server of several processes on a shared store, which can be killed; and a client that takes its place in other tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import open_provider
from mocksandbox.store import Database, SqlStore, open_database

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0


@dataclass
class Living:
    """A server that answers. `handle` sends it a request, on one connection for each thread."""

    process: subprocess.Popen[bytes]
    store_url: str
    base: str
    url: str
    ready: Path
    _own: threading.local = field(default_factory=threading.local)
    _opened: list[HTTPConnection] = field(default_factory=list)
    _database: Database | None = None

    def handle(self, request: Request) -> Response:
        """The answer to a request; raises OSError or HTTPException when the server is gone."""
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = HTTPConnection(urlsplit(self.base).netloc, timeout=PATIENCE)
            self._opened.append(connection)
        path = urlsplit(self.base).path + request.path + (f"?{urlencode(request.query)}" if request.query else "")
        headers = {name: value for name, value in request.headers.pairs if name.lower() != "content-length"}
        try:
            connection.request(request.method, path, request.body or None, headers)
            answer = connection.getresponse()
            return Response(answer.status, Headers(answer.getheaders()), answer.read())
        except BaseException:
            self.hang_up()
            raise

    def hang_up(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._own, "connection", None)
        if connection is not None:
            connection.close()
            self._own.connection = None

    @property
    def store(self) -> SqlStore:
        """The records of the NHS API, looked at from here, past the server."""
        if self._database is None:
            self._database = open_database(self.store_url)
        assert self._database is not None
        return SqlStore(self._database, "nhs", open_provider("nhs").seeds())

    def workers(self) -> list[int]:
        """The ids of the worker processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        if children.exists():
            return [int(pid) for pid in children.read_text().split()]
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
        return [pid for pid, parent in pairs if parent == self.process.pid]

    def kill(self) -> None:
        """Kill all its processes at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def close(self) -> None:
        """Stop it, if it still runs, and close what leads to it and looks at its store."""
        for connection in self._opened:
            connection.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.process.stderr:
            self.process.stderr.close()
        if self._database is not None:
            self._database.close()


@contextmanager
def living(store_url: str, *arguments: str, workers: int = 2) -> Iterator[Living]:
    """`mocksandbox serve nhs --workers N --store URL`, once it answers."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        command = [sys.executable, "-m", "mocksandbox", "serve", "nhs", "--port", "0", "--workers", str(workers), *arguments]
        process = subprocess.Popen(
            [*command, "--ready-file", str(ready)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), "MOCKSANDBOX_STORE": store_url},
            start_new_session=True,
        )
        made = Living(process, store_url, "", "", ready)
        try:
            deadline = time.monotonic() + PATIENCE
            while not ready.is_file():
                over = process.poll() is not None
                assert not over, process.stderr.read().decode() if process.stderr else ""
                assert time.monotonic() < deadline
                time.sleep(0.02)
            told: dict[str, Any] = json.loads(ready.read_text("utf-8"))
            made.url, made.base = told["url"], told["providers"]["nhs"]
            yield made
        finally:
            made.close()
