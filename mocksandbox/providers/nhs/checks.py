"""The service's checks of single values, in its own order: of several faults of one value only the first is named.

A check takes a value (present, perhaps null) and the attempt, and gives its faults as (suffix to the place, message key,
values for the text). Beside each check stand the edits that make a good value fail it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.values import is_nhs_number, is_snomed_concept

Fault = tuple[str, str, Mapping[str, Any]]
Test = Callable[[Any, Attempt], Iterator[Fault]]
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
    """A test of a value: what a good value is, the message that shows the test at work, and the ways to fail it."""

    is_: str
    message: str
    test: Test
    spoilers: tuple[Spoiler, ...]


def to(name: str, value: Any, *also: str) -> Spoiler:
    """A spoiler that replaces the value, whatever it was."""
    return Spoiler(name, lambda _: value, frozenset(also))


_NO_TEXT = (to("null", None), to("number", 5), to("boolean", True), to("list", [], NOT_FHIR), to("object", {}, NOT_FHIR))
_EMPTY_TEXT = (to("empty", "", NOT_FHIR), to("blank", "  ", NOT_FHIR))


def _text_faults(
    value: Any, *, length: int = 0, most: int = 0, choices: tuple[str, ...] = (), spaces: bool = True
) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield "", "must-be-a-string", {}
    elif value.isspace() or (not value and not length):
        yield "", "must-be-a-non-empty-string", {}
    elif length and len(value) != length:
        yield "", "must-be-n-characters", {"length": length}
    elif most and len(value) > most:
        yield "", "must-be-n-or-fewer-characters", {"length": most}
    elif choices and value not in choices:
        yield "", "must-be-one-of", {"choices": ", ".join(choices)}
    elif not spaces and " " in value:
        yield "", "must-not-contain-spaces", {}


def text(*, most: int = 0, choices: tuple[str, ...] = (), extra: tuple[Spoiler, ...] = ()) -> Check:
    """A non-blank string, of limited length or from a list."""
    spoilers = [*_NO_TEXT, *_EMPTY_TEXT]
    if most:
        spoilers.append(to("too-long", "x" * (most + 1)))
    if choices:
        spoilers += [Spoiler("upper-case", lambda value: value.upper()), to("not-in-the-list", "no-such-choice")]
    return Check(
        f"one of {', '.join(choices)}" if choices else f"1 to {most} characters" if most else "a non-blank string",
        "must-be-one-of" if choices else "must-be-a-non-empty-string",
        lambda value, _: _text_faults(value, most=most, choices=choices),
        (*spoilers, *extra),
    )


def equals(wanted: str) -> Check:
    """Exactly this string."""

    def test(value: Any, _: Attempt) -> Iterator[Fault]:
        if value != wanted:
            yield "", "must-equal", {"value": wanted}

    return Check(
        f"{wanted}", "must-equal", test, (to("other", f"{wanted}-x"), Spoiler("upper-case", lambda value: value.upper()))
    )


def nhs_number() -> Check:
    """Ten digits with a right check digit."""

    def test(value: Any, _: Attempt) -> Iterator[Fault]:
        faults = list(_text_faults(value, length=10, spaces=False))
        if not faults and not is_nhs_number(value):
            faults = [("", "not-an-nhs-number", {})]
        yield from faults

    return Check(
        "a valid NHS number",
        "not-an-nhs-number",
        test,
        (
            *_NO_TEXT,
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

    def test(value: Any, _: Attempt) -> Iterator[Fault]:
        faults = list(_text_faults(value))
        if not faults and not is_snomed_concept(value):
            faults = [("", "not-a-snomed-code", {})]
        yield from faults

    return Check(
        "a SNOMED CT concept id",
        "not-a-snomed-code",
        test,
        (
            *_NO_TEXT,
            *_EMPTY_TEXT,
            Spoiler("check-digit", lambda value: f"{value[:-1]}{(int(value[-1]) + 1) % 10}"),
            to("too-short", "12345"),
            to("too-long", "9" * 19),
            Spoiler("leading-zero", lambda value: f"0{value[1:]}"),
            to("description-id", "2622896019"),
            Spoiler("letter", lambda value: f"{value[:-1]}X"),
        ),
    )


def listing(*, length: int = 0, most: int = 0, objects: bool = False, texts: bool = False, most_characters: int = 0) -> Check:
    """A non-empty array, of one length or at most so long, of objects or of strings."""

    def test(value: Any, _: Attempt) -> Iterator[Fault]:
        if not isinstance(value, list):
            yield "", "must-be-an-array", {}
        elif length and len(value) != length:
            yield "", "must-be-an-array-of-length", {"length": length}
        elif not value and not length:
            yield "", "must-be-a-non-empty-array", {}
        elif most and len(value) > most:
            yield "", "must-be-an-array-of-maximum-length", {"length": most}
        elif texts:
            for index, item in enumerate(value):
                faults = list(_text_faults(item, most=most_characters))
                if faults:
                    yield f"[{index}]", *faults[0][1:]
                    break
        elif objects:
            for item in value:
                if not isinstance(item, dict):
                    yield "", "must-be-an-array-of-objects", {}
                    break
                if not item:
                    yield "", "must-be-an-array-of-non-empty-objects", {}
                    break

    shapes = frozenset({NOT_FHIR, "nhs/wrong-shape"})
    spoilers = [Spoiler(name, lambda _, made=made: made, shapes) for name, made in _NO_LISTS.items()]
    spoilers.append(Spoiler("unwrapped", lambda value: value[0] if value else {}, shapes))
    spoilers.append(to("empty", [], *shapes))
    if length:
        spoilers.append(Spoiler("twice", lambda value: [*value, *value]))
    if most:
        spoilers.append(Spoiler("too-many", lambda value: (value * (most + 1))[: most + 1]))
    if texts:
        spoilers += [to("blank-item", ["  "], NOT_FHIR), to("number-item", [5]), to("null-item", [None])]
    if most_characters:
        spoilers.append(to("long-item", ["x" * (most_characters + 1)]))
    if objects:
        spoilers += [to("text-item", ["x"], *shapes), to("empty-object", [{}], *shapes)]
    return Check(_list_said(length, most, objects, texts), "must-be-an-array", test, tuple(spoilers))


def _list_said(length: int, most: int, objects: bool, texts: bool) -> str:
    size = f" of {length}" if length else f" of at most {most}" if most else ""
    return f"a non-empty list{size}" + (" objects" if objects else " strings" if texts else "")


_NO_LISTS = {"null": None, "text": "x", "number": 5, "boolean": True, "object": {"a": 1}}


def day(*, future: bool) -> Check:
    """A calendar date, written YYYY-MM-DD (the service reads one-digit months and days too)."""

    def test(value: Any, attempt: Attempt) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield "", "must-be-a-string", {}
            return
        parsed = _read(value, "%Y-%m-%d")
        if parsed is None:
            yield "", "must-be-a-date", {}
        elif not future and parsed.date() > attempt.now.date():
            yield "", "must-not-be-in-the-future", {}

    spoilers = [*_NO_TEXT, to("empty", "", NOT_FHIR), to("blank", " ", NOT_FHIR), *_BAD_DAYS]
    return Check(
        "a date, YYYY-MM-DD" + ("" if future else ", not in the future"),
        "must-be-a-date",
        test,
        tuple(spoilers) if future else (*spoilers, to("future", "2999-01-01")),
    )


_BAD_DAYS = (
    to("year", "1980"),
    to("year-month", "1980-02"),
    to("impossible", "1980-02-30", NOT_FHIR),
    to("slashes", "01/02/1980", NOT_FHIR),
    to("compact", "19800201", NOT_FHIR),
    to("with-time", "1980-02-01T00:00:00Z", NOT_FHIR),
)


def moment(*, british: bool) -> Check:
    """A date, or a date and time with an offset, not in the future; `british` allows only the offsets of the United Kingdom
    (+00:00 and +01:00, and not Z).
    """

    def test(value: Any, attempt: Attempt) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield "", "must-be-a-string", {}
        elif not any(_is_past_moment(value, form, attempt.now, british) for form in _MOMENT_FORMS):
            yield "", "must-be-a-british-date-time" if british else "must-be-a-date-time", {}

    spoilers = [
        *_NO_TEXT,
        to("empty", "", NOT_FHIR),
        to("blank", " ", NOT_FHIR),
        to("year", "2021"),
        to("year-month", "2021-02"),
        to("impossible", "2021-02-30", NOT_FHIR),
        to("no-offset", "2021-02-07T13:28:17"),
        to("no-seconds", "2021-02-07T13:28+00:00"),
        to("space", "2021-02-07 13:28:17+00:00"),
        to("hour-24", "2021-02-07T24:00:00+00:00", NOT_FHIR),
        to("seven-fraction-digits", "2021-02-07T13:28:17.1234567+00:00"),
        to("future", "2999-01-01T00:00:00+00:00"),
        to("future-day", "2999-01-01"),
    ]
    if british:
        spoilers += [to("zulu", "2021-02-07T13:28:17Z"), to("other-offset", "2021-02-07T13:28:17+02:00")]
    return Check(
        "a date, or a date and time with " + ("the offset +00:00 or +01:00" if british else "an offset"),
        "must-be-a-date-time",
        test,
        tuple(spoilers),
    )


_MOMENT_FORMS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")
_BRITISH_OFFSETS = ("+00:00", "+01:00", "+0000", "+0100")


def _is_past_moment(value: str, form: str, now: datetime, british: bool) -> bool:
    parsed = _read(value, form)
    if parsed is None:
        return False
    if parsed > (now if parsed.tzinfo else now.replace(tzinfo=None)):
        return False
    return not british or parsed.tzinfo is None or value.endswith(_BRITISH_OFFSETS)


def _read(value: str, form: str) -> datetime | None:
    # The service reads with these very forms: they take one-digit months and digits of other scripts.
    try:
        parsed = datetime.strptime(value, form)
        if parsed.tzinfo:
            parsed.astimezone(UTC)  # the first and last days of the calendar have offsets that leave it
    except (ValueError, OverflowError):
        return None
    return parsed


def boolean() -> Check:
    """True or false."""

    def test(value: Any, _: Attempt) -> Iterator[Fault]:
        if not isinstance(value, bool):
            yield "", "must-be-a-boolean", {}

    return Check(
        "true or false",
        "must-be-a-boolean",
        test,
        (to("null", None), to("text", "true"), to("number", 1), to("list", [], NOT_FHIR), to("object", {}, NOT_FHIR)),
    )


def number() -> Check:
    """A JSON number."""

    def test(value: Any, _: Attempt) -> Iterator[Fault]:
        finite = not isinstance(value, float) or value - value == 0
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not finite:
            yield "", "must-be-a-number", {}

    return Check(
        "a number",
        "must-be-a-number",
        test,
        (
            to("null", None),
            to("text", "0.5"),
            to("boolean", True, NOT_FHIR),
            to("list", [], NOT_FHIR),
            to("object", {}, NOT_FHIR),
        ),
    )


def dose_number(highest: int) -> Check:
    """A JSON integer from 1 to the highest."""

    def test(value: Any, _: Attempt) -> Iterator[Fault]:
        if type(value) is not int or value <= 0:
            yield "", "must-be-a-positive-integer", {}
        elif value > highest:
            yield "", "must-be-in-the-range", {"highest": highest}

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
    )


def unique_systems() -> Check:
    """A list of codings in which no system comes twice, SNOMED CT apart (the service looks at its first coding only)."""

    def test(value: Any, _: Attempt) -> Iterator[Fault]:
        seen: set[str] = set()
        for coding in value if isinstance(value, list) else ():
            system = coding.get("system") if isinstance(coding, dict) else None
            if not isinstance(system, str):
                return  # the service stops looking at the first coding without a system
            if system in seen and system != "http://snomed.info/sct":
                yield f"[?(@.system=='{system}')]", "must-be-unique", {}
                return
            seen.add(system)

    twice = {"system": "http://x.example", "code": "1"}
    return Check(
        "a list of codings, each of another system",
        "must-be-unique",
        test,
        (Spoiler("twice", lambda value: [*value, twice, twice]),),
    )
