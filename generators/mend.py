"""What a bad value was probably meant to be: the nearest good one, or None when there is no telling.

Every function takes any value and never raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from difflib import get_close_matches
from typing import Any

from mocksandbox.rules.values import is_snomed_concept, nhs_check_digit, verhoeff_digit


def _digits(value: Any) -> str:
    return re.sub(r"[\s-]", "", str(value)) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def nhs_number(value: Any) -> str | None:
    """The ten digits without spaces and hyphens, with the check digit that belongs to the first nine."""
    digits = _digits(value)
    if not (digits.isascii() and digits.isdigit() and len(digits) in (9, 10)):
        return None
    check = nhs_check_digit(digits[:9])
    return None if check is None else f"{digits[:9]}{check}"


def snomed(value: Any) -> str | None:
    """The digits with the check digit that belongs to them."""
    digits = _digits(value)
    if not (digits.isascii() and digits.isdigit() and 6 <= len(digits) <= 18):
        return None
    right = f"{digits[:-1]}{verhoeff_digit(digits[:-1])}"
    return right if is_snomed_concept(right) else None


_YEAR_FIRST = re.compile(r"(\d{4})[-/. ]?(\d{1,2})[-/. ]?(\d{1,2})(?:[T ].*)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")


def day(value: Any) -> str | None:
    """The day that a text or a number means, as YYYY-MM-DD; days first, as the British write them."""
    text = str(value).strip() if isinstance(value, (str, int)) else ""
    first, last = _YEAR_FIRST.fullmatch(text), _DAY_FIRST.fullmatch(text)
    parts = first.groups() if first else tuple(reversed(last.groups())) if last else ()
    try:
        return date(*map(int, parts)).isoformat() if parts else None
    except ValueError:
        return None


_MOMENT = re.compile(r"(.+?)[T ](\d{1,2}):(\d{2})(?::(\d{2}))?(\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?")


def moment(offset: str, *, day_alone: bool = True) -> Callable[[Any], str | None]:
    """The moment that a text means, with seconds and this offset; the day when it has no time and a day alone will do."""

    def nearest(value: Any) -> str | None:
        found = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
        when = day(found[1] if found else value)
        if when is None or not found:
            return when if day_alone else None
        hour, minute, second, fraction = int(found[2]), found[3], found[4] or "00", (found[5] or "")[:7]
        return f"{when}T{hour:02}:{minute}:{second}{fraction}{offset}" if hour < 24 else None

    return nearest


def number(value: Any) -> float | None:
    """The number that a text holds."""
    try:
        found = float(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found - found == 0 else None


def integer(low: int, high: int) -> Callable[[Any], int | None]:
    """The integer that a text or a number means, within these bounds."""

    def nearest(value: Any) -> int | None:
        found = number(str(value)) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
        return min(max(round(found), low), high) if found is not None else None

    return nearest


def closest(choices: Iterable[str]) -> Callable[[Any], str | None]:
    """The choice that is spelled most like a text."""
    known = tuple(choices)

    def nearest(value: Any) -> str | None:
        text = str(value).strip().lower() if isinstance(value, str) else ""
        short = [choice for choice in known if text and choice.startswith(text)]
        return next(iter([*short, *get_close_matches(text, known, 1)]), None)

    return nearest


def shortened(most: int) -> Callable[[Any], str | None]:
    """A text's first characters."""
    return lambda value: value.strip()[:most] or None if isinstance(value, str) else None
