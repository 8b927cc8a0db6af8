"""A failure inside the mock: what is answered, and what a log may say of it, which is nothing that a request brought."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb

from mocksandbox.errors import StoreError, StoreFullError, TooCostlyError
from mocksandbox.rules import ALL, Finding, Rule
from mocksandbox.rules.attempt import Attempt

_DEPTH = 8


def own_rule(id: str, title: str, why: str, source: str, status: int, issue: str, error: str) -> Rule[Attempt]:
    """A rule of the sandbox itself, for every operation and profile. It finds nothing in a request: what it refuses is met
    elsewhere.
    """
    return Rule(id, title, why, source, frozenset(), "", status, issue, error, lambda _: (), profiles=ALL)


INTERNAL = own_rule(
    id="http/internal-error",
    title="The mock itself does not fail",
    why="A failure here is a bug of mocksandbox; the log has it.",
    source="RFC 9110 section 15.6.1",
    status=500,
    issue="exception",
    error="EXCEPTION",
)
LATE = own_rule(
    id="http/late-body",
    title="The body comes in time",
    why="A client that sends a part of its body and then nothing must not hold up others.",
    source="RFC 9110 section 15.5.9",
    status=408,
    issue="timeout",
    error="TIMEOUT",
)
STORE_FAILS = own_rule(
    id="http/store-fails",
    title="The store does what it is asked",
    why="A full disk or a database that is away is no bug of the mock: it is back later, and the request can be made again.",
    source="RFC 9110 section 15.6.4",
    status=503,
    issue="transient",
    error="SERVICE_UNAVAILABLE",
)
STORE_FULL = own_rule(
    id="http/store-full",
    title="The sandbox has room for what is written",
    why="A client that never stops writing must not take all memory of the machine that the sandbox runs on.",
    source="RFC 4918 section 11.5",
    status=507,
    issue="too-costly",
    error="INSUFFICIENT_STORAGE",
)
TOO_COSTLY = own_rule(
    id="http/too-costly",
    title="The answer is no larger than the sandbox makes one",
    why="A few bytes of request can ask for hundreds of megabytes, which would hold up everybody else.",
    source="RFC 9110 section 15.5.14",
    status=413,
    issue="too-costly",
    error="TOO_COSTLY",
)
UNKNOWN_SCENARIO = own_rule(
    id="http/unknown-scenario",
    title="The scenario that is asked for is one of the operation's",
    why="A misspelt one would be answered as if none had been asked for, and the test of a refusal would see a success.",
    source="RFC 9110 section 15.5.1",
    status=400,
    issue="invalid",
    error="INVALID",
)
RETRY_AFTER = "5"
"""Seconds after which a client may try again when the store has failed."""


def beyond(error: Exception) -> Finding | None:
    """What is said of a request that goes beyond one of the sandbox's limits; None for any other error."""
    rule = STORE_FULL if isinstance(error, StoreFullError) else TOO_COSTLY if isinstance(error, TooCostlyError) else None
    return Finding(rule, "", str(error)) if rule is not None else None


def store_words(error: StoreError) -> str:
    """What is said of a request whose store has failed; what the store itself says is for the log."""
    if error.doubtful:
        return "The sandbox's store failed just when this was to be kept: it may have been stored. Look before you try again."
    return f"The sandbox's store does not answer as it should. Nothing was stored; try again in {RETRY_AFTER} s."


def late_words(seconds: float) -> str:
    """What is said of a body that was waited for so long."""
    return f"The body did not come to its end within {seconds:g} s."


TRANSIENT = "Unable to process request. Issue may be transient."
"""What every API here says of a failure of its own (the NHS service's words, observed)."""


def failure_place(error: BaseException) -> str:
    """The error's type and the innermost calls. Its message is left out: it may quote a record."""
    frames = extract_tb(error.__traceback__)[-_DEPTH:]
    return f"{type(error).__name__} in {' > '.join(f'{Path(f.filename).name}:{f.lineno} {f.name}' for f in frames)}"
