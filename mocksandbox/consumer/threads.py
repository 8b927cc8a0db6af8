"""Waiting for what a test has started: its requests in flight, and the threads that may still send one."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Set
from contextlib import contextmanager
from threading import Condition, Thread, current_thread, enumerate

SERVES = "mocksandbox"
"""What the names of our own threads begin with."""


class Activity:
    """The requests that are being answered."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = Condition()

    @contextmanager
    def one(self) -> Generator[None, None, None]:
        """One more, until this is left."""
        with self._changed:
            self._count += 1
        try:
            yield
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until there is none; false when there still is after so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, seconds)


def running() -> Set[Thread]:
    """The threads that there are, without those that answer."""
    return {thread for thread in enumerate() if not thread.name.startswith(SERVES)}


def wait_for(before: Set[Thread], seconds: float) -> None:
    """Wait, so many seconds at the most, for the threads that were started since. A worker of a pool that has nothing to do
    is not waited for: it stays.
    """
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        busy = [thread for thread in running() - before if thread is not current_thread() and not _rests(thread)]
        if not busy:
            return
        try:
            busy[0].join(min(left, 0.01))
        except RuntimeError:  # somebody is just starting it
            time.sleep(min(left, 0.001))


def _rests(thread: Thread) -> bool:
    # The innermost Python frame of a pool's worker that waits for work is the worker's own loop.
    frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage]  # documented, for all its name
    frame = frames.get(thread.ident or 0)
    return frame is not None and frame.f_code.co_name == "_worker" and frame.f_globals.get("__name__") == _POOL


_POOL = "concurrent.futures.thread"
