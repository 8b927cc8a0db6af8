"""What tests have exercised, as plain JSON values: it goes from xdist's workers to the process that sums it up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mocksandbox.consumer.run import Box, Run
from mocksandbox.journal import Entry

Ledger = dict[str, Any]
"""`exercised`: provider -> operation -> answer -> how often; `providers`: those that were used, each with its reference;
`requests`, `broken`: numbers; `unused`: stubs that nobody asked for, each with its test; `late`: what came after its test had
been reported; `recorded`: exchanges, where they are wanted.
"""

TIMEOUT, CUT = "timeout", "cut"
"""The answers that are none: too late, or not whole."""

_WITHOUT_ANSWER = {"timeout-after-write": TIMEOUT, "reset": CUT, "truncate": CUT}


def empty() -> Ledger:
    """A ledger with nothing in it."""
    return {"exercised": {}, "providers": {}, "requests": 0, "broken": 0, "unused": [], "late": [], "recorded": []}


def answer_of(entry: Entry, gave_up: bool) -> str:
    """What the client got: a status, `timeout`, or `cut`."""
    if gave_up:
        return TIMEOUT
    faults = [name.partition(":")[0] for name in entry.fault.split(", ")]
    return next((_WITHOUT_ANSWER[name] for name in faults if name in _WITHOUT_ANSWER), str(entry.exchange.response.status))


def ledger_of(run: Run, since: int = 0) -> Ledger:
    """What a test has exercised with its requests after the one of that number."""
    made = empty()
    made["providers"] = {name: box.reference for name, box in run.boxes.items()}
    for entry in run.journal.exchanges(lambda entry: entry.number > since):
        made["requests"] += 1
        if entry.provider and entry.operation in {o.id for o in run.boxes[entry.provider].provider.contract.operations}:
            count(made, entry.provider, entry.operation, answer_of(entry, entry.number in run.gave_up))
    made["broken"] = len({breach.number for breach in run.unexpected(since)})
    if not run.closed:  # else they have been told
        made["unused"] = [[run.nodeid, stub.name] for box in run.boxes.values() for stub in _unused(box)]
    return made


def _unused(box: Box) -> list[Any]:
    return [stub for stub in box.stubs.known if not stub.used]


def count(ledger: Ledger, provider: str, operation: str, answer: str, times: int = 1) -> None:
    """Add to what was exercised."""
    answers = ledger["exercised"].setdefault(provider, {}).setdefault(operation, {})
    answers[answer] = answers.get(answer, 0) + times


def merge(into: Ledger, other: Mapping[str, Any]) -> None:
    """Add a ledger to another."""
    for provider, operations in other["exercised"].items():
        for operation, answers in operations.items():
            for answer, times in answers.items():
                count(into, provider, operation, answer, times)
    into["providers"].update(other["providers"])
    for name in ("requests", "broken"):
        into[name] += other[name]
    for name in ("unused", "late", "recorded"):
        into[name] += other[name]
