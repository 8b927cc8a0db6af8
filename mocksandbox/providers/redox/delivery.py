"""The queue behind a write: when each message is delivered, and the log of the tries.

A message is accepted when it is in the queue. It is delivered later, in order; when the destination fails, it is tried again
after growing pauses, and everything behind it waits (docs.redoxengine.com, responding to asynchronous events). The times are
worked out when the message comes, from what the destination is set up to do; whoever looks compares them with the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from mocksandbox import codec
from mocksandbox.fhir.stored import instant
from mocksandbox.providers.redox.destinations import Destination
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.store import Partition

DELIVERY, QUEUE = "Delivery", "Queue"
"""The kinds of the records that the log is made of; they are reset, kept in snapshots and restored with the others."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(hours=1)
TRIES = 8
"""How many tries the log shows of a message that is never taken."""

NEVER = ""
"""In place of the time of a delivery that does not come about."""


@dataclass(frozen=True)
class Delivery:
    """What becomes of one message: its tries, and when it is delivered (None: never)."""

    id: str
    tries: Sequence[tuple[datetime, bool]]
    delivered: datetime | None

    @property
    def at(self) -> str:
        """The time of the delivery as text that sorts, or `NEVER`."""
        return instant(self.delivered) if self.delivered else NEVER

    @property
    def outcome(self) -> str:
        """How it ends: `delivered` at the first try, `retried` and then delivered, or `paused` with its queue."""
        return "paused" if self.delivered is None else "delivered" if len(self.tries) == 1 else "retried"


def tries(destination: Destination, start: datetime) -> list[tuple[datetime, bool]]:
    """When a message is tried and whether it is taken, from the moment at which its turn comes."""
    moment, pause = start + timedelta(seconds=destination.delay), FIRST_PAUSE
    found = []
    for _ in range(TRIES if destination.failures is None else destination.failures):
        found.append((moment, False))
        moment, pause = moment + pause, min(pause * 2, LONGEST_PAUSE)
    return found if destination.failures is None else [*found, (moment, True)]


def enqueue(attempt: Attempt, records: Partition, queue: str, destination: Destination) -> Delivery:
    """Put a message at the end of its queue. Behind one that is never taken nothing is tried at all."""
    last = records.get(QUEUE, queue)
    state: dict[str, Any] = last.json() if last else {"messages": 0, "free": instant(attempt.now)}
    free: str | None = state["free"]
    planned: list[tuple[datetime, bool]] = []
    if free is not None:
        planned = tries(destination, max(attempt.now, datetime.fromisoformat(free)))
    delivered = next((moment for moment, taken in planned if taken), None)
    made = Delivery(str(uuid4()), planned, delivered)
    after = {"queue": queue, "messages": state["messages"] + 1, "free": made.at or None}
    version = last.version + 1 if last else 1
    records.put(Record(QUEUE, queue, version, codec.dumps(after), {}, recorded=attempt.now))
    return made


def log(
    attempt: Attempt,
    records: Partition,
    queue: str,
    made: Delivery,
    written: Sequence[Record],
    patients: Sequence[str],
) -> None:
    """Write a message's delivery into the log: which versions it brings, of which patients, and every try with its outcome and
    time. A try whose time is still to come has not happened yet.
    """
    body = {
        "id": made.id,
        "queue": queue,
        "operation": attempt.operation.id if attempt.operation else "",
        "queued": instant(attempt.now),
        "resources": [f"{record.kind}/{record.id}/_history/{record.version}" for record in written],
        "patients": patients,
        "tries": [{"at": instant(moment), "outcome": "delivered" if taken else "failed"} for moment, taken in made.tries],
        "delivered": made.at or None,
        "outcome": made.outcome,
    }
    keys = {"queue": queue, "delivered": made.at}
    records.put(Record(DELIVERY, made.id, 1, codec.dumps(body), keys, recorded=attempt.now, author=attempt.caller.name))


def has_arrived(record: Record, now: datetime) -> bool:
    """Whether a version has reached its destination by now. A seed has no delivery: it was always there."""
    at = record.keys.get("delivered")
    return at is None or (at != NEVER and datetime.fromisoformat(at) <= now)
