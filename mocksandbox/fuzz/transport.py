"""Where requests are sent: a URL, an application in process, or a mock. What goes wrong is a step's failure, never raised."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock
from time import perf_counter
from typing import Protocol
from urllib.parse import urlencode

from mocksandbox.errors import TargetError
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz.guard import parts_of
from mocksandbox.fuzz.model import Step
from mocksandbox.sandbox import Sandbox

UNSENT = "cannot be sent"
"""What the failure of a step begins with when the request never left: the client's own library refuses to write it."""

RAISED = "the application raised"
"""What the failure of a step begins with when an application in process let an exception out: a server answers 500 to that."""

TIMEOUT = 10.0

IN_PROCESS = "http://app.invalid"
"""The origin of an application in process: a name that is never found, so that nothing is sent to it by mistake."""


class Target(Protocol):
    """What a campaign is fired at. `base_url` is the URL of the API's base path."""

    name: str
    base_url: str

    def send(self, request: Request) -> Step:
        """The request with its answer, or with why there is none."""
        ...


@dataclass
class UrlTarget:
    """A server at a URL, over one connection that is kept open. Redirects are answers like others, and not followed."""

    base_url: str
    timeout: float = TIMEOUT
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        self._parts = parts_of(self.base_url)
        self.name = self.base_url

    def send(self, request: Request) -> Step:
        """The request with its answer, or with why there is none."""
        sent = replace(request, base_url=self.base_url)
        with self._lock:
            started = perf_counter()
            reused = self._connection is not None
            try:
                response, failure = self._exchange(sent)
                if reused and failure in _CLOSED and request.method in ("GET", "PUT", "DELETE"):
                    response, failure = self._exchange(sent)  # a server may close an idle connection at any time
            except KeyboardInterrupt:
                self._close()  # an answer may still come, and would be taken for that of the next request
                raise
            return Step(sent, response, perf_counter() - started, failure)

    def _exchange(self, request: Request) -> tuple[Response | None, str]:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(str(self._parts.hostname), self._parts.port, timeout=self.timeout)
        query = f"?{urlencode(request.query)}" if request.query else ""
        try:
            headers = {name: request.headers[name] for name in request.headers}
            self._connection.request(request.method, f"{self._parts.path}{request.path}{query}", request.body or None, headers)
        except (ValueError, http.client.InvalidURL) as error:
            self._close()
            return None, f"{UNSENT}: {type(error).__name__}"
        except OSError as error:
            early = self._early()
            self._close()
            return (early, "") if early is not None else (None, _named(error))
        try:
            answer = self._connection.getresponse()
            response = Response(answer.status, Headers(answer.getheaders()), answer.read())
            if answer.will_close:
                self._close()
            return response, ""
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._close()
            return None, _named(error)

    def _early(self) -> Response | None:
        """The answer of a server that has refused a body before it was all sent."""
        if self._connection is None or getattr(self._connection, "sock", None) is None:
            return None
        try:
            answer = self._connection.getresponse()
            return Response(answer.status, Headers(answer.getheaders()), answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


_CLOSED = ("RemoteDisconnected", "ConnectionResetError", "BrokenPipeError", "ConnectionAbortedError")


def _named(error: Exception) -> str:
    """What went wrong, the same in every run: the kind of error alone."""
    return "timeout" if isinstance(error, TimeoutError) else type(error).__name__


@dataclass
class SandboxTarget:
    """A mock in process."""

    sandbox: Sandbox
    name: str = "the mock in process"
    base_url: str = "http://mock.invalid"

    def send(self, request: Request) -> Step:
        """The request with its answer."""
        sent = replace(request, base_url=self.base_url)
        started = perf_counter()
        response = self.sandbox.handle(sent)
        return Step(sent, response, perf_counter() - started)


def reach(target: Target, request: Request) -> Step:
    """The first step of a campaign.

    Raises:
        TargetError: nothing answers.
    """
    step = target.send(request)
    if step.response is None and not step.failure.startswith((UNSENT, RAISED)):
        raise TargetError(target.base_url, step.failure)
    return step


Authorise = Callable[[Request], Request]
"""Puts the caller's secret into a request."""


@dataclass
class Authorised:
    """A target to which every request goes with a secret. Steps keep the request without it, so that no report can hold it."""

    below: Target
    authorise: Authorise

    def __post_init__(self) -> None:
        self.name, self.base_url = self.below.name, self.below.base_url

    def send(self, request: Request) -> Step:
        """The request with its answer."""
        return replace(self.below.send(self.authorise(request)), request=replace(request, base_url=self.base_url))
