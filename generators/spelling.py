"""Ways to write the same JSON value: what a receiver must not mind."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from mocksandbox import codec

Spelling = Callable[[Any], bytes]


def indented(value: Any) -> bytes:
    """On many lines, as people read it."""
    return codec.dumps(value, indented=True)


def escaped(value: Any) -> bytes:
    r"""In ASCII alone: every other character as \uXXXX."""
    try:
        return json.dumps(value).encode()
    except TypeError:  # the standard library knows no decimals
        return codec.dumps(value)


def reordered(value: Any) -> bytes:
    """With the members of every object in the reverse order."""
    return codec.dumps(reversed_keys(value))


def reversed_keys(value: Any) -> Any:
    """A value with the members of every object in the reverse order."""
    if isinstance(value, dict):
        return {key: reversed_keys(item) for key, item in reversed(value.items())}
    return [reversed_keys(item) for item in value] if isinstance(value, list) else value


SPELLINGS: Mapping[str, Spelling] = {
    "plain": codec.dumps,
    "reordered": reordered,
    "indented": indented,
    "escaped": escaped,
}
"""Every spelling by its name, the plain one first."""
