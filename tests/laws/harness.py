"""What the laws are tried on: every rule of every provider with each of its defects, applied to a valid request.

Nothing here knows a rule or an API. A defect that leaves a request as it is has nothing to break there, and is no trial.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from itertools import takewhile

from mocksandbox.contract import Operation
from mocksandbox.exchange import Request, Response
from mocksandbox.provider import Provider, open_provider
from mocksandbox.provider.discovery import BUILT_IN
from mocksandbox.rules import Defect, Rule
from mocksandbox.rules.attempt import Attempt, Caller, Refusal
from mocksandbox.sandbox import Sandbox
from mocksandbox.store import MemoryStore, Partition, Scratch

PROVIDERS = tuple(BUILT_IN)
MANY_BYTES = 3 * 1024 * 1024
"""More than any API gives in one answer."""


@dataclass
class Told:
    """An authority that lets callers in, or not, as it is told: what a defect says of its caller comes true."""

    caller: Caller = field(default_factory=Caller)
    refusal: Refusal | None = None

    def identify(self, request: Request, now: datetime, tenant: str = "") -> tuple[Caller, Refusal | None]:
        return self.caller, self.refusal

    def routes(self) -> Mapping[tuple[str, str], object]:
        return {}

    def forget(self, tenant: str | None) -> None:
        return None


@dataclass(frozen=True)
class World:
    """A sandbox in a state that some steps have set up, and the record that they were about (its id and version)."""

    provider: Provider
    profile: str
    sandbox: Sandbox
    told: Told
    id: str = ""
    version: int = 0

    @property
    def records(self) -> Partition:
        """The records as a request of this profile meets them."""
        assert self.sandbox.store is not None
        kept = self.sandbox.store.partition()
        return kept if self.sandbox.profile.remembers else Scratch(kept)

    def valid(self, operation: str) -> Attempt:
        """The valid request of an operation, about the record that the steps made where they made one."""
        assert self.provider.valid is not None
        attempt = replace(self.provider.valid(operation), records=self.records, now=self.sandbox.clock.now())
        return self.provider.about(attempt, self.id, self.version) if self.id and self.provider.about else attempt

    def send(self, attempt: Attempt) -> Response:
        """The sandbox's answer to an attempt: its request, from its caller. A body over the attempt's limit is filled up with
        spaces to be over the sandbox's.
        """
        self.told.caller, self.told.refusal = attempt.caller, attempt.refusal
        request = attempt.request
        if len(request.body) > attempt.max_body:
            request = replace(request, body=request.body.ljust(self.provider.max_body + 1))
        return self.sandbox.handle(request)


def world(name: str, profile: str, needs: tuple[str, ...] = (), near: str = "") -> World:
    """The world of a provider and profile after these steps. It is shared: what is sent to it must be refused."""
    return _shared(name, profile, _steps(open_provider(name), needs, near))


@cache
def _shared(name: str, profile: str, steps: tuple[str, ...]) -> World:
    return _after(name, profile, steps)


def new_world(name: str, profile: str, needs: tuple[str, ...] = (), near: str = "") -> World:
    """A world of one's own after these steps. Of several operations that could be a step, it is the one whose path is most
    like that of the operation `near`: a patient is created for what is about patients.
    """
    return _after(name, profile, _steps(open_provider(name), needs, near))


def _after(name: str, profile: str, steps: tuple[str, ...]) -> World:
    """A world after these operations. A profile that forgets gets the records of one that remembers."""
    told = Told()
    provider = replace(open_provider(name), authority=lambda _: told)  # type: ignore[arg-type,return-value]
    store = MemoryStore(provider.seeds())
    made = World(provider, profile, Sandbox(provider, profile, store, strict=True), told)
    remembering = next(name for name, each in provider.profiles.items() if each.remembers)
    before = replace(made, profile=remembering, sandbox=Sandbox(provider, remembering, store))
    for step in steps:
        before = _step(before, step)
    return replace(made, id=before.id, version=before.version)


def _steps(provider: Provider, needs: tuple[str, ...], near: str) -> tuple[str, ...]:
    """The operations that steps stand for, by id; `create-many` is none."""
    operations = provider.contract.operations
    path = next((each.path for each in operations if each.id == near), "").split("/")

    def likeness(operation: Operation) -> int:
        pairs = zip(operation.path.split("/"), path, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    steps = []
    for step in needs:
        able = [each for each in operations if step != "create-many" and _does(each, step)]
        steps.append(max(able, key=likeness).id if able else step)
    return tuple(steps)


def _step(world: World, step: str) -> World:
    if step == "create-many":
        _fill(world.records)
        return world
    attempt = world.valid(step)
    answer = world.send(attempt)
    assert answer.status < 300, (step, answer.body)
    changed = max(world.records.all(), key=lambda record: (record.recorded is not None, record.recorded), default=None)
    return replace(world, id=changed.id, version=changed.version) if changed else world


def _does(operation: Operation, step: str) -> bool:
    methods = {"create": ("POST",), "update": ("PUT", "PATCH"), "delete": ("DELETE",)}[step]
    return operation.method in methods and (step != "create" or "201" in operation.answers)


def _fill(records: Partition) -> None:
    for record in [record for record in records.all() if record.live]:
        for number in range(MANY_BYTES // len(record.body) + 1):
            records.put(replace(record, id=f"{record.id}-{number}"))


@dataclass(frozen=True)
class Trial:
    """One defect, applied to the valid request of an operation in a profile."""

    world: World
    operation: str
    rule: Rule[Attempt]
    defect: Defect[Attempt]
    broken: Attempt

    @property
    def name(self) -> str:
        return f"{self.rule.id}/{self.defect.name} on {self.operation} in {self.world.profile}"

    def found(self) -> list[tuple[str, str]]:
        """The rules that the broken request breaks, with the places, in all stages; warnings too."""
        operation = self.broken.operation.id if self.broken.operation else ""
        catalogue, profile = self.world.provider.catalogue, self.world.profile
        findings = [*catalogue.all(self.broken, operation, profile), *catalogue.warnings(self.broken, operation, profile)]
        return [(finding.rule.id, finding.at) for finding in findings]


def trials(name: str, rule: Rule[Attempt]) -> Iterator[Trial]:
    """Every trial of a rule: all its defects, in all its profiles, on all its operations."""
    provider = open_provider(name)
    asked = rule.operations - {""}
    for profile in sorted(rule.profiles & provider.profiles.keys()):
        for operation in provider.contract.operations:
            if asked and operation.id not in asked:
                continue
            for defect in rule.defects:
                here = world(name, profile, defect.needs, operation.id)
                valid = here.valid(operation.id)
                broken = defect.apply(valid)
                if (defect.needs or broken != valid) and _looked_at(provider, rule, broken, profile):
                    yield Trial(here, operation.id, rule, defect, broken)


def _looked_at(provider: Provider, rule: Rule[Attempt], attempt: Attempt, profile: str) -> bool:
    operation = attempt.operation.id if attempt.operation else ""
    if rule.severity != "error":
        return not rule.operations or operation in rule.operations
    return any(rule in rules for _, rules in provider.catalogue.stages(operation, profile))


def every_rule() -> list[tuple[str, str]]:
    """Every request rule: the provider's name and the rule's id."""
    return [(name, rule.id) for name in PROVIDERS for rule in open_provider(name).catalogue]
