"""FHIR R4 as the server under test reads it: every element of its type, from HL7's own table of elements."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

ELEMENTS = json.loads((Path(__file__).parents[2] / "contracts" / "fhir" / "r4b-elements.json").read_text("utf-8"))["elements"]
ABSENT: Any = object()


class NotFhirError(ValueError):
    pass


def as_text(value: Any) -> str:
    if isinstance(value, (dict, list)) or value is None:
        raise NotFhirError
    return str(value)


def instant_of(number: Any) -> datetime:
    seconds = float(number)
    if seconds != seconds or seconds in (float("inf"), float("-inf")):
        raise NotFhirError
    while abs(seconds) > 2e10:
        seconds /= 1000
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float, Decimal)) or (isinstance(value, str) and value.isdecimal() and len(value) > 4)


def read_date(value: Any) -> str:
    if is_number(value):
        return instant_of(value).date().isoformat()
    if isinstance(value, str):
        if re.fullmatch(r"\d{4}(-\d{2})?", value):
            return value
        if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", value):
            return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    raise NotFhirError


MOMENT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d\d(?::?\d\d)?)?"
)


def read_moment(value: Any) -> str:
    if is_number(value):
        return instant_of(value).isoformat()
    if not isinstance(value, str):
        raise NotFhirError
    if "T" not in value and " " not in value:
        if re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", value):
            return read_date(value)
        raise NotFhirError
    found = MOMENT.fullmatch(value)
    if found is None:
        raise NotFhirError
    zone = None
    if found[8] == "Z":
        zone = UTC
    elif found[8]:
        minutes = int(found[8][1:3]) * 60 + (int(found[8][-2:]) if len(found[8]) > 3 else 0)
        zone = timezone(timedelta(minutes=-minutes if found[8][0] == "-" else minutes))
    parts = [int(found[number] or 0) for number in range(1, 7)]
    return datetime(*parts, int((found[7] or "").ljust(6, "0") or 0), zone).isoformat()  # type: ignore[arg-type,misc]


def read_instant(value: Any) -> str:
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value):
        raise NotFhirError
    return read_moment(value)


def read_boolean(value: Any) -> bool:
    words = {"1": True, "on": True, "t": True, "true": True, "y": True, "yes": True}
    words |= {"0": False, "off": False, "f": False, "false": False, "n": False, "no": False}
    word = (
        value.lower()
        if isinstance(value, str)
        else str(int(value))
        if not isinstance(value, (dict, list)) and value in (0, 1)
        else ""
    )
    if word not in words:
        raise NotFhirError
    return words[word]


def read_number(value: Any) -> Any:
    if isinstance(value, (bool, dict, list)):
        raise NotFhirError
    number = Decimal(value.strip() if isinstance(value, str) else str(value))
    if not number.is_finite():
        raise NotFhirError
    return number if isinstance(value, str) else value


def read_whole(value: Any, least: int | None) -> int:
    if isinstance(value, (dict, list)):
        raise NotFhirError
    number = int(value)
    if least is not None and number < least:
        raise NotFhirError
    return number


def read_primitive(kind: str, value: Any) -> Any:
    if kind in ("boolean",):
        return read_boolean(value)
    if kind == "decimal":
        return read_number(value)
    if kind in ("integer", "unsignedInt", "positiveInt"):
        return read_whole(value, {"integer": None, "unsignedInt": 0, "positiveInt": 1}[kind])
    if kind in ("date", "dateTime", "instant"):
        return {"date": read_date, "dateTime": read_moment, "instant": read_instant}[kind](value)
    text = as_text(value)
    if kind == "string" and not text:
        raise NotFhirError
    if kind == "code" and not re.fullmatch(r"[^\s]+(\s?[^\s]+)*", text):
        raise NotFhirError
    if kind == "id" and not re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", text):
        raise NotFhirError
    if kind == "time" and not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]?\d(:[0-5]?\d(\.\d+)?)?", text):
        raise NotFhirError
    return text


def read_resource(kind: str, value: Any, at: str, faults: list[str]) -> Any:
    """The value as one of a type; the places at which it is none are added to the faults."""
    if not isinstance(value, dict):
        faults.append(at)
        return ABSENT
    table = {name: (spec.split()[0].rstrip("*!"), "*" in spec, spec) for name, spec in ELEMENTS[kind].items()}
    for key, item in value.items():
        if key not in table and not _beside(kind, key, item, table):
            faults.append(f"{at}.{key}")
    choices: dict[str, list[bool]] = {}
    read: dict[str, Any] = {}
    for name, (own, many, spec) in table.items():
        item, choice = value.get(name), spec.partition(" ")[2]
        if choice:
            choices.setdefault(choice.rstrip("!"), []).append(item is not None)
            if choice.endswith("!"):
                choices.setdefault("!" + choice.rstrip("!"), []).append(item is not None)
        elif spec.endswith("!") and item is None and f"_{name}" not in value and (kind, name) != ("Extension", "url"):
            faults.append(f"{at}.{name}")
        if item is not None:
            found = _read_element(own, many, item, f"{at}.{name}", faults)
            if found is not ABSENT and found != {} and found != []:
                read[name] = found
        if value.get(f"_{name}") is not None:
            read[f"_{name}"] = value[f"_{name}"]
    for choice, sent in choices.items():
        if (sum(sent) == 0) if choice.startswith("!") else sum(sent) > 1:
            faults.append(f"{at}.{choice.lstrip('!')}")
    return read


def _beside(kind: str, key: str, item: Any, table: dict[str, Any]) -> bool:
    if key in ("resourceType", "resource_type"):
        return bool(item == kind)
    if key == "fhir_comments":
        return all(isinstance(each, str) for each in (item if isinstance(item, list) else [item]))
    own = table.get(key[1:]) if key.startswith("_") else None
    if own is None or not own[0][0].islower():
        return False
    items = item if own[1] and isinstance(item, list) else [item]
    return all(
        each is None or (isinstance(each, dict) and each.keys() <= {"id", "extension", "fhir_comments"}) for each in items
    )


def _read_element(own: str, many: bool, value: Any, at: str, faults: list[str]) -> Any:
    if not many:
        return _read_one(own, value, at, faults)
    if not isinstance(value, list):
        faults.append(at)
        return ABSENT
    read = []
    for index, item in enumerate(value):
        if item is None and own[0].islower():
            read.append(None)
            continue
        found = _read_one(own, item, f"{at}[{index}]", faults)
        if found is not ABSENT:
            read.append(None if found == {} else found)
    return read


def _read_one(own: str, value: Any, at: str, faults: list[str]) -> Any:
    if own == "Resource":
        kind = value.get("resourceType") if isinstance(value, dict) else None
        if not isinstance(kind, str) or "id" not in ELEMENTS.get(kind, {}):
            faults.append(at)
            return ABSENT
        read = read_resource(kind, value, at, faults)
        return {"resourceType": kind, **read} if isinstance(read, dict) else read
    if not own[0].islower():
        return read_resource(own, value, at, faults)
    try:
        return read_primitive(own, value)
    except (ValueError, ArithmeticError, OverflowError, TypeError):
        faults.append(at)
        return ABSENT
