"""Order of dates and times of any precision: what is certainly later than what."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import Any

from mocksandbox.fhir.strict.primitives import TESTS

_PARTS = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d)))?)?)?", re.ASCII
)
_is_moment = TESTS["dateTime"]
_DAY = 86_400
# A day without a zone may be of any zone that R4 has, from 14 hours before Greenwich to 14 hours after.
_WIDEST = 14 * 3600


def certainly_after(start: Any, end: Any) -> bool:
    """Whether a date or dateTime is later than another whatever is left open in them (`2024-03` may be before or after
    `2024-03-05`). False when either is no dateTime.
    """
    if _is_moment(start) is not None or _is_moment(end) is not None:
        return False
    first, second = _PARTS.fullmatch(start), _PARTS.fullmatch(end)
    if first is None or second is None:
        return False
    if first[4] is None and second[4] is None:
        common = min(len(first[0]), len(second[0]))
        return first[0][:common] > second[0][:common]
    return _bounds(first)[0] > _bounds(second)[1]


def _bounds(found: re.Match[str]) -> tuple[tuple[int, str], tuple[int, str]]:
    """The first and the last second that are meant (with its fraction), from an arbitrary beginning in UTC."""
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    first_month, last_month = int(month or 1), int(month or 12)
    if hour is None:
        last_day = int(day) if day else monthrange(int(year), last_month)[1]
        first = date(int(year), first_month, int(day or 1)).toordinal() * _DAY
        last = (date(int(year), last_month, last_day).toordinal() + 1) * _DAY
        return (first - _WIDEST, ""), (last + _WIDEST, "")
    clock = int(hour) * 3600 + int(minute) * 60 + int(second)
    offset = (int(hours) * 3600 + int(minutes) * 60) * (1 if sign == "+" else -1) if sign else 0
    moment = date(int(year), int(month), int(day)).toordinal() * _DAY + clock - offset
    exactly = (moment, (fraction or "").rstrip("0"))
    return exactly, exactly
