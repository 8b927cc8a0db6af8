"""How what was sent differs from what was expected: field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mocksandbox import codec
from mocksandbox.rules.places import MISSING, Path, fhirpath


@dataclass(frozen=True)
class Difference:
    """One place where two values differ; `MISSING` where there is nothing."""

    at: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        if self.found is MISSING:
            return f"{self.at} is missing, expected {_shown(self.expected)}"
        if self.expected is MISSING:
            return f"{self.at} is {_shown(self.found)}, expected nothing"
        return f"{self.at} is {_shown(self.found)}, expected {_shown(self.expected)}"


def differences(expected: Any, found: Any, path: Path = ()) -> Iterator[Difference]:
    """Where a value is not as expected. Of an object only the expected members are looked at; a list has exactly the expected
    items, in order; whatever has an `==` of its own (a matcher) decides itself.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            yield from differences(value, found.get(key, MISSING), (*path, str(key)))
    elif isinstance(expected, list) and isinstance(found, list):
        for index in range(max(len(expected), len(found))):
            here = expected[index] if index < len(expected) else MISSING
            there = found[index] if index < len(found) else MISSING
            yield from differences(here, there, (*path, index))
    elif not _same(expected, found):
        yield Difference(fhirpath(path) or "the body", expected, found)


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, bool) != isinstance(found, bool) and (isinstance(expected, int) or isinstance(found, int)):
        return False  # JSON's true is no 1
    if isinstance(found, Decimal) and isinstance(expected, float):
        return float(found) == expected
    return bool(expected == found)


def _shown(value: Any) -> str:
    try:
        text = codec.dumps(value).decode()
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
