"""Waiting for the threads that a test has started."""

from __future__ import annotations

import time
from threading import Event, Thread

import pytest

from mocksandbox.consumer import threads


def test_a_thread_that_is_just_being_started_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    done = Event()
    thread = Thread(target=lambda: (time.sleep(0.05), done.set()))
    looks: list[int] = []

    def running() -> set[Thread]:
        looks.append(1)
        if len(looks) == 3:
            thread.start()
        return {thread} if len(looks) < 3 or thread.is_alive() else set()

    monkeypatch.setattr(threads, "running", running)
    threads.wait_for(set(), 5)
    assert done.is_set()
    assert len(looks) > 3


def test_nobody_waits_longer_than_asked() -> None:
    go = Event()
    before = threads.running()
    thread = Thread(target=go.wait, daemon=True)
    thread.start()
    began = time.monotonic()
    threads.wait_for(before, 0.1)
    assert 0.1 <= time.monotonic() - began < 5
    go.set()
    thread.join()
