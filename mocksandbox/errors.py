"""The errors that reach a caller of the library. Broken rules are not among them: those are values (`Finding`)."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TypeVar

E = TypeVar("E", bound=BaseException)


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
        self.path = path
        self.pointer = pointer


class UsageError(MocksandboxError):
    """A name or an option that does not exist; the message carries the nearest known one."""

    def __init__(self, problem: str, given: str = "", known: Iterable[str] = ()) -> None:
        self.known = tuple(sorted(known))
        near = get_close_matches(given, self.known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        choices = f" Known: {', '.join(self.known)}." if self.known else ""
        super().__init__(f"{problem}{hint}{choices}")


class TargetError(MocksandboxError):
    """A target that does not answer: its URL and what went wrong on the way."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"{url} does not answer: {problem}")
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
