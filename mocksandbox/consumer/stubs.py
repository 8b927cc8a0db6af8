"""Answers that a test puts in place of the sandbox's own. They keep the contract too: one that breaks it is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from mocksandbox import codec
from mocksandbox.consumer.difference import differences
from mocksandbox.consumer.refusals import refusals
from mocksandbox.contract import Operation
from mocksandbox.errors import MocksandboxError, UsageError
from mocksandbox.exchange import Exchange, Request, Response
from mocksandbox.provider import Provider
from mocksandbox.provider.negotiate import documented_answer
from mocksandbox.rules import Finding
from mocksandbox.rules.attempt import Attempt

_FAILS = "http/server-error"
"""The rule that no answer is 5xx: a stub may be one, if it is documented."""


class StubError(MocksandboxError):
    """A stub that breaks the contract: no real service would answer so."""


@dataclass
class Stub:
    """One answer to requests of an operation, of all when it is empty: `left` times, None for as often as it is asked for; to
    those only whose JSON body has what `where` says. `used` counts.
    """

    provider: str
    operation: str
    response: Response
    left: int | None = None
    where: Any = None
    used: int = 0

    @property
    def name(self) -> str:
        """How it is named in the journal and in reports."""
        return f"stub {self.operation} {self.response.status}"

    def fits(self, attempt: Attempt) -> bool:
        """Whether it answers a request."""
        if attempt.operation is None or self.left == 0 or not is_named(attempt.operation, self.operation):
            return False
        return self.where is None or not any(True for _ in differences(self.where, attempt.body))


def is_named(operation: Operation, name: str) -> bool:
    """Whether an operation is named: by its id, by that without its method (`searchImmunization`), or by nothing at all."""
    return name in ("", operation.id) or f"{name}{operation.method.capitalize()}" == operation.id


@dataclass
class Stubs:
    """The stubs of one test for one provider, in the order in which they were put there."""

    known: list[Stub] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, stub: Stub) -> Stub:
        """Put a stub behind those that there are."""
        with self._lock:
            self.known.append(stub)
        return stub

    def answer(self, attempt: Attempt) -> tuple[str, Response] | None:
        """The answer of the first stub that fits, which is used up by one; None when none does."""
        with self._lock:
            for stub in self.known:
                if stub.fits(attempt):
                    stub.used += 1
                    stub.left = stub.left if stub.left is None else stub.left - 1
                    return stub.name, stub.response
        return None

    def remove(self, stub: Stub) -> None:
        """Take a stub back."""
        with self._lock:
            self.known = [each for each in self.known if each is not stub]

    def clear(self) -> None:
        """Take all back."""
        with self._lock:
            self.known = []


@dataclass(frozen=True)
class Words:
    """What a test says of a stub's answer; the rest is as the document has it."""

    json: Any = None
    body: bytes | None = None
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)


def written(provider: Provider, profile: str, operation: str, said: Words) -> Response:
    """The answer that a stub gives. What is not said is as the document has it: the first success, its media type, its
    headers, its example; of a refusal, as the API itself refuses.

    Raises:
        UsageError: there is no such operation, or it documents no answer of this status.
    """
    documented = documented_answer(provider.contract, found_operation(provider, operation), said.status)
    if documented is None:
        known = found_operation(provider, operation).answers
        raise UsageError(f"{operation} documents no answer {said.status}.", str(said.status), known)
    if said.status >= 400 and said.json is None and said.body is None and provider.valid is not None:
        tried = refusals(provider, provider.valid(operation), said.status, profile)
        legal = (each for each in tried if not broken_by(provider, profile, operation, each))
        documented = next(legal, documented)
    if said.json is not None:
        documented = replace(documented, body=codec.dumps(said.json))
    elif said.body is not None:
        documented = replace(documented, body=said.body)
    for name, value in said.headers.items():
        documented = documented.with_header(name, value)
    return documented


def found_operation(provider: Provider, operation: str) -> Operation:
    """An operation by its id.

    Raises:
        UsageError: there is none; it names the nearest.
    """
    return provider.contract.operation(operation)


def check(provider: Provider, profile: str, operation: str, response: Response) -> None:
    """Make sure that an answer keeps the contract.

    Raises:
        StubError: it does not; it says where.
    """
    found = broken_by(provider, profile, operation, response)
    if found:
        lines = [f"  {finding.at}  {finding.message}  [{finding.rule.id}]" for finding in found[:6]]
        more = [f"  … and {len(found) - 6} more"] if len(found) > 6 else []
        says = f"The stub for {operation} breaks the contract of {provider.name}; no real service answers so:"
        raise StubError("\n".join([says, *lines, *more, "  (checked=False puts it there all the same)"]))


def broken_by(provider: Provider, profile: str, operation: str, response: Response) -> list[Finding]:
    """What an answer breaks as the answer to a valid request of its operation."""
    found = provider.responses.all(Exchange(_asking_for(provider, operation, response), response), operation, profile)
    return [finding for finding in found if finding.rule.id != _FAILS]


_PLACEHOLDER = re.compile(r"\{[^{}]+\}")


def _asking_for(provider: Provider, operation: str, response: Response) -> Request:
    """A valid request, for the record that the answer has; the plainest one of a provider that has no valid ones."""
    if provider.valid is None:
        found = found_operation(provider, operation)
        return Request(found.method, _PLACEHOLDER.sub("1", found.path))
    attempt = provider.valid(operation)
    try:
        body = response.json()
    except ValueError:
        return attempt.request
    id = body.get("id") if isinstance(body, dict) else None
    return provider.about(attempt, id, 1).request if isinstance(id, str) and provider.about and attempt.id else attempt.request
