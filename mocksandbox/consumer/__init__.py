"""Consumers' tests: a sandbox for each test, what its requests broke, and what of an API the tests have exercised.

The pytest plugin (`mocksandbox.pytest_plugin`) is its face. The names below are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mocksandbox.consumer.calls import Call, Calls
    from mocksandbox.consumer.drawn import Surprise
    from mocksandbox.consumer.options import Options, Wish
    from mocksandbox.consumer.strategies import responses
    from mocksandbox.consumer.stubs import Stub, StubError
    from mocksandbox.consumer.verification import Check, checks
    from mocksandbox.consumer.view import SandboxView

__all__ = [
    "Call",
    "Calls",
    "Check",
    "Options",
    "SandboxView",
    "Stub",
    "StubError",
    "Surprise",
    "Wish",
    "checks",
    "responses",
]

_HOMES = {
    "Call": "calls",
    "Calls": "calls",
    "Check": "verification",
    "Options": "options",
    "SandboxView": "view",
    "Stub": "stubs",
    "StubError": "stubs",
    "Surprise": "drawn",
    "Wish": "options",
    "checks": "verification",
    "responses": "strategies",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"mocksandbox.consumer.{_HOMES[name]}"), name)
