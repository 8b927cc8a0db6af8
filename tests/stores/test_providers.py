"""Every API behaves on every store as it does in memory: each operation, each recorded case, transactions, faults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mocksandbox.exchange import Request, Response
from mocksandbox.provider import open_provider
from mocksandbox.provider.discovery import BUILT_IN
from mocksandbox.sandbox import Clock, Sandbox
from mocksandbox.sandbox.faults import FAULTS
from mocksandbox.store import Store
from tests.conformance import recorded
from tests.stores.conftest import Opener

_MADE_UP = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|req_\w+")
"""What is different in each answer: ids that are drawn."""

NOON = Clock(frozen=datetime(2026, 3, 1, 12, tzinfo=UTC))


def walk(box: Sandbox) -> Iterator[tuple[str, int, bytes]]:
    """Every operation with valid requests, twice over, about seeds and about what was last created; then under faults."""
    provider = box.provider
    about: tuple[str, int] | None = None
    assert provider.valid is not None
    operations = provider.contract.operations
    for _ in range(2):
        for operation in operations:
            attempt = provider.valid(operation.id)
            for made in (attempt, provider.about(attempt, *about) if about and provider.about else attempt):
                answer = box.handle(made.request)
                yield operation.id, answer.status, _MADE_UP.sub(b"?", answer.body)
                if answer.status == 201 and "Location" in answer.headers:
                    about = (_id_in(answer), 1)
    for fault in ("stale-read", "another-writer", "timeout-after-write"):
        for operation in (each for each in operations if FAULTS[fault].fits(each)):
            request = provider.valid(operation.id).request.with_header("Prefer", f"fault={fault}")
            answer = box.handle(request)
            yield f"{operation.id} {fault}", answer.status, _MADE_UP.sub(b"?", answer.body)


def held(store: Store | None) -> list[Any]:
    """What a store holds, but for what is made up."""
    assert store is not None
    return [
        (record.kind, record.version, record.state, _MADE_UP.sub(b"?", record.body), sorted(record.keys))
        for record in store.partition().snapshot()
    ]


def _id_in(answer: Response) -> str:
    return answer.headers["Location"].partition("/_history/")[0].rpartition("/")[2]


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_an_api_answers_as_in_memory(name: str, url: str, opened: Opener) -> None:
    provider = open_provider(name)
    profiles = sorted(provider.profiles) if url.startswith("sqlite") else [provider.default_profile]
    for number, profile in enumerate(profiles):
        store = opened(url, provider.seeds(), f"{name}-{number}")
        boxes = [Sandbox(provider, profile, made, clock=NOON) for made in (store, None)]
        there, here = map(list, map(walk, boxes))
        assert [each[:2] for each in there] == [each[:2] for each in here]
        assert [each for each in there if each[1] == 500] == []
        assert [(one, other) for one, other in zip(there, here, strict=True) if one != other] == []
        assert held(store) == held(boxes[1].store)
        assert len({status for _, status, _ in there}) > 1


def test_every_recorded_case_is_answered_as_in_memory(url: str, opened: Opener) -> None:
    provider = open_provider("nhs")
    cases = recorded.cases() if url.startswith("sqlite") else recorded.cases()[::6]
    shared = Sandbox(provider, "integration", opened(url, provider.seeds()))
    for number, case in enumerate(cases):
        answers = []
        for box, tenant in ((shared, f"case-{number}"), (Sandbox(provider, "integration"), "")):

            def send(request: Request, box: Sandbox = box, tenant: str = tenant) -> Response:
                return box.handle(request, tenant)

            answers.append([replace(step, expected={}) for step in recorded.replay(case, send)])
        assert [_plain(step) for step in answers[0]] == [_plain(step) for step in answers[1]], case["name"]


def _plain(step: recorded.Replayed) -> tuple[int, list[str]]:
    return step.step, sorted(step.differences)


def test_a_transaction_is_all_or_nothing(url: str, opened: Opener) -> None:
    provider = open_provider("evaluation")
    store = opened(url, provider.seeds(), "evaluation")
    box = Sandbox(provider, "integration", store)
    before = store.partition().snapshot()
    patient = {"resourceType": "Patient", "name": [{"family": "Testpatient"}]}
    wrong, asked = {"resourceType": "Patient", "gender": "x"}, {"method": "POST", "url": "Patient"}
    entries = [
        {"fullUrl": "urn:uuid:1", "resource": patient, "request": asked},
        {"fullUrl": "urn:uuid:2", "resource": wrong, "request": asked},
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    request = Request("POST", "/", base_url="http://localhost/fhir").with_json(bundle)
    request = request.with_header("Content-Type", "application/fhir+json")
    assert box.handle(request).status >= 400
    assert store.partition().snapshot() == before
    good = request.with_json({**bundle, "entry": entries[:1]})
    assert box.handle(good).status == 200
    assert len(store.partition().snapshot()) == len(before) + 1
