"""The front door: hands requests below a provider's base path to its sandbox, and everything else to Flask.

It stands where Flask's documentation puts WSGI middleware, `app.wsgi_app`, so that providers are answered without the cost of
a Flask request and the test client gets the same answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from mocksandbox import codec
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.fhir import issue, operation_outcome
from mocksandbox.sandbox import RULES_HEADER, Sandbox
from mocksandbox.sandbox.failure import LATE as LATE_BODY
from mocksandbox.sandbox.failure import late_words
from mocksandbox.server.settings import Settings
from mocksandbox.server.wsgi import Environ, StartResponse, WsgiApp, origin_of, path_of, request_of, send

TENANT_HEADER = "X-Mocksandbox-Tenant"
TENANT_PREFIX = "/tenants/"
CONTROL = "/__mocksandbox"
MAX_BODY = 64 * 1024 * 1024
"""The most bytes of a body: a snapshot of a full sandbox is larger than any request of a provider."""
LATE = "mocksandbox.late"
"""The key of the environment that tells, by its seconds, that a request's body did not come in time."""

_EXPOSED = ", ".join(
    [
        *("Location", "E-Tag", "ETag", "Last-Modified", "X-Request-ID", "X-Correlation-ID", "X-Timestamp", "Retry-After"),
        *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", RULES_HEADER),
    ]
)


@dataclass(frozen=True)
class Front:
    """The middleware. `mounts` are sandboxes by base path."""

    inner: WsgiApp
    mounts: Mapping[str, Sandbox]
    settings: Settings

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path, late = path_of(environ), environ.get(LATE, 0.0)
        if path == CONTROL or path.startswith(f"{CONTROL}/"):
            return self.inner(environ, start_response) if not late else send(late_answer(late), start_response)
        prefix, tenant, path = _tenant(path, environ)
        for base_path, sandbox in self.mounts.items():
            if path.startswith(base_path) and path[len(base_path) : len(base_path) + 1] in ("", "/"):
                origin = origin_of(environ, trust_proxy=self.settings.trust_proxy)
                base_url = f"{origin}{prefix}{base_path}"
                request = request_of(environ, path[len(base_path) :] or "/", base_url, self._most(sandbox))
                return send(self._answer(sandbox, request, tenant, late), start_response)
        if late:
            return send(late_answer(late), start_response)
        own = self._own_route(environ, path, tenant, prefix)
        return send(own, start_response) if own else self.inner(environ, start_response)

    def _most(self, sandbox: Sandbox) -> int:
        """The most bytes of a body that are read."""
        return self.settings.max_body or sandbox.provider.max_body

    def _answer(self, sandbox: Sandbox, request: Request, tenant: str, late: float) -> Response:
        origin = request.headers.get("Origin")
        if origin and request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return _preflight(request)
        response = sandbox.handle(request, tenant, late=late)
        return response if not origin else _shared(response)

    def _own_route(self, environ: Environ, path: str, tenant: str, prefix: str) -> Response | None:
        """The answer of an authority's own route (a token endpoint), which stands beside the base paths."""
        for sandbox in self.mounts.values():
            routes = sandbox.authority.routes() if sandbox.authority else {}
            handler = routes.get((environ["REQUEST_METHOD"].upper(), path))
            if handler is not None:
                if sandbox.board is not None:
                    sandbox.board.look()
                origin = origin_of(environ, trust_proxy=self.settings.trust_proxy)
                request = request_of(environ, path, f"{origin}{prefix}", self._most(sandbox))
                return handler(request, sandbox.clock_of(tenant).now())
        return None


def late_answer(seconds: float) -> Response:
    """The refusal of a body that did not come in time, where no provider is asked."""
    body = codec.dumps(operation_outcome([issue(LATE_BODY.issue, late_words(seconds), ["body"])]))
    return Response(LATE_BODY.status, Headers([("Content-Type", "application/fhir+json"), ("Connection", "close")]), body)


def _tenant(path: str, environ: Environ) -> tuple[str, str, str]:
    """The tenant's prefix in the path, the tenant, and the path without it. The prefix wins over the header, and that over a
    token of the form `supplier:NAME@TENANT`.
    """
    if path.startswith(TENANT_PREFIX):
        name, slash, rest = path[len(TENANT_PREFIX) :].partition("/")
        return f"{TENANT_PREFIX}{name}", name, f"{slash}{rest}"
    header = environ.get("HTTP_X_MOCKSANDBOX_TENANT")
    if header is not None:
        return "", str(header), path
    token = str(environ.get("HTTP_AUTHORIZATION", ""))
    return "", token.partition("@")[2] if token.startswith("Bearer supplier:") else "", path


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
