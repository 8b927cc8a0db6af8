"""People who do not exist: numbers that are never issued, names from a pool, ages that fit their vaccines."""

from __future__ import annotations

from datetime import date
from typing import Any

from mocksandbox.generators.draw import Draw
from mocksandbox.generators.names import pools
from mocksandbox.generators.tables import american, british
from mocksandbox.rules.values import nhs_check_digit

FIRST_THREE = "999"
"""NHS numbers from 999 000 0000 on are never issued (NHS Digital, synthetic data in test environments)."""


def nhs_number(draw: Draw) -> str:
    """A valid NHS number that is nobody's. One in eleven nine-digit beginnings has no check digit: the next one has."""
    six = draw.integer(0, 999_999)
    while True:
        nine = f"{FIRST_THREE}{six:06}"
        check = nhs_check_digit(nine)
        if check is not None:
            return f"{nine}{check}"
        six = (six + 1) % 1_000_000


def given_names(draw: Draw, sex: str) -> list[str]:
    """One to three given names."""
    names = pools()[sex]
    given = [draw.choice(names)]
    while len(given) < 3 and draw.flag(0.25):
        given.append(draw.choice(names))
    return given


def gender_of(draw: Draw, sex: str) -> str:
    """The administrative gender of somebody of a sex: not always known, and not always one of the two (FHIR R4)."""
    if draw.flag(0.04):
        return draw.choice(("unknown", "other"))
    return sex


def person(draw: Draw, born: date, sex: str) -> dict[str, Any]:
    """A person's values by kind."""
    given = given_names(draw, sex)
    return {
        "nhs-number": nhs_number(draw),
        "given-names": given,
        "given-name": given[0],
        "family-name": draw.choice(pools()["family"]),
        "gender": gender_of(draw, sex),
        "birth-date": born.isoformat(),
        "postal-code": draw.choice(british().postal_codes),
    }


def american_person(draw: Draw) -> dict[str, Any]:
    """What an American API asks of a person besides."""
    place = draw.choice(american().places)
    return {
        "mrn": f"{draw.integer(0, 9_999_999_999):010}",
        "patient-id": f"pat-{draw.integer(0, 0xFFFFFFFF):08x}",
        "address-line": f"{draw.integer(1, 9999)} {draw.choice(pools()['family'])} Street",
        "city": place["city"],
        "us-state": place["state"],
        "us-zip": place["zip"],
        # 555-01XX numbers are set aside for fiction (North American Numbering Plan).
        "us-phone": f"+1608555{draw.integer(100, 199):04}",
        "email": f"patient{draw.integer(0, 999_999):06}@example.com",
        # Social security numbers that begin with 9 are never issued.
        "ssn": f"9{draw.integer(0, 99):02}-{draw.integer(1, 49):02}-{draw.integer(1, 9999):04}",
    }


def clinician(draw: Draw) -> dict[str, Any]:
    """Who gives the vaccine."""
    given = given_names(draw, draw.choice(("female", "male")))
    family = draw.choice(pools()["family"])
    return {
        "practitioner-given-names": given,
        "practitioner-given-name": given[0],
        "practitioner-family-name": family,
        "practitioner-name": f"Dr. {given[0]} {family}",
    }


def npi(draw: Draw) -> str:
    """A National Provider Identifier of the right form: ten digits that satisfy Luhn's check with the prefix 80840. It begins
    with 9, which no issued number does.
    """
    nine = f"9{draw.integer(0, 99_999_999):08}"
    digits = [int(digit) for digit in f"80840{nine}"]
    doubled = [sum(divmod(digit * 2, 10)) if place % 2 == 0 else digit for place, digit in enumerate(reversed(digits))]
    return f"{nine}{-sum(doubled) % 10}"
