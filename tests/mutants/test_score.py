"""The fuzzer's score on a server of our own with bugs that are switched on. A run takes a sample; the whole is `make full`."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mocksandbox.provider.discovery import BUILT_IN
from tests.mutants import score
from tests.mutants.bugs import BUGS, EQUIVALENT, OFF

FULL = os.environ.get("MOCKSANDBOX_FULL") == "1"
LEAST = 0.95
SAMPLE = 9
"""Every ninth bug, in a run that is not full."""

HERE = Path(__file__).parent


def test_the_server_shares_no_code_with_the_package() -> None:
    for name in ("target", "searching", "validation", "fhir", "bugs"):
        assert not re.search(r"^\s*(from|import) mocksandbox", (HERE / f"{name}.py").read_text("utf-8"), re.MULTILINE), name


def test_there_are_enough_bugs_and_each_is_in_the_server() -> None:
    assert len(BUGS) >= 40
    assert len(BUGS) + len(score.KILLABLE) >= 80
    text = "".join((HERE / f"{name}.py").read_text("utf-8") for name in ("target", "searching", "validation"))
    assert [bug for bug in BUGS if f'"{bug}"' not in text] == []
    assert set(OFF) >= set(EQUIVALENT)


@pytest.mark.heavy
def test_a_server_without_bugs_has_no_findings() -> None:
    seeds = score.SEEDS if FULL else score.SEEDS[:1]
    assert score.clean_findings(seeds, None if FULL else 600) == frozenset()


@pytest.mark.heavy
@pytest.mark.parametrize("half", [tuple(BUGS), score.KILLABLE], ids=["bugs", "checks-switched-off"])
def test_the_score_does_not_fall(half: tuple[str, ...]) -> None:
    chosen = half if FULL else half[::SAMPLE]
    missed = [kill.bug for kill in score.kills(chosen, most=None if FULL else 2500) if not kill.finding]
    found = 1 - len(missed) / len(chosen)
    assert found >= LEAST, f"{found:.1%} of {len(chosen)}; missed: {missed}"


@pytest.mark.heavy
@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_rule_that_a_mock_does_not_look_at_is_found(name: str) -> None:
    rules = score.rules_sent(name)
    chosen = rules if FULL else rules[:: SAMPLE * 3]
    missed = [kill.bug for kill in score.rule_kills(name, chosen, most=None if FULL else 2500) if not kill.finding]
    assert len(missed) <= (1 - LEAST) * len(chosen), missed
