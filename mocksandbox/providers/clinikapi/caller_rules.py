"""The rules about who asks: the key, what is left of its requests, and what it may do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from mocksandbox.providers.clinikapi import defects as by
from mocksandbox.providers.clinikapi import state
from mocksandbox.providers.clinikapi.account import READ_SCOPE, SCOPES, WRITE_SCOPE, Holder
from mocksandbox.providers.clinikapi.authority import KEY_HEADER
from mocksandbox.providers.clinikapi.promise import promise
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import Defect, Hit, Rule

_ANSWERS = "/components/responses"


def _key(
    id: str,
    error: str,
    title: str,
    why: str,
    issue: str = "login",
    find: Callable[[Attempt], Iterable[Hit]] | None = None,
    defects: Iterable[Defect[Attempt]] = (),
) -> Rule[Attempt]:
    """A rule about the key. Which key it is knows the authority, and refuses it by the rule's own name."""
    return promise(
        id,
        title,
        why,
        f"{_ANSWERS}/Unauthorized",
        find or state.refused_for(id),
        tuple(defects) or (by.refused("refused", id),),
        stage="key",
        status=401,
        issue=issue,
        error=error,
    )


def _without_needed_scope(attempt: Attempt) -> Attempt:
    needed = READ_SCOPE if attempt.request.method == "GET" else WRITE_SCOPE
    return replace(attempt, caller=Holder("other-scope", SCOPES - {needed}))


CALLER_RULES: tuple[Rule[Attempt], ...] = (
    _key("no-key", "UNAUTHORIZED", "The request has a key", "Without it nobody knows who asks."),
    _key(
        "bad-key-format",
        "INVALID_KEY_FORMAT",
        "The key is of the form clk_live_* or clk_test_*",
        "What has another form is no key of this API, most often one of another service.",
        find=state.bad_key_format,
        defects=tuple(
            by.header(name, KEY_HEADER, text)
            for name, text in {
                "another-service": "sk_test_abc123",
                "no-prefix": "abc123",
                "nothing-after-it": "clk_live_",
                "other-environment": "clk_prod_abc123",
                "capitals": "CLK_TEST_abc123",
                "bearer": "Bearer clk_test_abc123",
                "empty": "",
            }.items()
        ),
    ),
    _key("unknown-key", "INVALID_KEY", "The key is known", "Whose key it is cannot be told."),
    _key("revoked-key", "KEY_REVOKED", "The key has not been revoked", "Its owner has taken it back.", "expired"),
    _key("expired-key", "KEY_EXPIRED", "The key has not expired", "Its time is over.", "expired"),
    promise(
        "too-many-requests",
        "The key has requests left in this window",
        "A plan has so many requests; the headers X-RateLimit-* tell beforehand when they end.",
        f"{_ANSWERS}/RateLimited",
        state.refused_for("too-many-requests"),
        (by.refused("used-up", "too-many-requests", requests=500, reset=60),),
        stage="rate",
        status=429,
        issue="throttled",
        error="RATE_LIMITED",
    ),
    promise(
        "no-scope",
        "The key has the scope for what is asked",
        "A key that may read may not write.",
        f"{_ANSWERS}/Forbidden",
        state.without_scope,
        (by.as_holder("no-scopes", Holder("no-scopes", frozenset())), Defect("other-scope", _without_needed_scope)),
        stage="scope",
        status=403,
        issue="forbidden",
        error="FORBIDDEN",
    ),
)
