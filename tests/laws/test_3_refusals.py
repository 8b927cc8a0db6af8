"""Law 3: the mock refuses each defect with the rule's status and codes, and names the place."""

from __future__ import annotations

import pytest

from mocksandbox.exchange import Response
from mocksandbox.journal import Entry
from mocksandbox.provider import Told, open_provider
from mocksandbox.rules import Finding
from mocksandbox.sandbox.sandbox import RULES_HEADER
from tests.laws.harness import Trial, every_rule, new_world, trials

REFUSING = [(name, id) for name, id in every_rule() if open_provider(name).catalogue[id].severity == "error"]


@pytest.mark.parametrize(("name", "id"), [each for each in every_rule() if each not in REFUSING])
def test_what_is_advised_against_is_accepted(name: str, id: str) -> None:
    for trial in trials(name, open_provider(name).catalogue[id]):
        world = new_world(name, trial.world.profile, trial.defect.needs, trial.operation)
        broken = trial.defect.apply(world.valid(trial.operation))
        answer = world.send(broken)
        refused = any(world.provider.catalogue[other].severity == "error" for other in trial.defect.also)
        assert answer.status < 300 or refused, f"{trial.name}: {answer.status} {answer.body[:300]!r}"


@pytest.mark.parametrize(("name", "id"), REFUSING)
def test_each_defect_is_refused_by_its_rule_or_by_one_that_is_broken_with_it(name: str, id: str) -> None:
    answered_itself = False
    for trial in trials(name, open_provider(name).catalogue[id]):
        answer = trial.world.send(trial.broken)
        entry = trial.world.sandbox.journal.last()
        assert entry is not None
        assert not entry.bugs, f"{trial.name}: {entry.bugs}"
        _judge(trial, answer, entry)
        answered_itself |= id in {finding.rule.id for finding in entry.findings}
    assert answered_itself, f"{id} never answers: other rules are always in front of it"


def _judge(trial: Trial, answer: Response, entry: Entry) -> None:
    rule = trial.rule
    assert 400 <= answer.status < 500, f"{trial.name}: {answer.status} {answer.body[:300]!r}"
    assert trial.world.provider.told is not None
    told = trial.world.provider.told(answer)
    assert told is not None, trial.name
    named = set(answer.headers[RULES_HEADER].split(", "))
    assert named <= {rule.id} | trial.defect.also, f"{trial.name}: refused by {named}"
    first = entry.findings[0].rule
    assert answer.status == first.status, trial.name
    assert not told.issue or told.issue == first.issue, trial.name
    assert told.error == first.error, trial.name
    if rule.id in named:
        assert (answer.status, first.issue, first.error) == (rule.status, rule.issue, rule.error), trial.name
    for finding in entry.findings:
        assert finding.message in told.text, trial.name
        assert _names(told, finding), f"{trial.name}: {finding.at} is not in {told}"


def _names(told: Told, finding: Finding) -> bool:
    where, colon, parameter = finding.at.partition(":")
    nowhere = where in ("body", "path", "query") and not colon  # the whole of it
    return nowhere or bool({finding.at, f"http.{parameter}" if colon else finding.at} & told.places)
