"""Running the server: granian with the application, the port known before it answers, and a word when it is ready."""

from __future__ import annotations

import gc
import json
import multiprocessing
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from mocksandbox.errors import MocksandboxError, UsageError
from mocksandbox.provider import open_provider
from mocksandbox.server.app import make_sandboxes, serving_app
from mocksandbox.server.front import CONTROL
from mocksandbox.server.hosts import is_here
from mocksandbox.server.rsgi import Rsgi
from mocksandbox.server.settings import Settings
from mocksandbox.store import MEMORY, tidy_up

_LOOPBACK = "127.0.0.1"
_PATIENCE = 60.0
"""How long, in seconds, the server may take to answer for the first time."""

_CONNECTIONS = 4096
"""How many connections of one worker may be open at a time; others wait in the system's queue, which is as long."""

_DRAIN = 20
"""Seconds that a worker has for the requests that it is answering when it is told to stop."""

_HEAD_TIMEOUT = 10
"""Seconds that a client has for a request's head, and between two requests."""


def serve(settings: Settings, host: str, port: int, ready_file: Path | None = None, workers: int = 1) -> None:
    """Serve, with so many worker processes, until the process is told to stop (SIGTERM, SIGINT). When they all answer, it is
    said on standard output, and in the ready file when one is named. A worker that dies is replaced.

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
    settings = replace(settings, loopback=is_here(host))
    make_sandboxes(settings)  # a mistake in the settings is told here, and not by a worker
    reserved = _reserve(host, port)
    bound = reserved.getsockname()[1]
    # With the front, the server itself answers on a port of its own that only this machine reaches.
    behind = _reserve(_LOOPBACK, 0) if settings.faults else None
    address = (_LOOPBACK, behind.getsockname()[1]) if behind else (host, bound)
    _warn(settings)
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, RuntimeModes
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    server = Granian(
        "mocksandbox",
        address=address[0],
        port=address[1],
        interface=Interfaces.RSGI,
        workers=workers,
        runtime_mode=RuntimeModes.st,
        http=HTTPModes.http1,
        websockets=False,
        backlog=_CONNECTIONS,
        backpressure=_CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=_HEAD_TIMEOUT * 1000),
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        workers_kill_timeout=_DRAIN,
    )
    loaded = multiprocessing.Value("i", 0)
    announce = partial(_announce, settings, host, bound, ready_file)
    load = partial(_load, settings, (host, bound), address, announce, _Count(workers, loaded))
    try:
        server.serve(target_loader=load, wrap_loader=False)
    finally:
        tidy_up(settings.store)
    reserved.close()
    if behind is not None:
        behind.close()


def _warn(settings: Settings) -> None:
    """Tell which providers the safety rail cannot guard."""
    unguarded = [name for name in settings.providers if settings.only_synthetic and open_provider(name).people is None]
    if unguarded:
        print(f"--only-synthetic: {', '.join(unguarded)} tell no made-up people from real ones: not guarded.", file=sys.stderr)


@dataclass(frozen=True)
class _Count:
    """Counts the workers that have loaded the application, those too that replace one that has died."""

    workers: int
    loaded: Any

    def one_more(self) -> bool:
        """Count one; whether it was the last that is waited for."""
        with self.loaded.get_lock():
            self.loaded.value += 1
            return bool(self.loaded.value == self.workers)


def _load(
    settings: Settings, address: tuple[str, int], behind: tuple[str, int], announce: Callable[[], None], count: _Count
) -> Any:
    """The application, made in a worker. The threads of the front, and of who waits for the first answer, start there too:
    started before the worker is forked, they could leave it with a lock that nobody holds.
    """
    try:
        app, complete = serving_app(settings)
    except MocksandboxError as error:  # what was there when the server started is there no more
        print(f"mocksandbox: a worker cannot start: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        sys.exit(1)
    if settings.faults:
        from mocksandbox.server.reset_front import ResetFront

        threading.Thread(target=ResetFront(address, behind).serve_forever, daemon=True).start()
    _freeze()
    threading.Thread(target=_settle, args=(announce if count.one_more() else None, complete), daemon=True).start()
    most = max((open_provider(name).max_body for name in settings.providers), default=0)
    return Rsgi(app, settings.max_body or most, settings.body_timeout)


def _freeze() -> None:
    """What is there now stays: the collector need not look at it again. What a request leaves behind goes with its last
    reference, so looking for circles may wait; it is what makes single answers late.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)


def _settle(announce: Callable[[], None] | None, complete: Callable[[], None]) -> None:
    """Tell that the server answers, where this is the worker that does so; then load what first answers did without."""
    if announce is not None:
        announce()
    complete()
    gc.freeze()


def _reserve(host: str, port: int) -> socket.socket:
    """A bound socket that holds the port until the server's own sockets share it.

    granian's workers share a port by SO_REUSEPORT, so a second server of the same user would silently share it too: the first
    bind, without that option, finds out whether the port is free.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            port = probe.getsockname()[1]
        held = socket.socket(family, socket.SOCK_STREAM)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind((host, port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"Cannot listen on {host}:{port}: {reason}. Choose another with --port (0 picks a free one)."
        ) from error
    return held


def _announce(settings: Settings, host: str, port: int, ready_file: Path | None) -> None:
    """Tell that the server answers, once it does."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if _answers(reachable, port, open_provider(settings.providers[0]).base_path):
            _say(settings, f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}", ready_file)
            return
        time.sleep(0.005)
    print(f"the server did not answer within {_PATIENCE:.0f} s", file=sys.stderr)


def _say(settings: Settings, origin: str, ready_file: Path | None) -> None:
    opened = [open_provider(name) for name in settings.providers]
    urls = {provider.name: origin + provider.base_path for provider in opened}
    for name, url in urls.items():
        print(f"{name:12} {url}")
    print(f"{'control':12} {origin}{CONTROL}/health", flush=True)
    if ready_file is not None:
        write_ready_file(ready_file, {"url": origin, "providers": urls})


def _answers(host: str, port: int, path: str) -> bool:
    """Whether a browser's question before its first request is answered: it is in no journal, and needs no Flask."""
    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request("OPTIONS", path, headers={"Origin": "null", "Access-Control-Request-Method": "GET"})
        return connection.getresponse().status == 204
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def write_ready_file(path: Path, told: dict[str, Any]) -> None:
    """One line of JSON in a file, whole from the moment that the file is there."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(told) + "\n", "utf-8")
    part.replace(path)
