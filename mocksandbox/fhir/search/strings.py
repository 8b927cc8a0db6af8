"""Strings, as searches compare them (FHIR R4, Search: string)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

_SHORT = 100


def fold(text: str) -> str:
    """The text without case, accents and repeated spaces."""
    return _folded_lately(text) if len(text) <= _SHORT else _folded(text)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return " ".join("".join(char for char in decomposed if not unicodedata.combining(char)).casefold().split())


_folded_lately = lru_cache(maxsize=4096)(_folded)
"""The same of a short text: several criteria look at the same names."""


def strings_in(value: Any) -> Iterator[str]:
    """The strings of an element; of a HumanName or an Address, each of its parts and the whole."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        parts: list[str] = []
        for name in ("prefix", "given", "family", "suffix", "line", "city", "district", "state", "postalCode", "country"):
            part = value.get(name)
            parts += [each for each in (part if isinstance(part, list) else [part]) if isinstance(each, str)]
        yield from parts
        yield " ".join(parts)
        if isinstance(value.get("text"), str):
            yield value["text"]


def like(asked: Sequence[str], modifier: str) -> Callable[[str], bool]:
    """The test whether a string begins with one of those that are asked for, contains it (`contains`), or is it (`exact`)."""
    if modifier == "exact":
        return frozenset(asked).__contains__
    wanted = tuple(dict.fromkeys(map(fold, asked)))
    if modifier == "contains":
        return lambda have: _holds(fold(have), wanted)
    return lambda have: fold(have).startswith(wanted)


def _holds(folded: str, wanted: Sequence[str]) -> bool:
    return any(each in folded for each in wanted)
