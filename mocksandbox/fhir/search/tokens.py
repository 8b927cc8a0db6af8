"""Tokens: a code or an identifier, with or without its system (FHIR R4, Search: token)."""

from __future__ import annotations

from collections.abc import Iterator
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


def token_matches(asked: tuple[str | None, str | None], have: Token, *, implied: bool) -> bool:
    """Whether a token is what was asked for. Codes are compared without regard to case, which R4 asks for where a system does
    not say otherwise; systems are compared exactly. `implied` says that the system is the element's own and not sent.
    """
    system, code = asked
    if system is not None and system != (have[0] or "") and not (implied and system == ""):
        return False
    return code is None or code.casefold() == have[1].casefold()


def texts_in(value: Any) -> Iterator[str]:
    """The words that go with an element: its text, the displays of its codings, the text of an identifier's type."""
    if not isinstance(value, dict):
        return
    kind, codings = value.get("type"), value.get("coding")
    parts = [value.get("text"), value.get("display"), kind.get("text") if isinstance(kind, dict) else None]
    parts += [coding.get("display") for coding in codings if isinstance(coding, dict)] if isinstance(codings, list) else []
    yield from (part for part in parts if isinstance(part, str))


def text_matches(asked: str, value: Any) -> bool:
    """Whether a word of an element's texts starts with what was asked (modifier `:text`)."""
    wanted = fold(plain(asked))
    return any(folded.startswith(wanted) or f" {wanted}" in folded for folded in map(fold, texts_in(value)))


def of_type_matches(asked: tuple[str, str, str], value: Any) -> bool:
    """Whether an identifier has this type and value (modifier `:of-type`: system|code|value)."""
    system, code, wanted = asked
    if not isinstance(value, dict) or value.get("value") != wanted:
        return False
    return any(token_matches((system, code), token, implied=False) for token in tokens_in(value.get("type"), ""))
