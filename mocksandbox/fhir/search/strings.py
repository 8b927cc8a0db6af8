"""Strings, as searches compare them (FHIR R4, Search: string)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any


def fold(text: str) -> str:
    """The text without case, accents and repeated spaces."""
    decomposed = unicodedata.normalize("NFKD", text)
    return " ".join("".join(char for char in decomposed if not unicodedata.combining(char)).casefold().split())


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


def string_matches(asked: str, have: str, modifier: str) -> bool:
    """Whether a string begins with what was asked, contains it (`contains`), or is it (`exact`)."""
    if modifier == "exact":
        return have == asked
    wanted, folded = fold(asked), fold(have)
    return wanted in folded if modifier == "contains" else folded.startswith(wanted)
