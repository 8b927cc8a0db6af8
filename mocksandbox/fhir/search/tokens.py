"""Tokens: a code or an identifier, with or without its system (FHIR R4, Search: token)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mocksandbox.fhir.search.escapes import plain, split
from mocksandbox.fhir.search.strings import fold

Token = tuple[str | None, str]
"""A system (None where there is none) and a code."""


def parse_token(text: str) -> tuple[str | None, str | None]:
    """What is asked: `code` (None, code), `system|code`, `|code` ("", code), `system|` (system, None)."""
    system, *rest = split(text, "|")
    if not rest:
        return None, plain(system)
    return plain(system), plain("|".join(rest)) or None


def tokens_in(value: Any, system: str) -> Iterator[Token]:
    """The tokens of an element: a code, a boolean, a Coding, a CodeableConcept, an Identifier or a ContactPoint."""
    if isinstance(value, bool):
        yield None, "true" if value else "false"
    elif isinstance(value, str):
        yield system or None, value
    elif isinstance(value, dict):
        codings = value.get("coding")
        for coding in codings if isinstance(codings, list) else [value]:
            if isinstance(coding, dict):
                code = coding.get("code", coding.get("value"))
                if isinstance(code, str):
                    own = coding.get("system")
                    yield own if isinstance(own, str) else None, code


@dataclass(frozen=True)
class Wanted:
    """The tokens that are asked for, any of which will do: `codes` in whatever system, `coded` with their systems (`""` for
    none), and whole `systems`. A stored token is looked up among them, however many they are. Codes are compared without
    regard to case, which R4 asks for where a system does not say otherwise; systems are compared exactly.
    """

    codes: frozenset[str]
    coded: frozenset[tuple[str, str]]
    systems: frozenset[str]

    @classmethod
    def of(cls, asked: Iterable[tuple[str | None, str | None]]) -> Wanted:
        """From what `parse_token` gives."""
        pairs = [(system, None if code is None else code.casefold()) for system, code in asked]
        return cls(
            frozenset(code for system, code in pairs if system is None and code is not None),
            frozenset((system, code) for system, code in pairs if system is not None and code is not None),
            frozenset(system for system, code in pairs if system is not None and code is None),
        )

    def has(self, token: Token, *, implied: bool) -> bool:
        """Whether a stored token is one of these. `implied` says that its system is the element's own and not sent."""
        system, code = token[0] or "", token[1].casefold()
        if code in self.codes or (system, code) in self.coded or system in self.systems:
            return True
        return implied and (("", code) in self.coded or "" in self.systems)


def texts_in(value: Any) -> Iterator[str]:
    """The words that go with an element: its text, the displays of its codings, the text of an identifier's type."""
    if not isinstance(value, dict):
        return
    kind, codings = value.get("type"), value.get("coding")
    parts = [value.get("text"), value.get("display"), kind.get("text") if isinstance(kind, dict) else None]
    parts += [coding.get("display") for coding in codings if isinstance(coding, dict)] if isinstance(codings, list) else []
    yield from (part for part in parts if isinstance(part, str))


def text_matches(wanted: Sequence[str], value: Any) -> bool:
    """Whether a word of an element's texts starts with one of these folded texts (modifier `:text`)."""
    starts = tuple(wanted)
    return any(
        folded.startswith(starts) or any(f" {each}" in folded for each in wanted) for folded in map(fold, texts_in(value))
    )
