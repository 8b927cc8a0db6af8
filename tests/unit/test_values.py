"""Check digits and codes, against numbers and codes that are known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocksandbox.rules.values import is_nhs_number, is_snomed_concept, nhs_check_digit, verhoeff_digit, verhoeff_holds

# From the document's own examples and the service's own public tests: none is a living person's.
NHS_NUMBERS = ("9000000009", "9449310475", "9990000018", "9434765919", "9693632109")
# SNOMED CT concepts that the document names, and the examples of the technical guide's chapter on check digits.
CONCEPTS = (
    "840539006",
    "39114911000001105",
    "368208006",
    "78421000",
    "443684005",
    "1324681000000101",
    "138875005",
    "404684003",
)


@pytest.mark.parametrize("number", NHS_NUMBERS)
def test_a_known_nhs_number_is_one(number: str) -> None:
    assert is_nhs_number(number)


@pytest.mark.parametrize("number", NHS_NUMBERS)
def test_one_wrong_digit_is_noticed(number: str) -> None:
    for position, digit in enumerate(number):
        for other in "0123456789":
            if other != digit:
                assert not is_nhs_number(number[:position] + other + number[position + 1 :])


@pytest.mark.parametrize("value", ["", "900000000", "90000000090", "900 000 0009", "ABCDEFGHIJ", "9000000008", "²000000009"])
def test_what_is_no_nhs_number_is_none(value: str) -> None:
    assert not is_nhs_number(value)


@given(st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_nine_digits_have_one_check_digit_or_none(digits: str) -> None:
    check = nhs_check_digit(digits)
    good = [last for last in range(10) if is_nhs_number(f"{digits}{last}")]
    assert good == ([] if check is None else [check])


def test_one_in_eleven_has_no_check_digit() -> None:
    none = sum(nhs_check_digit(f"9{number:08}") is None for number in range(11_000))
    assert 0.08 < none / 11_000 < 0.1


@pytest.mark.parametrize("code", CONCEPTS)
def test_a_known_concept_is_one(code: str) -> None:
    assert is_snomed_concept(code)
    assert verhoeff_holds(code)
    assert verhoeff_digit(code[:-1]) == code[-1]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "12345",
        "840539005",
        "0840539006",
        "2622896019",
        "84053900X",
        "840539006 ",
        "1" * 19,
        "900000000000003028",
        "-84053900",
    ],
)
def test_what_is_no_concept_is_none(code: str) -> None:
    assert not is_snomed_concept(code)


def test_the_published_example_of_verhoeff_holds() -> None:
    assert verhoeff_digit("236") == "3"
    assert verhoeff_digit("12345") == "1"


@given(st.from_regex(r"[0-9]{5,17}", fullmatch=True), st.data())
def test_verhoeff_notices_one_wrong_digit_and_two_that_changed_places(digits: str, data: st.DataObject) -> None:
    whole = digits + verhoeff_digit(digits)
    assert verhoeff_holds(whole)
    at = data.draw(st.integers(0, len(whole) - 2))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != whole[at]]))
    assert not verhoeff_holds(whole[:at] + other + whole[at + 1 :])
    swapped = whole[:at] + whole[at + 1] + whole[at] + whole[at + 2 :]
    assert verhoeff_holds(swapped) == (swapped == whole)
