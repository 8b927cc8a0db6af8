"""The token endpoint of Redox and the access tokens that it gives out.

A client proves who it is with a signed JWT and gets a bearer token for five minutes (docs.redoxengine.com, authenticate an
OAuth API key; RFC 7523 section 2.2). What is refused is said in Redox's own form: `{error, error_description, error_uri}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from secrets import token_urlsafe
from typing import Any

from mocksandbox import codec
from mocksandbox.contract import read_mapping
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.provider import Authority
from mocksandbox.provider.assertions import believe, read_assertion, shown
from mocksandbox.provider.tokens import Access, Kept, Used, bearer, token_form
from mocksandbox.providers.redox.authority import ALGORITHM, Client
from mocksandbox.providers.redox.parts import BASE_PATH, FOLDER
from mocksandbox.rules.attempt import Caller, Refusal

PATH = "/v2/auth/token"
LIFETIME = 300
"""How long an access token is taken, in seconds."""

ERROR_URI = "https://docs.redoxengine.com/permalink/7sEi7MTFssZ1JuHpUYLeYJ"
_NOBODY = Caller(None, frozenset())
_HEADERS = Headers([("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache")])


@dataclass(frozen=True)
class TokenDoor(Authority):
    """Only who has a token of the token endpoint is let in."""

    clients: Mapping[str, Client]
    given: Kept[Access] = field(default_factory=Kept[Access])
    used: Kept[Used] = field(default_factory=Kept[Used])

    def identify(self, request: Request, now: datetime, tenant: str = "") -> tuple[Caller, Refusal | None]:
        """Who asks."""
        found = bearer(request, self.given, now)
        return (found, None) if isinstance(found, Caller) else (_NOBODY, found)

    def routes(self) -> Mapping[tuple[str, str], Callable[[Request, datetime], Response]]:
        """The token endpoint."""
        return {("POST", PATH): self.token}

    def token(self, request: Request, now: datetime) -> Response:
        """The answer to a token request: a new access token, or an error."""
        form = token_form(request)
        found = form if isinstance(form, Refusal) else self._believed(form, endpoint_of(request), now)
        if isinstance(found, Refusal):
            return _refuse(found)
        token, until = token_urlsafe(32), now + timedelta(seconds=LIFETIME)
        self.given.put(token, Access(found.caller, until), now)
        answer: dict[str, Any] = {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME}
        if not isinstance(form, Refusal) and "scope" in form:
            answer["scope"] = form["scope"]
        return Response(200, _HEADERS, codec.dumps(answer))

    def _believed(self, form: Mapping[str, str], endpoint: str, now: datetime) -> Client | Refusal:
        read = read_assertion(form["client_assertion"], self.clients, endpoint, int(now.timestamp()), ALGORITHM)
        wrong = read if isinstance(read, Refusal) else believe(read)
        if isinstance(read, Refusal) or wrong is not None:
            return wrong or Refusal("token.malformed-parts", {"found": 0})
        issuer, jti = read.claims["iss"], read.claims["jti"]
        if form.get("client_id", issuer) != issuer:
            return Refusal("token.client-differs", {"found": shown(form["client_id"])})
        # Last, so that only what its client has signed uses a jti up; and in one step, so that of two at once one is refused.
        new = self.used.put(f"{issuer}\n{jti}", Used(datetime.fromtimestamp(read.claims["exp"], UTC)), now)
        return self.clients[issuer] if new else Refusal("token.jti-used")


def endpoint_of(request: Request) -> str:
    """The URL of the token endpoint, as the client of a request reaches this server."""
    return request.base_url.removesuffix(BASE_PATH) + PATH


def _refuse(found: Refusal) -> Response:
    entry = _table()[found.key]
    says = entry["text"].format_map(found.values)
    remedy = str(entry.get("remedy", "")).format_map(found.values)
    error = {"error": entry["error"], "error_description": f"{says}. {remedy}" if remedy else says, "error_uri": ERROR_URI}
    return Response(entry["status"], _HEADERS, codec.dumps(error))


@cache
def _table() -> Mapping[str, Any]:
    """The wording, with each token error's status and code."""
    return read_mapping(FOLDER / "messages.yaml")
