"""The token endpoint and the access tokens that it gives out.

Application-restricted access with a signed JWT, as NHS England describes it: a client proves who it is with a client assertion
and gets a bearer token for about ten minutes (RFC 6749 section 4.4, RFC 7523 section 2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

from mocksandbox import codec
from mocksandbox.contract import read_mapping
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import Authority
from mocksandbox.provider.assertions import Assertion, believe, read_assertion, shown
from mocksandbox.provider.tokens import Access, Kept, Used, bearer, token_form
from mocksandbox.providers.nhs import BASE_PATH
from mocksandbox.providers.nhs.authority import ALGORITHM, Client, named_supplier
from mocksandbox.providers.nhs.fields import FOLDER
from mocksandbox.rules.attempt import Caller, Refusal

PATH = "/oauth2/token"
LIFETIME = 599
"""How long an access token is taken, in seconds. The answer has it as a JSON string, "599", as the NHS gives it."""

_NOBODY = Caller(None, frozenset())
_HEADERS = Headers([("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache")])


@dataclass(frozen=True)
class TokenDoor(Authority):
    """Only who has a token is let in: one of the token endpoint, or the short form `supplier:NAME`."""

    suppliers: Mapping[str, Caller]
    clients: Mapping[str, Client]
    given: Kept[Access] = field(default_factory=Kept[Access])
    used: Kept[Used] = field(default_factory=Kept[Used])

    def identify(self, request: Request, now: datetime, tenant: str = "") -> tuple[Caller, Refusal | None]:
        """Who asks. A refusal has the gateway's words; why it is one is in its values, as `reason`."""
        found = self._caller(request, now)
        if isinstance(found, Caller):
            return found, None
        says = _table()[found.key]["text"].format_map({**found.values, "endpoint": endpoint_of(request)})
        return _NOBODY, Refusal("bad-token", {"reason": says})

    def _caller(self, request: Request, now: datetime) -> Caller | Refusal:
        name = named_supplier(request.headers)
        if name is not None:
            if not name:
                return Refusal("bearer.supplier", {"known": ", ".join(sorted(self.suppliers))})
            # A sender that the service does not know is let in and may do nothing (observed: 403, not 401).
            return self.suppliers.get(name) or Caller(name, frozenset())
        return bearer(request, self.given, now)

    def routes(self) -> Mapping[tuple[str, str], Callable[[Request, datetime], Response]]:
        """The token endpoint."""
        return {("POST", PATH): self.token}

    def token(self, request: Request, now: datetime) -> Response:
        """The answer to a token request: a new access token, or an error of RFC 6749 section 5.2."""
        form = token_form(request)
        found = form if isinstance(form, Refusal) else self._believed(form, endpoint_of(request), now)
        if isinstance(found, Refusal):
            return _refuse(found)
        token, until = token_urlsafe(21), now + timedelta(seconds=LIFETIME)
        self.given.put(token, Access(self.suppliers[self.clients[found.claims["iss"]].supplier], until), now)
        answer = {"access_token": token, "expires_in": str(LIFETIME), "token_type": "Bearer"}
        return Response(200, _HEADERS, codec.dumps(answer))

    def _believed(self, form: Mapping[str, str], endpoint: str, now: datetime) -> Assertion | Refusal:
        read = read_assertion(form["client_assertion"], self.clients, endpoint, int(now.timestamp()), ALGORITHM)
        wrong = read if isinstance(read, Refusal) else believe(read)
        if isinstance(read, Refusal) or wrong is not None:
            return wrong or read
        issuer, jti = read.claims["iss"], read.claims["jti"]
        if form.get("client_id", issuer) != issuer:
            return Refusal("token.client-differs", {"found": shown(form["client_id"])})
        # Last, so that only what its client has signed uses a jti up; and in one step, so that of two at once one is refused.
        new = self.used.put(f"{issuer}\n{jti}", Used(datetime.fromtimestamp(read.claims["exp"], UTC)), now)
        return read if new else Refusal("token.jti-used")


def endpoint_of(request: Request) -> str:
    """The URL of the token endpoint, as the client of a request reaches this server."""
    return request.base_url.removesuffix(BASE_PATH) + PATH


def _refuse(found: Refusal) -> Response:
    entry = _table()[found.key]
    says = f"{entry['text']}. {entry['remedy']}".format_map(found.values)
    error = {"error": entry["error"], "error_description": says, "message_id": str(uuid4())}
    return Response(entry["status"], _HEADERS, codec.dumps(error))


@cache
def _table() -> Mapping[str, Any]:
    """The wording, with each token error's status and code."""
    return read_mapping(FOLDER / "messages.yaml")
