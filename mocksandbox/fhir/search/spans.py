"""Spans of time: the range that a date of any precision stands for, and how ranges compare (FHIR R4, Search: prefixes)."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

_DATE = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?", re.ASCII
)
_LONGEST = 40
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """From `low` to before `high`, both in UTC. A date without an offset is one of UTC."""

    low: datetime
    high: datetime

    def holds(self, other: Span) -> bool:
        """Whether the other span lies inside this one."""
        return self.low <= other.low and other.high <= self.high

    def meets(self, other: Span) -> bool:
        """Whether the two have a moment in common."""
        return self.low < other.high and other.low < self.high


def span_of(text: str) -> Span | None:
    """The span of a date, a year and month, a year, or a moment with or without seconds and offset; None for anything else."""
    return _read_lately(text) if len(text) <= _LONGEST else _read(text)


def _read(text: str) -> Span | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        low = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), tzinfo=_zone(zone))
        # Second 60 is a leap second (FHIR allows it); it is the moment after 59.
        seconds = int(second or 0)
        if seconds > 60:
            return None
        digits = (fraction or "")[:6]
        low = (low + timedelta(seconds=seconds, microseconds=int(digits.ljust(6, "0")) if digits else 0)).astimezone(UTC)
        return Span(low, min(low + _length(found), LAST))
    except (ValueError, OverflowError):
        return _at_the_edge(found)


_read_lately = lru_cache(maxsize=4096)(_read)
"""The same of a text that may be a date: several criteria look at the same ones."""


def _at_the_edge(found: re.Match[str]) -> Span | None:
    """The span at the end of the calendar, beyond which nothing can be counted."""
    if found[1] != "9999":
        return None
    try:
        low = datetime(9999, int(found[2] or 1), int(found[3] or 1), tzinfo=UTC)
    except ValueError:
        return None
    return Span(low, LAST)


def _length(found: re.Match[str]) -> timedelta:
    year, month, day, hour, _, second, fraction, _ = found.groups()
    if month is None:
        return timedelta(days=366 if monthrange(int(year), 2)[1] == 29 else 365)
    if day is None:
        return timedelta(days=monthrange(int(year), int(month))[1])
    if hour is None:
        return timedelta(days=1)
    if second is None:
        return timedelta(minutes=1)
    return timedelta(microseconds=10 ** max(0, 6 - len(fraction))) if fraction else timedelta(seconds=1)


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(offset if text[0] == "+" else -offset)


def span_in(value: Any) -> Span | None:
    """The span of an element: a date, a dateTime, an instant or a Period, whose open ends reach to the ends of time."""
    if isinstance(value, str):
        return span_of(value)
    if not isinstance(value, dict):
        return None
    start, end = _end(value.get("start")), _end(value.get("end"))
    if start is None and end is None:
        return None
    return Span(start.low if start else FIRST, end.high if end else LAST)


def _end(value: Any) -> Span | None:
    return span_of(value) if isinstance(value, str) else None


def around(asked: Span, now: datetime) -> Span:
    """What is approximately a span: a tenth of its distance from now wider on both sides (FHIR R4, Search: prefix ap)."""
    margin = abs(now - asked.low) / 10
    try:
        return Span(asked.low - margin, asked.high + margin)
    except OverflowError:
        return Span(FIRST, LAST)


COMPARE: Mapping[str, Callable[[Span, Span], bool]] = {
    "eq": lambda asked, have: asked.holds(have),
    "ne": lambda asked, have: not asked.holds(have),
    "gt": lambda asked, have: have.high > asked.high,
    "lt": lambda asked, have: have.low < asked.low,
    "ge": lambda asked, have: have.high > asked.high or asked.holds(have),
    "le": lambda asked, have: have.low < asked.low or asked.holds(have),
    "sa": lambda asked, have: have.low >= asked.high,
    "eb": lambda asked, have: have.high <= asked.low,
    "ap": lambda asked, have: asked.meets(have),
}
"""Each prefix: (what was asked, what the resource has) -> whether they match. `ap` is asked with `around`."""
