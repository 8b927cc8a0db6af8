"""A contract-testing and mock sandbox toolkit for immunization APIs.

The package is almost empty on purpose: importing it costs nothing, and each name below is loaded when it is first used.
Its assertions are not pytest's to rewrite, whoever imports it first (PYTEST_DONT_REWRITE).
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mocksandbox.exchange import Exchange, Request, Response
    from mocksandbox.provider import Provider, open_provider
    from mocksandbox.rules import Catalogue, Defect, Finding, Rule
    from mocksandbox.sandbox import Sandbox
    from mocksandbox.server import create_app

__all__ = [
    "Catalogue",
    "Defect",
    "Exchange",
    "Finding",
    "Provider",
    "Request",
    "Response",
    "Rule",
    "Sandbox",
    "create_app",
    "open_provider",
]
__version__ = "0.1.0"

_HOMES = {
    "Catalogue": "mocksandbox.rules",
    "Defect": "mocksandbox.rules",
    "Exchange": "mocksandbox.exchange",
    "Finding": "mocksandbox.rules",
    "Provider": "mocksandbox.provider",
    "Request": "mocksandbox.exchange",
    "Response": "mocksandbox.exchange",
    "Rule": "mocksandbox.rules",
    "Sandbox": "mocksandbox.sandbox",
    "create_app": "mocksandbox.server",
    "open_provider": "mocksandbox.provider",
}

# In a source checkout `generators/` stands beside this package; a wheel carries it inside (see hatch_build.py).
_here = Path(__file__).resolve().parent
if not (_here / "generators").is_dir() and (_here.parent / "generators" / "__init__.py").is_file():
    __path__.append(str(_here.parent))


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
