"""The token endpoint and the access tokens that it gives out.

Application-restricted access with a signed JWT, as NHS England describes it: a client proves who it is with a client assertion
and gets a bearer token for about ten minutes (RFC 6749 section 4.4, RFC 7523 section 2.2).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from heapq import heappop, heappush
from secrets import token_urlsafe
from threading import Lock
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl
from uuid import uuid4

from mocksandbox import codec
from mocksandbox.contract import read_mapping
from mocksandbox.exchange import Headers, Request, Response
from mocksandbox.providers.nhs import BASE_PATH
from mocksandbox.providers.nhs.assertions import CHECKS, Assertion, read_assertion, shown
from mocksandbox.providers.nhs.authority import Client, named_supplier
from mocksandbox.providers.nhs.fields import FOLDER
from mocksandbox.providers.nhs.state import FORM
from mocksandbox.rules.attempt import Caller, Refusal

PATH = "/oauth2/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME = 599
"""How long an access token is taken, in seconds. The answer has it as a JSON string, "599", as the NHS gives it."""

MOST_KEPT = 10_000
"""The most access tokens, and the most used `jti`s, that are kept at a time."""

MOST_BYTES = 64 * 1024  # of a token request
_NOBODY = Caller(None, frozenset())
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 section 2.1
# An ended token is remembered for an hour, so that its client is told that it ended and not that nobody knows it.
_REMEMBERED = timedelta(hours=1)
_HEADERS = Headers([("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache")])

V = TypeVar("V")


@dataclass
class Kept(Generic[V]):
    """Values that are kept until a time, at most `most` of them: beyond that, those that end first go. Safe for threads."""

    most: int = MOST_KEPT
    _values: dict[str, V] = field(default_factory=dict)
    _ends: list[tuple[datetime, str]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> V | None:
        """The value, None when there is none."""
        with self._lock:
            return self._values.get(key)

    def put(self, key: str, value: V, until: datetime, now: datetime) -> bool:
        """Keep a value, and forget what has ended; False when the key is there already."""
        with self._lock:
            while self._ends and self._ends[0][0] <= now:
                del self._values[heappop(self._ends)[1]]
            if key in self._values:
                return False
            while len(self._values) >= self.most:
                del self._values[heappop(self._ends)[1]]
            self._values[key] = value
            heappush(self._ends, (until, key))
            return True


@dataclass(frozen=True)
class Access:
    """What an access token stands for: its caller, and until when."""

    caller: Caller
    until: datetime


@dataclass(frozen=True)
class TokenDoor:
    """Only who has a token is let in: one of the token endpoint, or the short form `supplier:NAME`."""

    suppliers: Mapping[str, Caller]
    clients: Mapping[str, Client]
    given: Kept[Access] = field(default_factory=Kept[Access])
    used: Kept[None] = field(default_factory=Kept[None])

    def identify(self, request: Request, now: datetime) -> tuple[Caller, Refusal | None]:
        """Who asks. A refusal has the gateway's words; why it is one is in its values, as `reason`."""
        found = self._caller(request, now)
        if isinstance(found, Caller):
            return found, None
        says = _table()[found.key]["text"].format_map({**found.values, "endpoint": endpoint_of(request)})
        return _NOBODY, Refusal("bad-token", {"reason": says})

    def _caller(self, request: Request, now: datetime) -> Caller | Refusal:
        name = named_supplier(request)
        if name is not None:
            if not name:
                return Refusal("bearer.supplier", {"known": ", ".join(sorted(self.suppliers))})
            # A sender that the service does not know is let in and may do nothing (observed: 403, not 401).
            return self.suppliers.get(name) or Caller(name, frozenset())
        scheme, space, token = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return Refusal("bearer.missing")
        if scheme.lower() != "bearer" or not space:
            return Refusal("bearer.scheme")
        if not _TOKEN.fullmatch(token):
            return Refusal("bearer.malformed")
        access = self.given.get(token)
        if access is None:
            return Refusal("bearer.unknown")
        if now >= access.until:
            return Refusal("bearer.expired", {"until": _spelled(access.until), "now": _spelled(now)})
        return access.caller

    def routes(self) -> Mapping[tuple[str, str], Callable[[Request, datetime], Response]]:
        """The token endpoint."""
        return {("POST", PATH): self.token}

    def token(self, request: Request, now: datetime) -> Response:
        """The answer to a token request: a new access token, or an error of RFC 6749 section 5.2."""
        form = _form(request)
        found = form if isinstance(form, Refusal) else self._believed(form, endpoint_of(request), now)
        if isinstance(found, Refusal):
            return _refuse(found)
        token, until = token_urlsafe(21), now + timedelta(seconds=LIFETIME)
        self.given.put(token, Access(self.suppliers[found.client.supplier], until), until + _REMEMBERED, now)
        answer = {"access_token": token, "expires_in": str(LIFETIME), "token_type": "Bearer"}
        return Response(200, _HEADERS, codec.dumps(answer))

    def _believed(self, form: Mapping[str, str], endpoint: str, now: datetime) -> Assertion | Refusal:
        read = read_assertion(form["client_assertion"], self.clients, endpoint, int(now.timestamp()))
        if isinstance(read, Refusal):
            return read
        wrong = next(filter(None, (check(read) for check in CHECKS)), None)
        if wrong is not None:
            return wrong
        issuer, jti = read.claims["iss"], read.claims["jti"]
        if form.get("client_id", issuer) != issuer:
            return Refusal("token.client-differs", {"found": shown(form["client_id"])})
        # Last, so that only what its client has signed uses a jti up; and in one step, so that of two at once one is refused.
        new = self.used.put(f"{issuer}\n{jti}", None, datetime.fromtimestamp(read.claims["exp"], UTC), now)
        return read if new else Refusal("token.jti-used")


def endpoint_of(request: Request) -> str:
    """The URL of the token endpoint, as the client of a request reaches this server."""
    return request.base_url.removesuffix(BASE_PATH) + PATH


def _form(request: Request) -> Mapping[str, str] | Refusal:
    """The parameters of a token request, or what is wrong with them."""
    if request.media_type != FORM:
        return Refusal("token.not-a-form", {"found": shown(request.media_type) if request.media_type else "missing"})
    if len(request.body) > MOST_BYTES:
        return Refusal("token.too-large", {"most": MOST_BYTES})
    pairs = parse_qsl(request.body.decode("utf-8", "replace"), errors="replace")
    form = dict(pairs)
    twice = next((name for name, times in Counter(name for name, _ in pairs).items() if times > 1), None)
    grant, kind = form.get("grant_type"), form.get("client_assertion_type")
    basic = request.headers.get("Authorization", "").lower().startswith("basic ")
    if twice is not None:
        return Refusal("token.repeated", {"found": shown(twice)})
    if grant is None:
        return Refusal("token.grant-missing")
    if grant != "client_credentials":
        return Refusal("token.grant-unsupported", {"found": shown(grant)})
    if "client_secret" in form or basic:
        return Refusal("token.secret", {"found": "the header Authorization" if basic else "client_secret"})
    if kind is None:
        return Refusal("token.type-missing")
    if kind != ASSERTION_TYPE:
        return Refusal("token.type-unknown", {"found": shown(kind)})
    return form if "client_assertion" in form else Refusal("token.assertion-missing")


def _refuse(found: Refusal) -> Response:
    entry = _table()[found.key]
    says = f"{entry['text']}. {entry['remedy']}".format_map(found.values)
    error = {"error": entry["error"], "error_description": says, "message_id": str(uuid4())}
    return Response(entry["status"], _HEADERS, codec.dumps(error))


def _spelled(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")


@cache
def _table() -> Mapping[str, Any]:
    """The wording, with each token error's status and code."""
    return read_mapping(FOLDER / "messages.yaml")
