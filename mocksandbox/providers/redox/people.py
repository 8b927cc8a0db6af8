"""Who in a request may be a real person: the US social security numbers that it names, and which of them are nobody's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mocksandbox.provider import People
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING, Path, fhirpath

SSN_SYSTEM = "http://hl7.org/fhir/sid/us-ssn"
_OIDS = (SSN_SYSTEM, "urn:oid:2.16.840.1.113883.4.1")
DOCUMENTED = frozenset({"101010001"})
"""The number of the patient in both printed examples."""

_WRITTEN = re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])")


def allows(number: str) -> bool:
    """Whether a number of nine digits is nobody's: areas 000, 666 and from 900, group 00 and serial 0000 are never given out
    (20 CFR 422.103), and the one of the printed examples is known.
    """
    area, group, serial = number[:3], number[3:5], number[5:]
    return area in ("000", "666") or area >= "900" or group == "00" or serial == "0000" or number in DOCUMENTED


def _nine_digits(value: Any) -> str:
    digits = re.sub(r"[\s-]", "", str(value)) if isinstance(value, (str, int)) else ""
    return digits if len(digits) == 9 and digits.isascii() and digits.isdecimal() else ""


def _numbers(attempt: Attempt) -> Iterator[tuple[str, str]]:
    """The social security numbers of a request with their places."""
    for name, text in (("path", attempt.request.path), ("query", "&".join(value for _, value in attempt.request.query))):
        yield from ((name, _nine_digits(number)) for number in _WRITTEN.findall(text))
    if attempt.body is MISSING:
        body = attempt.request.body.decode("utf-8", "replace")
        yield from (("body", _nine_digits(number)) for number in _WRITTEN.findall(body))
    else:
        yield from _of_json(attempt.body)


def _of_json(body: Any) -> Iterator[tuple[str, str]]:
    # A list of what is left to look at, and no recursion: bodies may be nested a thousand deep.
    left: list[tuple[Path, Any]] = [((), body)]
    while left:
        path, value = left.pop()
        if isinstance(value, dict):
            if value.get("system") in _OIDS and (number := _nine_digits(value.get("value"))):
                yield fhirpath((*path, "value"), "Bundle"), number
            left += [((*path, key), item) for key, item in value.items()]
        elif isinstance(value, list):
            left += [((*path, index), item) for index, item in enumerate(value)]
        elif isinstance(value, str):
            yield from ((fhirpath(path, "Bundle"), _nine_digits(number)) for number in _WRITTEN.findall(value))


PEOPLE = People(_numbers, allows, "social security numbers that are never given out, and that of the printed examples")
