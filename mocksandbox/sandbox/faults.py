"""Faults on purpose: what networks, gateways and other clients do to a client, one request at a time.

A fault is asked for in one notation everywhere: `NAME` or `NAME:PARAMETER:…`, for one request (`Prefer: fault=429:3`) or set
for requests to come. Each acts around an answer: before it, in its place, or on it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

from mocksandbox.contract import Operation
from mocksandbox.errors import UsageError
from mocksandbox.exchange import Response
from mocksandbox.provider import Provider
from mocksandbox.rules import ALL, Finding, Rule
from mocksandbox.rules.attempt import Attempt
from mocksandbox.sandbox.failure import INTERNAL, TRANSIENT
from mocksandbox.store import Partition, Stale

LONGEST = 30.0
"""The most seconds that one request is held up: a longer one would only look like a hanging server."""

Answer = Callable[[Attempt, Partition], Response]


@dataclass(frozen=True)
class Scene:
    """What a fault acts in. `wire` says that whoever gives the answer holds the client's socket."""

    provider: Provider
    profile: str
    split: bool
    random: Random
    sleep: Callable[[float], None]
    wire: bool

    def refuse(self, attempt: Attempt, name: str, status: int, issue: str, error: str, says: str) -> Response:
        """A refusal in the provider's own shape."""
        rule = Rule[Attempt](
            id=f"fault/{name}",
            title=says,
            why="The fault was asked for.",
            source="mocksandbox",
            operations=frozenset(),
            stage="fault",
            status=status,
            issue=issue,
            error=error,
            find=lambda _: (),
            profiles=ALL,
        )
        return self.provider.refuse(attempt, [Finding(rule, "", says)], self.profile, self.split)


Act = Callable[[Scene, Answer, Attempt, Partition], Response]


@dataclass(frozen=True)
class Fault:
    """One sort of fault. `make` turns its parameters into what it does, and raises ValueError or TypeError for wrong ones."""

    name: str
    usage: str
    says: str
    make: Callable[..., Act]
    fits: Callable[[Operation | None], bool] = lambda _: True
    wire: bool = False


@dataclass(frozen=True)
class Asked:
    """A fault with its parameters, as it was asked for."""

    text: str
    fault: Fault
    act: Act


_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|)")


def _seconds(text: str) -> float:
    """`200ms`, `1.5s`, or a number of milliseconds."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return float(found[1]) if found[2] == "s" else float(found[1]) / 1000


def _uniform(low: str, high: str) -> Callable[[Random], float]:
    first, last = _seconds(low), _seconds(high)
    if first > last:
        raise ValueError(low)
    return lambda random: random.uniform(first, last)


def _lognormal(median: str, sigma: str) -> Callable[[Random], float]:
    # Answer times of services are near to log-normal: many quick ones, a few very slow ones.
    mu, spread = math.log(_seconds(median)), float(sigma)
    if not 0 <= spread <= 5:
        raise ValueError(sigma)
    return lambda random: random.lognormvariate(mu, spread)


def _fixed(time_: str) -> Callable[[Random], float]:
    seconds = _seconds(time_)
    return lambda _: seconds


def _latency(first: str = "1s", *rest: str) -> Act:
    draw = {"uniform": _uniform, "lognormal": _lognormal}.get(first)
    seconds = draw(*rest) if draw else _fixed(first, *rest)

    def act(scene: Scene, answer: Answer, attempt: Attempt, records: Partition) -> Response:
        pause = min(seconds(scene.random), LONGEST)
        if scene.wire:  # the client's own connection waits, and nobody else does
            given = answer(attempt, records)
            return replace(given, delay=given.delay + pause)
        scene.sleep(pause)
        return answer(attempt, records)

    return act


def _too_many(seconds: str = "1") -> Act:
    if not re.fullmatch("[0-9]{1,5}", seconds):
        raise ValueError(seconds)

    def act(scene: Scene, _: Answer, attempt: Attempt, __: Partition) -> Response:
        says = f"Too many requests. Try again in {seconds} s."
        refused = scene.refuse(attempt, "429", 429, "throttled", "TOO_MANY_REQUESTS", says)
        return refused.with_header("Retry-After", seconds)

    return act


def _failure() -> Act:
    rule = INTERNAL
    return lambda scene, _, attempt, __: scene.refuse(attempt, "500", rule.status, rule.issue, rule.error, TRANSIENT)


def _cut(name: str) -> Callable[[], Act]:
    def act(scene: Scene, answer: Answer, attempt: Attempt, records: Partition) -> Response:
        if scene.wire:
            return replace(answer(attempt, records), cut=name)
        says = f"The fault `{name}` needs the client's socket: ask a server started with `mocksandbox serve`."
        return scene.refuse(attempt, name, 503, "not-supported", "NOT_SUPPORTED", says)

    return lambda: act


def _wrong_type(media_type: str = "text/html") -> Act:
    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", media_type, re.ASCII):
        raise ValueError(media_type)
    return lambda _, answer, attempt, records: answer(attempt, records).with_header("Content-Type", media_type)


def _timeout() -> Act:
    def act(scene: Scene, answer: Answer, attempt: Attempt, records: Partition) -> Response:
        answer(attempt, records)
        says = "The request took too long. It may have been carried out all the same."
        return scene.refuse(attempt, "timeout-after-write", 504, "timeout", "TIMEOUT", says)

    return act


def _stale() -> Act:
    def act(_: Scene, answer: Answer, attempt: Attempt, records: Partition) -> Response:
        behind = Stale(records)
        return answer(replace(attempt, records=behind), behind)

    return act


def _other_writer() -> Act:
    def act(_: Scene, answer: Answer, attempt: Attempt, records: Partition) -> Response:
        with records.exclusive():
            for record in records.named(attempt.id):
                if record.live:
                    records.put(replace(record, version=record.version + 1, recorded=attempt.now, author="another writer"))
        return answer(attempt, records)

    return act


def reads(operation: Operation | None) -> bool:
    """Whether an operation only looks at what is stored."""
    return operation is not None and (operation.method in ("GET", "HEAD") or operation.path.endswith("/_search"))


def _updates(operation: Operation | None) -> bool:
    return operation is not None and operation.method in ("PUT", "PATCH")


FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault(
            "latency",
            "latency[:200ms | :uniform:100ms:300ms | :lognormal:MEDIAN:SIGMA]",
            "The answer comes late; 1 s unless told, 30 s at the most.",
            _latency,
        ),
        Fault("429", "429[:SECONDS]", "Too many requests, with Retry-After; nothing is done.", _too_many),
        Fault("500", "500", "The service fails; nothing is done.", _failure),
        Fault("reset", "reset", "It is done, then the connection is reset.", _cut("reset"), wire=True),
        Fault("truncate", "truncate", "Half of the body comes.", _cut("truncate"), wire=True),
        Fault("wrong-content-type", "wrong-content-type[:text/html]", "The answer names another media type.", _wrong_type),
        Fault("timeout-after-write", "timeout-after-write", "It is done, and 504 says that it was not.", _timeout),
        Fault("stale-read", "stale-read", "A read or a search sees the versions before the newest.", _stale, reads),
        Fault("another-writer", "another-writer", "Somebody else updates the record first.", _other_writer, _updates),
    )
}


def read_fault(text: str) -> Asked:
    """A fault from its notation.

    Raises:
        UsageError: there is no such fault, or its parameters are wrong.
    """
    name, _, parameters = text.partition(":")
    fault = FAULTS.get(name)
    if fault is None:
        raise UsageError(f"No fault {name!r}.", name, FAULTS)
    try:
        return Asked(text, fault, fault.make(*(parameters.split(":") if parameters else ())))
    except (ValueError, TypeError) as error:
        raise UsageError(f"The fault {text!r} has wrong parameters; write {fault.usage}.", text) from error
