"""The routes by which the NHS platform looks after the service: `/_ping` and `/_status` (observed, B1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mocksandbox import __version__, codec
from mocksandbox.contract import Contract
from mocksandbox.exchange import Headers, Request, Response

_JSON = Headers([("Content-Type", "application/json")])


def status_routes(contract: Contract) -> Mapping[tuple[str, str], Callable[[Request], Response]]:
    """The routes by method and path."""
    release = {
        "version": str(contract.document["info"]["version"]),
        "revision": "1",
        "releaseId": f"mocksandbox-{__version__}",
        "commitId": f"mocksandbox-{__version__}",
    }

    def ping(_: Request) -> Response:
        """200 for everybody."""
        return Response(200, _JSON, codec.dumps(release))

    def status(request: Request) -> Response:
        """200 with the health of what stands behind, for who has the platform's key: any key will do here."""
        if not request.headers.get("apikey"):
            return Response(401, Headers([("Content-Type", "text/plain")]))
        healthcheck = {
            "status": "pass",
            "timeout": "false",
            "responseCode": 200,
            "outcome": "OK",
            "links": {"self": f"{request.base_url}/_status"},
        }
        return Response(200, _JSON, codec.dumps({"status": "pass", **release, "checks": {"healthcheck": healthcheck}}))

    return {("GET", "/_ping"): ping, ("GET", "/_status"): status}
