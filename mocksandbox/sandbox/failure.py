"""A failure inside the mock: what is answered, and what a log may say of it, which is nothing that a request brought."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb

from mocksandbox.rules import ALL, Rule
from mocksandbox.rules.attempt import Attempt

_DEPTH = 8

INTERNAL = Rule[Attempt](
    id="http/internal-error",
    title="The mock itself does not fail",
    why="A failure here is a bug of mocksandbox; the log has it.",
    source="RFC 9110 section 15.6.1",
    operations=frozenset(),
    stage="",
    status=500,
    issue="exception",
    error="EXCEPTION",
    find=lambda _: (),
    profiles=ALL,
)
LATE = Rule[Attempt](
    id="http/late-body",
    title="The body comes in time",
    why="A client that sends a part of its body and then nothing must not hold up others.",
    source="RFC 9110 section 15.5.9",
    operations=frozenset(),
    stage="",
    status=408,
    issue="timeout",
    error="TIMEOUT",
    find=lambda _: (),
    profiles=ALL,
)


def late_words(seconds: float) -> str:
    """What is said of a body that was waited for so long."""
    return f"The body did not come to its end within {seconds:g} s."


TRANSIENT = "Unable to process request. Issue may be transient."
"""What every API here says of a failure of its own (the NHS service's words, observed)."""


def failure_place(error: BaseException) -> str:
    """The error's type and the innermost calls. Its message is left out: it may quote a record."""
    frames = extract_tb(error.__traceback__)[-_DEPTH:]
    return f"{type(error).__name__} in {' > '.join(f'{Path(f.filename).name}:{f.lineno} {f.name}' for f in frames)}"
