"""What a consumer's request breaks by itself: the contract's rules about requests, whatever the sandbox answered.

Who asks, what is stored, a scenario and a fault have no part in it: a refusal for one of those reasons is what the test is
about, and no mistake of the client.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mocksandbox.contract import Match
from mocksandbox.journal import Entry
from mocksandbox.provider import Provider
from mocksandbox.rules import Finding, Rule
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.http import RULES as HTTP

_CALLER_OR_STATE = frozenset({401, 403, 404, 409, 410, 412, 429})
"""The refusals that are about the caller, the record or the moment."""

_ROUTE = "route"


@dataclass(frozen=True)
class Breach:
    """One rule that a request breaks: which request, where in it, in what words, by which rule. `nearest` is what the value
    was probably meant to be, None where there is no telling. `near` are the operations that a request for none came near to.
    """

    number: int
    request: str
    provider: str
    operation: str
    at: str
    message: str
    rule: str
    nearest: Any = None
    near: tuple[str, ...] = ()


def attempt_of(provider: Provider, entry: Entry) -> Attempt:
    """A journalled request as it is by itself: from a caller who may do all, with nothing stored, at its time."""
    request = entry.exchange.request
    match = provider.contract.router.find(request.method, request.path)
    return Attempt(request, provider.contract, match, now=entry.at, max_body=provider.max_body)


def findings(provider: Provider, profile: str, attempt: Attempt) -> Iterator[Finding]:
    """What a request breaks by itself: all that its first stage with findings has, and of later stages what they find at
    other places, for they stumble over the same value again.
    """
    operation = attempt.operation.id if attempt.operation else ""
    places: set[str] = set()
    for stage, rules in provider.catalogue.stages(operation, profile):
        judging = [rule for rule in rules if stage not in provider.stateful and _about_the_request(rule)]
        found = provider.catalogue.findings(attempt, judging)
        fresh = [finding for finding in found if finding.at not in places]
        places.update(finding.at for finding in fresh)
        yield from fresh
        if fresh and stage == _ROUTE:
            return
    if attempt.operation is None and not places:
        rule = HTTP["http/unknown-route"]
        yield Finding(rule, "path", f"There is no {attempt.request.method} {attempt.request.path} here.")


def _about_the_request(rule: Rule[Any]) -> bool:
    return rule.stage == _ROUTE or rule.status not in _CALLER_OR_STATE


def breaches(provider: Provider, profile: str, entry: Entry) -> list[Breach]:
    """What a journalled request breaks by itself."""
    request = entry.exchange.request
    if (request.method, request.path) in provider.specials:
        return []
    attempt = attempt_of(provider, entry)
    operation = attempt.match.operation.id if isinstance(attempt.match, Match) else ""
    line = f"{request.method} {request.path} -> {entry.exchange.response.status}"
    return [
        Breach(
            number=entry.number,
            request=line,
            provider=provider.name,
            operation=operation,
            at=found.at,
            message=found.message,
            rule=found.rule.id,
            nearest=_nearest(provider, attempt, found),
            near=tuple(entry.near),
        )
        for found in findings(provider, profile, attempt)
    ]


def _nearest(provider: Provider, attempt: Attempt, finding: Finding) -> Any:
    # Here, because it loads the generators: only a request that is wrong needs them.
    from mocksandbox.checking.judge import path_of
    from mocksandbox.checking.mending import nearest

    path = path_of(finding.at)
    return nearest(provider, attempt, finding, path) if path and isinstance(attempt.body, dict) else None
