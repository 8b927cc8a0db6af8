"""One criterion of a search: `parameter[:modifier]=value,value`, or a chain, as a test of resources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from mocksandbox.fhir.search.dates import Dates
from mocksandbox.fhir.search.escapes import plain, split
from mocksandbox.fhir.search.limits import MOST_STEPS
from mocksandbox.fhir.search.parameters import Parameter, Reach, ResourceType, Types
from mocksandbox.fhir.search.references import Leading, parse_reference, resolve
from mocksandbox.fhir.search.spans import COMPARE, Span, span_in, span_of
from mocksandbox.fhir.search.strings import fold, like, strings_in
from mocksandbox.fhir.search.tokens import Wanted, parse_token, text_matches, tokens_in

Test = Callable[[Any, Reach], bool]
"""Whether a resource is one of those that are looked for."""

ValueTest = Callable[[Any, Reach], bool]
"""The same of one value in a resource."""


@dataclass(frozen=True)
class Problem:
    """Why a parameter cannot be used: of what kind that is (`unknown`, `modifier`, `chain`, `date`, `reference`, `token`,
    `missing`, or a control parameter's name; `excess` for all together), the parameter as it was sent, and a phrase that
    follows it.
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
    test = _PARSE[parameter.type](parameter, modifier, name, list(dict.fromkeys(split(text, ","))))
    if isinstance(test, Problem):
        return test
    if modifier == "not":
        return lambda resource, reach: not _any(parameter, test, resource, reach)
    if isinstance(test, Coded):
        return Having(parameter, test)
    return lambda resource, reach: _any(parameter, test, resource, reach)


def _any(parameter: Parameter, test: ValueTest, resource: Any, reach: Reach) -> bool:
    return any(test(value, reach) for value in parameter.read(resource))


@dataclass(frozen=True)
class Coded:
    """The test whether a value has one of the tokens that are asked for. `system` is what a plain code belongs to."""

    wanted: Wanted
    system: str

    def __call__(self, value: Any, _: Reach) -> bool:
        """Whether it has."""
        implied = isinstance(value, (str, bool))
        return any(self.wanted.has(token, implied=implied) for token in tokens_in(value, self.system))


@dataclass(frozen=True)
class Having:
    """The test whether a resource has a token, which says of itself what it looks for: it may be looked up."""

    parameter: Parameter
    test: Coded

    def __call__(self, resource: Any, reach: Reach) -> bool:
        """Whether it has."""
        return _any(self.parameter, self.test, resource, reach)


def _missing(name: str, parameter: Parameter, text: str) -> Test | Problem:
    if text not in ("true", "false"):
        return Problem("missing", name, "must be true or false")
    absent = text == "true"
    return lambda resource, _: (next(parameter.read(resource), None) is None) is absent


def _chain(name: str, parameter: Parameter, modifier: str, rest: str, text: str, types: Types) -> Test | Problem:
    if rest.count(".") >= MOST_STEPS:
        return Problem("chain", f"{name[:40]}...", f"is a chain of more than {MOST_STEPS} references, which are the most")
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


def _token(parameter: Parameter, modifier: str, name: str, parts: Sequence[str]) -> ValueTest | Problem:
    if modifier == "text":
        words = [fold(plain(part)) for part in parts]
        return lambda value, _: text_matches(words, value)
    if modifier == "of-type":
        return _of_type(name, parts)
    asked = [parse_token(part) for part in parts]
    if (None, "") in asked or ("", None) in asked:
        return Problem("token", name, "must name a code: code, system|code, |code or system|")
    return Coded(Wanted.of(asked), parameter.system)


def _of_type(name: str, parts: Sequence[str]) -> ValueTest | Problem:
    types: dict[str, list[tuple[str, str]]] = {}
    for each in parts:
        asked = [plain(part) for part in split(each, "|")]
        if len(asked) != 3 or not all(asked):
            return Problem("token", name, "must be the identifier's type and value: system|code|value")
        types.setdefault(asked[2], []).append((asked[0], asked[1]))
    wanted = {value: Wanted.of(pairs) for value, pairs in types.items()}

    def test(value: Any, _: Reach) -> bool:
        text = value.get("value") if isinstance(value, dict) else None
        one = wanted.get(text) if isinstance(text, str) else None
        return one is not None and any(one.has(token, implied=False) for token in tokens_in(value.get("type"), ""))

    return test


def _date(_: Parameter, __: str, name: str, parts: Sequence[str]) -> ValueTest | Problem:
    asked: list[tuple[str, Span]] = []
    for text in parts:
        prefix = text[:2] if text[:2] in COMPARE else ""
        span = span_of(text[len(prefix) :])
        if span is None:
            hint = " (a + in a URL is written %2B)" if " " in text else ""
            examples = "2024, 2024-03, ge2024-03-01, lt2024-03-01T10:20:30Z"
            says = f"must be a date, or a moment of it, after a prefix or none: {examples}{hint}"
            return Problem("date", name, says)
        asked.append((prefix, span))

    @lru_cache(maxsize=1)
    def dates(now: datetime) -> Dates:
        return Dates(asked, now)

    def test(value: Any, reach: Reach) -> bool:
        have = span_in(value)
        return have is not None and dates(reach.now).match(have)

    return test


def _reference(parameter: Parameter, modifier: str, name: str, parts: Sequence[str]) -> ValueTest | Problem:
    if modifier == "identifier":
        identifiers = Wanted.of(map(parse_token, parts))
        return lambda value, _: (
            isinstance(value, dict)
            and any(identifiers.has(token, implied=False) for token in tokens_in(value.get("identifier"), ""))
        )
    types = (modifier,) if modifier else parameter.targets
    asked = [parse_reference(plain(part)) for part in parts]
    targets = [each for each in asked if each is not None and (not each.type or each.type in types)]
    if len(targets) < len(asked):
        return Problem("reference", name, f"must be an id, {' or '.join(f'{each}/id' for each in types)}, or a URL")

    @lru_cache(maxsize=1)
    def leading(base_url: str) -> Leading:
        # A URL below this server's own base is an id on it, and that base is known only now.
        local = [parse_reference(each.url, base_url) if each.url else each for each in targets]
        return Leading.to([each for each in local if each is not None], types)

    return lambda value, reach: leading(reach.base_url).has(value, reach)


def _string(_: Parameter, modifier: str, __: str, parts: Sequence[str]) -> ValueTest | Problem:
    test = like([plain(part) for part in parts], modifier)
    return lambda value, _: any(map(test, strings_in(value)))


def _exact(_: Parameter, __: str, ___: str, parts: Sequence[str]) -> ValueTest | Problem:
    wanted = frozenset(map(plain, parts))
    return lambda value, _: isinstance(value, str) and value in wanted


_PARSE: dict[str, Callable[[Parameter, str, str, Sequence[str]], ValueTest | Problem]] = {
    "token": _token,
    "date": _date,
    "reference": _reference,
    "string": _string,
    "uri": _exact,
    "id": _exact,
}
