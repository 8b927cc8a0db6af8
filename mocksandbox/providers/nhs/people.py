"""Who in a request may be a real person: the NHS numbers that it names, and which of all NHS numbers are nobody's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from mocksandbox.exchange import FORM
from mocksandbox.provider import People
from mocksandbox.providers.nhs.parts import NHS_NUMBER_SYSTEM
from mocksandbox.rules.attempt import Attempt, Record
from mocksandbox.rules.places import MISSING, Path, fhirpath
from mocksandbox.rules.values import is_nhs_number

# NHS numbers from 999 on are never issued (NHS Digital, synthetic data in test environments).
SYNTHETIC = range(9990000000, 10000000000)
DOCUMENTED = frozenset({9000000009, 9449310475})
"""The patients of the document's own examples."""

_SYSTEM = NHS_NUMBER_SYSTEM.casefold()
_WRITTEN = re.compile(r"(?<![\w.-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\w-])")


def people(seeds: Callable[[], Iterable[Record]]) -> People:
    """How made-up people are told from real ones; the patients of the seeds are made up too."""

    @cache
    def seeded() -> frozenset[int]:
        numbers = (record.keys.get("patient", "") for record in seeds())
        return frozenset(int(number) for number in numbers if number.isdecimal())

    def allows(number: str) -> bool:
        return int(number) in SYNTHETIC or int(number) in DOCUMENTED or int(number) in seeded()

    says = f"NHS numbers from {SYNTHETIC[0]} to {SYNTHETIC[-1]} and those of the documented examples"
    return People(_numbers, allows, says)


def _numbers(attempt: Attempt) -> Iterator[tuple[str, str]]:
    """The NHS numbers of a request with their places. Ten digits count although the check digit is wrong: a slip of the pen in
    a real number is still about a real person.
    """
    request = attempt.request
    yield from (("path", number) for number in _written(request.path))
    yield from _of_pairs("query", request.query)
    if not request.body:
        return
    if request.media_type == FORM:
        yield from _of_pairs("form", parse_qsl(request.body.decode("utf-8", "replace")))
    elif attempt.body is MISSING:
        yield from (("body", number) for number in _written(unquote_plus(request.body.decode("utf-8", "replace"))))
    else:
        yield from _of_json(attempt.body)


def _written(text: str) -> Iterator[str]:
    """The numbers in a text of no known form: right ones only, for ten digits may be anything there."""
    for found in _WRITTEN.findall(text):
        number = re.sub("[ -]", "", found)
        if is_nhs_number(number):
            yield number


def _ten_digits(value: Any) -> str:
    """A value as a number of ten digits, spaces and hyphens left out; empty when it is none."""
    digits = re.sub(r"[\s-]", "", str(value)) if isinstance(value, (str, int)) else ""
    return digits if len(digits) == 10 and digits.isdecimal() else ""


def _of_pairs(where: str, pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        if not name.startswith("patient") and _SYSTEM not in value.casefold():
            continue
        for number in filter(None, map(_ten_digits, re.split("[|,]", value))):
            yield f"{where}:{name}", number


def _of_json(body: Any) -> Iterator[tuple[str, str]]:
    """The identifiers of NHS numbers anywhere, and all that a patient is called by."""
    root = str(body.get("resourceType", "body")) if isinstance(body, dict) else "body"
    # A list of what is left to look at, and no recursion: bodies may be nested a thousand deep.
    left: list[tuple[Path, Any, bool]] = [((), body, False)]
    while left:
        path, value, of_patient = left.pop()
        if isinstance(value, list):
            left += [((*path, index), item, of_patient) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            continue
        is_patient = value.get("resourceType") == "Patient"
        named = of_patient and "identifier" in path
        keys = [key for key, told in (("value", named or _is_system(value)), ("id", is_patient)) if told]
        for key in keys:
            if number := _ten_digits(value.get(key)):
                yield fhirpath((*path, key), root), number
        left += [((*path, key), item, of_patient or is_patient) for key, item in value.items()]


def _is_system(value: dict[str, Any]) -> bool:
    system = value.get("system")
    return isinstance(system, str) and system.strip().casefold() == _SYSTEM
