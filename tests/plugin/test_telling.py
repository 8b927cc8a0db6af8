"""What is told of broken requests in a few lines: no request left out, no message without what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mocksandbox.consumer.telling import MOST_LINES, told
from mocksandbox.consumer.verdict import Breach

PLAIN = Breach(
    1, "POST /Immunization -> 400", "nhs", "createImmunization", "Immunization.status", "is wrong", "nhs/bad-status"
)


@pytest.mark.parametrize(
    ("at", "message", "says"),
    [
        (
            "Immunization.contained[1].identifier[0].value",
            "contained[?(@.resourceType=='Patient')].identifier[?(@.system=='https://fhir.nhs.uk/Id/nhs-number')].value is not"
            " a valid NHS number",
            "Immunization.contained[1].identifier[0].value  contained[…].identifier[…].value is not a valid NHS number  [nhs/",
        ),
        ("status", "status: Required", "     status  Required  [nhs/"),
        ("vaccineCode", "vaccineCode: must be an object", "     vaccineCode  must be an object  [nhs/"),
        ("Immunization.status", "Immunization.status is missing", "     Immunization.status  is missing  [nhs/"),
        ("status", "statuses are not allowed", "     status  statuses are not allowed  [nhs/"),
        ("status", "status", "     status  status  [nhs/"),
        ("", "The body is empty", "       The body is empty  [nhs/"),
        ("x", "y" * 151, f"     x  {'y' * 149}…  [nhs/"),
        (f"a{'.extension' * 100}.z", "is deep", f"     a{'.extension' * 5}.ext…on{'.extension' * 5}.z  is deep  [nhs/"),
    ],
)
def test_a_line_has_the_place_and_what_is_wrong_there(at: str, message: str, says: str) -> None:
    line = told([replace(PLAIN, at=at, message=message)]).splitlines()[-1]
    assert says in line


def breaches_of(*counts: int) -> list[Breach]:
    """As many breaches of each request as are asked for."""
    numbered = [(number, index) for number, count in enumerate(counts, 1) for index in range(count)]
    return [replace(PLAIN, number=number, at=f"at{number}.{index}") for number, index in numbered]


@pytest.mark.parametrize(
    ("counts", "shown", "more"),
    [
        ((3,), ["#1", "at1.0", "at1.1", "at1.2"], 0),
        ((6,), ["#1", *(f"at1.{index}" for index in range(6))], 0),
        ((7,), ["#1", *(f"at1.{index}" for index in range(5))], 2),
        ((6, 1, 1), ["#1", "at1.0", "#2", "at2.0", "#3", "at3.0"], 5),
        ((4, 4), ["#1", "at1.0", "at1.1", "#2", "at2.0", "at2.1"], 4),
        ((2, 2, 2, 2), ["#1", "at1.0", "#2", "at2.0", "#3", "#4"], 6),
        ((1,) * 9, ["#1", "#2", "#3", "#4", "#5", "#6"], 9),
    ],
)
def test_every_request_has_its_line_before_one_has_more(counts: tuple[int, ...], shown: list[str], more: int) -> None:
    lines = told(breaches_of(*counts)).splitlines()
    assert lines[0] == f"{len(counts)} request{'s' if len(counts) > 1 else ''} broke the contract of nhs"
    assert len(lines) <= MOST_LINES
    assert [line.split()[0] for line in lines[1 : 1 + len(shown)]] == shown
    assert lines[1 + len(shown) :] == ([f"… and {more} more; the fixture's `breaches()` has them all"] if more else [])
