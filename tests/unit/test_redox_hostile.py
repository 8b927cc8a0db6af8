"""Whatever stands anywhere in a request, the mock of Redox answers it or refuses it, and never fails."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from mocksandbox.exchange import FORM, Headers, Request
from mocksandbox.provider import open_provider
from mocksandbox.providers.redox.parts import WRITES
from mocksandbox.rules.places import change, walk
from mocksandbox.sandbox import Sandbox

ODD: tuple[Any, ...] = (
    *(None, 5, True, "", " ", "x", [], {}, [[]], [None], {"x": {}}),
    *("\ud800", Decimal("1e999"), -0.0, 2**70, "#x", "urn:uuid:1"),
)
FEW: tuple[Any, ...] = (None, "x", {}, [None], "\ud800")
"""For where the document's schema stands in front: it sees types only."""


def valid(operation: str) -> Request:
    provider = open_provider("redox")
    assert provider.valid is not None
    return provider.valid(operation).request


@pytest.mark.parametrize("profile", ["integration", "documented"])
@pytest.mark.parametrize("operation", sorted(WRITES))
def test_an_odd_value_anywhere_is_taken_or_refused(operation: str, profile: str) -> None:
    sandbox = Sandbox(open_provider("redox"), profile, strict=True)
    request = valid(operation)
    body = request.json()
    places = [path for path, _ in walk(body)]
    assert len(places) > 50
    for place in places:
        for odd in ODD if profile == "integration" else FEW:
            value: Any = odd
            answer = sandbox.handle(request.with_json(change(body, place, lambda _, value=value: value)))
            entry = sandbox.journal.last()
            assert entry is not None
            assert answer.status in (200, 400), (place, odd, answer.body)
            assert not entry.bugs, (place, odd, entry.bugs)


@pytest.mark.parametrize("operation", sorted(WRITES))
@pytest.mark.parametrize("answer", ["message", "transaction-response", "nonsense"])
def test_an_odd_value_anywhere_is_acknowledged_in_the_documents_form(operation: str, answer: str) -> None:
    sandbox = Sandbox(open_provider("redox"), strict=True)
    request = valid(operation).with_header("Prefer", f"answer={answer}, handling=lenient")
    body = request.json()
    for place in [path for path, _ in walk(body["entry"][0], ("entry", 0))] + [("id",), ("entry", 1, "resource", "id")]:
        for odd in ODD:
            value: Any = odd
            sandbox.handle(request.with_json(change(body, place, lambda _, value=value: value)))
            entry = sandbox.journal.last()
            assert entry is not None
            assert not entry.bugs, (place, odd, entry.bugs)


FORMS = (
    b"",
    b"&&&==",
    b"patient",
    b"patient=%ff%fe",
    b"patient=%00",
    b"date=0000",
    b"date=9999-12-31",
    b"date=ap0001",
    b"date=ap9999",
    b"date=,",
    b"date=2024,2025",
    b"status=,",
    b"status=completed&status=completed",
    b"patient.identifier=|||",
    b"patient.identifier=%7C",
    b"patient.identifier=a|b|c",
    b"unknown=1",
    b"_count=0",
    b"\xff\xfe",
    b"{}",
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("operation", ["immunizationSearch", "encounterSearch"])
@pytest.mark.parametrize("profile", ["integration", "documented"])
def test_an_odd_search_is_answered_or_refused(operation: str, form: bytes, profile: str) -> None:
    sandbox = Sandbox(open_provider("redox"), profile, strict=True)
    answer = sandbox.handle(replace(valid(operation), body=form))
    entry = sandbox.journal.last()
    assert entry is not None
    assert answer.status in (200, 400), answer.body
    assert not entry.bugs


@pytest.mark.parametrize(
    "path", ["/", "//", "/a", "/%", "/%00/%ff/Immunization/$write", "/../Immunization/$write", "/x/y/z/$write"]
)
def test_an_odd_path_is_not_found(path: str) -> None:
    sandbox = Sandbox(open_provider("redox"), strict=True)
    assert sandbox.handle(Request("POST", path, headers=Headers([("Content-Type", FORM)]))).status == 404
