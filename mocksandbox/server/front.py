"""The front door: hands requests below a provider's base path to its sandbox, and everything else to Flask.

It stands where Flask's documentation puts WSGI middleware, `app.wsgi_app`, so that providers are answered without the cost of
a Flask request and the test client gets the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote

from mocksandbox import codec
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fhir import issue, operation_outcome
from mocksandbox.frozen import made
from mocksandbox.sandbox import RULES_HEADER, Sandbox
from mocksandbox.sandbox.failure import LATE, late_words
from mocksandbox.server.settings import Settings
from mocksandbox.server.wsgi import (
    Environ,
    StartResponse,
    WsgiApp,
    body_of,
    headers_of,
    origin_of,
    pairs_of,
    path_of,
    send,
)

TENANT_HEADER = "X-Mocksandbox-Tenant"
TENANT_PREFIX = "/tenants/"
MOST_TENANT = 256
"""The most characters of a tenant's name: what is kept of tenants is limited by their number."""
CONTROL = "/__mocksandbox"
MAX_BODY = 64 * 1024 * 1024
"""The most bytes of a body: a snapshot of a full sandbox is larger than any request of a provider."""

_EXPOSED = ", ".join(
    [
        *("Location", "E-Tag", "ETag", "Last-Modified", "X-Request-ID", "X-Correlation-ID", "X-Timestamp", "Retry-After"),
        *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", RULES_HEADER),
    ]
)


class Place(NamedTuple):
    """What a request's path leads to: a sandbox, or an authority's own route (`handler`); the tenant, the path below the
    base, what stands before that in the URL, and the most bytes of a body that are read.
    """

    sandbox: Sandbox
    tenant: str
    path: str
    base: str
    most: int
    handler: Callable[[Request, datetime], Response] | None = None


@dataclass(frozen=True)
class Front:
    """The middleware. `mounts` are sandboxes by base path; `inner` answers what is for none of them."""

    inner: WsgiApp
    mounts: Mapping[str, Sandbox]
    settings: Settings

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request of a WSGI server."""
        response = self.respond(environ)
        return self.inner(environ, start_response) if response is None else send(response, start_response)

    def respond(self, environ: Environ) -> Response | None:
        """The answer to a request of a WSGI server; None when it is for `inner`."""
        method, path, headers = environ["REQUEST_METHOD"].upper(), path_of(environ), headers_of(environ)
        place = self.place(method, path, headers)
        if place is None:
            return None
        origin = origin_of(environ, trust_proxy=self.settings.trust_proxy)
        query = environ.get("QUERY_STRING", "")
        return self.answer(place, method, query, headers, body_of(environ, place.most), origin)

    def place(self, method: str, path: str, headers: Headers) -> Place | None:
        """Where a request goes; None when it is for `inner`. The path is percent-encoded."""
        if path.startswith(CONTROL) and path[len(CONTROL) : len(CONTROL) + 1] in ("", "/"):
            return None
        prefix, tenant, path = _tenant(path, headers)
        for base, sandbox in self.mounts.items():
            if path.startswith(base) and path[len(base) : len(base) + 1] in ("", "/"):
                most = self.settings.max_body or sandbox.provider.max_body
                return Place(sandbox, tenant, path[len(base) :] or "/", prefix + base, most)
        for sandbox in self.mounts.values():
            # An authority's own route (a token endpoint) stands beside the base paths.
            handler = sandbox.authority.routes().get((method, path)) if sandbox.authority else None
            if handler is not None:
                most = self.settings.max_body or sandbox.provider.max_body
                return Place(sandbox, tenant, path, prefix, most, handler)
        return None

    def answer(
        self, place: Place, method: str, query: str, headers: Headers, body: bytes, origin: str, late: float = 0.0
    ) -> Response:
        """The answer to a request at a place; `origin` is scheme and host as the client used them, `late` how many seconds its
        body was waited for in vain.
        """
        if len(place.tenant) > MOST_TENANT:
            return outcome(400, "too-long", f"A tenant's name has {MOST_TENANT} characters at the most.", "path")
        sandbox, base_url = place.sandbox, origin + place.base
        request = made(
            Request,
            method=method,
            path=place.path,
            query=pairs_of(query) if query else (),
            headers=headers,
            body=body,
            base_url=base_url,
        )
        if place.handler is not None:
            if late:
                return late_answer(late)
            return sandbox.route(place.handler, request, place.tenant)
        came_from = headers.get("Origin")
        if not came_from:
            return sandbox.handle(request, place.tenant, late=late)
        if method == "OPTIONS" and "Access-Control-Request-Method" in headers:
            return _preflight(request)
        return _shared(sandbox.handle(request, place.tenant, late=late))


def outcome(status: int, code: str, says: str, at: str, **headers: str) -> Response:
    """A refusal where no provider is asked, in the shape of a FHIR API."""
    body = codec.dumps(operation_outcome([issue(code, says, [at])]))
    more = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Response(status, Headers([("Content-Type", "application/fhir+json"), *more]), body)


def late_answer(seconds: float) -> Response:
    """The refusal of a body that did not come in time, where no provider is asked."""
    return outcome(LATE.status, LATE.issue, late_words(seconds), "body", Connection="close")


def _tenant(path: str, headers: Headers) -> tuple[str, str, str]:
    """The tenant's prefix in the path, the tenant, and the path without it. The prefix wins over the header, and that over a
    token of the form `supplier:NAME@TENANT`.
    """
    if path.startswith(TENANT_PREFIX):
        name, slash, rest = path[len(TENANT_PREFIX) :].partition("/")
        return f"{TENANT_PREFIX}{name}", unquote(name) if "%" in name else name, f"{slash}{rest}"
    return "", headers.tell(_named_tenant), path


def _named_tenant(headers: Headers) -> str:
    header = headers.get(TENANT_HEADER)
    if header is not None:
        return header
    token = headers.get("Authorization", "")
    return token.partition("@")[2] if token.startswith("Bearer supplier:") else ""


def _preflight(request: Request) -> Response:
    """The answer to a browser that asks whether it may ask (CORS)."""
    headers = [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE"),
        ("Access-Control-Allow-Headers", request.headers.get("Access-Control-Request-Headers", "*")),
        ("Access-Control-Max-Age", "600"),
    ]
    return Response(204, Headers(headers))


def _shared(response: Response) -> Response:
    shared = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", _EXPOSED))
    return replace(response, headers=Headers([*response.headers.pairs, *shared]))
