"""A provider's checks: for each operation, that it takes a valid request, and that it refuses each way to break each rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from mocksandbox.consumer.patterns import is_wanted
from mocksandbox.consumer.preparing import Prepared, Send, prepare, words
from mocksandbox.contract import Operation
from mocksandbox.errors import UsageError
from mocksandbox.exchange import Exchange, Request, Response
from mocksandbox.provider import Provider, open_provider
from mocksandbox.rules import Defect, Rule
from mocksandbox.rules.attempt import Attempt

VALID = "takes-a-valid-request"
_SHOWN = 5
"""How many findings are shown of one check."""

_MANY = "create-many"
"""A step that only a sandbox of our own can do."""


@dataclass(frozen=True)
class Check:
    """One thing that a provider must do: `rule` is the id of the rule whose defects an operation must refuse, or says that it
    takes a valid request.
    """

    provider: str
    profile: str
    operation: str
    rule: str

    @property
    def id(self) -> str:
        """What it is selected by: `createImmunization-nhs/bad-nhs-number`."""
        return f"{self.operation}-{self.rule}"

    def problem(self, send: Send) -> str:
        """What the provider does wrong, in a few lines; empty when it does what it must.

        Raises:
            TargetError: it does not answer.
        """
        provider = open_provider(self.provider)
        found = list(self._valid(provider, send) if self.rule == VALID else self._broken(provider, send))
        if not found:
            return ""
        promise = "a valid request is taken" if self.rule == VALID else provider.catalogue[self.rule].title
        more = [f"  … and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        return "\n".join([f"{provider.name} {self.operation}: {promise}", *found[:_SHOWN], *more])

    def _valid(self, provider: Provider, send: Send) -> Iterator[str]:
        operation = provider.contract.operation(self.operation)
        ready = prepare(provider, operation, (), send)
        if ready.problem:
            yield f"  {ready.problem}"
            return
        request = ready.own(provider, _templates(provider, self.operation)[0]).request
        answer = send(request)
        if not 200 <= answer.status < 300:
            yield f"  {_line(request)} -> {answer.status}, expected 2xx{words(provider, answer)}"
        yield from self._answer(provider, request, answer)

    def _broken(self, provider: Provider, send: Send) -> Iterator[str]:
        rule = provider.catalogue[self.rule]
        operation = provider.contract.operation(self.operation)
        for defect in rule.defects:
            base = _base(provider, operation, defect)
            if base is None:
                continue
            ready = prepare(provider, operation, defect.needs, send)
            if ready.problem:
                yield f"  {defect.name}: {ready.problem}"
            else:
                yield from self._refused(provider, rule, defect, _spoiled(provider, defect, base, ready).request, send)

    def _refused(
        self, provider: Provider, rule: Rule[Attempt], defect: Defect[Attempt], request: Request, send: Send
    ) -> Iterator[str]:
        answer = send(request)
        # What is unavoidably broken with it may be found first.
        also = [other for other in provider.catalogue if other.id in defect.also and self.profile in other.profiles]
        expected = sorted({each.status for each in (rule, *also)})
        if answer.status not in expected:
            wanted = " or ".join(map(str, expected))
            yield f"  {defect.name}: {_line(request)} -> {answer.status}, expected {wanted}{words(provider, answer)}"
        for line in self._answer(provider, request, answer):
            yield f"{line} (after {defect.name})"

    def _answer(self, provider: Provider, request: Request, answer: Response) -> Iterator[str]:
        """What the answer itself breaks."""
        for found in provider.responses.all(Exchange(request, answer), self.operation, self.profile):
            yield f"  {found.at}  {found.message}  [{found.rule.id}]"


def _line(request: Request) -> str:
    return f"{request.method} {request.path[:80]}"


def _templates(provider: Provider, operation: str) -> Sequence[Attempt]:
    assert provider.valid is not None
    return provider.templates(operation) if provider.templates else [provider.valid(operation)]


def _base(provider: Provider, operation: Operation, defect: Defect[Attempt]) -> Attempt | None:
    """The first valid request that a defect changes; None where it changes only who asks, or what only our own sandbox has."""
    if _MANY in defect.needs:
        return None
    for template in _templates(provider, operation.id):
        broken = _sent(provider, defect.apply(template))
        if (broken.caller, broken.refusal) != (template.caller, template.refusal):
            continue
        if defect.needs or broken.request != template.request:
            return template
    return None


def _spoiled(provider: Provider, defect: Defect[Attempt], base: Attempt, ready: Prepared) -> Attempt:
    return _sent(provider, defect.apply(ready.own(provider, base)))


def _sent(provider: Provider, attempt: Attempt) -> Attempt:
    """An attempt as it goes over the wire: a body over the attempt's limit is filled up with spaces to be over the API's."""
    if len(attempt.request.body) <= attempt.max_body:
        return attempt
    return replace(attempt, request=replace(attempt.request, body=attempt.request.body.ljust(provider.max_body + 1)))


def checks(name: str, profile: str = "", operations: Sequence[str] = ()) -> list[Check]:
    """Every check of a provider: one for each operation, and one for each rule that a request of it can break.

    Raises:
        UsageError: there is no such provider or profile, or it has no valid requests to break.
    """
    provider = open_provider(name)
    chosen = provider.profile(profile or None).name
    if provider.valid is None:
        raise UsageError(f"{name} has no valid requests of its own, which a check could break.")
    found = []
    for operation in provider.contract.operations:
        if not is_wanted(provider.name, operation.id, operations):
            continue
        found.append(Check(name, chosen, operation.id, VALID))
        rules = [rule for _, staged in provider.catalogue.stages(operation.id, chosen) for rule in staged]
        breakable = [rule for rule in rules if any(_base(provider, operation, defect) for defect in rule.defects)]
        found += [Check(name, chosen, operation.id, rule.id) for rule in breakable]
    return found


def is_known(check: Check, patterns: Sequence[str]) -> bool:
    """Whether a check is one of those that are known to fail: patterns of its id, or of its rule's."""
    return any(fnmatchcase(name, pattern) for name in (check.id, check.rule) for pattern in patterns)


def may_be_known(pattern: str, provider: Provider) -> bool:
    """Whether a pattern is one of a check that a provider could have: seen from the names alone, in no time."""
    operations = [operation.id for operation in provider.contract.operations]
    rules = [VALID, *(rule.id for rule in provider.catalogue)]
    return any(is_known(Check(provider.name, "", each, rule), [pattern]) for each in operations for rule in rules)
