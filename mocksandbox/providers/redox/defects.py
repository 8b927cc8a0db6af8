"""Ways to break a request to Redox: edits of the Bundle, of a resource in it, of the path, of the form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from mocksandbox.exchange import FORM
from mocksandbox.providers.redox.parts import main_type, of_type
from mocksandbox.rules.attempt import Attempt, Caller, Refusal
from mocksandbox.rules.places import MISSING, Path, change, drop
from mocksandbox.rules.rule import Defect

MAIN = "main"
"""In place of a type of resource: the one that the operation is about."""


def bundle(name: str, path: Path, value: Any, *also: str) -> Defect[Attempt]:
    """A value at a path of the Bundle; `MISSING` takes out what stands there."""
    return Defect(name, lambda attempt: attempt.with_body(_set(attempt.body, path, value)), frozenset(also))


def edited(name: str, edit: Callable[[Any], Any], *also: str) -> Defect[Attempt]:
    """A list of entries made from the Bundle's own."""
    return Defect(name, lambda attempt: attempt.with_body(change(attempt.body, ("entry",), edit)), frozenset(also))


def resource(name: str, type_name: str, path: Path, value: Any, *also: str) -> Defect[Attempt]:
    """A value at a path of the first resource of a type; `MISSING` takes out what stands there."""

    def apply(attempt: Attempt) -> Attempt:
        at = _first(attempt, type_name)
        return attempt if at is None else attempt.with_body(_set(attempt.body, (*at, "resource", *path), value))

    return Defect(name, apply, frozenset(also))


def entry(name: str, type_name: str, path: Path, value: Any, *also: str) -> Defect[Attempt]:
    """A value at a path of the entry of the first resource of a type."""

    def apply(attempt: Attempt) -> Attempt:
        at = _first(attempt, type_name)
        return attempt if at is None else attempt.with_body(_set(attempt.body, (*at, *path), value))

    return Defect(name, apply, frozenset(also))


def without_type(name: str, type_name: str, *also: str) -> Defect[Attempt]:
    """No resource of a type is left."""

    def apply(attempt: Attempt) -> Attempt:
        wanted = main_type(attempt) if type_name == MAIN else type_name
        kept = [item for item in attempt.body["entry"] if item["resource"]["resourceType"] != wanted]
        return attempt.with_body({**attempt.body, "entry": kept})

    return Defect(name, apply, frozenset(also))


def _first(attempt: Attempt, type_name: str) -> Path | None:
    found = of_type(attempt, main_type(attempt) if type_name == MAIN else type_name)
    return ("entry", found[0][0]) if found else None


def _set(body: Any, path: Path, value: Any) -> Any:
    return drop(body, path) if value is MISSING else change(body, path, lambda _: value)


def at_segment(name: str, number: int, text: str, *also: str) -> Defect[Attempt]:
    """Another text in place of a segment of the path, counted from 1."""

    def apply(attempt: Attempt) -> Attempt:
        parts = attempt.request.path.split("/")
        parts[number] = text
        return attempt.at_path("/".join(parts))

    return Defect(name, apply, frozenset(also))


def refused(name: str, key: str, **values: str) -> Defect[Attempt]:
    """The caller is not let in."""
    return Defect(name, lambda attempt: replace(attempt, refusal=Refusal(key, values)))


def as_caller(name: str, rights: Iterable[str], *also: str) -> Defect[Attempt]:
    """Asked by somebody who has only these destinations."""
    caller = Caller(name, frozenset(rights))
    return Defect(name, lambda attempt: replace(attempt, caller=caller), frozenset(also))


def searching(name: str, parameter: str, value: str, *also: str) -> Defect[Attempt]:
    """A search for this value of a parameter."""
    return searching_for(name, [(parameter, value)], *also)


def searching_for(name: str, wanted: Sequence[tuple[str, str]], *also: str) -> Defect[Attempt]:
    """A search for these parameters."""
    return Defect(name, lambda attempt: attempt.with_raw(urlencode(wanted).encode(), FORM), frozenset(also))


def preferring(defect: Defect[Attempt], prefer: str) -> Defect[Attempt]:
    """The same defect of a request that has a preference."""
    return replace(defect, apply=lambda attempt: defect.apply(attempt.with_header("Prefer", prefer)))
