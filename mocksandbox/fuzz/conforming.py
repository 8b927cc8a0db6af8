"""Whether an answer is as its document says: the provider's response rules, asked of what came."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mocksandbox.contract import Match
from mocksandbox.exchange import Exchange
from mocksandbox.fuzz.model import Flaw, Step
from mocksandbox.provider import Provider
from mocksandbox.rules import Finding

_TOLD_OTHERWISE = frozenset({"http/server-error"})  # as `server-error`
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MOST_KEPT = 4_000
_known: dict[tuple[object, ...], Sequence[Finding]] = {}


def conforming(provider: Provider, step: Step) -> Iterator[Flaw]:
    """The response rules that an answer breaks."""
    if step.response is None or "/.." in step.request.path:  # what comes between may have made another path of that
        return
    request = step.request
    match = provider.contract.router.find(request.method, request.path)
    operation = match.operation.id if isinstance(match, Match) else ""
    answer = match.operation.answer(step.response.status) if isinstance(match, Match) else None
    if answer is not None and not answer.content and step.response.body and step.response.status < 400:
        yield Flaw("nonconforming", operation, (), "no body", f"{step.response.status} with a body", "body")
    seen: set[tuple[str, str]] = set()
    for found in _findings(provider, operation, Exchange(request, step.response, step.seconds)):
        place = "".join(char for char in found.at if not char.isdigit())
        if found.rule.id in _TOLD_OTHERWISE or (found.rule.id, place) in seen:
            continue
        seen.add((found.rule.id, place))
        kind = "headers" if found.at.startswith("header:") else "nonconforming"
        kind = "echoed-person" if "echo" in found.rule.id else kind
        observed = f"{step.response.status} {place}"
        yield Flaw(kind, operation, (found.rule.id,), found.rule.title, observed, found.at, found.message)


def _findings(provider: Provider, operation: str, exchange: Exchange) -> Iterator[Finding]:
    """What the rules find. Those of every HTTP API look at the answer alone, and thousands of answers are the same but for
    their ids: of such they are asked once.
    """
    rules = [rule for _, own in provider.responses.stages(operation, provider.default_profile) for rule in own]
    general = [rule for rule in rules if rule.id.startswith("http/")]
    response = exchange.response
    headers = tuple((name, _UUID.sub(b"", value.encode("utf-8", "replace"))) for name, value in response.headers.pairs)
    key = (provider.name, provider.default_profile, operation, response.status, headers, _UUID.sub(b"", response.body))
    if key not in _known:
        if len(_known) >= _MOST_KEPT:
            _known.clear()
        _known[key] = tuple(provider.responses.findings(exchange, general))
    yield from _known[key]
    yield from provider.responses.findings(exchange, [rule for rule in rules if rule not in general])
