"""FHIR primitives as a lenient reader takes them: what it accepts, and what it makes of it.

This is the behaviour of the library behind the NHS service (fhir.resources 7 on pydantic 1), observed value by value:
numbers and booleans become text where text is wanted, dates become ISO 8601 with an offset, and so on. A refusal is a
`ValueError` whose message is a phrase that follows a place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any

_CODE = re.compile(r"\S+(\s\S+)*")  # one way to read each text: a second one would take for ever on a long code
_ID = re.compile(r"[A-Za-z0-9\-.]+")
_PARTIAL = re.compile(r"\d{4}(-\d{2})?")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DATE_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d{2}(?::?\d{2})?)?"
)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")
_PLAIN_DATE = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])")
"""Dates that surely exist, already as they are stored."""

_PLAIN_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-5][0-9])"
)
"""What the standard library reads without help, and just the same."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float, Decimal)):
        return str(value)
    raise ValueError("must be a string")


def _string(value: Any) -> str:
    text = _text(value)
    if not text:
        raise ValueError("must be a non-empty string")
    return text


def _code(value: Any) -> str:
    text = _text(value)
    if not _CODE.fullmatch(text):
        raise ValueError("must be a code, without leading, trailing or double spaces")
    return text


def _id(value: Any) -> str:
    text = _text(value)
    if not _ID.fullmatch(text) or len(text) > 64:
        raise ValueError("must be an id: 1 to 64 letters, digits, '-' or '.'")
    return text


_TRUE, _FALSE = frozenset({"1", "on", "t", "true", "y", "yes"}), frozenset({"0", "off", "f", "false", "n", "no"})


def _boolean(value: Any) -> bool:
    word = value.lower() if isinstance(value, str) else str(int(value)) if value in (0, 1) else ""
    if word not in _TRUE | _FALSE:
        raise ValueError("must be a boolean")
    return word in _TRUE


def _decimal(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise ValueError("must be a decimal")
    if not isinstance(value, str):
        number = Decimal(str(value))
    else:
        try:
            value = number = Decimal(value.strip())
        except ArithmeticError:
            raise ValueError("must be a decimal") from None
    if not number.is_finite():
        raise ValueError("must be a finite decimal")
    return value


def _integer(lowest: int | None) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        try:
            number = int(value) if isinstance(value, (str, int, float, Decimal)) else None
        except (ValueError, ArithmeticError):
            number = None
        if number is None or (lowest is not None and number < lowest):
            raise ValueError("must be an integer" if lowest is None else f"must be an integer of at least {lowest}")
        return number

    return read


def _moment(value: Any) -> datetime | None:
    """The moment that a number means, as seconds (or, when there are too many, milliseconds, …) of the Unix epoch."""
    digits = isinstance(value, str) and value.isdecimal() and len(value) > 4
    if not digits and not isinstance(value, (bool, int, float, Decimal)):
        return None
    seconds = float(value)
    if seconds - seconds != 0:
        return None  # infinite, or no number
    while abs(seconds) > 2e10:
        seconds /= 1000
    return _EPOCH + timedelta(seconds=seconds)


def _remembered(read: Callable[[Any], str]) -> Callable[[Any], str]:
    """The same reader, which remembers the newest short texts: many records are of one day, and say it several times."""
    remembering = lru_cache(maxsize=4096)(read)
    return lambda value: remembering(value) if type(value) is str and len(value) <= _LONGEST else read(value)


_LONGEST = 40


@_remembered
def _date(value: Any) -> str:
    if isinstance(value, str) and _PLAIN_DATE.fullmatch(value) and value >= "0001":
        return value
    moment = _moment(value)
    if moment is not None:
        return moment.date().isoformat()
    if isinstance(value, str):
        if _PARTIAL.fullmatch(value):
            return value
        found = _DATE.fullmatch(value)
        if found:
            try:
                return date(*map(int, found.groups())).isoformat()
            except ValueError:
                pass
    raise ValueError("must be a date: YYYY, YYYY-MM or YYYY-MM-DD")


@_remembered
def _date_time(value: Any) -> str:
    if isinstance(value, str) and _PLAIN_DATE_TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value).isoformat()
        except ValueError:
            raise ValueError("must be a date and time that exists") from None
    moment = _moment(value)
    if moment is not None:
        return moment.isoformat()
    if isinstance(value, str):
        if "T" not in value and " " not in value:
            if _PARTIAL.fullmatch(value) or re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
                return _date(value)
        else:
            found = _DATE_TIME.fullmatch(value)
            if found:
                return _iso(found)
    raise ValueError("must be a date, or a date and time with an offset")


def _time(value: Any) -> str:
    text = _text(value)
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]?\d(:[0-5]?\d(\.\d+)?)?", text):
        raise ValueError("must be a time: hh:mm:ss")
    return text


def _instant(value: Any) -> str:
    if isinstance(value, str) and not _INSTANT.fullmatch(value):
        raise ValueError("must be a date and time with seconds and an offset")
    return _date_time(value)


def _iso(found: re.Match[str]) -> str:
    *numbers, fraction, zone = found.groups()
    offset = None
    if zone == "Z":
        offset = UTC
    elif zone:
        minutes = int(zone[1:3]) * 60 + int(zone[-2:] if len(zone) > 3 else 0)
        offset = timezone(timedelta(minutes=minutes if zone[0] == "+" else -minutes))
    micros = int(fraction.ljust(6, "0")) if fraction else 0
    try:
        year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
        return datetime(year, month, day, hour, minute, second, micros, offset).isoformat()
    except ValueError:
        raise ValueError("must be a date and time that exists") from None


READERS: Mapping[str, Callable[[Any], Any]] = {
    "base64Binary": _text,
    "boolean": _boolean,
    "canonical": _text,
    "code": _code,
    "date": _date,
    "dateTime": _date_time,
    "decimal": _decimal,
    "id": _id,
    "instant": _instant,
    "integer": _integer(None),
    "markdown": _text,
    "oid": _text,
    "positiveInt": _integer(1),
    "string": _string,
    "time": _time,
    "unsignedInt": _integer(0),
    "uri": _text,
    "url": _text,
    "uuid": _text,
    "xhtml": _text,
}
"""Each primitive's reader: value -> the value as stored. Raises `ValueError`."""
