"""Several processes that answer as one server: started, counted, replaced when they die, and stopped together."""

from __future__ import annotations

import multiprocessing
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

_LOOK = 0.2
"""Seconds between two looks at what the signals have said."""
_PAUSE = 1.0
"""The least seconds between two starts in one worker's place."""


@dataclass(frozen=True)
class Count:
    """Counts the workers that have loaded the application, those too that replace one that has died."""

    workers: int
    loaded: Any

    def one_more(self) -> bool:
        """Count one; whether it was the last that is waited for."""
        with self.loaded.get_lock():
            self.loaded.value += 1
            return bool(self.loaded.value == self.workers)


def share_port(held: socket.socket) -> None:
    """Let each worker have a socket of its own at the port, where the system then spreads the clients over them."""
    if sys.platform == "linux":
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def own_socket(bound: socket.socket) -> socket.socket:
    """A worker's socket at a bound one's address; that one itself where it cannot have another."""
    if sys.platform != "linux":
        return bound
    own = socket.socket(bound.family, socket.SOCK_STREAM)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    share_port(own)
    own.bind(bound.getsockname()[:2])
    return own


def supervise(work: Callable[[Count], None], workers: int, patience: float) -> None:
    """Keep so many processes at work until this one is told to stop (SIGTERM, SIGINT); then stop them, and wait so many
    seconds for what they are doing.
    """
    context: Any = multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")
    count = Count(workers, context.Value("i", 0))
    told = False

    def stop(*_: Any) -> None:
        nonlocal told
        told = True

    def start() -> tuple[BaseProcess, float]:
        process = context.Process(target=work, args=(count,))
        process.start()
        return process, time.monotonic()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    running = [start() for _ in range(workers)]
    while not told:
        wait([process.sentinel for process, _ in running], _LOOK)
        for index, (process, since) in enumerate(running):
            if not told and not process.is_alive() and time.monotonic() - since > _PAUSE:
                process.join()
                running[index] = start()
    for process, _ in running:
        process.terminate()
    deadline = time.monotonic() + patience
    for process, _ in running:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
