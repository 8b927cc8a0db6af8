"""The labels of payloads beside what is known of the real services: a wrong rule would make payloads and mock wrong alike.

What is known comes from outside: validators and recorded answers (SOURCES.md). The requests are made up here, so they show too
that made-up records behave as real ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from mocksandbox import Request, Response, Sandbox, open_provider
from mocksandbox.contract import read_mapping
from mocksandbox.generators import Payload, broken_payloads, label
from mocksandbox.generators.labels import Label
from mocksandbox.rules.attempt import Attempt
from tests.conformance import recorded
from tests.conformance.catalogue_built import HERE, Built, Entry, entries, made, made_ids

APIS = ("nhs", "redox", "clinikapi", "evaluation")
SAMPLE = 1000


@cache
def tried(name: str) -> list[tuple[Built, Payload, Response]]:
    """Every request of the catalogue to a provider, with its label and the mock's answer."""
    return [(each, each.payload(), each.answer()) for each in made(name)]


def listed(part: str, names: str) -> dict[str, str]:
    """The differences that are known, by what they are about."""
    groups: list[dict[str, Any]] = read_mapping(HERE / "catalogue-differences.yaml")[part]
    assert all(group["why"] for group in groups)
    return {name: group["is"] for group in groups for name in group[names]}


def said(truth: Payload | Label) -> str:
    """A label in words: `must-reject 400 INVARIANT`."""
    if truth.expected is None:
        return truth.verdict
    return f"{truth.verdict} {truth.expected.status} {truth.expected.error or truth.expected.issue}"


def agrees(entry: Entry, payload: Payload, status: int) -> bool:
    """Whether the label and the mock's answer are what is known."""
    expected = payload.expected
    refused = expected is not None and status == expected.status
    if entry.expect == "rejected":
        right = expected is not None and entry.has_status(expected.status) and entry.has_code(expected.error, expected.issue)
    elif entry.expect == "accepted":
        right = payload.verdict in ("must-accept", "either")
    else:
        right = entry.expect == "must_not_crash" and status < 500
    return right and entry.has_status(status) and (refused or payload.verdict != "must-reject")


def test_every_entry_is_made_and_nothing_else() -> None:
    ids = [entry.id for entry in entries()]
    made = [id for name in APIS for id in made_ids(name)]
    assert Counter(ids).most_common(1)[0][1] == 1
    assert Counter(made).most_common(1)[0][1] == 1
    assert sorted(made) == sorted(ids)
    families = Counter(entry.family for entry in entries())
    assert families == {"nhs": 509, "redox_imm": 87, "redox_enc": 82, "clinik": 99, "ie": 43}


@pytest.mark.parametrize("name", APIS)
def test_most_are_made_by_what_makes_broken_payloads(name: str) -> None:
    ways = Counter("by hand" if each.by_hand else each.cell.source for each, _, _ in tried(name))
    print(f"{name}: {ways.total()} requests: " + ", ".join(f"{count} {way}" for way, count in ways.most_common()))
    assert ways["by hand"] < ways.total() / 2


@pytest.mark.parametrize("name", APIS)
def test_the_made_up_requests_that_are_edited_are_right_ones(name: str) -> None:
    provider = open_provider(name)
    for base in {each.operation: each.base for each, _, _ in tried(name)}.values():
        assert base.operation is not None
        if "{id}" not in base.operation.path:  # else about a record, which must be made first
            assert label(provider, base).verdict == "must-accept"
            assert Sandbox(provider, "integration").handle(base.request).status < 300


@pytest.mark.parametrize("name", APIS)
def test_labels_and_answers_are_what_is_known(name: str) -> None:
    differing: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for each, payload, answer in tried(name):
        counts[payload.verdict] += 1
        if not agrees(each.entry, payload, answer.status):
            differing[each.entry.id] = f"{said(payload)}, answered {answer.status}"
    print(f"{name}: {dict(counts)}, {len(differing)} differences")
    ids = set(made_ids(name))
    assert differing == {id: text for id, text in listed("catalogue", "ids").items() if id in ids}


@pytest.mark.parametrize("name", APIS)
def test_what_no_service_may_fail_on_the_mock_answers(name: str) -> None:
    failed = [each.entry.id for each, _, answer in tried(name) if answer.status >= 500]
    assert failed == []


@pytest.mark.parametrize("name", APIS)
def test_a_label_that_takes_everything_would_be_found_out(name: str) -> None:
    wrong = refused = 0
    for each, payload, _ in tried(name):
        wrong += not agrees(each.entry, Payload(payload.operation, payload.request, payload.seed), 201)
        refused += each.entry.expect == "rejected"
    assert wrong >= refused > 0


def creates() -> Iterator[tuple[str, Request, dict[str, Any]]]:
    """The recorded cases that begin with a create: the name, the request as it was sent, what was answered."""
    for case in recorded.cases():
        first = case["steps"][0]
        if (first["method"], first["path"]) != ("POST", "/Immunization") or not {"json", "raw"} & first.keys():
            continue
        sent: list[Request] = []

        def send(request: Request, sent: list[Request] = sent) -> Response:
            sent.append(request)
            return Response(204)

        next(recorded.replay(case, send))
        yield case["name"], sent[0], first["expect"]


def test_labels_are_what_was_recorded() -> None:
    provider = open_provider("nhs")
    differing: dict[str, str] = {}
    counts: Counter[tuple[str, int]] = Counter()
    for name, request, expected in creates():
        attempt = Attempt(request, provider.contract, provider.contract.router.find(request.method, request.path))
        truth = label(provider, attempt)
        counts[truth.verdict, expected["status"]] += 1
        if expected["status"] < 300:
            right = truth.verdict != "must-reject"
        else:
            refusal = truth.expected
            right = refusal is not None and (refusal.status, refusal.error) == (expected["status"], expected["error_code"])
        if not right:
            differing[name] = said(truth)
    print(dict(counts))
    assert counts.total() == 316
    assert differing == listed("recorded", "names")


def test_there_are_many_bodies_of_both_kinds_for_a_create_of_the_nhs() -> None:
    counts: Counter[str] = Counter()
    bodies: set[bytes] = set()
    for payload in broken_payloads("nhs/createImmunization", SAMPLE):
        if payload.request.body not in bodies:
            bodies.add(payload.request.body)
            counts[payload.verdict] += 1
    print(f"of {SAMPLE} broken payloads of a create, {len(bodies)} different bodies: {dict(counts)}")
    assert counts["must-reject"] >= 370
    assert counts["must-accept"] >= 100
