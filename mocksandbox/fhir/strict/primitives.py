"""R4's primitives, judged as the specification writes them: one test for each type, from value to what is wrong with it.

A test never raises. It gives None for a good value, else (rule without `fhir/`, message key, values for the text). The
patterns are R4's own (datatypes.html); what prose adds (a date exists, base64 can be decoded) is tested beside them.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from mocksandbox.fhir.strict.hits import shown
from mocksandbox.fhir.strict.narrative import narrative_fault
from mocksandbox.rules.http import json_name

Wrong = tuple[str, str, Mapping[str, Any]]
Test = Callable[[Any], Wrong | None]

MOST_CHARACTERS = 1024 * 1024
"""The length that a string must not exceed (R4, datatypes.html#string)."""

_YEAR = r"([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_DAY = r"(0[1-9]|1[0-2])-(0[1-9]|[1-2][0-9]|3[0-1])"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
_ZONE = r"(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_PATTERNS = {
    "date": rf"{_YEAR}(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1]))?)?",
    "dateTime": rf"{_YEAR}(-(0[1-9]|1[0-2])|-{_DAY}(T{_TIME}{_ZONE})?)?",
    "instant": rf"{_YEAR}-{_DAY}T{_TIME}{_ZONE}",
    "time": _TIME,
    "id": r"[A-Za-z0-9\-.]{1,64}",
    "code": r"\S+(\s\S+)*",
    "oid": r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+",
    "uuid": r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "base64": r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
}
_FORMS = {
    "date": "YYYY, YYYY-MM or YYYY-MM-DD",
    "dateTime": "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a zone (Z, or an offset of at most 14:00)",
    "instant": "YYYY-MM-DDThh:mm:ss with a zone (Z, or an offset of at most 14:00)",
    "time": "hh:mm:ss",
}
_FULL = {name: re.compile(pattern).fullmatch for name, pattern in _PATTERNS.items()}
# JSON may write any of these in a string; XML cannot carry them, and R4 says that they should not be there.
_CONTROL = re.compile(r"[\x00-\x08\x0B\x0C\x0E-\x1F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def _not_a(value: Any, wanted: str) -> Wrong:
    return "wrong-type", "wrong-type", {"wanted": wanted, "found": f"{json_name(value)} ({shown(value)})"}


def _empty() -> Wrong:
    return "empty-element", "empty-string", {}


def _odd_text(value: str) -> Wrong | None:
    """What may be wrong with any text, whatever its type, when it is not made of printable characters alone."""
    if _SURROGATE.search(value):
        return "lone-surrogate", "lone-surrogate", {}
    if len(value) > MOST_CHARACTERS:
        return "long-string", "long-string", {"most": MOST_CHARACTERS, "length": len(value)}
    if control := _CONTROL.search(value):
        return "control-character", "control-character", {"character": f"U+{ord(control[0]):04X}"}
    return ("blank-string", "blank-string", {}) if value.isspace() else None


def _string(value: Any) -> Wrong | None:
    if type(value) is not str:
        return _not_a(value, "a string")
    if not value:
        return _empty()
    if value.isprintable() and not value.isspace() and len(value) <= MOST_CHARACTERS:
        return None
    return _odd_text(value)


def _pattern(type_: str, rule: str) -> Test:
    full = _FULL[type_]

    def test(value: Any) -> Wrong | None:
        if type(value) is not str:
            return _not_a(value, "a string")
        if full(value):
            # \S takes in surrogates and, in a code, control characters.
            return None if value.isprintable() else _odd_text(value)
        return _empty() if not value else (rule, f"bad-{type_.lower()}", {"found": shown(value)})

    return test


def _uri(value: Any) -> Wrong | None:
    if type(value) is not str:
        return _not_a(value, "a string")
    if not value:
        return _empty()
    if value.isprintable() and " " not in value:
        return None
    if any(map(str.isspace, value)):
        return "bad-uri", "bad-uri", {"found": shown(value)}
    return _odd_text(value)


def _moment(type_: str) -> Test:
    full, form = _FULL[type_], _FORMS[type_]

    def test(value: Any) -> Wrong | None:
        if type(value) is not str:
            return _not_a(value, f"a string, a {type_}")
        if not full(value):
            return _empty() if not value else ("bad-date", "bad-date", {"type": type_, "form": form, "found": shown(value)})
        # Every month has 28 days; what is later is looked up.
        if value[8:10] > "28" and int(value[8:10]) > monthrange(int(value[:4]), int(value[5:7]))[1]:
            return "impossible-date", "impossible-date", {"found": shown(value[:10])}
        return None

    return test


def _time(value: Any) -> Wrong | None:
    if type(value) is not str:
        return _not_a(value, "a string, a time")
    if _FULL["time"](value):
        return None
    return _empty() if not value else ("bad-date", "bad-date", {"type": "time", "form": _FORMS["time"], "found": shown(value)})


def _base64(value: Any) -> Wrong | None:
    if type(value) is not str:
        return _not_a(value, "a string of base64")
    written = "".join(value.split())
    if written and _FULL["base64"](written):
        return None
    return _empty() if not value else ("bad-base64", "bad-base64", {})


def _boolean(value: Any) -> Wrong | None:
    return None if value is True or value is False else _not_a(value, "true or false, without quotes")


def _integer(lowest: int) -> Test:
    def test(value: Any) -> Wrong | None:
        if type(value) is not int:
            return _not_a(value, "a whole number, without quotes, decimal point or exponent")
        if not lowest <= value <= 2**31 - 1:
            return "out-of-range", "out-of-range", {"lowest": lowest, "highest": 2**31 - 1, "found": shown(value)}
        return None

    return test


def _decimal(value: Any) -> Wrong | None:
    if type(value) is int:
        return None if abs(value) < 10**308 else ("huge-decimal", "huge-decimal", {})
    if type(value) is float:
        finite = value - value == 0
        return None if finite else ("wrong-type", "wrong-type", {"wanted": "a number that JSON has", "found": str(value)})
    if not isinstance(value, Decimal):
        return _not_a(value, "a number, without quotes")
    if not value.is_finite():
        return "wrong-type", "wrong-type", {"wanted": "a number that JSON has", "found": str(value)}
    fits = value == 0 or -308 <= value.adjusted() < 308
    return None if fits else ("huge-decimal", "huge-decimal", {})


def _system_string(value: Any) -> Wrong | None:
    """Element.id and Extension.url: text without spaces (R4, element.html#id)."""
    wrong = _string(value)
    if wrong is None and any(map(str.isspace, value)):
        return "bad-id", "bad-element-id", {"found": shown(value)}
    return wrong


def _xhtml(value: Any) -> Wrong | None:
    if type(value) is not str:
        return _not_a(value, "a string of XHTML")
    if not value:
        return _empty()
    if _SURROGATE.search(value):
        return "lone-surrogate", "lone-surrogate", {}
    fault = narrative_fault(value)
    return ("bad-narrative", "bad-narrative", {"fault": fault}) if fault else None


TESTS: Mapping[str, Test] = {
    "base64Binary": _base64,
    "boolean": _boolean,
    "canonical": _uri,
    "code": _pattern("code", "bad-code"),
    "date": _moment("date"),
    "dateTime": _moment("dateTime"),
    "decimal": _decimal,
    "id": _pattern("id", "bad-id"),
    "instant": _moment("instant"),
    "integer": _integer(-(2**31)),
    "markdown": _string,
    "oid": _pattern("oid", "bad-uri"),
    "positiveInt": _integer(1),
    "string": _string,
    "System.String": _system_string,
    "time": _time,
    "unsignedInt": _integer(0),
    "uri": _uri,
    "url": _uri,
    "uuid": _pattern("uuid", "bad-uri"),
    "xhtml": _xhtml,
}
"""Each primitive's test."""
