"""R4's invariants: for each whether a value keeps it. What they are called and why is contracts/fhir/invariants.yaml.

A test is given an object of its type whose parts may be wrong in any way, and never raises. What is looked at across a whole
resource (dom-2 to dom-5, ref-1, bdl-*) or in every value (ele-1, txt-1) is not here but in the walk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from math import isfinite
from typing import Any

from mocksandbox.contract import read_mapping
from mocksandbox.fhir.strict.bundle import look_at_bundle
from mocksandbox.fhir.strict.coded import unknown_code
from mocksandbox.fhir.strict.definitions import ancestors
from mocksandbox.fhir.strict.hits import Trail, shown
from mocksandbox.fhir.strict.moments import certainly_after
from mocksandbox.fhir.strict.walk import Handler, Walk
from mocksandbox.resources import contracts_root

UCUM = "http://unitsofmeasure.org"

Value = Mapping[str, Any]


HOLDS: dict[str, Callable[[Value], bool]] = {}
"""Whether a value keeps an invariant, by R4's key. Those of a Bundle are not here: they are looked at together."""


@dataclass(frozen=True)
class Invariant:
    """One invariant of contracts/fhir/invariants.yaml, as it stands there.

    `at` is the element below the value that is named when it is broken. `broken` is something that breaks it and nothing
    else: an extension's value (`{"valuePeriod": …}`) or a whole resource; `others` do so too, by name.
    """

    rule: str
    key: str
    type: str
    title: str
    why: str
    broken: Mapping[str, Any] = field(compare=False)
    at: str = ""
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, compare=False)


@cache
def invariants() -> tuple[Invariant, ...]:
    """All invariants of the table."""
    table = read_mapping(contracts_root() / "fhir" / "invariants.yaml")["invariants"]
    return tuple(Invariant(**row) for row in table)


def has(value: Value, *names: str) -> bool:
    """Whether any of these elements is there, if only with extensions."""
    return any(name in value or f"_{name}" in value for name in names)


def _starts(value: Value, stem: str) -> bool:
    return any(key.startswith((stem, f"_{stem}")) for key in value)


def _objects(items: Any) -> list[Value]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _text(value: Any) -> str:
    """A string, and `""` for anything else, which can be compared whatever it was."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> float | Decimal | None:
    """A JSON number that can be compared, else None."""
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if numeric and isfinite(value) else None


def _unit(value: Value) -> bool:
    """A value has a code, and its system, where there is one, is UCUM."""
    return (has(value, "code") or not has(value, "value")) and (_text(value.get("system")) or UCUM) == UCUM


def _positive(value: Value) -> bool:
    own = number(value.get("value"))
    return own is None or own > 0


def _whole(value: Value) -> bool:
    own = number(value.get("value"))
    return own is None or own == (own.to_integral_value() if isinstance(own, Decimal) else int(own))


def _in_order(value: Value) -> bool:
    """A range whose low is not above its high, where both are of one unit."""
    low, high = value.get("low"), value.get("high")
    if not isinstance(low, dict) or not isinstance(high, dict):
        return True
    if any(_text(low.get(name)) != _text(high.get(name)) for name in ("system", "code", "unit")):
        return True
    lowest, highest = number(low.get("value")), number(high.get("value"))
    return lowest is None or highest is None or lowest <= highest


def _not_negative(name: str) -> Callable[[Value], bool]:
    def holds(value: Value) -> bool:
        own = number(value.get(name))
        return own is None or own >= 0

    return holds


def _together(name: str, other: str) -> Callable[[Value], bool]:
    return lambda value: not has(value, name) or has(value, other)


def _at_least_one(*names: str) -> Callable[[Value], bool]:
    return lambda value: has(value, *names)


def _meals(value: Value) -> bool:
    when = value.get("when")
    events = [event for event in when if isinstance(event, str)] if isinstance(when, list) else []
    return not has(value, "offset") or (has(value, "when") and not {"C", "CM", "CD", "CV"} & set(events))


def _one_filter(value: Value) -> bool:
    return has(value, "path") != has(value, "searchParam")


def _trigger(value: Value) -> bool:
    kind = value.get("type")
    data = isinstance(kind, str) and kind.startswith("data-")
    return (
        (kind != "named-event" or has(value, "name"))
        and (kind != "periodic" or _starts(value, "timing"))
        and (not data or has(value, "data"))
    )


def _obs_7(value: Value) -> bool:
    own = _coded(value.get("code"))
    same = any(own & _coded(component.get("code")) for component in _objects(value.get("component")))
    return not _starts(value, "value") or not same


def _coded(concept: Any) -> set[tuple[Any, Any]]:
    codings = _objects(concept.get("coding")) if isinstance(concept, dict) else []
    pairs = [(coding.get("system"), coding.get("code")) for coding in codings]
    return {pair for pair in pairs if isinstance(pair[1], str) and isinstance(pair[0], (str, type(None)))}


def _has_code(concept: Any, *codes: str) -> bool:
    return any(code in codes for _, code in _coded(concept))


def _no_home(name: str) -> Callable[[Value], bool]:
    return lambda value: all(item.get("use") != "home" for item in _objects(value.get(name)))


def _parameter(value: Value) -> bool:
    return has(value, "part") + _starts(value, "value") + has(value, "resource") == 1


def _distinct(name: str, *keys: str) -> Callable[[Value], bool]:
    def holds(value: Value) -> bool:
        made = [tuple(_text(item.get(key)) for key in keys) for item in _objects(value.get(name))]
        return len(set(made)) == len(made)

    return holds


def _of_kind(kind: str, *, needs: tuple[str, ...] = (), lacks: tuple[str, ...] = ()) -> Callable[[Value], bool]:
    """What a CapabilityStatement of a kind must have and must not have."""
    return lambda value: (
        value.get("kind") != kind or (all(has(value, name) for name in needs) and not any(has(value, name) for name in lacks))
    )


HOLDS.update(
    {
        "age-1": lambda value: _unit(value) and _positive(value),
        "att-1": _together("data", "contentType"),
        "cnt-3": lambda value: _unit(value) and (_text(value.get("code")) or "1") == "1" and _whole(value),
        "con-1": _at_least_one("summary", "assessment"),
        "con-2": _at_least_one("code", "detail"),
        "con-4": lambda value: (
            not _starts(value, "abatement") or _has_code(value.get("clinicalStatus"), "inactive", "resolved", "remission")
        ),
        "con-5": lambda value: (
            not has(value, "clinicalStatus") or not _has_code(value.get("verificationStatus"), "entered-in-error")
        ),
        "cpb-1": _at_least_one("rest", "messaging", "document"),
        "cpb-2": _at_least_one("description", "software", "implementation"),
        "cpb-7": _distinct("document", "profile", "mode"),
        "cpb-9": _distinct("resource", "type"),
        "cpb-12": _distinct("searchParam", "name"),
        "cpb-14": _of_kind("instance", needs=("implementation",)),
        "cpb-15": _of_kind("capability", needs=("software",), lacks=("implementation",)),
        "cpb-16": _of_kind("requirements", lacks=("implementation", "software")),
        "cpt-2": _together("value", "system"),
        "dis-1": _unit,
        "drq-1": _one_filter,
        "drq-2": _one_filter,
        "drt-1": _unit,
        "exp-1": _at_least_one("expression", "reference"),
        "ext-1": lambda value: has(value, "extension") != _starts(value, "value"),
        "imm-1": _at_least_one("documentType", "reference"),
        "imr-1": _at_least_one("vaccineCode", "targetDisease"),
        "inv-1": _parameter,
        "obs-3": _at_least_one("low", "high", "text"),
        "obs-6": lambda value: not has(value, "dataAbsentReason") or not _starts(value, "value"),
        "obs-7": _obs_7,
        "org-1": _at_least_one("identifier", "name"),
        "org-2": _no_home("address"),
        "org-3": _no_home("telecom"),
        "pat-1": _at_least_one("name", "telecom", "address", "organization"),
        "per-1": lambda value: not certainly_after(value.get("start"), value.get("end")),
        "qty-3": _together("code", "system"),
        "rat-1": lambda value: has(value, "numerator") == has(value, "denominator") and has(value, "numerator", "extension"),
        "rng-2": _in_order,
        "sqty-1": lambda value: not has(value, "comparator"),
        "tim-1": _together("duration", "durationUnit"),
        "tim-2": _together("period", "periodUnit"),
        "tim-4": _not_negative("duration"),
        "tim-5": _not_negative("period"),
        "tim-6": _together("periodMax", "period"),
        "tim-7": _together("durationMax", "duration"),
        "tim-8": _together("countMax", "count"),
        "tim-9": _meals,
        "tim-10": lambda value: not has(value, "timeOfDay") or not has(value, "when"),
        "trd-1": lambda value: not has(value, "data") or not _starts(value, "timing"),
        "trd-2": _together("condition", "data"),
        "trd-3": _trigger,
    }
)


@cache
def after(type_name: str) -> tuple[Handler, ...]:
    """What is looked at in an object of a type once its elements were: its invariants, and those of what it is built on."""
    chain = ancestors(type_name)
    tests = [_handler(each) for each in invariants() if each.type in chain and each.key in HOLDS]
    return (*tests, *(look for name, look in _OTHERS.items() if name in chain))


def _handler(invariant: Invariant) -> Handler:
    holds, rule, at = HOLDS[invariant.key], invariant.rule, invariant.at

    def look(value: Any, trail: Trail, walk: Walk) -> None:
        if not holds(value):
            walk.add(rule, (trail, at) if at else trail)

    return look


# In time, by UCUM: what a Duration may be counted in.
_TIMES = frozenset({"ns", "us", "ms", "s", "min", "h", "d", "wk", "mo", "mo_j", "mo_s", "mo_g", "a", "a_j", "a_t", "a_g"})


def _time_unit(value: Any, trail: Trail, walk: Walk) -> None:
    """A Duration counted in something that is no time (`m` is the metre)."""
    code = value.get("code")
    if isinstance(code, str) and value.get("system") == UCUM and code not in _TIMES:
        walk.add("not-a-time", (trail, "code"), found=shown(code))


def _narrative(value: Any, trail: Trail, walk: Walk) -> None:
    """A resource that stands on its own should have a narrative."""
    if walk.scope.within is None and not has(value, "text"):
        walk.add("no-narrative", (trail, "text"))


_OTHERS: Mapping[str, Handler] = {
    "Coding": unknown_code,
    "Duration": _time_unit,
    "DomainResource": _narrative,
    "Bundle": look_at_bundle,
}
