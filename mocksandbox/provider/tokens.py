"""Access tokens as servers keep them, and token requests as RFC 6749 section 4.4 and RFC 7523 section 2.2 have them.

A refusal is a key of the provider's own table of messages: `token.…` of a token request, `bearer.…` of a token.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from time import time
from typing import Generic, Protocol, TypeVar
from urllib.parse import parse_qsl

from mocksandbox.exchange import FORM, Request
from mocksandbox.provider.assertions import shown
from mocksandbox.provider.model import AuthOptions
from mocksandbox.rules.attempt import Caller, Refusal
from mocksandbox.store import Shelf

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOST_KEPT = 10_000
"""The most access tokens, and the most used `jti`s, that are kept at a time."""

KEPT_FOR = 24 * 3600.0
"""How many seconds each is kept, so that whoever has one that has ended is told so."""

MOST_BYTES = 64 * 1024  # of a token request
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 section 2.1


class Ending(Protocol):
    """What is good until a time, by the clock of whoever asks."""

    @property
    def until(self) -> datetime:
        """Until when."""
        ...


V = TypeVar("V", bound=Ending)


@dataclass
class Kept(Generic[V]):
    """Values that are kept for a day, at most `most` of them: beyond that, those that came first go. Safe for threads.

    The day is one of the real time. Each tenant has a clock of its own, and one that moves it must not end what others have.
    """

    most: int = MOST_KEPT
    _values: dict[str, tuple[V, float]] = field(default_factory=dict)  # each with when it came, the first to come first
    _lock: Lock = field(default_factory=Lock)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> V | None:
        """The value, whether or not it has ended; None when there is none."""
        with self._lock:
            found = self._values.get(key)
        return found[0] if found else None

    def put(self, key: str, value: V, now: datetime) -> bool:
        """Keep a value; False when one is there already that has not ended by the caller's clock."""
        with self._lock:
            found, real = self._values.get(key), time()
            if found is not None and found[0].until > now:
                return False
            self._values.pop(key, None)
            while self._values:
                first = next(iter(self._values))
                if len(self._values) < self.most and self._values[first][1] > real - KEPT_FOR:
                    break
                del self._values[first]
            self._values[key] = value, real
            return True


class KeptTogether(Kept[V]):
    """Values that all processes of a server keep together: those of one shelf, with how they are spelled there."""

    def __init__(self, shelf: Shelf, spell: Callable[[V], bytes], read: Callable[[bytes], V], most: int = MOST_KEPT) -> None:
        super().__init__(most)
        self._shelf, self._spell, self._read = shelf, spell, read

    def __len__(self) -> int:
        return len(self._shelf)

    def get(self, key: str) -> V | None:
        """The value, whether or not it has ended; None when there is none."""
        found = self._shelf.get(key)
        return None if found is None else self._read(found)

    def put(self, key: str, value: V, now: datetime) -> bool:
        """Keep a value; False when one is there already that has not ended by the caller's clock."""
        return self._shelf.add(key, self._spell(value), KEPT_FOR, self.most, lambda found: self._read(found).until <= now)


@dataclass(frozen=True)
class Access:
    """What an access token stands for: its caller, and until when."""

    caller: Caller
    until: datetime


@dataclass(frozen=True)
class Used:
    """A `jti` that was used, and until when nobody may use it again."""

    until: datetime


def kept_access(options: AuthOptions) -> Kept[Access]:
    """Where the access tokens are kept that were given out."""
    return KeptTogether(options.shelf("given"), _spelled_access, _read_access) if options.shelf else Kept[Access]()


def kept_ids(options: AuthOptions) -> Kept[Used]:
    """Where the `jti`s are kept that were used."""
    return KeptTogether(options.shelf("used"), _spelled_used, _read_used) if options.shelf else Kept[Used]()


def _spelled_used(used: Used) -> bytes:
    return used.until.isoformat().encode()


def _read_used(spelled: bytes) -> Used:
    return Used(datetime.fromisoformat(spelled.decode()))


def _spelled_access(access: Access) -> bytes:
    rights = None if access.caller.rights is None else sorted(access.caller.rights)
    return json.dumps([access.caller.name, rights, access.until.isoformat()]).encode()


def _read_access(spelled: bytes) -> Access:
    name, rights, until = json.loads(spelled)
    return Access(Caller(name, None if rights is None else frozenset(rights)), datetime.fromisoformat(until))


def bearer(request: Request, given: Kept[Access], now: datetime) -> Caller | Refusal:
    """Whose access token a request has, of those that were given out, or what is wrong with it."""
    scheme, space, token = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return Refusal("bearer.missing")
    if scheme.lower() != "bearer" or not space:
        return Refusal("bearer.scheme")
    if not _TOKEN.fullmatch(token):
        return Refusal("bearer.malformed")
    access = given.get(token)
    if access is None:
        return Refusal("bearer.unknown")
    if now >= access.until:
        return Refusal("bearer.expired", {"until": _spelled(access.until), "now": _spelled(now)})
    return access.caller


def _spelled(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")


def token_form(request: Request) -> Mapping[str, str] | Refusal:
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
