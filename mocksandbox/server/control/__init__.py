"""The control API under /__mocksandbox: looking into the server, and setting it up, over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from mocksandbox import __version__
from mocksandbox.sandbox.preferences import SCENARIO_HEADER
from mocksandbox.server.control import faults, journal, records, times
from mocksandbox.server.control.asking import answer, arguments, chosen, sandboxes
from mocksandbox.server.control.guard import guard
from mocksandbox.server.control.guide import told
from mocksandbox.server.front import CONTROL
from mocksandbox.store import MemoryStore

__all__ = ["control"]

control = Blueprint("control", __name__, url_prefix=CONTROL)
for part in (faults, journal, records, times):
    control.register_blueprint(part.routes)
control.before_request(guard)


@control.before_request
def look() -> None:
    """Know what another process of the server has set."""
    board = next(iter(sandboxes().values())).board
    if board is not None:
        board.look()


@control.get("")
def routes() -> Any:
    """The routes that there are."""
    arguments()
    return answer({"routes": list(told(CONTROL))})


@control.get("/health")
def health() -> Any:
    """That the server answers, and what it serves."""
    served = {
        name: {"title": box.provider.title, "profile": box.profile.name, "base_path": box.provider.base_path}
        for name, box in sandboxes().items()
    }
    store = next(iter(sandboxes().values())).store
    room = store.room if isinstance(store, MemoryStore) else None
    held = (
        {
            "records": {"held": room.records, "most": room.most_records},
            "tenants": {"held": room.tenants, "most": room.most_tenants},
        }
        if room
        else None
    )
    return answer({"status": "pass", "version": __version__, "providers": served, **({"memory": held} if held else {})})


@control.get("/scenarios")
def scenarios() -> Any:
    """The documented scenarios, and the header by which each is forced."""
    arguments("provider")
    found = [
        {
            "id": scenario.id,
            "provider": box.provider.name,
            "operation": scenario.operation,
            "row": scenario.row,
            "status": scenario.documented.status,
            "error": scenario.documented.error,
            "source": scenario.source,
            "force": {SCENARIO_HEADER: scenario.id},
        }
        for box in chosen()
        for scenario in box.provider.scenarios
    ]
    return answer({"scenarios": found})
