"""Checks of single values, and beside each the edits that make a good value fail it. Checks of objects and lists are made of
those of their members and items, and so are their edits. An edit leaves a value as it is that it finds nothing to do in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mocksandbox.rules.places import MISSING

Fault = tuple[str, str, Mapping[str, Any]]
"""What is wrong with a value: the suffix to its place, a message key, the values for the text."""

Edit = Callable[[Any], Any]


@dataclass(frozen=True)
class Check:
    """What a good value is in words, the test that finds what is wrong with a bad one, and the edits that make a good one bad,
    by name.
    """

    is_: str
    test: Callable[[Any], Iterator[Fault]]
    spoilers: Mapping[str, Edit]


_TYPES: Mapping[str, Any] = {"null": None, "number": 5, "boolean": True, "text": "text", "list": [], "object": {}}


def _others(*fitting: str) -> dict[str, Edit]:
    """Edits to every JSON type but the fitting ones."""
    return {name: _to(value) for name, value in _TYPES.items() if name not in fitting}


def _to(value: Any) -> Edit:
    return lambda _: value


def text(most: int = 0) -> Check:
    """A string, of at most so many characters (Unicode code points, as JSON Schema counts); any length when `most` is 0."""

    def test(value: Any) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield "", "must-be-a-string", {}
        elif most and len(value) > most:
            yield "", "too-long", {"most": most}

    spoilers = _others("text")
    if most:
        spoilers |= {"one-too-long": _to("x" * (most + 1)), "much-too-long": _to("x" * (most * 20))}
    return Check(f"a string of at most {most} characters" if most else "a string", test, spoilers)


def choice(*choices: str) -> Check:
    """One of these strings."""

    def test(value: Any) -> Iterator[Fault]:
        if not isinstance(value, str) or value not in choices:
            yield "", "must-be-one-of", {"choices": ", ".join(choices)}

    spoilers = {
        **_others("text"),
        "empty": _to(""),
        "capital": _to(choices[0].capitalize()),
        "padded": _to(f" {choices[0]} "),
        "entered-in-error": _to("entered-in-error"),
        "unknown": _to("no-such-choice"),
    }
    return Check(f"one of {', '.join(choices)}", test, spoilers)


def truth() -> Check:
    """True or false."""

    def test(value: Any) -> Iterator[Fault]:
        if not isinstance(value, bool):
            yield "", "must-be-a-boolean", {}

    return Check("true or false", test, {**_others("boolean"), "quoted": _to("true"), "one": _to(1)})


def number() -> Check:
    """A number; nobody says which."""

    def test(value: Any) -> Iterator[Fault]:
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            yield "", "must-be-a-number", {}

    return Check("a number", test, {**_others("number"), "quoted": _to("0.5")})


def code() -> Check:
    """A vaccine: a string of at most 500 characters, or an object with a code and perhaps a system and a display."""
    named, coded = text(500), members({"code": text()}, {"system": text(), "display": text()})

    def test(value: Any) -> Iterator[Fault]:
        if isinstance(value, str):
            yield from named.test(value)
        elif isinstance(value, dict):
            yield from coded.test(value)
        else:
            yield "", "must-be-a-code", {}

    whole = {"system": "http://hl7.org/fhir/sid/cvx", "code": "03", "display": "MMR"}
    spoilers = {name: edit for name, edit in named.spoilers.items() if name != "object"}
    inside = {name: edit for name, edit in coded.spoilers.items() if name not in _TYPES}
    spoilers |= {"object-without-members": _to({}), **{f"object-{n}": _within(edit, whole) for n, edit in inside.items()}}
    return Check("a string of at most 500 characters, or an object with a code", test, spoilers)


def _within(edit: Edit, good: Any) -> Edit:
    return lambda _: edit(good)


def members(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """An object with these members; others are let through."""
    known = {**required, **optional}

    def test(value: Any) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield "", "must-be-an-object", {}
            return
        for name, check in known.items():
            member = value.get(name, MISSING)
            if member is not MISSING:
                yield from ((f".{name}{suffix}", key, values) for suffix, key, values in check.test(member))
            elif name in required:
                yield f".{name}", "required", {}

    spoilers = _others("object")
    for name, check in known.items():
        if name in required:
            spoilers[f"{name}-absent"] = _without(name)
        spoilers |= {f"{name}-{how}": _member(name, edit) for how, edit in check.spoilers.items()}
    words = ", ".join([*required, *(f"{name}?" for name in optional)])
    return Check(f"an object {{{words}}}", test, spoilers)


def _without(name: str) -> Edit:
    return lambda value: {key: member for key, member in value.items() if key != name} if isinstance(value, dict) else value


def _member(name: str, edit: Edit) -> Edit:
    # Where the object lacks the member, a list stands for it: it is what some spoilers look into.
    return lambda value: {**value, name: edit(value.get(name, ["x"]))} if isinstance(value, dict) else value


def items(check: Check, most: int = 0) -> Check:
    """A list of items that pass a check, at most so many of them; any number when `most` is 0. Of a longer list only so many
    are looked at.
    """

    def test(value: Any) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield "", "must-be-an-array", {}
            return
        if most and len(value) > most:
            yield "", "too-many", {"most": most}
        for index, item in enumerate(value[:most] if most else value):
            yield from ((f"[{index}]{suffix}", key, values) for suffix, key, values in check.test(item))

    spoilers = _others("list")
    if most:
        spoilers |= {"one-too-many": _repeated(most + 1), "a-hundred": _repeated(100)}
    spoilers |= {f"item-{how}": _first(edit) for how, edit in check.spoilers.items()}
    return Check(f"a list{f' of at most {most}' if most else ''}, each {check.is_}", test, spoilers)


def _first(edit: Edit) -> Edit:
    return lambda value: [edit(value[0]), *value[1:]] if isinstance(value, list) and value else value


def _repeated(times: int) -> Edit:
    return lambda value: [value[0]] * times if isinstance(value, list) and value else value
