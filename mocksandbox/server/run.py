"""Running the server: granian with the application, the port known before it answers, and a word when it is ready."""

from __future__ import annotations

import gc
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from mocksandbox.errors import UsageError
from mocksandbox.provider import open_provider
from mocksandbox.server.app import make_sandboxes, serving_app
from mocksandbox.server.front import CONTROL
from mocksandbox.server.settings import Settings

_LOOPBACK = "127.0.0.1"
_PATIENCE = 60.0
"""How long, in seconds, the server may take to answer for the first time."""


def serve(settings: Settings, host: str, port: int, ready_file: Path | None = None) -> None:
    """Serve until the process is told to stop (SIGTERM, SIGINT). When the server answers, it says so on standard output, and
    in the ready file when one is named.

    Raises:
        UsageError: the port is in use or not allowed, or the host is no address of this machine.
        ContractError: a contract cannot be loaded.
    """
    make_sandboxes(settings)  # a mistake in the settings is told here, and not by a worker
    reserved = _reserve(host, port)
    bound = reserved.getsockname()[1]
    # With the front, the server itself answers on a port of its own that only this machine reaches.
    behind = _reserve(_LOOPBACK, 0) if settings.faults else None
    address = (_LOOPBACK, behind.getsockname()[1]) if behind else (host, bound)
    _warn(settings)
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, RuntimeModes
    from granian.log import LogLevels

    server = Granian(
        "mocksandbox",
        address=address[0],
        port=address[1],
        interface=Interfaces.WSGI,
        # One thread runs Python: more of them only wait for one another (p99 of 2 threads: 80 times that of one).
        blocking_threads=1,
        runtime_mode=RuntimeModes.st,
        http=HTTPModes.http1,
        websockets=False,
        backlog=2048,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
    )
    server.serve(target_loader=partial(_load, settings, host, bound, address, ready_file), wrap_loader=False)
    reserved.close()
    if behind is not None:
        behind.close()


def _warn(settings: Settings) -> None:
    """Tell which providers the safety rail cannot guard."""
    unguarded = [name for name in settings.providers if settings.only_synthetic and open_provider(name).people is None]
    if unguarded:
        print(f"--only-synthetic: {', '.join(unguarded)} tell no made-up people from real ones: not guarded.", file=sys.stderr)


def _load(settings: Settings, host: str, port: int, behind: tuple[str, int], ready_file: Path | None) -> Any:
    """The application, made in the worker. The threads of the front, and of who waits for the first answer, start there too:
    started before the worker is forked, they could leave it with a lock that nobody holds.
    """
    app, load = serving_app(settings)
    if settings.faults:
        from mocksandbox.server.reset_front import ResetFront

        threading.Thread(target=ResetFront((host, port), behind).serve_forever, daemon=True).start()
    # What is there now stays: the collector need not look at it again. What a request leaves behind goes with its last
    # reference, so looking for circles may wait; it is what makes single answers late.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)
    threading.Thread(target=_announce, args=(settings, host, port, ready_file, load), daemon=True).start()
    return app


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


def _announce(settings: Settings, host: str, port: int, ready_file: Path | None, load: Callable[[], None]) -> None:
    """Tell that the server answers, once it does; then load what its first answers did without."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if _answers(reachable, port, open_provider(settings.providers[0]).base_path):
            _say(settings, f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}", ready_file)
            load()
            gc.freeze()
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
