"""The service's checks of single values, in its own order: of several faults of one value only the first is named.

A check takes a value (present, perhaps null) and the attempt, and gives its faults as (suffix to the place, message key,
values for the text); the value `spelled` is the suffix as the service spells it, where that differs. Beside each check stand
the edits that make a good value fail it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mocksandbox.providers.nhs import plain
from mocksandbox.providers.nhs.parts import items_of
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.values import is_nhs_number, is_snomed_concept

Fault = tuple[str, str, Mapping[str, Any]]
Test = Callable[[Any, Attempt], Sequence[Fault]]
Edit = Callable[[Any], Any]

# What FHIR's own types refuse too, so that a defect may be found by nhs/not-fhir beside its own rule.
NOT_FHIR = "nhs/not-fhir"


@dataclass(frozen=True)
class Spoiler:
    """A way to make a good value bad: a name, the edit, and the rules broken with it."""

    name: str
    edit: Edit
    also: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Check:
    """A test of a value: what a good value is, the message that shows the test at work, the ways to fail it, and Python that
    tells a surely good value (see `plain`).
    """

    is_: str
    message: str
    test: Test
    spoilers: tuple[Spoiler, ...]
    plain: str = plain.NEVER


def to(name: str, value: Any, *also: str) -> Spoiler:
    """A spoiler that replaces the value, whatever it was."""
    return Spoiler(name, lambda _: value, frozenset(also))


NO_TEXT = (to("null", None), to("number", 5), to("boolean", True), to("list", [], NOT_FHIR), to("object", {}, NOT_FHIR))

# FHIR's string may be blank, its code not, and its uri may even be empty.
_EMPTY_TEXT = {
    "string": (to("empty", "", NOT_FHIR), to("blank", "  ")),
    "code": (to("empty", "", NOT_FHIR), to("blank", "  ", NOT_FHIR)),
    "uri": (to("empty", ""), to("blank", "  ")),
}


def fault(key: str, at: str = "", **values: Any) -> Sequence[Fault]:
    """The one fault of a value: its message, the suffix to the place, and the values for the text."""
    return ((at, key, values),)


def _text_test(*, length: int = 0, most: int = 0, choices: tuple[str, ...] = (), spaces: bool = True) -> Test:
    def test(value: Any, _: Attempt) -> Sequence[Fault]:
        if not isinstance(value, str):
            return fault("must-be-a-string")
        if value.isspace() or (not value and not length):
            return fault("must-be-a-non-empty-string")
        if length and len(value) != length:
            return fault("must-be-n-characters", length=length)
        if most and len(value) > most:
            return fault("must-be-n-or-fewer-characters", length=most)
        if choices and value not in choices:
            return fault("must-be-one-of", choices=", ".join(choices))
        if not spaces and " " in value:
            return fault("must-not-contain-spaces")
        return ()

    return test


def text(primitive: str = "string", *, most: int = 0, choices: tuple[str, ...] = ()) -> Check:
    """A non-blank string, of limited length or from a list; `primitive` is its type in FHIR."""
    spoilers = [*NO_TEXT, *_EMPTY_TEXT[primitive]]
    if most:
        spoilers.append(to("too-long", "x" * (most + 1)))
    if choices:
        spoilers += [Spoiler("upper-case", lambda value: value.upper()), to("not-in-the-list", "no-such-choice")]
    return Check(
        f"one of {', '.join(choices)}" if choices else f"1 to {most} characters" if most else "a non-blank string",
        "must-be-one-of" if choices else "must-be-a-non-empty-string",
        _text_test(most=most, choices=choices),
        tuple(spoilers),
        plain.one_of(choices) if choices else plain.plain_text(most),
    )


_ANY_TEXT = _text_test()


def equals(wanted: str) -> Check:
    """Exactly this string."""

    def test(value: Any, _: Attempt) -> Sequence[Fault]:
        return () if value == wanted else fault("must-equal", value=wanted)

    spoilers = (to("other", f"{wanted}-x"), Spoiler("upper-case", lambda value: value.upper()))
    return Check(wanted, "must-equal", test, spoilers, plain.one_of((wanted,)))


def nhs_number() -> Check:
    """Ten digits with a right check digit."""
    text_test = _text_test(length=10, spaces=False)

    def test(value: Any, attempt: Attempt) -> Sequence[Fault]:
        if type(value) is str and is_nhs_number(value):
            return ()
        return text_test(value, attempt) or fault("not-an-nhs-number")

    return Check(
        "a valid NHS number",
        "not-an-nhs-number",
        test,
        (
            *NO_TEXT,
            to("empty", "", NOT_FHIR),
            to("blank", " " * 10),
            Spoiler("nine-digits", lambda value: value[:9]),
            Spoiler("eleven-digits", lambda value: f"{value}0"),
            Spoiler("spaced", lambda value: f"{value[:3]} {value[3:6]} {value[6:]}"),
            Spoiler("space-inside", lambda value: f"{value[:4]} {value[5:]}"),
            Spoiler("check-digit", lambda value: f"{value[:9]}{(int(value[9]) + 1) % 10}"),
            Spoiler("letter", lambda value: f"A{value[1:]}"),
        ),
    )


def snomed() -> Check:
    """A SNOMED CT concept id."""

    def test(value: Any, attempt: Attempt) -> Sequence[Fault]:
        if type(value) is str and is_snomed_concept(value):
            return ()
        return _ANY_TEXT(value, attempt) or fault("not-a-snomed-code")

    return Check(
        "a SNOMED CT concept id",
        "not-a-snomed-code",
        test,
        (
            *NO_TEXT,
            *_EMPTY_TEXT["code"],
            Spoiler("check-digit", lambda value: f"{value[:-1]}{(int(value[-1]) + 1) % 10}"),
            to("too-short", "12345"),
            to("too-long", "9" * 19),
            Spoiler("leading-zero", lambda value: f"0{value[1:]}"),
            to("description-id", "2622896019"),
            Spoiler("letter", lambda value: f"{value[:-1]}X"),
        ),
    )


_NO_LISTS = {"text": "x", "number": 5, "boolean": True, "object": {"a": 1}}


def listing(*, length: int = 0, most: int = 0, objects: bool = False, texts: bool = False, most_characters: int = 0) -> Check:
    """A non-empty array, of one length or at most so long, of objects or of strings."""
    item_test = _text_test(most=most_characters)

    def test(value: Any, attempt: Attempt) -> Sequence[Fault]:
        if not isinstance(value, list):
            return fault("must-be-an-array")
        if length and len(value) != length:
            return fault("must-be-an-array-of-length", length=length)
        if not value and not length:
            return fault("must-be-a-non-empty-array")
        if most and len(value) > most:
            return fault("must-be-an-array-of-maximum-length", length=most)
        return _text_items(value, item_test, attempt) if texts else _object_items(value) if objects else ()

    spoilers = [to("null", None), *(to(name, made, NOT_FHIR) for name, made in _NO_LISTS.items()), to("empty", [])]
    spoilers.append(Spoiler("unwrapped", lambda value: value[0] if value else {}, frozenset({NOT_FHIR})))
    if length:
        spoilers.append(Spoiler("twice", lambda value: [*value, *value]))
    if most:
        spoilers.append(Spoiler("too-many", lambda value: (value * (most + 1))[: most + 1]))
    if texts:
        spoilers += [to("blank-item", ["  "]), to("number-item", [5]), to("null-item", [None])]
    if most_characters:
        spoilers.append(to("long-item", ["x" * (most_characters + 1)]))
    if objects:
        spoilers += [to("text-item", ["x"], NOT_FHIR), to("empty-object", [{}])]
    surely = plain.plain_list(length, most, plain.plain_text(most_characters) if texts else plain.AN_OBJECT if objects else "")
    return Check(_list_said(length, most, objects, texts), "must-be-an-array", test, tuple(spoilers), surely)


def _text_items(items: list[Any], test: Test, attempt: Attempt) -> Sequence[Fault]:
    for index, item in enumerate(items):
        for _, key, values in test(item, attempt):
            return fault(key, f"[{index}]", **values)
    return ()


def _object_items(items: list[Any]) -> Sequence[Fault]:
    for item in items:
        if not isinstance(item, dict):
            return fault("must-be-an-array-of-objects")
        if not item:
            return fault("must-be-an-array-of-non-empty-objects")
    return ()


def _list_said(length: int, most: int, objects: bool, texts: bool) -> str:
    size = f" of {length}" if length else f" of at most {most}" if most else ""
    return f"a non-empty list{size}" + (" objects" if objects else " strings" if texts else "")


def boolean() -> Check:
    """True or false."""

    def test(value: Any, _: Attempt) -> Sequence[Fault]:
        return () if isinstance(value, bool) else fault("must-be-a-boolean")

    return Check(
        "true or false",
        "must-be-a-boolean",
        test,
        (to("null", None), to("text", "true"), to("number", 1), to("list", [], NOT_FHIR), to("object", {}, NOT_FHIR)),
        plain.A_BOOLEAN,
    )


def number() -> Check:
    """A JSON number."""

    def test(value: Any, _: Attempt) -> Sequence[Fault]:
        finite = not isinstance(value, float) or value - value == 0
        number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
        return () if number and finite else fault("must-be-a-number")

    spoilers = (to("boolean", True, NOT_FHIR), to("list", [], NOT_FHIR), to("object", {}, NOT_FHIR))
    return Check("a number", "must-be-a-number", test, (to("null", None), to("text", "0.5"), *spoilers), plain.A_NUMBER)


def dose_number(highest: int) -> Check:
    """A JSON integer from 1 to the highest."""

    def test(value: Any, _: Attempt) -> Sequence[Fault]:
        if type(value) is not int or value <= 0:
            return fault("must-be-a-positive-integer")
        return fault("must-be-in-the-range", highest=highest) if value > highest else ()

    return Check(
        f"an integer from 1 to {highest}",
        "must-be-a-positive-integer",
        test,
        (
            to("null", None, NOT_FHIR),
            to("text", "1"),
            to("boolean", True),
            to("fraction", 1.5),
            to("zero", 0, NOT_FHIR),
            to("negative", -1, NOT_FHIR),
            to("too-high", highest + 1),
            to("list", [], NOT_FHIR),
        ),
        plain.from_one_to(highest),
    )


def unique_systems() -> Check:
    """A list of codings in which no system comes twice, SNOMED CT apart (the service looks at its first coding only)."""

    def test(value: Any, _: Attempt) -> Sequence[Fault]:
        seen: set[str] = set()
        for index, coding in enumerate(items_of(value)):
            system: Any = coding.get("system") if isinstance(coding, dict) else None
            if not isinstance(system, str):
                return ()  # the service stops looking at the first coding without a system
            if system in seen and system != "http://snomed.info/sct":
                return fault("must-be-unique", f"[{index}]", spelled=f"[?(@.system=='{system}')]")
            seen.add(system)
        return ()

    twice = {"system": "http://x.example", "code": "1"}
    spoilers = (Spoiler("twice", lambda value: [*value, twice, twice]),)
    return Check("a list of codings, each of another system", "must-be-unique", test, spoilers, plain.AT_MOST_ONE)
