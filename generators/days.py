"""Ages and days of made-up records: ages as people say them, British summer time, dates that follow from one another."""

from __future__ import annotations

import re
from datetime import date
from functools import cache

from mocksandbox.errors import UsageError

AS_OF = date(2026, 1, 1)
"""The day on which records are made up unless another is asked for: fixed, so that the same seed gives the same bytes."""

EARLIEST, LATEST = date(2021, 7, 1), date(2999, 12, 31)
"""The days on which records can be made up: after the last of the unusual moments (`kind.py`), which must have been; and early
enough for vials that expire years after.
"""


def day_of(text: str) -> date:
    """A day as it is written on a command line.

    Raises:
        UsageError: it is none, or not between those on which records can be made up.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--as-of {text!r} is not a day: write YYYY-MM-DD.") from None
    if not EARLIEST <= day <= LATEST:
        raise UsageError(f"--as-of {text!r} is out of range: name a day from {EARLIEST} to {LATEST}.")
    return day


_AGE = re.compile(r"(\d+)([wmy])")
_DAYS = {"w": 7.0, "m": 365.25 / 12, "y": 365.25}


@cache
def age_in_days(text: str) -> int:
    """An age in days: `8w` (weeks), `18m` (months), `65y` (years).

    Raises:
        ValueError: it is written otherwise.
    """
    found = _AGE.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not an age: write 8w, 18m or 65y")
    return round(int(found[1]) * _DAYS[found[2]])


@cache
def _summer(year: int) -> tuple[int, int]:
    """The first and last days of British summer time: from the last Sunday of March to the day before that of October."""
    march, october = date(year, 3, 31), date(year, 10, 31)
    start = march.toordinal() - (march.weekday() + 1) % 7
    return start, october.toordinal() - (october.weekday() + 1) % 7 - 1


def british_offset(day: date) -> str:
    """The offset of British clocks by day: +01:00 in summer, else +00:00."""
    first, last = _summer(day.year)
    return "+01:00" if first <= day.toordinal() <= last else "+00:00"
