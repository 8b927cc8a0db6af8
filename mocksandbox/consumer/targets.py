"""Where a provider's checks are sent: a URL, or an application in this process."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import Callable, Collection
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from mocksandbox.consumer.environ import environ_of
from mocksandbox.consumer.options import Options
from mocksandbox.errors import TargetError, UsageError
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fuzz.guard import allow
from mocksandbox.provider import open_provider

Send = Callable[[Request], Response]

_PATIENCE = 30.0
"""How long, in seconds, a provider may take for an answer."""


def target(options: Options, provider: str, app: Any = None) -> Send:
    """What sends a provider's requests: to the URL of the options, or to an application at the API's own base path (or at the
    one that the options name).

    Raises:
        UsageError: the authorisation is not given as `env:VAR`, or the variable is not set; the URL is none, or of a machine
            that is not allowed; the application is none.
    """
    headers = authorization(options.authorization)
    if app is None:
        check_url(options.url, options.allow_host)
        return _over_http(options.url.rstrip("/"), headers)
    base = options.url.rstrip("/") if options.url.startswith("/") else open_provider(provider).base_path
    call = _asgi if _is_asgi(app) else _wsgi
    return lambda request: call(app, _addressed(request, base), _named(request, headers), request.body)


def check_url(url: str, allowed: Collection[str]) -> None:
    """Make sure that a URL may be asked.

    Raises:
        UsageError: it is none, or of a machine that is not allowed.
    """
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        says = "is no URL such as http://127.0.0.1:8080/fhir; the base path of an application begins with a slash"
        raise UsageError(f"--mocksandbox-url {url!r} {says}.")
    allow(url, allowed, confirmed=True, how="--mocksandbox-allow-host {host}")


def variable_of(asked: str) -> str:
    """The name of the variable that `env:VAR` names. Raises UsageError when it is written otherwise."""
    kind, _, name = asked.partition(":")
    if kind != "env" or not name:
        raise UsageError("--mocksandbox-authorization must be env:VAR, so that no secret stands in a command or a file.")
    return name


def authorization(asked: str) -> list[tuple[str, str]]:
    """The header with the authorisation, when one is asked for.

    Raises:
        UsageError: it is not given as `env:VAR`, or the variable is not set.
    """
    if not asked:
        return []
    name = variable_of(asked)
    if name not in os.environ:
        raise UsageError(f"--mocksandbox-authorization env:{name}: there is no such variable.")
    return [("Authorization", os.environ[name])]


def _named(request: Request, more: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [*request.headers.pairs, *(pair for pair in more if pair[0] not in request.headers)]


def _addressed(request: Request, base: str) -> tuple[str, str]:
    query = f"?{urlencode(request.query)}" if request.query else ""
    return request.method, f"{base}{request.path}{query}"


def _over_http(base: str, more: list[tuple[str, str]]) -> Send:
    parts = urlsplit(base)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection

    def send(request: Request) -> Response:
        connection = kind(str(parts.hostname), parts.port, timeout=_PATIENCE)
        method, path = _addressed(request, parts.path)
        try:
            connection.request(method, path, request.body or None, dict(_named(request, more)))
            answer = connection.getresponse()
            return Response(answer.status, Headers(answer.getheaders()), answer.read())
        except (OSError, HTTPException, ValueError) as error:
            raise TargetError(base, str(error) or type(error).__name__) from error
        finally:
            connection.close()

    return send


def _is_asgi(app: Any) -> bool:
    if not callable(app):
        raise UsageError(f"the fixture `mocksandbox_app` gives {type(app).__name__}, and no WSGI or ASGI application.")
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004


def _wsgi(app: Any, address: tuple[str, str], headers: list[tuple[str, str]], body: bytes) -> Response:
    told: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        told[:] = [status, headers]
        return chunks.append

    chunks: list[bytes] = []
    given = app(environ_of(address[0], f"http://localhost{address[1]}", headers, body), start_response)
    try:
        chunks.extend(given)
    finally:
        if hasattr(given, "close"):
            given.close()
    return Response(int(told[0].partition(" ")[0]), Headers(told[1]), b"".join(chunks))


def _asgi(app: Any, address: tuple[str, str], headers: list[tuple[str, str]], body: bytes) -> Response:
    environ = environ_of(address[0], f"http://localhost{address[1]}", headers, body)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": "http",
        "path": environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        "raw_path": address[1].partition("?")[0].encode("latin-1", "replace"),
        "query_string": environ["QUERY_STRING"].encode("latin-1", "replace"),
        "root_path": "",
        "headers": [
            *((name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers),
            (b"host", b"localhost"),
            (b"content-length", str(len(body)).encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    told: list[dict[str, Any]] = []
    asked = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return asked.pop() if asked else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    asyncio.run(app(scope, receive, send))
    start = next(message for message in told if message["type"] == "http.response.start")
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start.get("headers", ())]
    content = b"".join(message.get("body", b"") for message in told if message["type"] == "http.response.body")
    return Response(start["status"], Headers(pairs), content)
