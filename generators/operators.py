"""Generic ways to break a body: every edit of every value, whatever the API. What an edit breaks, the rules are asked.

An edit is a name and what is put in the place of a value. Names say what the new value is (`null`, `impossible-day`), so that
a place and a name tell a person what was done: `Immunization.recorded/impossible-day`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from mocksandbox.rules.places import MISSING

Edits = Iterator[tuple[str, Any]]
"""Names and new values; `MISSING` takes the value away."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DIGITS = re.compile(r"\d{6,}")
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
LONG = 10_000


def on_anything(value: Any) -> Edits:
    """What can be done to every value."""
    yield "absent", MISSING
    yield "null", None
    yield "empty-text", ""
    yield "text", "x"
    yield "number", 1
    yield "true", True
    yield "empty-list", []
    yield "empty-object", {}
    yield "list-of-null", [None]
    yield "list-of-text", ["x"]
    yield "list-of-empty-object", [{}]
    yield "wrapped", [value]


def on_text(value: str) -> Edits:
    """What can be done to a text."""
    yield "blank", "  "
    yield "space-before", f" {value}"
    yield "space-after", f"{value} "
    yield "line-break-after", f"{value}\n"
    yield "upper-case", value.upper()
    yield "lower-case", value.lower()
    yield "first-letter-capital", value[:1].upper() + value[1:]
    yield "without-spaces", value.replace(" ", "")
    yield "two-spaces", value.replace(" ", "  ")
    yield "blank-as-long", " " * len(value)
    yield "shorter", value[:-1]
    yield "longer", f"{value}0"
    yield "very-long", "A" * LONG
    yield "line-break-inside", f"A\n{value}"
    yield "hash-inside", f"{value}#1"
    yield "bar-inside", f"{value}|1"
    yield "nul-inside", f"a\x00{value}"
    yield "bell-inside", f"a\x07{value}"
    yield "lone-surrogate", "\ud800"
    yield "right-to-left", f"\u202e{value}"
    yield "zero-width", "\u200b"
    yield "stacked-marks", "Z\u0351\u036b\u0343\u036a"
    yield "emoji", "👩\u200d⚕\ufe0f"
    yield "decomposed", unicodedata.normalize("NFD", f"Ž{value}")
    yield "markup", "<script>alert(1)</script>"


def on_day(value: str) -> Edits:
    """What can be done to a day, with or without a time."""
    day, time = value[:10], value[10:]
    for name, other in _OTHER_DAYS:
        yield name, f"{other}{time}"
        yield f"{name}-without-time", other
    yield "year-only", day[:4]
    yield "year-and-month", day[:7]
    yield "slashes", f"{day[8:]}/{day[5:7]}/{day[:4]}"
    yield "no-hyphens", day.replace("-", "")
    yield "unpadded", "2021-2-7"
    yield "two-digit-year", day[2:]
    yield "five-digit-year", f"1{value}"
    yield "full-width-year", f"{day[:4].translate(_FULL_WIDTH)}{value[4:]}"
    yield "full-width-year-without-time", f"{day[:4].translate(_FULL_WIDTH)}{day[4:]}"
    if day.replace("-", "").isdecimal():
        yield "as-number", int(day.replace("-", ""))
    for name, suffix in _TIMES:
        yield name, f"{day}{suffix}"


_OTHER_DAYS = (
    ("impossible-day", "2021-02-30"),
    ("month-13", "2021-13-01"),
    ("year-zero", "0000-01-01"),
    ("year-one", "0001-01-01"),
    ("year-1900", "1900-01-01"),
    ("leap-day", "2020-02-29"),
    ("no-leap-day", "2021-02-29"),
    ("far-future", "2999-01-01"),
)

_TIMES = (
    ("day-only", ""),
    ("zulu", "T13:28:17Z"),
    ("offset-0000", "T13:28:17+0000"),
    ("offset-00:00", "T13:28:17+00:00"),
    ("offset-01:00", "T13:28:17+01:00"),
    ("offset-02:00", "T13:28:17+02:00"),
    ("offset-minus-05:00", "T13:28:17-05:00"),
    ("offset-minus-00:00", "T13:28:17-00:00"),
    ("offset-14:30", "T13:28:17+14:30"),
    ("offset-24:00", "T13:28:17+24:00"),
    ("offset-with-seconds", "T13:28:17+00:00:30"),
    ("offset-of-two-digits", "T13:28:17+00"),
    ("no-offset", "T13:28:17"),
    ("no-seconds", "T13:28+00:00"),
    ("space-for-t", " 13:28:17+00:00"),
    ("lower-case-t", "t13:28:17+00:00"),
    ("3-fraction-digits", "T13:28:17.123+00:00"),
    ("6-fraction-digits", "T13:28:17.123456+00:00"),
    ("9-fraction-digits", "T13:28:17.123456789+00:00"),
    ("50-fraction-digits", f"T13:28:17.{'1' * 50}+00:00"),
    ("hour-24", "T24:00:00+00:00"),
    ("minute-60", "T13:60:00+00:00"),
    ("second-60", "T23:59:60+00:00"),
)


def on_digits(value: str) -> Edits:
    """What can be done to a number that is written as a text: a code, an identifier."""
    last = int(value[-1])
    yield "check-digit", f"{value[:-1]}{(last + 1) % 10}"
    yield "swapped-digits", f"{value[:-3]}{value[-2]}{value[-3]}{value[-1]}"
    yield "spaced", f"{value[:3]} {value[3:6]} {value[6:]}"
    yield "hyphens", f"{value[:3]}-{value[3:6]}-{value[6:]}"
    yield "letter-for-digit", f"{value[:4]}O{value[5:]}"
    yield "letters", "ABCDEF"
    # As long as the value, so that no check of its length finds them.
    yield "letters-at-the-end", f"{value[:-2]}AB"
    yield "spaces-in-its-length", f"{value[:3]} {value[3:6]} {value[6:-2]}"
    yield "hyphens-in-its-length", f"{value[:3]}-{value[3:6]}-{value[6:-2]}"
    yield "line-break-for-a-digit", f"{value[:-1]}\n"
    yield "leading-zero", f"0{value[1:]}"
    yield "all-zeros", "0" * len(value)
    yield "too-many-digits", "1" * 19
    yield "five-digits", "12345"
    yield "as-number", int(value)
    yield "full-width", value.translate(_FULL_WIDTH)
    yield "arabic", value.translate(_ARABIC)
    yield "superscript", "²" * len(value)
    yield "other-partition", f"{value[:-3]}99{value[-1]}"
    yield "description-id", "2534664018"


def on_reference(value: str) -> Edits:
    """What can be done to a reference to a contained resource, or to the URL of another."""
    yield "dangling", "#no-such-resource" if value.startswith("#") else f"{value}-no-such-resource"
    yield "external", "Patient/1"
    yield "other-type", "Device/1"
    yield "no-hash", value.lstrip("#")
    yield "only-hash", "#"


def on_system(value: str) -> Edits:
    """What can be done to a URL: of a code system, an identifier's system, an extension."""
    yield "other-system", "http://wrong.example/system"
    yield "slash-after", f"{value}/"
    yield (
        "other-scheme",
        value.replace("https:", "ftp:", 1) if value.startswith("https:") else value.replace("http:", "https:", 1),
    )
    yield "no-url", value.partition("://")[2]


def on_flag(value: bool) -> Edits:
    """What can be done to a boolean."""
    yield "inverted", not value
    yield "as-text", str(value).lower()
    yield "as-python-text", str(value)
    yield "as-number", int(value)


def on_number(value: Any) -> Edits:
    """What can be done to a number."""
    yield "zero", 0
    yield "negative", -1
    yield "one-more", value + 1
    yield "one-less", value - 1
    yield "half", 1.5
    yield "point-zero", Decimal("1.0")
    yield "trailing-zeros", Decimal("0.500")
    yield "exponent", Decimal("5E-1")
    yield "tiny", Decimal("1E-400")
    yield "huge", Decimal("1E+999")
    yield "30-digits", Decimal("0.1234567890123456789012345678")
    yield "beyond-64-bits", 10**30
    yield "as-text", str(value)


def on_list(value: list[Any]) -> Edits:
    """What can be done to a list."""
    if value:
        yield "unwrapped", value[0]
        yield "first-twice", [value[0], *value]
        yield "null-added", [*value, None]
        yield "text-added", [*value, "x"]
        yield "empty-object-added", [*value, {}]
        yield "nested", [value]
        yield "hundred-times", (value * 100)[:100]
    if len(value) > 1:
        yield "reversed", value[::-1]
        yield "without-the-first", value[1:]
        yield "without-the-last", value[:-1]


def on_object(value: dict[str, Any]) -> Edits:
    """What can be done to an object."""
    yield "unknown-key", {**value, "unknownElement": "x"}
    yield "proto-key", {**value, "__proto__": {"x": 1}}
    yield "empty-key", {**value, "": "x"}
    yield "capital-keys", {key.capitalize(): item for key, item in value.items()}
    yield "reversed-keys", dict(reversed(value.items()))
    yield "only-text", {"text": "x"}
    if "coding" in value or "code" in value:
        yield "no-code", {key: item for key, item in value.items() if key not in ("code", "coding")}
    if "id" not in value:
        yield "with-id", {**value, "id": "x1"}
    yield "with-extension", {**value, "extension": [{"url": "https://example.com/x", "valueString": "x"}]}
    if isinstance(value.get("resourceType"), str):
        yield "other-resource-type", {**value, "resourceType": "Device"}
        yield "no-resource-type", {key: item for key, item in value.items() if key != "resourceType"}


def boundaries(limits: Sequence[int]) -> Callable[[str], Edits]:
    """Texts just as long as the document's limits, and one character longer."""

    def edits(value: str) -> Edits:
        for limit in limits:
            yield f"{limit}-characters", (value * (limit // max(len(value), 1) + 1))[:limit].ljust(limit, "a")
            yield f"{limit + 1}-characters", (value * (limit // max(len(value), 1) + 1))[: limit + 1].ljust(limit + 1, "a")

    return edits


def list_boundaries(limits: Sequence[int]) -> Callable[[list[Any]], Edits]:
    """Lists just as long as the limits, and one item longer."""

    def edits(value: list[Any]) -> Edits:
        for limit in limits:
            for length in (limit, limit + 1):
                if value and length != len(value):
                    yield f"{length}-items", (value * (length // len(value) + 1))[:length]

    return edits


def edits_of(value: Any, text_limits: Sequence[int] = (), list_limits: Sequence[int] = ()) -> Edits:
    """Every edit of a value, each with a name of its own; edits that change nothing are left out."""
    found: list[Edits] = [on_anything(value)]
    if isinstance(value, bool):
        found.append(on_flag(value))
    elif isinstance(value, (int, float, Decimal)):
        found.append(on_number(value))
    elif isinstance(value, str):
        found += [on_text(value), boundaries(text_limits)(value)]
        if _DAY.match(value):
            found.append(on_day(value))
        if _DIGITS.fullmatch(value):
            found.append(on_digits(value))
        if value.startswith("#") or "/" in value:
            found.append(on_reference(value))
        if "://" in value:
            found.append(on_system(value))
    elif isinstance(value, list):
        found += [on_list(value), list_boundaries(list_limits)(value)]
    elif isinstance(value, dict):
        found.append(on_object(value))
    for edits in found:
        for name, new in edits:
            if new is MISSING or type(new) is not type(value) or new != value or name == "reversed-keys":
                yield name, new
