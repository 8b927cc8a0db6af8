"""The service's checks of dates and times. It reads them with the forms of C's strptime, which take more than FHIR does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import MAXYEAR, UTC, date, datetime
from functools import lru_cache
from typing import Any

from mocksandbox.providers.nhs.checks import NO_TEXT, NOT_FHIR, Check, Fault, fault, to
from mocksandbox.rules.attempt import Attempt


def day(*, future: bool) -> Check:
    """A calendar date, written YYYY-MM-DD (the service reads one-digit months and days too)."""

    def test(value: Any, attempt: Attempt) -> Sequence[Fault]:
        if not isinstance(value, str):
            return fault("must-be-a-string")
        parsed = read_day(value) if len(value) > _LONG else _read_short_day(value)
        if parsed is None:
            return fault("must-be-a-date")
        return fault("must-not-be-in-the-future") if not future and parsed > attempt.now.date() else ()

    spoilers = [*NO_TEXT, to("empty", "", NOT_FHIR), to("blank", " ", NOT_FHIR), *_BAD_DAYS]
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
    to("compact", "19800201"),
    to("with-time", "1980-02-01T00:00:00Z", NOT_FHIR),
)


def moment(*, british: bool) -> Check:
    """A date, or a date and time with an offset, not in the future; `british` allows only the offsets of the United Kingdom
    (+00:00 and +01:00, and not Z).
    """

    def test(value: Any, attempt: Attempt) -> Sequence[Fault]:
        if not isinstance(value, str):
            return fault("must-be-a-string")
        for parsed in _readings(value) if len(value) > _LONG else _short_readings(value):
            if _is_past(parsed, attempt.now) and (not british or parsed.tzinfo is None or value.endswith(_BRITISH_OFFSETS)):
                return ()
        return fault("must-be-a-british-date-time" if british else "must-be-a-date-time")

    spoilers = [
        *NO_TEXT,
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
_PLAIN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLAIN_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-5][0-9])"
)
_PLAIN = ""
"""The form of what the standard library reads without a form, fifty times faster and just the same."""


def _readings(value: str) -> Sequence[datetime]:
    """What a text says in each of the forms in which it says a moment."""
    plain = _PLAIN_MOMENT.fullmatch(value) or _PLAIN_DAY.fullmatch(value)
    return [parsed for form in ((_PLAIN,) if plain else _MOMENT_FORMS) if (parsed := _read(value, form))]


def read_day(value: str) -> date | None:
    """A day, YYYY-MM-DD; None when it is none."""
    parsed = _read(value, _PLAIN if _PLAIN_DAY.fullmatch(value) else "%Y-%m-%d")
    return parsed.date() if parsed else None


# Days come again from record to record, moments of recording within a session.
_LONG = 40
_read_short_day = lru_cache(maxsize=4096)(read_day)
_short_readings = lru_cache(maxsize=4096)(_readings)

_BRITISH_OFFSETS = ("+00:00", "+01:00", "+0000", "+0100")


def _is_past(parsed: datetime, now: datetime) -> bool:
    return parsed <= (now if parsed.tzinfo else now.replace(tzinfo=None))


def _read(value: str, form: str) -> datetime | None:
    # The service reads with these very forms: they take one-digit months and digits of other scripts.
    try:
        parsed = datetime.strptime(value, form) if form else datetime.fromisoformat(value)
        if parsed.tzinfo and not 1 < parsed.year < MAXYEAR:
            parsed.astimezone(UTC)  # the first and last days of the calendar have offsets that leave it
    except (ValueError, OverflowError):
        return None
    return parsed
