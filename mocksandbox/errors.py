"""The errors that reach a caller of the library. Broken rules are not among them: those are values (`Finding`)."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TypeVar

E = TypeVar("E", bound=BaseException)

MOST_SAID = 200
"""How many characters of a text from outside a message says back."""


def shortened(text: str) -> str:
    """A text from outside, no longer than anybody reads: so it is said back, and compared with what is known."""
    return text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]}…"


def without_frames(error: E) -> E:
    """An error that is kept as a value, without the frames in which it was raised: these keep all that they have seen, and
    often the error itself, in a circle.
    """
    inner: BaseException | None = error
    while inner is not None:
        inner.__traceback__ = None
        inner = inner.__cause__ or inner.__context__
    return error


class MocksandboxError(Exception):
    """The base of every error that this package raises on purpose."""


class ContractError(MocksandboxError):
    """A contract cannot be loaded: which file, and where in it (a JSON pointer, `""` for the whole file)."""

    def __init__(self, problem: str, path: str, pointer: str = "") -> None:
        super().__init__(f"{path}{'#' + pointer if pointer else ''}: {problem}")
        self.problem = problem
        self.path = path
        self.pointer = pointer


MOST_NAMED = 30
"""How many known names a message has at most: of more it has the nearest ones."""


class UsageError(MocksandboxError):
    """A name or an option that does not exist; the message carries the nearest known one, and all when there are few."""

    def __init__(self, problem: str, given: str = "", known: Iterable[str] = ()) -> None:
        short = shortened(given)
        problem, given = problem.replace(repr(given), repr(short)), short
        self.known = tuple(sorted(known))
        many = len(self.known) > MOST_NAMED
        near = get_close_matches(given, self.known, n=3 if many else 1)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        choices = f" Known: {', '.join(self.known)}." if self.known and not many else ""
        if many and not near:
            choices = f" There are {len(self.known)}, like {', '.join(self.known[:3])}."
        super().__init__(f"{problem}{hint}{choices}")


class TargetError(MocksandboxError):
    """A target that does not answer: its URL and what went wrong on the way."""

    def __init__(self, url: str, problem: str) -> None:
        hint = ""
        if url.startswith("https:") and "CERT" in problem.upper():
            hint = "; this machine does not trust its certificate: name the authority's in SSL_CERT_FILE"
        elif url.startswith("https:") and "SSL" in problem:
            hint = f"; it may speak http and not https: try {url.replace('https:', 'http:', 1)}"
        super().__init__(f"{url} does not answer: {problem}{hint}")
        self.url = url


class StoreError(MocksandboxError):
    """The store does not do what it is asked: it is damaged, locked, full, or not there any more.
    The message quotes no record. `doubtful` says that what was to be written may have been: nobody knows whether the end of a
    transaction got through.
    """

    def __init__(self, problem: str, *, doubtful: bool = False) -> None:
        super().__init__(problem)
        self.doubtful = doubtful


class StoreMisuseError(StoreError):
    """The store is asked for what it cannot do: a bug of whoever asks."""


class StoreFullError(StoreError):
    """What is kept in memory is as much as may be, and nothing was changed. The message names the limit."""


class TooCostlyError(MocksandboxError):
    """What is asked for would take more than one request may. The message names the limit and the remedy."""
