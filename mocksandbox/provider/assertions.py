"""Client assertions: the signed JWT by which an application says who it is, and the checks that it has to pass.

They are those of RFC 7523 section 3 and of NHS England's "Application-restricted RESTful APIs - signed JWT authentication".
Other APIs that take such a JWT ask for the same. A refusal is a key of the provider's own table of messages.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError

from mocksandbox import codec
from mocksandbox.rules.attempt import Refusal
from mocksandbox.rules.http import json_name

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

MOST_AHEAD = 300
"""How far ahead `exp` may be, in seconds: five minutes, as the NHS has it, and Redox."""

MOST_JTI = 256
"""How long a `jti` may be, in characters: those that were used are kept."""

LEEWAY = 30
"""How far ahead of the sandbox's clock `iat` and `nbf` may be, in seconds: a client's clock is never quite the same."""


@cache
def _registry(algorithm: str) -> jws.JWSRegistry:
    made = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)  # unknown headers are ignored (RFC 7515 4)
    made.max_header_length = made.max_payload_length  # a certificate chain (x5c) is longer than the library's 512
    return made


class Signer(Protocol):
    """A client, as far as its assertions go: its public keys by `kid`."""

    @property
    def keys(self) -> Mapping[str, RSAKey]:
        """The public keys."""
        ...


@dataclass(frozen=True)
class Assertion:
    """A client assertion that could be read, and is not yet believed; with the clients by their id, the token endpoint's URL
    as the client used it, the time in whole seconds since 1970, and the one algorithm that is taken.
    """

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    clients: Mapping[str, Signer]
    endpoint: str
    now: int
    algorithm: str


Check = Callable[[Assertion], Refusal | None]


def read_assertion(text: str, clients: Mapping[str, Signer], endpoint: str, now: int, algorithm: str) -> Assertion | Refusal:
    """An assertion in the compact form of JWS, or why it is none."""
    parts = text.split(".")
    if len(parts) != 3:
        return Refusal("token.malformed-parts", {"found": len(parts)})
    header, claims = _object(parts[0]), _object(parts[1])
    if header is None:
        return Refusal("token.malformed-header")
    if claims is None:
        return Refusal("token.malformed-claims")
    if _decoded(parts[2]) is None:
        return Refusal("token.malformed-signature")
    return Assertion(text, header, claims, clients, endpoint, now, algorithm)


def _decoded(part: str) -> bytes | None:
    try:
        return b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None


def _object(part: str) -> dict[str, Any] | None:
    try:
        value = codec.loads(_decoded(part) or b"")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def shown(value: object) -> str:
    """A value from outside, for a text: short, and in the characters that RFC 6749 section 5.2 allows there."""
    text = str(value) if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool) else json_name(value)
    plain = "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text[:200])
    return plain or "empty"


def _algorithm(it: Assertion) -> Refusal | None:
    found = it.header.get("alg")
    if found == it.algorithm:
        return None
    if found is None:
        return Refusal("token.alg-missing")
    kind = "none" if str(found).lower() == "none" else "symmetric" if str(found).startswith("HS") else "unsupported"
    return Refusal(f"token.alg-{kind}", {"found": shown(found)})


def _header(it: Assertion) -> Refusal | None:
    if "crit" in it.header:
        return Refusal("token.crit")
    try:
        _registry(it.algorithm).check_header(dict(it.header))
    except JoseError as error:
        return Refusal("token.malformed-member", {"problem": shown(error.description)})
    kid = it.header.get("kid")
    return None if kid else Refusal("token.kid-missing")


def _issuer(it: Assertion) -> Refusal | None:
    issuer, subject = it.claims.get("iss"), it.claims.get("sub")
    if not isinstance(issuer, str) or not issuer:
        return Refusal("token.issuer-missing")
    if not isinstance(subject, str) or not subject:
        return Refusal("token.subject-missing")
    same = issuer == subject
    return None if same else Refusal("token.subject-differs", {"issuer": shown(issuer), "subject": shown(subject)})


def _ends(it: Assertion) -> Refusal | None:
    exp = it.claims.get("exp")
    if exp is None:
        return Refusal("token.exp-missing", {"most": MOST_AHEAD})
    if not isinstance(exp, int) or isinstance(exp, bool):
        return Refusal("token.exp-type", {"found": shown(exp) if not isinstance(exp, str) else "a string"})
    values = {"found": shown(exp), "now": it.now, "most": MOST_AHEAD}
    if exp <= it.now:
        return Refusal("token.exp-past", values)
    return Refusal("token.exp-far", values) if exp > it.now + MOST_AHEAD else None


def _begins(it: Assertion) -> Refusal | None:
    for name in ("iat", "nbf"):
        time = it.claims.get(name)
        if time is None:
            continue
        if not isinstance(time, int | float | Decimal) or isinstance(time, bool) or time != time:
            return Refusal(f"token.{name}-type", {"found": json_name(time)})
        if time > it.now + LEEWAY:
            return Refusal(f"token.{name}-future", {"found": shown(time), "now": it.now})
        if name == "iat" and time >= it.claims["exp"]:
            return Refusal("token.iat-after-exp", {"found": shown(time), "exp": it.claims["exp"]})
    return None


def _named(it: Assertion) -> Refusal | None:
    jti = it.claims.get("jti")
    if jti is None:
        return Refusal("token.jti-missing")
    if not isinstance(jti, str) or not jti.strip():
        return Refusal("token.jti-type", {"found": "empty" if isinstance(jti, str) else json_name(jti)})
    return Refusal("token.jti-long", {"found": len(jti), "most": MOST_JTI}) if len(jti) > MOST_JTI else None


def _audience(it: Assertion) -> Refusal | None:
    found = it.claims.get("aud")
    values = {"found": shown(found), "wanted": shown(it.endpoint)}
    if found is None or found == []:
        return Refusal("token.aud-missing", values)
    # RFC 7519 section 4.1.3: one string, or an array of which one is meant.
    return None if it.endpoint in (found if isinstance(found, list) else [found]) else Refusal("token.aud-differs", values)


def _client(it: Assertion) -> Refusal | None:
    if not it.clients:
        return Refusal("token.no-clients")
    issuer = it.claims["iss"]
    return None if issuer in it.clients else Refusal("token.client-unknown", {"found": shown(issuer)})


def _signature(it: Assertion) -> Refusal | None:
    kid, keys = it.header["kid"], it.clients[it.claims["iss"]].keys
    if kid not in keys:
        return Refusal("token.kid-unknown", {"found": shown(kid), "known": shown(", ".join(sorted(keys)))})
    try:
        jws.deserialize_compact(it.text, keys[kid], [it.algorithm], _registry(it.algorithm))
    except BadSignatureError:
        return Refusal("token.signature", {"kid": shown(kid)})
    except JoseError as error:
        return Refusal("token.malformed-member", {"problem": shown(error.description)})
    return None


def believe(assertion: Assertion) -> Refusal | None:
    """Why an assertion is not believed; None when it is."""
    return next(filter(None, (check(assertion) for check in CHECKS)), None)


CHECKS: tuple[Check, ...] = (_algorithm, _header, _issuer, _ends, _begins, _named, _client, _audience, _signature)
"""In order: what can be seen in the JWT itself (400), then what depends on who is known here (401)."""
