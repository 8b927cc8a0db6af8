"""Applications in process as targets: WSGI and ASGI, with no server and no socket."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from inspect import iscoroutinefunction
from time import perf_counter
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode, urlsplit

from mocksandbox.errors import UsageError
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz.model import Step
from mocksandbox.fuzz.transport import IN_PROCESS, RAISED, UNSENT, Target

WsgiApp = Callable[[Any, Any], Iterable[bytes]]
AsgiApp = Callable[[Any, Any, Any], Any]


@dataclass
class WsgiTarget:
    """A WSGI application, called as a server calls it. `base_url` ends with the path below which the API is."""

    app: WsgiApp
    base_url: str = IN_PROCESS
    name: str = "the application in process"

    def send(self, request: Request) -> Step:
        """The request with its answer, or with the exception that the application let out."""
        sent = replace(request, base_url=self.base_url)
        started = perf_counter()
        try:
            environ = wsgi_environ(sent)
        except (ValueError, UnicodeError) as error:
            return Step(sent, None, 0.0, f"{UNSENT}: {type(error).__name__}")
        given: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
            given.append((status, headers))
            return lambda _: None

        try:
            body = b"".join(self.app(environ, start_response))
            status, headers = given[-1]
            response = Response(int(status[:3]), Headers(headers), body)
        except Exception as error:
            return Step(sent, None, perf_counter() - started, f"{RAISED} {type(error).__name__}")
        return Step(sent, response, perf_counter() - started)


def wsgi_environ(request: Request) -> Mapping[str, Any]:
    """What a WSGI server makes of a request (PEP 3333).

    Raises:
        ValueError: the request cannot be written in HTTP.
    """
    parts = urlsplit(request.base_url)
    _must_be_writable(request)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path + request.path).decode("latin-1"),
        "QUERY_STRING": urlencode(request.query),
        "SERVER_NAME": parts.hostname or "localhost",
        "SERVER_PORT": str(parts.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme or "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        environ["CONTENT_LENGTH"] = str(len(request.body))
    for name in request.headers:
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = request.headers[name]
    return environ


def _must_be_writable(request: Request) -> None:
    """Raises ValueError for what the HTTP library would not write either, so that all targets get the same."""
    request.path.encode("ascii")
    if any(char <= " " or char == "\x7f" for char in request.path):
        raise ValueError("the path has a character that no request line has")
    for value in request.headers.values():
        value.encode("latin-1")
        if "\n" in value or "\r" in value or "\0" in value:
            raise ValueError("a header has a line break")


@dataclass
class AsgiTarget:
    """An ASGI application, called as a server calls it."""

    app: AsgiApp
    base_url: str = IN_PROCESS
    name: str = "the application in process"

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def __del__(self) -> None:
        self._loop.close()

    def send(self, request: Request) -> Step:
        """The request with its answer, or with the exception that the application let out."""
        sent = replace(request, base_url=self.base_url)
        started = perf_counter()
        try:
            _must_be_writable(sent)
        except (ValueError, UnicodeError) as error:
            return Step(sent, None, 0.0, f"{UNSENT}: {type(error).__name__}")
        try:
            response = self._loop.run_until_complete(self._call(sent))
        except Exception as error:
            return Step(sent, None, perf_counter() - started, f"{RAISED} {type(error).__name__}")
        return Step(sent, response, perf_counter() - started)

    async def _call(self, request: Request) -> Response:
        parts = urlsplit(request.base_url)
        path = parts.path + request.path
        headers = [("host", parts.netloc), ("content-length", str(len(request.body))), *request.headers.pairs]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": parts.scheme or "http",
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path.encode("ascii"),
            "query_string": urlencode(request.query).encode(),
            "root_path": "",
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            "server": (parts.hostname, parts.port or 80),
            "client": ("127.0.0.1", 0),
        }
        waiting: list[dict[str, Any]] = [{"type": "http.request", "body": request.body, "more_body": False}]
        sent: list[Mapping[str, Any]] = []

        async def receive() -> Mapping[str, Any]:
            return waiting.pop() if waiting else {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start = next(message for message in sent if message["type"] == "http.response.start")
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", ())]
        body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
        return Response(start["status"], Headers(pairs), body)


def load_app(reference: str, base_path: str = "") -> Target:
    """The application that `MODULE:APP` names; ASGI when it is a coroutine function, else WSGI. APP may be a factory,
    written `MODULE:APP()`.

    Raises:
        UsageError: there is none of that name.
    """
    module, colon, attribute = reference.partition(":")
    called = attribute.endswith("()")
    sys.path.insert(0, "") if "" not in sys.path else None
    try:
        app: Any = import_module(module)
        for name in attribute.removesuffix("()").split(".") if colon and attribute else ():
            app = getattr(app, name)
        app = app() if called else app
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"--app {reference!r} cannot be loaded: {error}. Write MODULE:APP, like shop.api:app.") from error
    if not colon or not callable(app):
        raise UsageError(f"--app {reference!r} names no application. Write MODULE:APP, like shop.api:app.")
    is_asgi = iscoroutinefunction(app) or iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004  # the method itself is asked
    kind: Any = AsgiTarget if is_asgi else WsgiTarget
    target: Target = kind(app, f"{IN_PROCESS}{base_path.rstrip('/')}", reference)
    return target
