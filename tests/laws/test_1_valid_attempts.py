"""Law 1: valid attempts break no rule, and the mock accepts them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mocksandbox.exchange import Headers, Request
from mocksandbox.provider import open_provider
from mocksandbox.rules.attempt import Attempt
from tests.conformance import recorded
from tests.laws.harness import PROVIDERS, new_world

PLACES = [
    (name, profile, operation.id)
    for name in PROVIDERS
    for profile in open_provider(name).profiles
    for operation in open_provider(name).contract.operations
]


@pytest.mark.parametrize(("name", "profile", "operation"), PLACES)
def test_the_valid_attempt_breaks_no_rule_and_is_accepted(name: str, profile: str, operation: str) -> None:
    world = new_world(name, profile)
    valid = world.valid(operation)
    assert world.provider.catalogue.all(valid, operation, profile) == []
    answer = world.send(valid)
    assert answer.status < 300, answer.body
    entry = world.sandbox.journal.last()
    assert entry is not None
    assert not entry.bugs
    assert not entry.differences


def accepted_records() -> list[dict[str, Any]]:
    """The records that the real service was seen to accept from new."""
    known = [(case.get("vars") or {}, step) for case in recorded.cases() for step in case["steps"]]
    return [
        json.loads(json.dumps(step["json"]).replace("{{uid}}", "uid-1").replace("{{nhs:0}}", values.get("nhs:0", "")))
        for values, step in known
        if step["expect"]["status"] == 201 and "json" in step
    ]


def test_the_records_that_the_service_accepts_break_no_rule() -> None:
    provider = open_provider("nhs")
    operation = provider.contract.operation("createImmunization")
    headers = Headers([("Content-Type", "application/fhir+json")])
    match = provider.contract.router.find("POST", operation.path)
    records = accepted_records()
    assert len(records) > 50
    for record in records:
        attempt = Attempt(Request("POST", operation.path, headers=headers).with_json(record), provider.contract, match)
        found = provider.catalogue.all(attempt, operation.id, "integration")
        assert found == [], record
