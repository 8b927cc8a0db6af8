"""Running the server: the port known before it answers, the application on one thread, and a word when it is ready."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from mocksandbox.errors import MocksandboxError, UsageError
from mocksandbox.provider import open_provider
from mocksandbox.server.app import make_sandboxes, serving_app
from mocksandbox.server.front import CONTROL
from mocksandbox.server.hosts import is_here
from mocksandbox.server.listener import CONNECTIONS, Listener
from mocksandbox.server.settings import Settings
from mocksandbox.server.workers import Count, own_socket, share_port, supervise
from mocksandbox.store import MEMORY, tidy_up

_DRAIN = 20
"""Seconds that a worker has for the requests that it is answering when it is told to stop."""

_AGAIN = 1.0
"""Seconds after which a second signal to stop is one of its own: Ctrl-C comes from the terminal and from the process above."""

_FILES = 64
"""How many files and sockets a worker may need beside its clients'."""


def serve(settings: Settings, host: str, port: int, ready_file: Path | None = None, workers: int = 1) -> None:
    """Serve, with so many worker processes, until the process is told to stop (SIGTERM, SIGINT). When they all answer, it is
    said on standard output, and in the ready file when one is named. A worker that dies is replaced; where records are kept in
    memory this process itself is the only worker, for they would be lost with it.

    Raises:
        UsageError: the port is in use or not allowed, or the host is no address of this machine; the store cannot be used, or
            several workers cannot share it.
        ContractError: a contract cannot be loaded.
    """
    if workers > 1 and settings.store == MEMORY:
        raise UsageError(
            f"--workers {workers} needs a store that they share: with --store {MEMORY} each worker would have records of its "
            "own. Add --store sqlite:///FILE (or postgresql://USER@HOST/DATABASE), or leave --workers out."
        )
    settings = replace(settings, loopback=is_here(host), wire=True)
    bound = _reserve(host, port)
    _warn(settings)
    announce = partial(_announce, settings, host, bound.getsockname()[1], ready_file)
    try:
        if settings.store == MEMORY:
            _answer(settings, bound, announce)
        else:
            make_sandboxes(settings)  # a mistake in the settings is told here, and not by a worker
            supervise(partial(_work, settings, bound, announce), workers, _DRAIN)
    finally:
        tidy_up(settings.store)
        bound.close()


def _work(settings: Settings, bound: socket.socket, announce: Callable[[], None], count: Count) -> None:
    """What a worker process does."""
    parent = os.getppid()
    try:
        _answer(settings, own_socket(bound), lambda: announce() if count.one_more() else None, lambda: os.getppid() == parent)
    except MocksandboxError as error:  # what was there when the server started is there no more
        print(f"mocksandbox: a worker cannot start: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        sys.exit(1)


def _answer(
    settings: Settings, bound: socket.socket, announce: Callable[[], None], wanted: Callable[[], bool] = lambda: True
) -> None:
    """Answer on a socket until told to stop, or until nobody wants it any more."""
    front, complete = serving_app(settings)
    gc.collect()
    _freeze()
    # On a thread of its own: what the first answers do without takes half a second to load.
    threading.Thread(target=_settle, args=(complete,), daemon=True).start()
    asyncio.run(_listen(Listener(front, settings.body_timeout, _room()), bound, announce, wanted))


async def _listen(listener: Listener, bound: socket.socket, announce: Callable[[], None], wanted: Callable[[], bool]) -> None:
    loop = asyncio.get_running_loop()
    told, at_once = asyncio.Event(), asyncio.Event()
    first = loop.time()

    def stop() -> None:
        """Stop; who says it again, and not only through two channels at a time, does not want to wait."""
        nonlocal first
        if not told.is_set():
            first = loop.time()
            told.set()
        elif loop.time() > first + _AGAIN:
            at_once.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    server = await loop.create_server(listener.connect, sock=bound, backlog=CONNECTIONS)
    watching = asyncio.create_task(listener.watch())
    announce()
    while wanted():
        with suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), 1)
            break
    server.close()
    await listener.stop(_DRAIN, at_once)
    watching.cancel()


def _room() -> int:
    """How many connections there may be: a process may open so many files, and needs some itself."""
    try:
        import resource
    except ImportError:  # Windows
        return CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + _FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(CONNECTIONS, soft - _FILES))


def _warn(settings: Settings) -> None:
    """Tell which providers the safety rail cannot guard."""
    unguarded = [name for name in settings.providers if settings.only_synthetic and open_provider(name).people is None]
    if unguarded:
        print(f"--only-synthetic: {', '.join(unguarded)} tell no made-up people from real ones: not guarded.", file=sys.stderr)


def _freeze() -> None:
    """What is there now stays: the collector need not look at it again. What a request leaves behind goes with its last
    reference, so circles are looked for among what is young only, a few at a time; among all that is kept, which takes long
    and makes single answers late, it is looked for by the listener, rarely.
    """
    gc.freeze()
    gc.set_threshold(1_000, 1, 1_000_000)


def _settle(complete: Callable[[], None]) -> None:
    """Load what first answers did without."""
    complete()
    gc.freeze()


def _reserve(host: str, port: int) -> socket.socket:
    """A bound socket, before anything else is done: whether the port is free is told at once.

    Raises:
        UsageError: it is not, or cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        held = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere the option lets two servers have one port
            with socket.socket(family, socket.SOCK_STREAM) as probe:  # without SO_REUSEPORT, which would share it silently
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
                port = probe.getsockname()[1]
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            share_port(held)
        held.bind((host, port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, socket.gaierror) or getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
            raise UsageError(
                f"Cannot listen on {host}: {reason}. --host takes an address of this machine: 127.0.0.1 for programs on it, "
                "0.0.0.0 for everybody."
            ) from error
        raise UsageError(
            f"Cannot listen on {host}:{port}: {reason}. Choose another with --port (0 picks a free one)."
        ) from error
    return held


def _announce(settings: Settings, host: str, port: int, ready_file: Path | None) -> None:
    """Tell that the server answers."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    origin = f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}"
    opened = [open_provider(name) for name in settings.providers]
    urls = {provider.name: origin + provider.base_path for provider in opened}
    for name, url in urls.items():
        print(f"{name:12} {url}")
    print(f"{'control':12} {origin}{CONTROL}/health", flush=True)
    if ready_file is not None:
        write_ready_file(ready_file, {"url": origin, "providers": urls})


def write_ready_file(path: Path, told: dict[str, Any]) -> None:
    """One line of JSON in a file, whole from the moment that the file is there."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(told) + "\n", "utf-8")
    part.replace(path)
