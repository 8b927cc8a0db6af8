"""How an API says no with a given status."""

from __future__ import annotations

from collections.abc import Iterator

from mocksandbox.exchange import Response
from mocksandbox.provider import Provider
from mocksandbox.rules import Finding
from mocksandbox.rules.attempt import Attempt
from mocksandbox.sandbox import Sandbox
from mocksandbox.sandbox.faults import FAULTS
from mocksandbox.sandbox.forced import forced_answer
from mocksandbox.sandbox.preferences import Preferences


def refusals(provider: Provider, attempt: Attempt, status: int, profile: str) -> Iterator[Response]:
    """Answers of a status that may be legal: as the document has it, as any rule with this status refuses, as a fault does."""
    forced = forced_answer(provider, attempt, Preferences(code=status), profile)
    if forced is not None:
        yield forced[1]
    for rule in provider.catalogue:
        if rule.status == status:
            yield provider.refuse(attempt, [Finding(rule, "", rule.title)], profile, False)
    if str(status) in FAULTS:
        sandbox = Sandbox(provider, profile)
        sandbox.faults.add(str(status))
        yield sandbox.handle(attempt.request)
