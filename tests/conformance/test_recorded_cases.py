"""The mock beside the real service: every recorded request gets the recorded answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from mocksandbox import Sandbox, codec, open_provider
from mocksandbox.exchange import Request, Response
from mocksandbox.journal import Journal
from mocksandbox.rules.places import put
from tests.conformance import recorded

ASPECTS = ("status", "issue", "error", "field")


@dataclass(frozen=True)
class Replay:
    """One recorded case, replayed: its steps with what differs, the answers that were given, and the mock's journal."""

    case: dict[str, Any]
    steps: list[recorded.Replayed]
    answers: list[Response]
    journal: Journal

    @property
    def whole(self) -> bool:
        """Whether every answer is as recorded in everything that is to be imitated."""
        return all(failed(step) or not step.differences.keys() - _not_imitated(step) for step in self.steps)


def _not_imitated(step: recorded.Replayed) -> set[str]:
    # Only the service's own words are imitated, not an interpreter's or a library's that leak out of it.
    return set() if step.kind in ("rule", "") else {"text"}


def failed(step: recorded.Replayed) -> bool:
    """Whether the real service failed here, which no client wants to be reproduced."""
    return bool(step.expected["status"] == 500)


def replayed(case: dict[str, Any]) -> Replay:
    sandbox = Sandbox(open_provider("nhs"), "integration", strict=True)
    answers: list[Response] = []

    def send(request: Request) -> Response:
        answers.append(sandbox.handle(request))
        return answers[-1]

    return Replay(case, list(recorded.replay(case, send)), answers, sandbox.journal)


@pytest.fixture(scope="module")
def replays() -> list[Replay]:
    return [replayed(case) for case in recorded.cases()]


def steps(replays: list[Replay]) -> Iterator[tuple[str, recorded.Replayed, Response]]:
    for replay in replays:
        for step, answer in zip(replay.steps, replay.answers, strict=True):
            yield f"{step.case} [{step.step}]", step, answer


def test_every_recorded_case_is_replayed(replays: list[Replay]) -> None:
    assert len(replays) == 378
    assert sum(len(replay.steps) for replay in replays) == sum(len(replay.case["steps"]) for replay in replays)


@pytest.mark.parametrize("aspect", ASPECTS)
def test_every_answer_has_the_recorded(aspect: str, replays: list[Replay]) -> None:
    wrong = [
        f"{name}: {step.differences[aspect]}"
        for name, step, _ in steps(replays)
        if aspect in step.differences and not failed(step)
    ]
    assert not wrong, "\n".join(wrong)


def test_where_the_service_fails_the_mock_refuses_with_a_reason(replays: list[Replay]) -> None:
    broken = [(name, answer) for name, step, answer in steps(replays) if failed(step)]
    assert broken
    for name, answer in broken:
        assert 400 <= answer.status < 500, name
        assert codec.loads(answer.body)["resourceType"] == "OperationOutcome", name
        assert codec.loads(answer.body)["issue"][0]["diagnostics"], name


def test_every_text_of_the_services_own_rules_is_word_for_word(replays: list[Replay]) -> None:
    wrong = [f"{name}: {step.differences['text']}" for name, step, _ in steps(replays) if _own_words(step)]
    assert not wrong, "\n".join(wrong)


def _own_words(step: recorded.Replayed) -> bool:
    return step.kind == "rule" and "text" in step.differences and not failed(step)


def test_no_request_that_the_service_accepts_is_refused(replays: list[Replay]) -> None:
    accepted = [(name, answer) for name, step, answer in steps(replays) if step.expected["status"] < 300]
    assert accepted
    refused = [f"{name}: {answer.status} {answer.body[:300]!r}" for name, answer in accepted if answer.status >= 300]
    assert not refused, "\n".join(refused)


def test_the_mock_breaks_no_rule_of_its_own_answers(replays: list[Replay]) -> None:
    bugs = [
        f"{replay.case['name']}: {bug.rule.id} {bug.at} {bug.message}"
        for replay in replays
        for entry in replay.journal
        for bug in entry.bugs
    ]
    assert not bugs, "\n".join(bugs)


def test_whole_cases_agree(replays: list[Replay]) -> None:
    groups: dict[str, Counter[bool]] = defaultdict(Counter)
    for replay in replays:
        groups[replay.case["rule"].partition("/")[0]][replay.whole] += 1
    for group, counts in sorted(groups.items()):
        print(f"{group:24} {counts[True]:4} of {counts.total():4} cases agree in everything")
    differing = [f"{r.case['name']}: {[s.differences for s in r.steps]}" for r in replays if not r.whole]
    assert len(differing) <= len(replays) / 100, "\n".join(differing)


def test_the_journal_says_where_the_document_would_have_refused(replays: list[Replay]) -> None:
    differing = [entry for replay in replays for entry in replay.journal if entry.differences]
    assert any("-immunization.target" in text for entry in differing for text in entry.differences)
    for entry in differing:
        assert entry.exchange.response.status < 300
        assert not entry.findings


def test_an_accepted_record_that_breaks_the_documents_schema_is_journalled_with_the_place() -> None:
    provider = open_provider("nhs")
    assert provider.valid is not None
    attempt = provider.valid("createImmunization")
    body = put(attempt.body, ("site", "coding", 0, "system"), 5)
    lenient, strict = Sandbox(provider, "integration"), Sandbox(provider, "documented")
    assert strict.handle(attempt.with_body(body).request).status == 400
    assert lenient.handle(attempt.with_body(body).request).status == 201
    entry = lenient.journal.last()
    assert entry is not None
    assert entry.differences == ["Immunization.site.coding[0].system must be of type string"]
