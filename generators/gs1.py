"""GS1 data of a package: the trade item number with its check digit, and the element string of a vaccine's data matrix.

Facts from the GS1 General Specifications: application identifiers 01 (GTIN), 17 (expiry, YYMMDD), 10 (batch), 21 (serial).
"""

from __future__ import annotations

from datetime import date

from mocksandbox.generators.draw import Draw


def gtin_check_digit(thirteen: str) -> int:
    """The check digit of thirteen digits: modulus 10 with weights 3 and 1."""
    return -sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(thirteen)) % 10


def is_gtin(value: str) -> bool:
    """A GTIN of 14 digits with a right check digit."""
    return len(value) == 14 and value.isascii() and value.isdigit() and gtin_check_digit(value[:13]) == int(value[13])


def gtin(draw: Draw) -> str:
    """A GTIN that is no product's: prefix 952 is GS1's own for demonstrations and examples."""
    thirteen = f"0952{draw.integer(0, 999_999_999):09}"
    return f"{thirteen}{gtin_check_digit(thirteen)}"


def element_string(gtin: str, expires: date, batch: str, serial: str) -> str:
    """The human-readable element string of a package."""
    return f"(01){gtin}(17){expires:%y%m%d}(10){batch}(21){serial}"
