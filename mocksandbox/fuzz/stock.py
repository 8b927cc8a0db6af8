"""The last part of a campaign: phases of another engine, which a layer above gives, within what is left of budget and time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mocksandbox.exchange import Request
from mocksandbox.fuzz.findings import severity
from mocksandbox.fuzz.model import BY_HAND, Case, Finding, Flaw, Step
from mocksandbox.fuzz.pair import OutOfRequestsError, Pair
from mocksandbox.fuzz.reproduction import curl_of
from mocksandbox.fuzz.transport import IN_PROCESS, UNSENT, Target
from mocksandbox.provider import Provider

SOURCE = "stock"


class Stock(Protocol):
    """Phases that are not ours, like schemathesis': the flaws that they show of a target, with the exchanges that do."""

    def __call__(
        self, provider: Provider, target: Target, seed: int = 0, *, max_time: int | None = None
    ) -> Iterator[tuple[Flaw, Step | None]]:
        """Fire at a target."""
        ...


@dataclass
class Capped:
    """The target within the campaign's limits. When the budget is used up, nothing more is sent."""

    pair: Pair
    over: bool = False

    def __post_init__(self) -> None:
        self.name, self.base_url = self.pair.target.name, self.pair.target.base_url

    def send(self, request: Request) -> Step:
        """The request with its answer, or with why there is none."""
        try:
            return self.pair.send(request)
        except OutOfRequestsError:
            self.over = True
            return Step(request, None, 0.0, f"{UNSENT}: the budget is used up")


def stock_findings(
    stock: Stock, pair: Pair, known: tuple[Finding, ...], until: float | None
) -> tuple[tuple[Finding, ...], str]:
    """What the phases find that is not known, and why they were ended early (empty when they were not).

    A failure that names no rule is left out where a known finding of the same class of the same operation names one.
    """
    capped = Capped(pair)
    left = None if until is None else max(1, int(until - time.monotonic()))
    identities = {each.flaw.identity for each in known}
    named = {(each.flaw.operation, each.flaw.kind) for each in known if each.flaw.rules}
    found = []
    try:
        for flaw, step in stock(pair.provider, capped, pair.seed, max_time=left):
            named |= {(flaw.operation, flaw.kind)} if flaw.rules else set()
            if flaw.identity not in identities and (flaw.rules or (flaw.operation, flaw.kind) not in named):
                found.append(_finding(pair, flaw, step))
            if capped.over or (until is not None and time.monotonic() > until):
                break
    except KeyboardInterrupt:
        return tuple(found), BY_HAND
    ended = "the budget is used up" if capped.over else "the time is over" if until and time.monotonic() > until else ""
    return tuple(found), ended


def _finding(pair: Pair, flaw: Flaw, step: Step | None) -> Finding:
    rules = {rule.id: rule for rule in (*pair.provider.catalogue, *pair.provider.responses)}
    rule = next((rules[id] for id in flaw.rules if id in rules), None)
    steps = (step,) if step is not None else ()
    words, _, sample = flaw.detail.rpartition("\n")
    is_line = bool(words) and not pair.target.base_url.startswith(IN_PROCESS)  # an application in process has no URL
    return Finding(
        flaw=flaw,
        case=Case(-1, SOURCE, "schemathesis", flaw.operation),
        steps=steps,
        curl=curl_of(steps) if steps else sample if is_line else "",
        title=rule.title if rule is not None else "",
        why=rule.why if rule is not None else "",
        source=rule.source if rule is not None else "",
        severity=severity(flaw),
    )
