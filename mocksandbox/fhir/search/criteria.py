"""One criterion of a search: `parameter[:modifier]=value,value`, or a chain, as a test of resources."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mocksandbox.fhir.search.escapes import plain, split
from mocksandbox.fhir.search.parameters import Parameter, Reach, ResourceType, Types
from mocksandbox.fhir.search.references import parse_reference, reference_matches, resolve
from mocksandbox.fhir.search.spans import COMPARE, around, span_in, span_of
from mocksandbox.fhir.search.strings import string_matches, strings_in
from mocksandbox.fhir.search.tokens import (
    of_type_matches,
    parse_token,
    text_matches,
    token_matches,
    tokens_in,
)

Test = Callable[[Any, Reach], bool]
"""Whether a resource is one of those that are looked for."""

ValueTest = Callable[[Any, Reach], bool]
"""The same of one value in a resource."""


@dataclass(frozen=True)
class Problem:
    """Why a parameter cannot be used: of what kind that is (`unknown`, `modifier`, `chain`, `date`, `reference`, `token`,
    `missing`, or a control parameter's name), the parameter as it was sent, and a phrase that follows it.
    """

    kind: str
    name: str
    says: str


MODIFIERS = {
    "token": ("not", "text", "of-type"),
    "string": ("exact", "contains"),
    "reference": ("identifier",),
    "date": (),
    "uri": (),
    "id": (),
}
"""The modifiers of each type of parameter, beside `missing`, which all have, and the types that a reference leads to."""


def criterion(name: str, text: str, row: ResourceType, types: Types) -> Test | Problem:
    """The test for one parameter of a query, or why there is none."""
    head, chained, rest = name.partition(".")
    plain_name, _, modifier = head.partition(":")
    parameter = row.search.get(plain_name)
    if parameter is None:
        near = ", ".join(sorted(row.search))
        return Problem("unknown", name, f"is no search parameter of {row.name}; there are {near}")
    if chained:
        return _chain(name, parameter, modifier, rest, text, types)
    if modifier == "missing":
        return _missing(name, parameter, text)
    allowed = (*MODIFIERS[parameter.type], *(parameter.targets if parameter.type == "reference" else ()))
    if modifier and modifier not in allowed:
        known = ", ".join((*allowed, "missing"))
        return Problem("modifier", name, f"has a modifier that is not supported here; a {parameter.type} has {known}")
    tests = [_PARSE[parameter.type](parameter, modifier, name, part) for part in split(text, ",")]
    for test in tests:
        if isinstance(test, Problem):
            return test
    good = [test for test in tests if not isinstance(test, Problem)]
    if modifier == "not":
        return lambda resource, reach: not _any(parameter, good, resource, reach)
    return lambda resource, reach: _any(parameter, good, resource, reach)


def _any(parameter: Parameter, tests: Iterable[ValueTest], resource: Any, reach: Reach) -> bool:
    return any(test(value, reach) for value in parameter.read(resource) for test in tests)


def _missing(name: str, parameter: Parameter, text: str) -> Test | Problem:
    if text not in ("true", "false"):
        return Problem("missing", name, "must be true or false")
    absent = text == "true"
    return lambda resource, _: (next(parameter.read(resource), None) is None) is absent


def _chain(name: str, parameter: Parameter, modifier: str, rest: str, text: str, types: Types) -> Test | Problem:
    if parameter.type != "reference":
        return Problem("chain", name, f"cannot be followed: {parameter.name} is no reference")
    if modifier and modifier not in parameter.targets:
        return Problem("chain", name, f"cannot be followed: {parameter.name} leads to {' or '.join(parameter.targets)}")
    held = [target for target in parameter.targets if target in types and modifier in ("", target)]
    tests: dict[str, Test] = {}
    for target in held:
        made = criterion(rest, text, types[target], types)
        if not isinstance(made, Problem):
            tests[target] = made
        elif made.kind != "unknown":
            return Problem(made.kind, name, made.says)
    if not tests:
        where = " or ".join(held) or "a type that is not held here"
        return Problem("chain", name, f"cannot be followed: {rest.partition('.')[0]} is no search parameter of {where}")

    def test(resource: Any, reach: Reach) -> bool:
        return any(
            kind in tests and tests[kind](found, reach)
            for value in parameter.read(resource)
            for kind, found in resolve(value, resource, reach)
        )

    return test


def _token(parameter: Parameter, modifier: str, name: str, text: str) -> ValueTest | Problem:
    if modifier == "text":
        return lambda value, _: text_matches(text, value)
    if modifier == "of-type":
        parts = [plain(part) for part in split(text, "|")]
        if len(parts) != 3 or not all(parts):
            return Problem("token", name, "must be the identifier's type and value: system|code|value")
        return lambda value, _: of_type_matches((parts[0], parts[1], parts[2]), value)
    asked = parse_token(text)
    if asked in ((None, ""), ("", None)):
        return Problem("token", name, "must name a code: code, system|code, |code or system|")

    def test(value: Any, _: Reach) -> bool:
        implied = isinstance(value, (str, bool))
        return any(token_matches(asked, token, implied=implied) for token in tokens_in(value, parameter.system))

    return test


def _date(_: Parameter, __: str, name: str, text: str) -> ValueTest | Problem:
    prefix = text[:2] if text[:2] in COMPARE else ""
    asked = span_of(text[len(prefix) :])
    if asked is None:
        hint = " (a + in a URL is written %2B)" if " " in text else ""
        examples = "2024, 2024-03, ge2024-03-01, lt2024-03-01T10:20:30Z"
        says = f"must be a date, or a moment of it, after a prefix or none: {examples}{hint}"
        return Problem("date", name, says)
    compare = COMPARE[prefix or "eq"]

    def test(value: Any, reach: Reach) -> bool:
        have = span_in(value)
        return have is not None and compare(around(asked, reach.now) if prefix == "ap" else asked, have)

    return test


def _reference(parameter: Parameter, modifier: str, name: str, text: str) -> ValueTest | Problem:
    if modifier == "identifier":
        identifier = parse_token(text)
        return lambda value, _: (
            isinstance(value, dict)
            and any(token_matches(identifier, token, implied=False) for token in tokens_in(value.get("identifier"), ""))
        )
    types = (modifier,) if modifier else parameter.targets
    asked = parse_reference(plain(text))
    if asked is None or (asked.type and asked.type not in types):
        return Problem("reference", name, f"must be an id, {' or '.join(f'{each}/id' for each in types)}, or a URL")

    def test(value: Any, reach: Reach) -> bool:
        # A URL below this server's own base is an id on it, and that base is known only now.
        target = parse_reference(asked.url, reach.base_url) if asked.url else asked
        return target is not None and reference_matches(target, value, reach, types)

    return test


def _string(_: Parameter, modifier: str, __: str, text: str) -> ValueTest | Problem:
    wanted = plain(text)
    return lambda value, _: any(string_matches(wanted, have, modifier) for have in strings_in(value))


def _exact(_: Parameter, __: str, ___: str, text: str) -> ValueTest | Problem:
    wanted = plain(text)
    return lambda value, _: value == wanted


_PARSE: dict[str, Callable[[Parameter, str, str, str], ValueTest | Problem]] = {
    "token": _token,
    "date": _date,
    "reference": _reference,
    "string": _string,
    "uri": _exact,
    "id": _exact,
}
