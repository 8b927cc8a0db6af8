"""Single values that several APIs share, and checks of them: each is true for a good value and never raises for a bad one."""

from __future__ import annotations

import os
from functools import lru_cache
from operator import mul
from os import urandom

_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
_AT_ONCE = 64
_uuids: list[str] = []
if hasattr(os, "register_at_fork"):  # or a process and its child would give the same ones
    os.register_at_fork(after_in_child=_uuids.clear)


def new_uuid() -> str:
    """A random UUID (RFC 9562 version 4), from the operating system's own generator, which is asked for many at once."""
    try:
        return _uuids.pop()
    except IndexError:
        digits = urandom(16 * _AT_ONCE).hex()
        _uuids.extend(_spelled(digits[at : at + 32]) for at in range(32, len(digits), 32))
        return _spelled(digits[:32])


def _spelled(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"


NHS_NUMBER_WEIGHTS = tuple(range(10, 1, -1))


def nhs_check_digit(first_nine: str) -> int | None:
    """The check digit of nine digits by modulus 11, or None: one in eleven has no valid number (NHS Data Dictionary)."""
    remainder = sum(map(mul, map(int, first_nine), NHS_NUMBER_WEIGHTS)) % 11
    check = (11 - remainder) % 11
    return None if check == 10 else check


def is_nhs_number(value: str) -> bool:
    """Ten digits with a right check digit. Digits of other scripts count, as they do for the NHS service."""
    if len(value) != 10 or not value.isdecimal():
        return False
    # With its check digit a number's weighted digits add up to a multiple of 11; 48 for each digit, as ASCII has it, adds
    # 2,640, which is another.
    digits = value.encode() if value.isascii() else map(int, value)
    weighted: int = sum(map(mul, digits, _ALL_WEIGHTS))
    return weighted % 11 == 0


_ALL_WEIGHTS = tuple(range(10, 0, -1))


# Verhoeff's dihedral group D5: multiplication, and the permutation applied once for each position (SNOMED CT TIG 5.5).
_PRODUCT = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_SHIFT = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _permuted(position: int, digit: int) -> int:
    for _ in range(position % 8):
        digit = _SHIFT[digit]
    return digit


_PERMUTED = tuple(tuple(_permuted(position, digit) for digit in range(10)) for position in range(8))


def verhoeff_holds(digits: str) -> bool:
    """Whether the last digit is the Verhoeff check digit of the others."""
    check = 0
    for position, digit in enumerate(reversed(digits)):
        check = _PRODUCT[check][_PERMUTED[position % 8][int(digit)]]
    return check == 0


def verhoeff_digit(digits: str) -> str:
    """The check digit to append to these digits."""
    return next(str(digit) for digit in range(10) if verhoeff_holds(f"{digits}{digit}"))


def is_snomed_concept(value: str) -> bool:
    """A SNOMED CT concept id: 6 to 18 digits, no leading zero, partition 00 or 10, right check digit."""
    return 6 <= len(value) <= 18 and _is_snomed_concept(value)


@lru_cache(maxsize=4096)  # the codes of a set of vaccines are few, and come again with each record
def _is_snomed_concept(value: str) -> bool:
    return value.isdecimal() and value[0] != "0" and value[-3:-1] in ("00", "10") and verhoeff_holds(value)
