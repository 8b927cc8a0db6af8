"""Payloads: valid, unusual and deliberately broken requests, each with the truth about it.

Nobody in them exists: NHS numbers are of the range that is never issued, names come from a pool, codes are of published lists.
Hypothesis strategies are in `mocksandbox.generators.strategies`, the Faker provider in
`mocksandbox.generators.faker_provider`: both are imported only when asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mocksandbox.generators.broken import SOURCES, Cell, Source, broken_payloads, cells, payload_of
    from mocksandbox.generators.build import split_reference
    from mocksandbox.generators.days import AS_OF
    from mocksandbox.generators.dialect import dialects
    from mocksandbox.generators.histories import HISTORIES, history
    from mocksandbox.generators.kind import Kind, kinds
    from mocksandbox.generators.labels import Label, label
    from mocksandbox.generators.payload import Expected, Payload, Verdict
    from mocksandbox.generators.samples import STYLES, Style, payloads

__all__ = [
    "AS_OF",
    "HISTORIES",
    "SOURCES",
    "STYLES",
    "Cell",
    "Expected",
    "Kind",
    "Label",
    "Payload",
    "Source",
    "Style",
    "Verdict",
    "broken_payloads",
    "cells",
    "dialects",
    "history",
    "kinds",
    "label",
    "payload_of",
    "payloads",
    "split_reference",
]

_HOMES = {
    **dict.fromkeys(("SOURCES", "Cell", "Source", "broken_payloads", "cells", "payload_of"), "broken"),
    **dict.fromkeys(("HISTORIES", "history"), "histories"),
    **dict.fromkeys(("Kind", "kinds"), "kind"),
    **dict.fromkeys(("Label", "label"), "labels"),
    **dict.fromkeys(("Expected", "Payload", "Verdict"), "payload"),
    **dict.fromkeys(("STYLES", "Style", "payloads"), "samples"),
    "AS_OF": "days",
    "dialects": "dialect",
    "split_reference": "build",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"mocksandbox.generators.{_HOMES[name]}"), name)
