"""Laws 1, 2 and 3 over made-up payloads: valid ones break nothing and are taken, broken ones are refused as labelled.

Every run takes a sample; the whole is `make full`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mocksandbox.generators import SOURCES, STYLES, Payload, Style, broken_payloads, history, payloads
from mocksandbox.generators.histories import HISTORIES
from mocksandbox.generators.labels import stateless_findings
from mocksandbox.provider import Provider, open_provider
from mocksandbox.provider.discovery import BUILT_IN
from mocksandbox.rules.attempt import Attempt
from mocksandbox.sandbox import Sandbox

FULL = os.environ.get("MOCKSANDBOX_FULL") == "1"
SEEDS = 10_000 if FULL else 120
EVERY = 1 if FULL else 23
ROOT = Path(__file__).parents[2]

OPERATIONS = [(name, operation.id) for name in BUILT_IN for operation in open_provider(name).contract.operations]
WRITES = [(name, id) for name, id in OPERATIONS if open_provider(name).contract.operation(id).bodies]


def attempt_of(provider: Provider, payload: Payload) -> Attempt:
    request = payload.request
    return Attempt(request, provider.contract, provider.contract.router.find(request.method, request.path))


@pytest.mark.heavy
@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_valid_payloads_break_no_rule_in_any_profile_and_differ_in_nothing_from_the_document(
    name: str, operation: str
) -> None:
    provider = open_provider(name)
    for style in STYLES if not FULL else ("mixed",):
        for payload in payloads(f"{name}/{operation}", SEEDS, style=style):
            attempt = attempt_of(provider, payload)
            assert stateless_findings(provider, attempt) == [], f"seed {payload.seed}, {style}"
            assert not attempt.violations, f"seed {payload.seed}, {style}"
            assert payload.verdict == "must-accept"


@pytest.mark.heavy
@pytest.mark.parametrize("profile", ["integration", "documented", "sandbox"])
@pytest.mark.parametrize(("name", "operation"), WRITES)
def test_the_mock_takes_valid_payloads(name: str, operation: str, profile: str) -> None:
    provider = open_provider(name)
    sandbox = Sandbox(provider, profile)
    creates = _creates(provider, operation)
    for payload in payloads(f"{name}/{operation}", SEEDS if creates else 1):
        answer = sandbox.handle(payload.request)
        assert answer.status < 300, (payload.seed, answer.body)


def _creates(provider: Provider, operation: str) -> bool:
    """Whether an operation makes a record of each request, or none: the others change one record, which happens once."""
    return provider.contract.operation(operation).method == "POST"


@pytest.mark.heavy
@pytest.mark.parametrize("style", STYLES)
def test_valid_fhir_payloads_are_valid_to_fhir_resources(style: Style) -> None:
    from fhir.resources.R4B.immunization import Immunization

    for payload in payloads("nhs", SEEDS, style=style):
        Immunization.model_validate(payload.body)


def _digest(count: int) -> str:
    whole = hashlib.sha256()
    for payload in payloads("nhs", count):
        whole.update(payload.request.body)
    for kind in HISTORIES:
        for payload in history("nhs", kind, 50):
            whole.update(payload.line())
    for payload in broken_payloads("nhs", 50, seed=3):
        whole.update(payload.line())
    return whole.hexdigest()


@pytest.mark.heavy
def test_the_same_seeds_give_the_same_bytes_in_another_process() -> None:
    count = 10_000 if FULL else 300
    program = f"from tests.laws.test_8_payloads import _digest; print(_digest({count}))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    first = _digest(count)
    assert first == _digest(count)
    assert first == done.stdout.strip()


@cache
def broken(name: str, operation: str, source: Any) -> list[Payload]:
    """A source's labelled payloads: all in a full run, else every so many, and all that are no generic edits."""
    made = list(_sampled(name, operation, source))
    return made


def _sampled(name: str, operation: str, source: Any) -> Iterator[Payload]:
    from mocksandbox.generators import cells, payload_of

    provider = open_provider(name)
    for number, cell in enumerate(cells(provider, operation, 1, sources=[source])):
        if source != "edits" or number % EVERY == 0:
            yield payload_of(provider, operation, cell, 1)


@pytest.mark.heavy
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_the_mock_answers_as_the_label_says(name: str, operation: str, source: str) -> None:
    provider = open_provider(name)
    counts: Counter[str] = Counter()
    for payload in broken(name, operation, source):
        # A world of its own for each: one that is taken must not decide what becomes of the next.
        sandbox = Sandbox(provider)
        answer = sandbox.handle(payload.request)
        counts[payload.verdict] += 1
        told = f"{payload.defect}: {answer.status} {answer.body[:300]!r}"
        assert answer.status < 500, told
        if payload.verdict != "must-reject":
            assert answer.status < 300, told
            continue
        assert payload.expected is not None
        assert answer.status == payload.expected.status, told
        if answer.body and provider.told is not None:
            said = provider.told(answer)
            assert said is not None, told
            assert said.error == payload.expected.error, told
            for place in payload.expected.places:
                where, colon, parameter = place.partition(":")
                nowhere = not colon and where in ("body", "path", "query", "")
                written = place.encode("utf-8", "replace").decode()  # half a surrogate pair, which some servers do not write
                assert nowhere or {place, written, f"http.{parameter}"} & said.places, told
    print(f"{name}/{operation} {source}: {dict(counts)}")


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_a_rules_own_defects_are_labelled_with_the_rule(name: str, operation: str) -> None:
    for payload in broken(name, operation, "rules"):
        assert payload.defect is not None
        assert payload.verdict == "must-reject", payload.defect
        assert payload.defect.rpartition("/")[0] in payload.broken, payload.defect


def test_there_are_enough_bodies_for_a_create_of_the_nhs() -> None:
    counts: Counter[str] = Counter()
    bodies: set[bytes] = set()
    for payload in broken_payloads("nhs", sources=["rules", "bytes", "pairs"]):
        if payload.request.body not in bodies:
            bodies.add(payload.request.body)
            counts[payload.verdict] += 1
    assert counts["must-reject"] >= 370
    accepted = sum(1 for payload in broken("nhs", "createImmunization", "edits") if payload.verdict == "must-accept")
    assert accepted >= 100


@pytest.mark.parametrize("kind", sorted(HISTORIES))
@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_histories_are_valid(name: str, kind: str) -> None:
    provider = open_provider(name)
    made = list(history(name, kind, 150, seed=5))
    assert len(made) == 150
    for payload in made:
        assert stateless_findings(provider, attempt_of(provider, payload)) == [], payload.seed
