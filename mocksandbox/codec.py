"""JSON in and out, without losing anything on the way.

`loads` is fast (orjson) and falls back to the standard library where orjson would change a number (0.500, 1e999, more
than 15 digits) or refuse what the real services read (lone surrogates, NaN). `dumps` writes decimals as they were sent.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from secrets import token_hex
from typing import Any

import orjson

# A number outside a string whose spelling a float would not keep: a trailing zero, a small one, an exponent, 16 characters
# or more.
_FRAGILE = rb"(?:\d+\.\d*0(?!\d)|0\.000|\d[\d.]*[eE]|[\d.]{16})"
_FRAGILE_NUMBER = re.compile(rb'(?:"\s*:|[,\[]|^)\s*-?' + _FRAGILE)
# The same in a quick reading, ten times as fast, which may also find it inside strings; what this does not find, that does not
# either. It keeps only what tells a number: 1 for every digit but 0, a colon for all that stands before one (and for the comma
# after it). An exponent or a last zero counts only where the number ends, as no time and no UUID does.
_QUICK = bytes.maketrans(b"23456789E,[]", b"11111111e::}")
_LEFT_OUT = bytes(char for char in range(256) if char not in b'0123456789.eE+":,[]{}')
_PERHAPS_FRAGILE = re.compile(rb":[01](?:[01]*\.[01]*0[:}]|(?<=0)\.000|[01.]*e\+?[01]+[:}]|[01.]{15})")


def _keeps_numbers(data: bytes) -> bool:
    """Whether a float keeps the spelling of every number in a text."""
    if data[:1] in (b"{", b"[") and not _PERHAPS_FRAGILE.search(data.translate(_QUICK, _LEFT_OUT)):
        return True
    return not _FRAGILE_NUMBER.search(data)


def loads(data: bytes) -> Any:
    """Parse JSON text.

    Raises:
        ValueError: it is not UTF-8, not JSON, nested too deep, or has a number of too many digits. The message is for
            people; for plain syntax errors it is the standard library's (`json.JSONDecodeError`), which names the place.
    """
    if _keeps_numbers(data):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
    try:
        return json.loads(data.decode("utf-8"), parse_float=Decimal)
    except UnicodeDecodeError as error:
        raise ValueError(f"the body is not UTF-8: byte 0x{data[error.start]:02X} at position {error.start}") from error
    except RecursionError as error:
        raise ValueError("the body is nested too deep") from error
    except json.JSONDecodeError:
        raise
    except ValueError as error:  # the interpreter's own limit on the digits of one integer
        raise ValueError("a number in the body has too many digits") from error


def _spelled(value: Decimal) -> str:
    """A decimal's text. Python writes small ones with an exponent (0E-7) that nobody sent; large ones had theirs already."""
    exponent = value.as_tuple().exponent
    small = isinstance(exponent, int) and -_MOST_PLACES <= exponent < 0
    return format(value, "f") if small else str(value)


# Beyond so many decimal places a number was surely sent with an exponent, and is not written out.
_MOST_PLACES = 100


def _decimal(value: object) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(_spelled(value).encode()) if value.is_finite() else str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def dumps(value: Any, *, indented: bool = False) -> bytes:
    """Write JSON in the order given, decimals as written; on one line, or indented by two spaces.

    Raises:
        ValueError: the value is nested deeper than JSON writers go.
    """
    try:
        # orjson's result keeps its whole work buffer; the copy is as long as it says.
        return bytes(memoryview(orjson.dumps(value, default=_decimal, option=orjson.OPT_INDENT_2 if indented else None)))
    except orjson.JSONEncodeError:
        pass
    try:  # lone surrogates and integers beyond 64 bits, which orjson does not write
        if indented:
            text = json.dumps(value, default=_marked, indent=2)
        else:
            text = json.dumps(value, default=_marked, separators=(",", ":"))
    except RecursionError as error:
        raise ValueError("the value is nested too deep to write") from error
    return _MARKED_DECIMAL.sub(r"\1", text).encode()


# The standard library cannot write a decimal: it writes a string with a mark that no client can guess, taken off after.
_MARK = token_hex(16)
_MARKED_DECIMAL = re.compile(f'"{_MARK}([^"]*)"')


def _marked(value: object) -> Any:
    if isinstance(value, Decimal):
        return f"{_MARK}{_spelled(value)}"
    raise TypeError(f"{type(value).__name__} is not JSON")
