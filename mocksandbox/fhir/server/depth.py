"""How deep a body is nested, found out without recursion."""

from __future__ import annotations

from typing import Any

MOST_DEEP = 100
"""How deep a resource may be nested here (chosen): far deeper than any of its types, and no work for a JSON writer."""


def deeper_than(value: Any, most: int) -> bool:
    """Whether objects and arrays stand in one another more often than that."""
    level = [value]
    for _ in range(most + 1):
        level = [child for each in level for child in _children(each) if isinstance(child, (dict, list))]
        if not level:
            return False
    return True


def _children(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
