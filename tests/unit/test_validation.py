"""The compiled plan gives the verdicts of openapi-core as it comes, on mutated requests of every operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest

from mocksandbox.contract import Contract, Match
from mocksandbox.contract.validation import OpenApiCheck
from mocksandbox.exchange import Headers, Request
from mocksandbox.provider import open_provider
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING, change, walk

SEED = 20_240_601
BODIES = 800
"""How many mutated bodies of each operation that takes JSON, of some thousands."""

VALUES: tuple[Any, ...] = (
    MISSING,
    None,
    True,
    5,
    0.5,
    -1,
    "",
    "x",
    " ",
    "2021-02-30",
    "2021-02-07T13:28:17Z",
    [],
    ["x"],
    {},
    {"x": 1},
    [{}],
)
HEADERS = {
    "X-Request-ID": (None, "", "abc", "60E0B220-8136-4CA5-AE46-1D97EF59D068", "60e0b220-8136-4ca5-ae46-1d97ef59d068"),
    "X-Correlation-ID": ("", "x", "11C46F5F-CDEF-4865-94B2-0EE0EDCC26DA"),
    "E-Tag": (None, "", "0", "1", "-1", "1.0", "abc", '"1"', "99999999999999999999"),
    "Accept": (None, "", "application/xml"),
    "Prefer": ("code=404",),
    "Authorization": ("Bearer x",),
}
QUERY = {
    "patient.identifier": ((), ("",), ("x",), ("https://fhir.nhs.uk/Id/nhs-number|9000000009",), ("a", "b")),
    "-immunization.target": ((), ("",), ("COVID",), ("COVID,FLU",), ("covid",), ("FLU", "COVID"), (",",), ("FLU,x",)),
    "target-disease": (("",), ("x",), ("http://snomed.info/sct|14189004",)),
    "identifier": (("",), ("https://x.example|1",)),
    "_elements": (("",), ("id",), ("id,meta",), ("status",), ("id", "meta")),
    "-date.from": (("",), ("2021-02-07",), ("2021-02-30",), ("2021",), ("20210207",), ("2021-W06-7",)),
    "-date.to": (("2021-02-07", "2021-02-08"), ("x",)),
    "_include": (("",), ("Immunization:patient",), ("x",)),
    "unknown": (("x",), ("",)),
}
MEDIA_TYPES = (
    None, "", "text/plain", "application/json", "application/fhir+json", "application/fhir+json; charset=utf-8",
    "APPLICATION/FHIR+JSON", "application/fhir+xml", "application/x-www-form-urlencoded", "multipart/form-data",
)  # fmt: skip
RAW = (
    b"",
    b"{",
    b"null",
    b"[]",
    b"5",
    b'"x"',
    b"\xff",
    b"{}",
    b'{"resourceType": "\\ud800"}',
    b'{"recorded": NaN}',
    b"a=b",
    b'{"doseQuantity": {"value": 0.500}}',
    b'{"x": 1e999, "y": 123456789012345678901234567890}',
)

FORM_ENDS = (
    *(b"&", b"&&", b"&a", b"&=", b"&=b", b"&a=b=c", b";a=b", b"&%", b"&%zz=1", b"&%FF=1", b"&_include=%FF", b"&_include=\xff"),
    *(
        b"&_include",
        b"&_include=",
        b"&_include=a&_include=b",
        b"&%5Finclude=+",
        b"&-date.from=2021%2D02-07",
        b"&_elements=id\x00",
    ),
)
"""What may stand at the end of a form."""


@cache
def contract() -> Contract:
    return open_provider("nhs").contract


def valid(operation: str) -> Attempt:
    make = open_provider("nhs").valid
    assert make is not None
    return make(operation)


def mutated(operation: str) -> Iterator[Request]:
    """The valid request of an operation, changed in one place."""
    attempt = valid(operation)
    request = attempt.request
    yield request
    for name, values in HEADERS.items():
        yield from (request.with_header(name, value) for value in values)
    yield replace(request, headers=Headers([*request.headers.pairs, *request.headers.pairs]))
    for media_type in MEDIA_TYPES:
        yield request.with_header("Content-Type", media_type)
    yield from (replace(request, body=raw) for raw in RAW)
    yield from (replace(request, query=query) for query in queries(request))
    if request.media_type.endswith("form-urlencoded"):
        yield from (replace(request, body=urlencode(form).encode()) for form in queries(request))
        yield from (replace(request, body=request.body + end) for end in FORM_ENDS)
        yield from (replace(request, body=end) for end in FORM_ENDS)
    if isinstance(attempt.body, dict):
        yield from bodies(attempt)


def queries(request: Request) -> Iterator[tuple[tuple[str, str], ...]]:
    given = request.query or (("patient.identifier", "https://fhir.nhs.uk/Id/nhs-number|9000000009"),)
    for name, choices in QUERY.items():
        for values in choices:
            yield (*(pair for pair in given if pair[0] != name), *((name, value) for value in values))
    yield ()


def bodies(attempt: Attempt) -> Iterator[Request]:
    places = [(path, value) for path, _ in walk(attempt.body) if path for value in VALUES]
    for path, value in Random(SEED).sample(places, BODIES):
        yield attempt.request.with_json(change(attempt.body, path, lambda _, value=value: value))


def paths(operation: str) -> Iterator[str]:
    template = contract().operation(operation).path
    for id in ("", "a", "a b", "a_b", "x" * 65, "%20", "60E0B220-8136-4CA5-AE46-1D97EF59D068") if "{id}" in template else ():
        yield template.replace("{id}", id)


OPERATIONS = [operation.id for operation in open_provider("nhs").contract.operations]


def cases(operation: str) -> list[Request]:
    request = valid(operation).request
    return [*mutated(operation), *(replace(request, path=path) for path in paths(operation))]


def test_there_are_many_requests_of_both_verdicts() -> None:
    verdicts = [bool(planned().request(request, matched(request))) for each in OPERATIONS for request in cases(each)]
    assert len(verdicts) >= 600
    assert min(verdicts.count(True), verdicts.count(False)) > 100


@cache
def planned() -> OpenApiCheck:
    return OpenApiCheck(contract())


def matched(request: Request) -> Match:
    match = contract().router.find(request.method, request.path)
    assert isinstance(match, Match)
    return match


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_plan_and_stock_openapi_core_give_the_same_verdict(operation: str) -> None:
    stock = OpenApiCheck(contract(), stock=True)
    for request in cases(operation):
        match = matched(request)
        mine, theirs = planned().request(request, match), stock.request(request, match)
        assert {(v.where, v.name) for v in mine} == {(v.where, v.name) for v in theirs}, (request, mine, theirs)


def test_a_violation_names_the_place_and_not_the_value() -> None:
    attempt = valid("createImmunization")
    body = change(attempt.body, ("contained", 1, "gender"), lambda _: {"secret": "Hart"})
    (found,) = attempt.with_body(body).violations
    assert (found.where, found.path) == ("body", ("contained", 1, "gender"))
    assert "Hart" not in found.problem


def test_a_missing_parameter_and_a_missing_body_are_violations() -> None:
    update = valid("updateImmunization").with_header("E-Tag", None).with_raw(b"")
    assert [(v.where, v.name, v.keyword) for v in update.violations] == [
        ("header", "E-Tag", "missing"),
        ("body", "", "missing"),
    ]


def test_a_record_with_a_lone_surrogate_is_checked_too() -> None:
    attempt = valid("createImmunization")
    assert not attempt.with_body(change(attempt.body, ("lotNumber",), lambda _: "\ud800")).violations
    (found,) = attempt.with_body(change(attempt.body, ("lotNumber",), lambda _: ["\ud800"])).violations
    assert found.path == ("lotNumber",)


def test_a_media_type_that_the_document_does_not_know_is_a_violation_of_the_header() -> None:
    (found,) = valid("createImmunization").with_header("Content-Type", "text/plain").violations
    assert (found.where, found.name, found.keyword) == ("header", "Content-Type", "media-type")
