"""What one worker process has for all its tests: the server, the opened providers, and each test's run by its name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from mocksandbox.consumer.answering import App
from mocksandbox.consumer.options import Options, Wish
from mocksandbox.consumer.run import Run
from mocksandbox.provider import Provider, open_provider
from mocksandbox.rules.attempt import Record
from mocksandbox.server.front import TENANT_PREFIX
from mocksandbox.server.wsgi import Environ

if TYPE_CHECKING:
    from mocksandbox.consumer.serving import Server

KEPT = 200
"""How many tests that have ended still answer: a request of theirs that comes late is theirs."""


class Suite:
    """The runs of one worker, and the server that they share. Nothing is started before it is needed."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.runs: dict[str, Run] = {}
        self._count = 0
        self._current: Run | None = None
        self._seeds: dict[str, tuple[Provider, tuple[Record, ...]]] = {}

    def open(self, nodeid: str, wish: Wish, name: str = "") -> Run:
        """A new run for a test."""
        self._count += 1
        run = Run(name or f"t{self._count}", nodeid, wish, self._provider)
        self.runs[run.name] = run
        self._current = run if not name else self._current or run
        return run

    def _provider(self, name: str) -> tuple[Provider, Iterable[Record]]:
        found = self._seeds.get(name)
        if found is None:
            provider = open_provider(name)
            found = self._seeds[name] = (provider, tuple(provider.seeds()))
        return found

    def close(self, run: Run) -> None:
        """A test has ended. Its run is kept for what comes late; the oldest ones are forgotten."""
        run.closed = True
        run.forget()
        ended = [each for each in list(self.runs.values()) if each.closed]
        for each in ended[:-KEPT]:
            del self.runs[each.name]

    def find(self, environ: Environ) -> Run:
        """The run that a request is for: its URL says so. Where it does not, it is the newest one's, for only one test runs at
        a time.
        """
        path = str(environ.get("PATH_INFO", ""))
        name = path[len(TENANT_PREFIX) :].partition("/")[0] if path.startswith(TENANT_PREFIX) else ""
        if name not in self.runs and (name or self._current is None):
            forgotten = self.open("(a test that ended long ago)", Wish(self.options), name or "nobody")
            forgotten.closed = True
        return self.runs[name] if name in self.runs else self._current or self.runs["nobody"]

    @property
    def origin(self) -> str:
        """Scheme, host and port of the server, which is started by this when it does not run yet."""
        return self._server.origin

    @cached_property
    def _server(self) -> Server:
        # Imported here: who stays in the process needs no server.
        from mocksandbox.consumer.serving import Server

        return Server(App(self.find))

    def shut(self) -> None:
        """Stop the server, once its requests are answered."""
        for run in self.runs.values():
            run.activity.wait_idle(1.0)
        if "_server" in self.__dict__:
            self._server.close()
